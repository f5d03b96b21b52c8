"""Tasks that end with the component that owns them."""

from __future__ import annotations

import asyncio

import pytest

from ingle.background import Background


async def test_leaving_cancels_what_still_runs() -> None:
    async with Background() as background:
        task = background.start(asyncio.Event().wait())
    assert task.cancelled()


async def test_a_task_that_fails_ends_the_block() -> None:
    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(BaseExceptionGroup) as raised:
        async with Background() as background:
            background.start(fail())
            await asyncio.Event().wait()
    assert raised.group_contains(LookupError)
