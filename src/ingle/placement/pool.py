"""The environments of one version, or of one tenant: those that are idle, and the invocations that wait for one."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from ingle.domain.function import FunctionKey, Version
from ingle.worker.client import EnvironmentClient

#: Function, version, serial, tenant.
PoolKey = tuple[FunctionKey, str, int, str | None]


@dataclass(slots=True, eq=False)
class Pool:
    """Idle ones are taken last in, first out; `provisioned`, those that were initialised ahead, before all others."""

    version: Version
    tenant: str | None = None
    idle: list[EnvironmentClient] = field(default_factory=list)
    provisioned: list[EnvironmentClient] = field(default_factory=list)
    waiting: deque[asyncio.Future[EnvironmentClient]] = field(default_factory=deque)
    environments: set[EnvironmentClient] = field(default_factory=set)
    starting: int = 0
    retired: bool = False
    forgotten: bool = False
    #: The fewest provisioned ones that were idle since the last look; None: none was taken.
    least: int | None = None

    @property
    def empty(self) -> bool:
        """No environments, and nobody who waits for one."""
        return not (self.environments or self.starting or self.waiting)

    def note_use(self) -> None:
        """A provisioned environment was taken."""
        left = len(self.provisioned)
        if self.least is None or left < self.least:
            self.least = left

    def look(self, allocated: int) -> int:
        """How many of the `allocated` provisioned ones were in use at one time since the last look, at the most."""
        idle = len(self.provisioned)
        least, self.least = idle if self.least is None else min(self.least, idle), None
        return max(allocated - least, 0)


def same_start(one: Version, other: Version) -> bool:
    """Whether environments of `one` can serve `other`. Mostly they are the very same configuration."""
    return one.configuration is other.configuration or one.configuration == other.configuration


def key_of(version: Version, tenant: str | None = None) -> PoolKey:
    return (version.key, version.version, version.serial, tenant)
