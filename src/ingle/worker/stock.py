"""Zygotes, and the sandboxes that are prepared from them ahead of their use.

A zygote is started when the first function that needs it is prepared. Sandboxes are kept on shelves: of those on one
shelf each serves as well as any other. A shelf is refilled after a sandbox was taken from it, never beside the cold
start that is under way. Used by `worker.host` only, on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from ingle.background import Background
from ingle.observability.log import Logger
from ingle.sandbox.client import Sandbox, SandboxError, SupervisorClient, ZygoteInfo, ZygoteSpec

log = Logger("worker")

DEFAULT_TMP_MB = 512
#: How long a zygote may take to import what it preloads, in seconds.
_ZYGOTE_SECONDS = 60.0
#: A shelf is refilled this long after a sandbox was taken, in seconds.
_REFILL_DELAY = 0.02


@dataclass(slots=True, eq=False)
class Shelf:
    """Prepared sandboxes of one zygote."""

    zygote: ZygoteInfo
    ready: deque[Sandbox] = field(default_factory=deque)
    coming: int = 0


class Stock:
    """`async with Stock(...)`. `size`: sandboxes kept ready on each shelf."""

    def __init__(self, sandboxes: SupervisorClient, size: int, on_lost: Callable[[str], None]) -> None:
        """`on_lost(zygote)` is called when a zygote has ended; the next that needs it starts it again."""
        self._sandboxes = sandboxes
        self._size = size
        self._on_lost = on_lost
        self._shelves: dict[str, Shelf] = {}
        self._starting: dict[str, asyncio.Task[Shelf]] = {}
        self._background = Background()
        sandboxes.on_zygote_lost = self._zygote_lost

    async def __aenter__(self) -> Self:
        await self._background.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._starting.values():
            task.cancel()
        await self._background.__aexit__()

    async def zygote(self, name: str, spec: Callable[[], ZygoteSpec]) -> ZygoteInfo:
        """The running zygote `name`, started by `spec` if there is none. Raises SandboxError."""
        if (shelf := self._shelves.get(name)) is not None:
            return shelf.zygote
        task = self._starting.get(name)
        if task is None:
            task = self._starting[name] = asyncio.ensure_future(self._start(spec()))
            task.add_done_callback(lambda _: self._starting.pop(name, None))
        return (await asyncio.shield(task)).zygote

    async def _start(self, spec: ZygoteSpec) -> Shelf:
        try:
            async with asyncio.timeout(_ZYGOTE_SECONDS):
                info = await self._sandboxes.start_zygote(spec)
        except TimeoutError as error:
            raise SandboxError(f"{spec.name} did not start within {_ZYGOTE_SECONDS:.0f} s") from error
        shelf = self._shelves[spec.name] = Shelf(info)
        log.info("zygote ready", zygote=spec.name)
        self._refill(shelf)
        return shelf

    def _zygote_lost(self, name: str) -> None:
        """Environments that it forked live on."""
        log.error("a zygote ended", zygote=name)
        shelf = self._shelves.pop(name, None)
        for sandbox in list(shelf.ready) if shelf is not None else ():
            self._sandboxes.destroy(sandbox)
        self._on_lost(name)

    async def take(self, zygote: str, tmp_mb: int) -> Sandbox:
        """A sandbox from a zygote that was started. Raises SandboxError."""
        shelf = self._shelves.get(zygote)
        if shelf is None:
            raise SandboxError("the zygote ended")
        try:
            while tmp_mb == DEFAULT_TMP_MB and shelf.ready:
                sandbox = shelf.ready.popleft()
                if not sandbox.released:
                    return sandbox
            return await self._sandboxes.create(zygote, tmp_mb)
        finally:
            asyncio.get_running_loop().call_later(_REFILL_DELAY, self._refill, shelf)

    def _refill(self, shelf: Shelf) -> None:
        if self._shelves.get(shelf.zygote.name) is not shelf:
            return  # that zygote has ended
        while len(shelf.ready) + shelf.coming < self._size:
            shelf.coming += 1
            self._background.start(self._add_to(shelf))

    async def _add_to(self, shelf: Shelf) -> None:
        try:
            sandbox = await self._sandboxes.create(shelf.zygote.name, DEFAULT_TMP_MB)
        except SandboxError as error:
            log.warning("a sandbox could not be prepared", zygote=shelf.zygote.name, reason=str(error))
            return
        finally:
            shelf.coming -= 1
        if sandbox.released:
            return
        sandbox.on_gone = lambda: self._drop(shelf, sandbox)
        shelf.ready.append(sandbox)

    @staticmethod
    def _drop(shelf: Shelf, sandbox: Sandbox) -> None:
        with contextlib.suppress(ValueError):
            shelf.ready.remove(sandbox)
