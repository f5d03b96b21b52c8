"""Zygotes, and the sandboxes that are prepared from them ahead of their use.

A zygote is started when the first function that needs it is prepared. Sandboxes are kept on shelves: those on one
shelf are of one kind, and each serves as well as any other. A shelf is refilled after a sandbox was taken from it,
never beside the cold start that is under way. Used by `worker.host` only, on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from ingle.background import Background
from ingle.observability.log import Logger
from ingle.sandbox.client import Sandbox, SandboxError, SupervisorClient, ZygoteInfo, ZygoteSpec

log = Logger("worker")

DEFAULT_TMP_MB = 512
#: How long a zygote may take to import what it preloads, in seconds.
_ZYGOTE_SECONDS = 60.0
#: A shelf is refilled this long after a sandbox was taken, in seconds.
_REFILL_DELAY = 0.02
#: Sandboxes with a started runtime cost its memory: fewer are kept, and for the kinds that were wanted last only.
_STARTED_SIZE = 2
_STARTED_KINDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What sandboxes have in common: the zygote, and the memory size that a runtime in them was started for, if any."""

    zygote: str
    memory_mb: int | None = None
    #: The network that they are attached to ahead of their use.
    network: str | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Shelf:
    """Prepared sandboxes of one kind. `ahead`: what is executed in them, see `SupervisorClient.create`."""

    kind: Kind
    ahead: dict[str, Any] | None
    ready: deque[Sandbox] = field(default_factory=deque)
    coming: int = 0


class Stock:
    """`async with Stock(...)`. `size`: sandboxes kept ready on each shelf, fewer where they hold a started runtime."""

    def __init__(self, sandboxes: SupervisorClient, size: int, on_lost: Callable[[str], None]) -> None:
        """`on_lost(zygote)` is called when a zygote has ended; the next that needs it starts it again."""
        self._sandboxes = sandboxes
        self._size = size
        self._on_lost = on_lost
        self._zygotes: dict[str, ZygoteInfo] = {}
        #: The shelf that was wanted last is last.
        self._shelves: dict[Kind, Shelf] = {}
        self._starting: dict[str, asyncio.Task[ZygoteInfo]] = {}
        self._background = Background()
        sandboxes.on_zygote_lost = self._zygote_lost

    async def __aenter__(self) -> Self:
        await self._background.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._starting.values():
            task.cancel()
        # What is still due to be refilled finds no zygote.
        self._zygotes.clear()
        await self._background.__aexit__()

    # --- zygotes ----------------------------------------------------------------------------------------------------

    @property
    def zygotes(self) -> int:
        return len(self._zygotes)

    async def zygote(self, name: str, spec: Callable[[], ZygoteSpec]) -> ZygoteInfo:
        """The running zygote `name`, started by `spec` if there is none. Raises SandboxError."""
        if (info := self._zygotes.get(name)) is not None:
            return info
        task = self._starting.get(name)
        if task is None:
            task = self._starting[name] = asyncio.ensure_future(self._start(spec()))
            task.add_done_callback(lambda _: self._starting.pop(name, None))
        return await asyncio.shield(task)

    async def _start(self, spec: ZygoteSpec) -> ZygoteInfo:
        try:
            async with asyncio.timeout(_ZYGOTE_SECONDS):
                info = await self._sandboxes.start_zygote(spec)
        except TimeoutError as error:
            raise SandboxError(f"{spec.name} did not start within {_ZYGOTE_SECONDS:.0f} s") from error
        self._zygotes[spec.name] = info
        log.info("zygote ready", zygote=spec.name)
        return info

    def _zygote_lost(self, name: str) -> None:
        """Environments that it forked live on."""
        log.error("a zygote ended", zygote=name)
        self._zygotes.pop(name, None)
        for kind in [kind for kind in self._shelves if kind.zygote == name]:
            self._clear(kind)
        self._on_lost(name)

    # --- shelves ----------------------------------------------------------------------------------------------------

    def want(self, kind: Kind, ahead: dict[str, Any] | None) -> None:
        """Keep sandboxes of this kind, whose zygote was started, ready from now on."""
        self._refill(self._shelf(kind, ahead))

    async def take(self, kind: Kind, ahead: dict[str, Any] | None, tmp_mb: int) -> Sandbox:
        """A sandbox with a /tmp of `tmp_mb` MiB. Raises SandboxError."""
        if kind.zygote not in self._zygotes:
            raise SandboxError("the zygote ended")
        shelf = self._shelf(kind, ahead)
        try:
            while tmp_mb == DEFAULT_TMP_MB and shelf.ready:
                sandbox = shelf.ready.popleft()
                if not sandbox.released:
                    return sandbox
            return await self._sandboxes.create(kind.zygote, tmp_mb, ahead, kind.network)
        finally:
            asyncio.get_running_loop().call_later(_REFILL_DELAY, self._refill, shelf)

    def _shelf(self, kind: Kind, ahead: dict[str, Any] | None) -> Shelf:
        shelf = self._shelves.pop(kind, None) or Shelf(kind=kind, ahead=ahead)
        self._shelves[kind] = shelf
        started = [known for known in self._shelves if known.memory_mb is not None]
        for least_wanted in started[:-_STARTED_KINDS]:
            self._clear(least_wanted)
        return shelf

    def _clear(self, kind: Kind) -> None:
        for sandbox in list(self._shelves.pop(kind).ready):
            self._sandboxes.destroy(sandbox)

    def _refill(self, shelf: Shelf) -> None:
        size = self._size if shelf.ahead is None else min(self._size, _STARTED_SIZE)
        while self._is_kept(shelf) and len(shelf.ready) + shelf.coming < size:
            shelf.coming += 1
            self._background.start(self._add_to(shelf))

    def _is_kept(self, shelf: Shelf) -> bool:
        return self._shelves.get(shelf.kind) is shelf and shelf.kind.zygote in self._zygotes

    async def _add_to(self, shelf: Shelf) -> None:
        try:
            sandbox = await self._sandboxes.create(shelf.kind.zygote, DEFAULT_TMP_MB, shelf.ahead, shelf.kind.network)
        except SandboxError as error:
            log.warning("a sandbox could not be prepared", zygote=shelf.kind.zygote, reason=str(error))
            return
        finally:
            shelf.coming -= 1
        if sandbox.released:
            return
        if not self._is_kept(shelf):
            self._sandboxes.destroy(sandbox)
            return
        sandbox.on_gone = lambda: self._drop(shelf, sandbox)
        shelf.ready.append(sandbox)

    @staticmethod
    def _drop(shelf: Shelf, sandbox: Sandbox) -> None:
        with contextlib.suppress(ValueError):
            shelf.ready.remove(sandbox)
