"""Many who wait for the same work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class Together(Generic[_Result]):
    """Each call waits for a run of `work` that began after the call; one run serves all that came before it."""

    def __init__(self, work: Callable[[], Awaitable[_Result]]) -> None:
        self._work = work
        self._running: asyncio.Task[_Result] | None = None
        self._next: asyncio.Task[_Result] | None = None

    async def __call__(self) -> _Result:
        """Raises what the work raises."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._after(self._running))
            # Those who wait may be cancelled: then nobody asks how it ended.
            self._next.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._next)

    async def close(self) -> None:
        """Returns once no run is under way. No calls after that."""
        if left := [task for task in (self._running, self._next) if task is not None]:
            await asyncio.wait(left)

    async def _after(self, before: asyncio.Task[_Result] | None) -> _Result:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        return await self._work()
