"""Clones that are made ahead, with sandboxes and templates that are played."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from ingle.domain.errors import InterfaceNotReady
from ingle.domain.function import Version
from ingle.worker.snapshots import Snapshots
from unit.worker.versions import version_of


class _Sandbox:
    released = False

    def thaw(self) -> None: ...
    def freeze(self) -> None: ...
    def memory_peak(self) -> int:
        return 0


class _Sandboxes:
    def clone(self, *asked: object) -> None:
        raise AssertionError("cloned without a network")


class _Template:
    alive = True
    not_cloneable = None

    def __init__(self) -> None:
        self.sandbox = _Sandbox()

    async def initialise(self, limit: float) -> None: ...
    def stop(self) -> None: ...


class _Networks:
    """Networks that cannot be had."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def of(self, version: Version) -> str | None:
        self.asked.set()
        raise InterfaceNotReady("not now")


async def test_a_network_that_cannot_be_had_ends_nothing_but_the_clone_made_ahead() -> None:
    async def opened(version: Version) -> Any:
        return _Template()

    networks = _Networks()
    async with Snapshots(cast("Any", _Sandboxes()), opened, networks.of) as snapshots:
        made = await snapshots.make(version_of())
        await networks.asked.wait()
        await asyncio.sleep(0)
        assert made.coming == 0
        assert await snapshots.make(made.version) is made
