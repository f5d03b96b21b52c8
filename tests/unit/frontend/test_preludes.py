"""What a function streams to its URL, cut anywhere: the prelude, and the body behind it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.domain.invocation import InvocationResult
from ingle.frontend.url_events import Malformed
from ingle.frontend.url_streams import INTEGRATION, BrokenOff, FunctionFailed, streamed_answer
from ingle.invoke.streaming import ResponseStream

DONE = InvocationResult(payload=b"")
FAILED = InvocationResult(payload=b"{}", error="Unhandled")


class Source:
    def pause(self) -> None: ...
    def resume(self) -> None: ...


def answer(pieces: list[bytes], kind: str | None = INTEGRATION, result: InvocationResult = DONE) -> tuple[Any, bytes]:
    """Head and body, each piece written once the one before was read. Raises what the answer raises."""

    async def run() -> tuple[Any, bytes]:
        stream = ResponseStream()
        stream.begin(kind, Source())

        async def write() -> None:
            for piece in pieces:
                stream.write(piece)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            stream.finish(result)

        writing = asyncio.create_task(write())
        try:
            head, chunks = await streamed_answer(stream)
            assert chunks is not None
            return head, b"".join([chunk async for chunk in chunks])
        finally:
            await writing

    return asyncio.run(run())


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [piece for piece in (*pieces, data) if piece]


@given(
    status=st.integers(min_value=200, max_value=599), body=st.binary(max_size=40) | st.just(bytes(12)),
    sizes=st.lists(st.integers(min_value=1, max_value=20), max_size=20),
)  # fmt: skip
def test_no_cut_matters(status: int, body: bytes, sizes: list[int]) -> None:
    data = json.dumps({"statusCode": status}).encode() + bytes(8) + body
    head, found = answer(cut(data, sizes))
    assert (head.status, found) == (status, body)


@given(data=st.binary(max_size=60), sizes=st.lists(st.integers(min_value=1, max_value=20), max_size=5))
def test_anything_is_an_answer_or_malformed(data: bytes, sizes: list[int]) -> None:
    try:
        head, _ = answer(cut(data, sizes))
    except Malformed:
        return
    assert head.status == 200


def test_a_failure_has_a_status_before_the_head_and_breaks_the_body_off_behind_it() -> None:
    for pieces, kind in (([], INTEGRATION), ([b"{}", bytes(7)], INTEGRATION), ([], None)):
        with pytest.raises(FunctionFailed):
            answer(pieces, kind, FAILED)
    for pieces, kind in (([b"{}" + bytes(8)], INTEGRATION), ([b"half"], None)):
        with pytest.raises(BrokenOff):
            answer(pieces, kind, FAILED)


def test_the_type_may_have_parameters() -> None:
    head, body = answer([b'{"statusCode": 201}' + bytes(8) + b"x"], f"{INTEGRATION.upper()}; charset=utf-8")
    assert (head.status, body) == (201, b"x")
