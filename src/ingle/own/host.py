"""DescribeHost: how the machine and its server are, over all accounts: what `ingle doctor` tells, and figures.

Tells no secret, and of paths those only that `ingle doctor` tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from ingle import __version__
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock
from ingle.own.functions import refuse_unknown_functions
from ingle.storage.disk import Disk
from ingle.supporting.ports import Handler
from ingle.worker import families, machine
from ingle.worker.examiner import Check, Examined
from ingle.worker.interpreters import Interpreter

Params = dict[str, Any]


class Examiner(Protocol):
    async def examine(self) -> Examined | None:
        """None where the machine cannot be looked at."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """`problems`: what is wrong although functions run, in words. `isolation`: as it is in force."""

    examiner: Examiner
    interpreters: Sequence[Interpreter]
    runtimes_dir: Path
    environments: Callable[[], Mapping[str, int]]
    problems: Callable[[], Sequence[str]]
    disk: Disk
    isolation: str


class HostReport:
    """`started`: when the server did, in epoch seconds."""

    def __init__(self, sources: Sources, clock: Clock, started: float) -> None:
        self._sources = sources
        self._clock = clock
        self._started = started

    def handlers(self) -> dict[str, Handler]:
        return {"DescribeHost": self.describe_host}

    async def describe_host(self, caller: Caller, params: Params) -> Params:
        refuse_unknown_functions(caller)
        sources, now = self._sources, self._clock.now()
        examined = await sources.examiner.examine()
        runtimes, memory = await asyncio.to_thread(lambda: (self._runtimes(), machine.memory()))
        space = sources.disk.space
        return {
            "Version": __version__,
            "StartedAt": _time(self._started),
            "Uptime": max(int(now - self._started), 0),
            "Isolation": sources.isolation,
            "Checks": [] if examined is None else [_check(check) for check in examined.checks],
            "CheckedAt": None if examined is None else _time(examined.at),
            "Problems": list(sources.problems()),
            "Runtimes": runtimes,
            "Environments": dict(sources.environments()),
            "Processors": machine.processors(),
            "Memory": {"Total": memory.total, "Available": memory.available, "Server": memory.server},
            "Disk": {
                "Total": space.total, "Free": space.free, "Reserve": space.reserve, "Full": sources.disk.full
            },
        }  # fmt: skip

    def _runtimes(self) -> list[Params]:
        """With what is installed for them now. Blocks."""
        found = []
        for interpreter in self._sources.interpreters:
            family = families.family_of(interpreter.runtime)
            libraries = None if family is None else family.libraries(self._sources.runtimes_dir, interpreter.runtime)
            found.append({
                "Runtime": interpreter.runtime, "Version": interpreter.version,
                "Libraries": None if libraries is None else libraries.description,
            })  # fmt: skip
        return found


def _check(check: Check) -> Params:
    return {
        "Subject": check.subject, "State": check.level, "Detail": check.detail,
        "Consequence": check.consequence or None,
    }  # fmt: skip


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
