"""EC2's operations on networks: the list of them, and how a request becomes a commit.

What reads sees the catalog as it is; what changes something is decided while nothing else in the account and region
changes. DryRun goes through every check and then changes nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any

from ingle.domain.caller import Caller
from ingle.storage.errors import StorageFull, StorageUnavailable
from ingle.supporting.ec2 import (
    dhcp_options,
    elastic_addresses,
    gateways,
    interface_addresses,
    interfaces,
    nat_gateways,
    network_acls,
    places,
    prefix_lists,
    route_tables,
    security_groups,
    security_rules,
    subnets,
    tags,
    unsupported,
    vpcs,
)
from ingle.supporting.ec2.errors import DryRun, Ec2Unavailable
from ingle.supporting.ec2.records import NetworkRecords
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene
from ingle.supporting.ports import Handler

OPERATIONS: dict[str, Decide] = {
    name: decide
    for part in (
        dhcp_options, elastic_addresses, gateways, interface_addresses, interfaces, nat_gateways, network_acls, places,
        prefix_lists, route_tables, security_groups, security_rules, subnets, tags, vpcs,
    )
    for name, decide in part.OPERATIONS.items()
}  # fmt: skip
_READING = ("Describe", "Get")
#: What they give to one account no other has.
_EVERYWHERE = frozenset(("AllocateAddress",))


class Ec2:
    """Errors: those of `errors`."""

    def __init__(self, records: NetworkRecords) -> None:
        self._records = records
        self._one_at_a_time = asyncio.Lock()

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        return {
            name: self._reading(decide) if name.startswith(_READING) else self._changing(name, decide)
            for name, decide in OPERATIONS.items()
        }

    def _reading(self, decide: Decide) -> Handler:
        async def handle(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
            try:
                scene = await self._records.opened(caller.account, caller.region)
            except (StorageFull, StorageUnavailable) as problem:
                raise _unavailable() from problem
            answer = dict(decide(scene, params).answer)
            if params.get("DryRun"):
                raise DryRun
            return answer

        return handle

    def _changing(self, name: str, decide: Decide) -> Handler:
        def checked(scene: Scene, params: Params) -> Outcome:
            unsupported.refuse(name, params)
            return decide(scene, params)

        async def handle(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
            place = caller.account, caller.region
            try:
                await self._records.opened(*place)
                dry = bool(params.get("DryRun"))
                async with self._one_at_a_time if name in _EVERYWHERE else nullcontext():
                    outcome = await self._records.change(*place, lambda scene: checked(scene, params), dry=dry)
            except (StorageFull, StorageUnavailable) as problem:
                raise _unavailable() from problem
            return dict(outcome.answer)

        return handle


def _unavailable() -> Ec2Unavailable:
    return Ec2Unavailable("An internal error has occurred")
