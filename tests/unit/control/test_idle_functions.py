"""Functions in private networks that nobody invokes: Inactive, woken by an invocation, Active again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ingle.background import Background
from ingle.catalog import Prepared
from ingle.control.idle_functions import IdleFunctions
from ingle.domain.errors import ResourceConflict
from ingle.domain.function import Version
from ingle.domain.vpc import CidrAssociation, NetworkInterface, SecurityGroup, Subnet, Vpc
from ingle.invoke.qualifier import resolve

PLACE: dict[str, Any] = {"account": "111111111111", "region": "us-east-1"}
VPC = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
PATIENCE = 100


class Idle:
    """`idle.used` are the names of functions that have environments."""

    def __init__(self, plane: Any, background: Background) -> None:
        self.plane = plane
        self.used: set[str] = set()
        self.functions = IdleFunctions(plane.records, plane.clock, plane.ids, self._is_used, PATIENCE, background)

    def _is_used(self, version: Version) -> bool:
        return version.key.name in self.used

    async def look(self, seconds: int = 0) -> None:
        self.plane.clock.seconds += seconds
        await self.functions.look()
        await self.plane.attached.tidy()

    async def state(self, **qualifier: str) -> tuple[str, str | None]:
        found = await self.plane.call("GetFunctionConfiguration", FunctionName="F", **qualifier)
        return found["State"], found.get("StateReasonCode")

    def invoke(self, qualifier: str | None = None) -> str:
        return resolve(self.plane.catalog, self.plane.CALLER, "F", qualifier)[0].version


@pytest.fixture
async def idle(plane: Any) -> AsyncIterator[Idle]:
    plane.catalog.networks.apply(
        [
            Vpc(**PLACE, id="vpc-1", cidrs=(CidrAssociation(id="c", cidr="10.0.0.0/16"),)),
            Subnet(**PLACE, id="subnet-1", vpc="vpc-1", cidr="10.0.1.0/28", zone="us-east-1a"),
            SecurityGroup(**PLACE, id="sg-1", vpc="vpc-1", name="n", description="d"),
        ]
    )
    async with Background() as background:
        yield Idle(plane, background)


async def settled(plane: Any, outcome: Prepared | None = None) -> None:
    await plane.settle(outcome)
    for _ in range(20):
        await plane.pause()


def interfaces(plane: Any) -> int:
    return sum(1 for _ in plane.catalog.networks.every(NetworkInterface))


async def test_an_idle_function_is_inactive_until_it_is_invoked(plane: Any, idle: Idle) -> None:
    async with plane.active(VpcConfig=VPC):
        await idle.look()
        await idle.look(PATIENCE - 1)
        assert await idle.state() == ("Active", None)
        await idle.look(1)
        assert await idle.state() == ("Inactive", "Idle")
        await idle.look(60)
        assert interfaces(plane) == 0
        with pytest.raises(ResourceConflict, match="currently in the following state: Inactive"):
            idle.invoke()
        for _ in range(5):
            await plane.pause()
        assert await idle.state() == ("Pending", "Restoring")
        with pytest.raises(ResourceConflict, match="currently in the following state: Pending"):
            idle.invoke()
        await settled(plane)
        assert await idle.state() == ("Active", None)
        assert interfaces(plane) == 1
        assert idle.invoke() == "$LATEST"
        found = await plane.call("GetFunctionConfiguration", FunctionName="F")
        assert found["LastUpdateStatus"] == "Successful"


async def test_a_function_in_use_stays_and_counts_from_its_last_use(plane: Any, idle: Idle) -> None:
    async with plane.active(VpcConfig=VPC):
        idle.used.add("F")
        await idle.look()
        await idle.look(PATIENCE * 2)
        assert (await idle.state())[0] == "Active"
        idle.used.clear()
        await idle.look(PATIENCE - 1)
        assert (await idle.state())[0] == "Active"
        await idle.look(1)
        assert (await idle.state())[0] == "Inactive"


async def test_functions_outside_private_networks_never_idle(plane: Any, idle: Idle) -> None:
    async with plane.active():
        await idle.look()
        await idle.look(PATIENCE * 9)
        assert (await idle.state())[0] == "Active"


async def test_a_function_that_cannot_be_woken_is_inactive_again(plane: Any, idle: Idle) -> None:
    async with plane.active(VpcConfig=VPC):
        await idle.look()
        await idle.look(PATIENCE)
        await idle.look(60)
        group = plane.catalog.networks.get(SecurityGroup, "sg-1")
        plane.catalog.networks.apply(removed=[group])
        with pytest.raises(ResourceConflict):
            idle.invoke()
        for _ in range(30):
            await plane.pause()
        assert await idle.state() == ("Inactive", "InvalidSecurityGroup")
        plane.catalog.networks.apply([group])
        with pytest.raises(ResourceConflict):
            idle.invoke()
        for _ in range(5):
            await plane.pause()
        await settled(plane)
        assert await idle.state() == ("Active", None)


async def test_versions_idle_each_for_themselves_and_an_update_wakes(plane: Any, idle: Idle) -> None:
    async with plane.active(VpcConfig=VPC):
        await plane.call("PublishVersion", FunctionName="F")
        await idle.look()
        await idle.look(PATIENCE)
        assert await idle.state(Qualifier="1") == ("Inactive", "Idle")
        with pytest.raises(ResourceConflict):
            idle.invoke("1")
        for _ in range(5):
            await plane.pause()
        await settled(plane)
        assert await idle.state(Qualifier="1") == ("Active", None)
        assert await idle.state() == ("Inactive", "Idle")
        assert idle.invoke("1") == "1"
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=9)
        await settled(plane)
        assert await idle.state() == ("Active", None)
        assert idle.invoke() == "$LATEST"
