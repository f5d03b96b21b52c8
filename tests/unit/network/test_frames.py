"""Messages arrive whole, however long they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingle.network import frames


@given(st.lists(st.integers(0, 200_000) | st.sampled_from([0, 65535, 65536, 65537, 131072]), max_size=4))
def test_messages_come_together_again(lengths: list[int]) -> None:
    joiner = frames.Joiner()
    for number, length in enumerate(lengths):
        message = bytes([number]) * length
        parts = list(frames.cut(message))
        assert all(len(part) <= frames.LONGEST for part in parts)
        assert [joiner.add(part) for part in parts] == [*([None] * (len(parts) - 1)), message]
