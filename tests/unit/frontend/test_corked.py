"""The transport that gathers what one turn of the event loop writes."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from ingle.frontend.connection import CorkedTransport


class Transport:
    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        # As uvloop's does.
        if self.closed:
            raise RuntimeError("the handler is closed")
        self.writes.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


async def test_what_one_turn_writes_goes_out_together() -> None:
    inner = Transport()
    corked = CorkedTransport(cast("Any", inner), asyncio.get_running_loop())
    corked.write(b"a")
    corked.write(b"b")
    assert inner.writes == []
    await asyncio.sleep(0)
    assert inner.writes == [b"ab"]
    corked.write(b"c")
    corked.close()
    assert (inner.writes, inner.closed) == ([b"ab", b"c"], True)


async def test_a_peer_that_leaves_before_the_turn_is_over_is_no_error() -> None:
    inner, failures = Transport(), list[object]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: failures.append(context))
    corked = CorkedTransport(cast("Any", inner), loop)
    corked.write(b"a")
    inner.closed = True
    await asyncio.sleep(0)
    assert (inner.writes, failures) == ([], [])


async def test_much_is_written_at_once() -> None:
    inner = Transport()
    corked = CorkedTransport(cast("Any", inner), asyncio.get_running_loop())
    corked.write(b"a")
    corked.write(b"." * 65_536)
    assert [len(data) for data in inner.writes] == [65_537]
    corked.write(b"b")
    await asyncio.sleep(0)
    assert inner.writes[1:] == [b"b"]
