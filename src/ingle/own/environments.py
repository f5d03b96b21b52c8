"""ListEnvironments: the execution environments that are alive in the caller's account and region.

Reads what the worker knows; memory is read from control groups in a thread, for one page only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from ingle.catalog import Catalog
from ingle.domain.arn import FunctionArn
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock
from ingle.own.functions import existing, key_meant
from ingle.own.pages import page_of, start_of
from ingle.supporting.ports import Handler
from ingle.worker.inventory import Alive, Gauge

Params = dict[str, Any]
Reading = tuple[int | None, int | None]

PAGE = 100
#: Environments whose memory is read at one time: descriptors of each are open meanwhile.
_AT_ONCE = 100


class Environments:
    """`alive`: the environments of an account and region."""

    def __init__(self, alive: Callable[[str, str], list[Alive]], catalog: Catalog, clock: Clock) -> None:
        self._alive = alive
        self._catalog = catalog
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        return {"ListEnvironments": self.list_environments}

    async def list_environments(self, caller: Caller, params: Params) -> Params:
        start = start_of(params, str, str, float, str)
        found = self._alive(caller.account, caller.region)
        if "FunctionName" in params:
            key = key_meant(caller, "ListEnvironments", params)
            existing(self._catalog, key)
            found = [item for item in found if item.version.key == key]
        behind = sorted((item for item in found if start is None or _place(item) > start), key=_place)
        page, token = page_of(behind, params.get("MaxResults", PAGE), _place)
        readings: list[Reading] = []
        for first in range(0, len(page), _AT_ONCE):
            gauges = [item.gauge() for item in page[first : first + _AT_ONCE]]
            readings += await asyncio.to_thread(_read, gauges)
        now = self._clock.now()
        shown = [_shown(item, reading, now) for item, reading in zip(page, readings, strict=True)]
        return {"Environments": shown, "NextToken": token}


def _read(gauges: Iterable[Gauge]) -> list[Reading]:
    """Blocks."""
    return [gauge.read() for gauge in gauges]


def _place(item: Alive) -> tuple[str, str, float, str]:
    """Where it stands in the list, for as long as it lives."""
    return item.version.key.name, item.version.version, item.started, item.id


def _shown(item: Alive, memory: Reading, now: float) -> Params:
    version, configuration = item.version, item.version.configuration
    return {
        "EnvironmentId": item.id,
        "FunctionArn": str(FunctionArn.of(version.key, version.version)),
        "FunctionName": version.key.name,
        "Version": version.version,
        "Runtime": configuration.runtime,
        "State": item.state,
        "InitializationType": item.initialization,
        "Provisioned": item.provisioned,
        "SnapStart": item.restored,
        "SnapshotTemplate": item.template,
        "StartedAt": _time(item.started),
        "Age": max(int(now - item.started), 0),
        "LastUsedAt": None if item.last_used is None else _time(item.last_used),
        "Invocations": item.invocations,
        "MemorySize": configuration.memory,
        "MemoryUsed": memory[0],
        "MemoryPeak": memory[1],
        "LogGroupName": configuration.logging.group,
        "LogStreamName": item.log_stream,
    }


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
