"""DescribeHost: how the machine and its server are, over all accounts: what `ingle doctor` tells, and figures.

Tells no secret, and of paths those only that `ingle doctor` tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from ingle import __version__
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock
from ingle.domain.errors import AccessDenied
from ingle.storage.disk import Disk
from ingle.supporting.ports import Handler
from ingle.worker import machine
from ingle.worker.examiner import Check, Examined

Params = dict[str, Any]

_NOT_FOR_FUNCTIONS = "Functions are told of the host only where their execution role is asked, with --auth iam."


class Examiner(Protocol):
    async def examine(self) -> Examined | None:
        """None where the machine cannot be looked at."""
        ...


@dataclass(frozen=True, slots=True)
class Runtime:
    """`libraries`: what is installed for it beside its interpreter, if anything is."""

    name: str
    version: str
    libraries: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """`runtimes` blocks. `problems`: what is wrong although functions run, in words. `isolation`: as it is in force."""

    examiner: Examiner
    runtimes: Callable[[], Sequence[Runtime]]
    environments: Callable[[], Mapping[str, int]]
    problems: Callable[[], Sequence[str]]
    disk: Disk
    isolation: str


class HostReport:
    """Measures the uptime from when it is made."""

    def __init__(self, sources: Sources, clock: Clock) -> None:
        self._sources = sources
        self._clock = clock
        self._started = 0.0 if clock is None else clock.now()

    def handlers(self) -> dict[str, Handler]:
        return {"DescribeHost": self.describe_host}

    async def describe_host(self, caller: Caller, params: Params) -> Params:
        if caller.environment_id is not None and caller.authority is None:
            raise AccessDenied(_NOT_FOR_FUNCTIONS)
        sources, now = self._sources, self._clock.now()
        examined = await sources.examiner.examine()
        runtimes, memory = await asyncio.to_thread(lambda: (sources.runtimes(), machine.memory()))
        space = sources.disk.space
        return {
            "Version": __version__,
            "StartedAt": _time(self._started),
            "Uptime": max(int(now - self._started), 0),
            "Isolation": sources.isolation,
            "Checks": [] if examined is None else [_check(check) for check in examined.checks],
            "CheckedAt": None if examined is None else _time(examined.at),
            "Problems": list(sources.problems()),
            "Runtimes": [
                {"Runtime": item.name, "Version": item.version, "Libraries": item.libraries} for item in runtimes
            ],
            "Environments": dict(sources.environments()),
            "Processors": machine.processors(),
            "Memory": {"Total": memory.total, "Available": memory.available, "Server": memory.server},
            "Disk": {
                "Total": space.total, "Free": space.free, "Reserve": space.reserve, "Full": sources.disk.full
            },
        }  # fmt: skip


def _check(check: Check) -> Params:
    return {
        "Subject": check.subject, "State": check.level, "Detail": check.detail,
        "Consequence": check.consequence or None,
    }  # fmt: skip


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
