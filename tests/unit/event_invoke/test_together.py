"""Runs of work that many wait for."""

from __future__ import annotations

import asyncio

import pytest

from ingle.event_invoke.together import Together


class Work:
    def __init__(self):
        self.begun = 0
        self.go = asyncio.Event()
        self.error = None

    async def __call__(self):
        self.begun += 1
        number = self.begun
        await self.go.wait()
        if self.error:
            raise self.error
        return number


async def turns():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_asks_while_a_run_is_under_way_gets_the_next_one():
    work = Work()
    together = Together(work)
    first = asyncio.ensure_future(together())
    await turns()
    later = [asyncio.ensure_future(together()) for _ in range(3)]
    await turns()
    assert work.begun == 1
    work.go.set()
    assert [await first, *[await item for item in later]] == [1, 2, 2, 2]


async def test_a_failure_is_told_to_those_who_wait_and_to_no_other():
    work = Work()
    together = Together(work)
    waiting = [asyncio.ensure_future(together()) for _ in range(2)]
    work.error = RuntimeError("no")
    work.go.set()
    for item in waiting:
        with pytest.raises(RuntimeError):
            await item
    work.error = None
    assert await together() == 2


async def test_a_run_goes_on_without_those_who_wait_and_closing_waits_for_it():
    work = Work()
    together = Together(work)
    waiting = asyncio.ensure_future(together())
    await turns()
    waiting.cancel()
    closing = asyncio.ensure_future(together.close())
    await turns()
    assert not closing.done()
    work.error = RuntimeError("nobody asks")
    work.go.set()
    await closing
