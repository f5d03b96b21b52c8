"""DescribeConcurrency: the pool of an account in a region as it is now, and what its functions have of it.

Settings and allocations are the catalog's, what runs is counted by `invoke.admission`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ingle.catalog import Catalog
from ingle.domain.caller import Caller
from ingle.domain.concurrency import provisioned_versions
from ingle.domain.function import Function, FunctionKey
from ingle.own.functions import existing, key_meant
from ingle.own.pages import page_of, start_of
from ingle.supporting.ports import Handler

Params = dict[str, Any]

PAGE = 100


class InUse(Protocol):
    """What runs, see `invoke.admission.Admission`."""

    def in_use(self, account: str, region: str) -> Mapping[str, Mapping[str, int]]: ...

    def running(self, account: str, region: str) -> int: ...


class ConcurrencyPool:
    def __init__(self, catalog: Catalog, running: InUse) -> None:
        self._catalog = catalog
        self._running = running

    def handlers(self) -> dict[str, Handler]:
        return {"DescribeConcurrency": self.describe_concurrency}

    async def describe_concurrency(self, caller: Caller, params: Params) -> Params:
        place = caller.account, caller.region
        start = start_of(params, str)
        running = self._running.in_use(*place)
        names = {*self._catalog.concurrency.configured(*place), *running}
        if "FunctionName" in params:
            key = key_meant(caller, "DescribeConcurrency", params)
            existing(self._catalog, key)
            names = {key.name}
        behind = (name for name in sorted(names) if start is None or (name,) > start)
        page, token = page_of(behind, params.get("MaxResults", PAGE), lambda name: (name,))
        keys = [FunctionKey(account=caller.account, region=caller.region, name=name) for name in page]
        found = [function for key in keys if (function := self._catalog.get(key)) is not None]
        pool = self._catalog.concurrency
        return {
            "Limit": pool.limit,
            "Claimed": pool.claimed(*place),
            "Unreserved": pool.unreserved(*place),
            "InUse": sum(sum(versions.values()) for versions in running.values()),
            "UnreservedInUse": self._running.running(*place),
            "Functions": [self._shown(function, running.get(function.key.name, {})) for function in found],
            "NextToken": token,
        }

    def _shown(self, function: Function, running: Mapping[str, int]) -> Params:
        return {
            "FunctionName": function.key.name,
            "Reserved": function.reserved,
            "InUse": sum(running.values()),
            "Provisioned": [
                self._provisioned(function.key, version, requested, running.get(version, 0))
                for version, requested in sorted(provisioned_versions(function).items())
            ],
        }

    def _provisioned(self, key: FunctionKey, version: str, requested: int, running: int) -> Params:
        allocation = self._catalog.concurrency.allocation(key, version)
        return {
            "Version": version,
            "Requested": requested,
            "Allocated": allocation.allocated,
            "Available": allocation.available,
            "InUse": min(running, requested),
            "Status": allocation.status.value,
            "StatusReason": allocation.reason,
        }
