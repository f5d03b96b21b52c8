"""Following the catalog of networks, and which network an environment is attached to; with an agent that is played."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import pytest

from ingle.catalog.networks import Networks
from ingle.domain.attached import Vpc as Attached
from ingle.domain.errors import InterfaceNotReady
from ingle.domain.function import Version
from ingle.domain.vpc import NetworkInterface
from ingle.network.client import NetworkError
from ingle.network.plan import Interface
from ingle.storage.bindings import Bindings
from ingle.storage.errors import DataDirectoryError
from ingle.supporting.ec2.lambda_interfaces import moved
from ingle.supporting.ec2.scene import Scene
from ingle.worker.network_operation import network_operator
from ingle.worker.networking import Networking, NetworkOptions
from unit.worker.test_network_plans import ENI, GROUP, MAIN, PRIVATE, PUBLIC, VPC, rule
from unit.worker.versions import version_of


class PlayedAgent:
    """Carries plans out at once, unless `refuses`."""

    def __init__(self, *, available: bool = True) -> None:
        self.available = available
        self.problem: str | None = None
        self.plans: dict[str, Interface] = {}
        self.applied: list[str] = []
        self.refuses: str | None = None
        #: Who has which address on networks of the machine, and what was asked.
        self.holders: dict[str, str] = {}
        self.probed: list[tuple[str, str]] = []
        self.on_lost: Callable[[], None] = lambda: None
        self.on_ready: Callable[[], None] = lambda: None
        self.on_conflict: Callable[[str, str], None] = lambda interface, hardware: None
        self.news = asyncio.Event()

    async def apply(self, plan: Interface) -> None:
        await asyncio.sleep(0)
        self.news.set()
        if self.refuses is not None:
            raise NetworkError(self.refuses)
        self.plans[plan.name] = plan
        self.applied.append(plan.name)

    async def probe(self, device: str, addresses: list[str], own: str) -> dict[str, str]:
        await asyncio.sleep(0)
        self.probed += [(device, address) for address in addresses]
        return {address: self.holders[address] for address in addresses if self.holders.get(address, own) != own}

    def remove(self, name: str) -> None:
        self.plans.pop(name, None)
        self.news.set()

    async def show(self) -> dict[str, Any]:
        interfaces = {name: {"device": plan.device, "environments": 2} for name, plan in self.plans.items()}
        return {"uplink": "ingle-1", "outward": 3, "devices": ["br0", "eth0"], "interfaces": interfaces}

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not wanted():
                self.news.clear()
                await self.news.wait()


NOWHERE = Interface(
    name="none", network="none", subnet="none", hardware="02:00:00:00:00:00", addresses=(IPv4Interface("10.0.9.9/24"),)
)


@pytest.fixture
def networks() -> Networks:
    made = Networks()
    made.apply(put=(VPC, PRIVATE, PUBLIC, GROUP, ENI, MAIN))
    return made


@pytest.fixture
def agent() -> PlayedAgent:
    return PlayedAgent()


@pytest.fixture
def bindings(tmp_path: Path) -> Bindings:
    return Bindings(tmp_path / "subnets.json", {})


def made(agent: Any, networks: Networks, bindings: Bindings, **options: bool) -> Networking:
    given = {"outward": True, "unenforced": False, **options}

    async def move(interface: NetworkInterface, occupied: set[str]) -> None:
        scene = Scene(
            networks=networks, account=interface.account, region=interface.region, now=0, new_id=str, new_uuid=str
        )
        networks.apply(put=moved(scene, interface.id, occupied).put)

    return Networking(agent, networks, bindings, NetworkOptions(**given), move)


@pytest.fixture
async def networking(agent: Any, networks: Networks, bindings: Bindings) -> AsyncIterator[Networking]:
    async with made(agent, networks, bindings) as networking:
        yield networking


def attached(*subnets: str) -> Version:
    """Of the account and region that the networks are in."""
    vpc = Attached(subnets=subnets or ("subnet-1",), security_groups=("sg-1",))
    made = version_of("python3.11", vpc=vpc)
    return replace(made, key=replace(made.key, account=ENI.account, region=ENI.region))


async def test_a_version_without_a_network_has_the_usual_one(networking: Networking) -> None:
    assert networking.choose(version_of("python3.11")) == networking.usual == "outward"
    assert networking.choose(version_of("python3.11", vpc=Attached())) == "outward"


async def test_without_an_outbound_network_there_is_none(agent: Any, networks: Networks, bindings: Bindings) -> None:
    assert made(agent, networks, bindings, outward=False).usual is None
    agent.problem = "no nftables"
    assert made(agent, networks, bindings).usual is None


async def test_an_attached_version_waits_for_its_interface(networking: Networking) -> None:
    await networking.prepare(attached())
    assert networking.choose(attached()) == "eni-1"


async def test_an_interface_of_others_is_not_taken(networking: Networking, networks: Networks) -> None:
    networks.apply(put=(
        replace(ENI, id="eni-2", account="111111111111"), replace(ENI, id="eni-3", groups=("sg-1", "sg-2")),
        replace(ENI, id="eni-4", ipv6_allowed=True), replace(ENI, id="eni-5", interface_type="interface"),
    ))  # fmt: skip
    await networking.prepare(attached())
    assert {networking.choose(attached()) for _ in range(8)} == {"eni-1"}


async def test_subnets_take_turns(networking: Networking, networks: Networks) -> None:
    networks.apply(put=(replace(ENI, id="eni-2", subnet="subnet-2"),))
    both = attached("subnet-1", "subnet-2")
    await networking.prepare(both)
    assert [networking.choose(both) for _ in range(4)] in (["eni-1", "eni-2"] * 2, ["eni-2", "eni-1"] * 2)


async def test_a_change_reaches_the_interfaces_that_it_is_about(
    networking: Networking, networks: Networks, agent: PlayedAgent
) -> None:
    await networking.prepare(attached())
    other = replace(VPC, id="vpc-2"), replace(PRIVATE, id="subnet-9", vpc="vpc-2")
    networks.apply(put=(*other, replace(ENI, id="eni-9", vpc="vpc-2", subnet="subnet-9")))
    await agent.until(lambda: "eni-9" in agent.plans)
    agent.applied.clear()
    networks.apply(put=(rule(cidr="0.0.0.0/0"),))
    await agent.until(lambda: bool(agent.plans["eni-1"].allowed))
    assert agent.applied == ["eni-1"]


async def test_an_interface_that_is_gone_is_removed(
    networking: Networking, networks: Networks, agent: PlayedAgent
) -> None:
    await networking.prepare(attached())
    networks.apply(removed=(ENI,))
    await agent.until(lambda: not agent.plans)
    with pytest.raises(InterfaceNotReady):
        networking.choose(attached())


async def test_what_cannot_be_made_is_told_and_tried_again(agent: Any, networks: Networks, bindings: Bindings) -> None:
    agent.refuses = "this machine has no device br9"
    async with made(agent, networks, bindings) as networking:
        with pytest.raises(InterfaceNotReady, match="no device br9"):
            await networking.prepare(attached())
        assert (await networking.show())["interfaces"][0]["problem"] == "this machine has no device br9"
        agent.refuses = None
        networks.apply(put=(GROUP,))
        await agent.until(lambda: "eni-1" in agent.plans)
        await networking.prepare(attached())


async def test_after_an_agent_was_lost_every_interface_is_made_again(
    networking: Networking, agent: PlayedAgent
) -> None:
    await networking.prepare(attached())
    agent.plans.clear()
    agent.on_lost()
    with pytest.raises(InterfaceNotReady, match="are not ready"):
        networking.choose(attached())
    agent.on_ready()
    await networking.prepare(attached())
    assert (networking.choose(attached()), list(agent.plans)) == ("eni-1", ["eni-1"])


async def test_where_nothing_is_enforced_functions_are_refused_unless_a_setting_says_otherwise(
    networks: Networks, bindings: Bindings
) -> None:
    nobody: Any = PlayedAgent(available=False)
    with pytest.raises(InterfaceNotReady, match="cannot enforce security groups"):
        await made(nobody, networks, bindings).prepare(attached())
    accepting = made(nobody, networks, bindings, unenforced=True)
    await accepting.prepare(attached())
    assert accepting.choose(attached()) is None


# --- addresses that others have ---------------------------------------------------------------------------------------


async def bound(networking: Networking, networks: Networks, bindings: Bindings, subnet: str = "subnet-1") -> None:
    operate = network_operator(networking, networks, bindings)
    assert await operate({"do": "network-bind", "subnet": subnet, "device": "br0"}) == {"bound": "br0"}


async def test_an_interface_gets_an_address_that_nobody_has(
    agent: PlayedAgent, networks: Networks, bindings: Bindings
) -> None:
    await bindings.bind("subnet-1", "br0")
    agent.holders = {f"10.0.1.{number}": "02:00:00:00:99:99" for number in (4, 5, 7)}
    async with made(agent, networks, bindings) as networking:
        await networking.prepare(attached())
        assert networking.occupied("subnet-1") == {"10.0.1.4", "10.0.1.5", "10.0.1.7"}
        assert networking.occupied("subnet-2") == set()
    assert agent.plans["eni-1"].addresses == (IPv4Interface("10.0.1.6/24"),)
    # Then nobody is asked again, whatever else changes.
    asked = len(agent.probed)
    async with made(agent, networks, bindings) as networking:
        await networking.prepare(attached())
        networks.apply(put=(rule(cidr="0.0.0.0/0"),))
        await agent.until(lambda: bool(agent.plans["eni-1"].allowed))
    assert agent.probed[asked:] == [("br0", "10.0.1.6")]


async def test_binding_asks_for_addresses_that_are_in_use_already(
    networking: Networking, networks: Networks, agent: PlayedAgent, bindings: Bindings
) -> None:
    await networking.prepare(attached())
    assert not agent.probed
    agent.holders = {"10.0.1.4": "02:00:00:00:99:99"}
    await bound(networking, networks, bindings)
    await agent.until(lambda: agent.plans["eni-1"].addresses == (IPv4Interface("10.0.1.5/24"),))
    assert agent.plans["eni-1"].device == "br0"


async def test_the_answer_of_an_earlier_process_does_not_count(
    networking: Networking, networks: Networks, agent: PlayedAgent, bindings: Bindings
) -> None:
    agent.holders = {"10.0.1.4": ENI.mac}
    await bound(networking, networks, bindings)
    await agent.until(lambda: agent.plans.get("eni-1", NOWHERE).device == "br0")
    assert agent.plans["eni-1"].addresses == (IPv4Interface("10.0.1.4/24"),)


async def test_where_every_address_is_taken_functions_are_told_so(
    agent: PlayedAgent, networks: Networks, bindings: Bindings
) -> None:
    networks.apply(put=(replace(PRIVATE, cidr="10.0.1.0/29"),))
    await bindings.bind("subnet-1", "br0")
    agent.holders = {f"10.0.1.{number}": "02:00:00:00:99:99" for number in range(8)}
    async with made(agent, networks, bindings) as networking:
        with pytest.raises(InterfaceNotReady, match="does not have enough free addresses"):
            await networking.prepare(attached())
    assert not agent.plans


async def test_a_bound_subnet_whose_routers_address_is_taken_is_not_led_to(
    networking: Networking, networks: Networks, agent: PlayedAgent, bindings: Bindings
) -> None:
    await networking.prepare(attached())
    agent.holders = {"10.0.2.3": "02:00:00:00:99:99"}
    await bound(networking, networks, bindings, "subnet-2")
    networks.apply(put=(rule(cidr="0.0.0.0/0"),))
    await agent.until(lambda: bool(agent.plans["eni-1"].allowed))
    assert agent.plans["eni-1"].neighbours == ()
    agent.holders = {}
    await bound(networking, networks, bindings, "subnet-2")  # which asks anew
    await agent.until(lambda: bool(agent.plans["eni-1"].neighbours))


async def test_who_uses_the_address_later_is_shown(networking: Networking, agent: PlayedAgent) -> None:
    await networking.prepare(attached())
    agent.on_conflict("eni-1", "02:00:00:00:99:99")
    agent.on_conflict("eni-7", "02:00:00:00:99:99")
    assert (await networking.show())["interfaces"][0]["problem"] == "10.0.1.4 is used by 02:00:00:00:99:99, too"


# --- bindings --------------------------------------------------------------------------------------------------------


async def test_binding_a_subnet_changes_its_interfaces_and_lasts(
    networking: Networking, networks: Networks, agent: PlayedAgent, bindings: Bindings, tmp_path: Path
) -> None:
    await networking.prepare(attached())
    operate = network_operator(networking, networks, bindings)
    assert await operate({"do": "network-bind", "subnet": "subnet-1", "device": "br0"}) == {"bound": "br0"}
    await agent.until(lambda: agent.plans["eni-1"].device == "br0")
    assert dict(Bindings(tmp_path / "subnets.json", {})) == {"subnet-1": "br0"}
    assert await operate({"do": "network-unbind", "subnet": "subnet-1"}) == {"unbound": "subnet-1"}
    await agent.until(lambda: agent.plans["eni-1"].device is None)
    shown = await operate({"do": "network-show"})
    assert (shown["bindings"], shown["uplink"], shown["outward"]) == ({}, "ingle-1", 3)
    assert shown["interfaces"][0]["environments"] == 2


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"do": "network-bind", "subnet": "subnet-7", "device": "br0"}, "There is no subnet subnet-7."),
        ({"do": "network-bind", "subnet": "subnet-1", "device": "br7"}, "This machine has no device br7."),
        ({"do": "network-bind", "subnet": "subnet-1", "device": "a b"}, "'a b' is no device's name."),
        ({"do": "network-bind", "subnet": "subnet-2", "device": "br0"}, "The settings bind subnet-2 to eth9."),
        ({"do": "network-unbind", "subnet": "subnet-2"}, "The settings bind subnet-2 to eth9."),
        ({"do": "network-unbind", "subnet": "subnet-1"}, "subnet-1 is not bound."),
        ({"do": "network-dance"}, "The request is not known to this server."),
    ],
)
async def test_what_cannot_be_bound_is_told(
    networking: Networking, networks: Networks, tmp_path: Path, request_: dict[str, Any], error: str
) -> None:
    operate = network_operator(networking, networks, Bindings(tmp_path / "other.json", {"subnet-2": "eth9"}))
    assert await operate(request_) == {"error": error}


def test_bindings_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    file = tmp_path / "subnets.json"
    file.write_text("[1, 2")
    with pytest.raises(DataDirectoryError, match=r"subnets\.json"):
        Bindings(file, {})
