"""From VPCs to plans: what follows from groups, lists, tables and settings."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface, ip_network
from typing import Any

import pytest

from ingle.catalog.networks import NetworkChange, Networks
from ingle.domain.vpc import (
    AclAssociation,
    AclEntry,
    CidrAssociation,
    DhcpConfiguration,
    DhcpOptions,
    InternetGateway,
    Ipv6Association,
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    PrefixList,
    PrefixListEntry,
    PrivateAddress,
    Route,
    RouteTable,
    RouteTableAssociation,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)
from ingle.network.plan import ICMP, TCP, Entry, Interface, Match, Segment, Target
from ingle.worker import private_networks

WHO: dict[str, Any] = {"account": "000000000000", "region": "us-east-1"}
VPC = Vpc(id="vpc-1", cidrs=(CidrAssociation(id="a", cidr="10.0.0.0/16"),), **WHO)
PRIVATE = Subnet(id="subnet-1", vpc="vpc-1", cidr="10.0.1.0/24", zone="us-east-1a", **WHO)
PUBLIC = Subnet(id="subnet-2", vpc="vpc-1", cidr="10.0.2.0/24", zone="us-east-1b", **WHO)
GROUP = SecurityGroup(id="sg-1", vpc="vpc-1", name="g", description="", **WHO)
ENI = NetworkInterface(
    id="eni-1", vpc="vpc-1", subnet="subnet-1", groups=("sg-1",), mac="02:00:00:00:00:01", created=0,
    addresses=(PrivateAddress(address="10.0.1.4", primary=True),), interface_type="lambda", **WHO,
)  # fmt: skip
LOCAL = Route(target="local", cidr="10.0.0.0/16")
MAIN = RouteTable(
    id="rtb-1", vpc="vpc-1", routes=(LOCAL,), associations=(RouteTableAssociation(id="x", subnet=None),), **WHO
)


def rule(**parts: Any) -> SecurityGroupRule:
    return SecurityGroupRule(**{"id": "sgr-1", "group_id": "sg-1", "egress": True, "protocol": "-1", **WHO, **parts})


@pytest.fixture
def networks() -> Networks:
    made = Networks()
    made.apply(put=(VPC, PRIVATE, PUBLIC, GROUP, ENI, MAIN))
    return made


def planned(networks: Networks, **bindings: str) -> Interface:
    bound = {name.replace("_", "-"): device for name, device in bindings.items()}
    interface = networks.get(NetworkInterface, "eni-1")
    assert interface is not None
    found = private_networks.plan(networks, interface, bound, outward=True)
    assert found is not None
    return found


def everywhere(*texts: str, **parts: Any) -> Match:
    return Match(networks=tuple(ip_network(text) for text in texts), **parts)


def test_an_interface_has_its_address_in_the_subnet(networks: Networks) -> None:
    plan = planned(networks)
    assert (plan.addresses, plan.device, plan.allowed) == ((IPv4Interface("10.0.1.4/24"),), None, ())
    assert planned(networks, subnet_1="br0").device == "br0"


def test_without_its_subnet_there_is_no_plan(networks: Networks) -> None:
    networks.apply(removed=(PRIVATE,))
    assert private_networks.plan(networks, ENI, {}, outward=True) is None


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (rule(cidr="0.0.0.0/0"), everywhere("0.0.0.0/0")),
        (rule(cidr6="::/0"), everywhere("::/0")),
        (rule(protocol="tcp", from_port=5432, to_port=5433, cidr="10.0.0.0/8"),
         everywhere("10.0.0.0/8", protocol=TCP, ports=(5432, 5433))),
        (rule(protocol="tcp", cidr="10.0.0.0/8"), everywhere("10.0.0.0/8", protocol=TCP)),
        (rule(protocol="icmp", from_port=8, to_port=-1, cidr="10.0.0.0/8"),
         everywhere("10.0.0.0/8", protocol=ICMP, icmp=(8, None))),
        (rule(protocol="47", cidr="10.0.0.0/8"), everywhere("10.0.0.0/8", protocol=47)),
    ],
)  # fmt: skip
def test_egress_rules_say_what_may_be_opened(networks: Networks, given: SecurityGroupRule, wanted: Match) -> None:
    networks.apply(put=(given, rule(id="sgr-2", egress=False, cidr="192.0.2.0/24")))
    assert planned(networks).allowed == (wanted,)


def test_a_rule_about_a_group_is_about_its_members(networks: Networks) -> None:
    networks.apply(put=(rule(protocol="tcp", from_port=1, to_port=1, group="sg-9"),))
    assert planned(networks).allowed == ()
    member = replace(
        ENI, id="eni-9", groups=("sg-9",), interface_type="interface", ipv6=("2001:db8::9",),
        addresses=(PrivateAddress(address="10.0.2.9", primary=True), PrivateAddress(address="10.0.2.10")),
    )  # fmt: skip
    networks.apply(put=(member,))
    assert planned(networks).allowed == (
        everywhere("10.0.2.9/32", "10.0.2.10/32", "2001:db8::9/128", protocol=TCP, ports=(1, 1)),
    )
    networks.apply(removed=(member,))
    assert planned(networks).allowed == ()


def test_a_rule_about_a_prefix_list_is_about_its_entries(networks: Networks) -> None:
    entries = (PrefixListEntry(cidr="10.5.0.0/16"), PrefixListEntry(cidr="10.6.0.0/16"))
    networks.apply(put=(
        PrefixList(id="pl-1", name="p", family="IPv4", max_entries=5, versions=(entries,), **WHO),
        rule(prefix_list="pl-1"),
    ))  # fmt: skip
    assert planned(networks).allowed == (everywhere("10.5.0.0/16", "10.6.0.0/16"),)


def test_lists_are_in_the_order_of_their_numbers(networks: Networks) -> None:
    acl = NetworkAcl(
        id="acl-1", vpc="vpc-1", associations=(AclAssociation(id="x", subnet="subnet-1"),),
        entries=(
            AclEntry(number=200, egress=True, protocol=-1, allow=True, cidr="0.0.0.0/0"),
            AclEntry(number=100, egress=True, protocol=6, allow=False, cidr="10.9.0.0/16", from_port=22, to_port=22),
            AclEntry(number=100, egress=False, protocol=1, allow=True, cidr6="::/0", icmp_type=0, icmp_code=-1),
        ),
        **WHO,
    )  # fmt: skip
    networks.apply(put=(acl,))
    plan = planned(networks)
    assert plan.outbound == (
        Entry(match=everywhere("10.9.0.0/16", protocol=TCP, ports=(22, 22)), allow=False),
        Entry(match=everywhere("0.0.0.0/0"), allow=True),
    )
    assert plan.inbound == (Entry(match=everywhere("::/0", protocol=ICMP, icmp=(0, None)), allow=True),)


def acl(name: str, *entries: AclEntry, subnets: tuple[str, ...]) -> NetworkAcl:
    held = tuple(AclAssociation(id=f"aclassoc-{subnet}", subnet=subnet) for subnet in subnets)
    return NetworkAcl(id=name, vpc="vpc-1", associations=held, entries=entries, **WHO)


EVERYTHING = tuple(
    AclEntry(number=100, egress=egress, protocol=-1, allow=True, cidr="0.0.0.0/0") for egress in (True, False)
)


def test_the_lists_of_other_subnets_decide_too(networks: Networks) -> None:
    third = replace(PUBLIC, id="subnet-3", cidr="10.0.3.0/24")
    no_ssh = AclEntry(number=50, egress=False, protocol=6, allow=False, cidr="0.0.0.0/0", from_port=22, to_port=22)
    shared = acl("acl-1", no_ssh, *EVERYTHING, subnets=("subnet-1", "subnet-2", "subnet-3"))
    networks.apply(put=(third, shared))
    (border,) = planned(networks).borders
    assert set(border.networks) == {ip_network("10.0.2.0/24"), ip_network("10.0.3.0/24")}
    assert border.inbound == planned(networks).inbound
    assert border.outbound == (Entry(match=everywhere("0.0.0.0/0"), allow=True),)


def test_lists_that_let_everything_through_are_left_out(networks: Networks) -> None:
    networks.apply(put=(acl("acl-1", *EVERYTHING, subnets=("subnet-1", "subnet-2")),))
    assert planned(networks).borders == ()
    dual = replace(PUBLIC, ipv6=(Ipv6Association(id="b", cidr="2001:db8:0:2::/64"),))
    networks.apply(put=(dual,))  # nothing is said about IPv6, so it is refused
    assert planned(networks).borders[0].networks == (ip_network("10.0.2.0/24"), ip_network("2001:db8:0:2::/64"))


def targets(plan: Interface) -> dict[str, tuple[Target, Any]]:
    return {str(route.destination): (route.target, route.via) for route in plan.routes}


NAT = NatGateway(id="nat-1", vpc="vpc-1", subnet="subnet-2", public=True, addresses=(), created=0, **WHO)
GATEWAY = InternetGateway(id="igw-1", vpc="vpc-1", **WHO)
OUT = RouteTable(
    id="rtb-2", vpc="vpc-1", routes=(LOCAL, Route(target="igw-1", cidr="0.0.0.0/0")),
    associations=(RouteTableAssociation(id="y", subnet="subnet-2"),), **WHO,
)  # fmt: skip
BY_NAT = replace(MAIN, routes=(LOCAL, Route(target="nat-1", cidr="0.0.0.0/0")))


def test_the_internet_is_behind_a_public_nat_gateway_in_a_public_subnet(networks: Networks) -> None:
    networks.apply(put=(NAT, GATEWAY, OUT, BY_NAT))
    assert targets(planned(networks)) == {"10.0.0.0/16": (Target.VPC, None), "0.0.0.0/0": (Target.NAT, None)}
    networks.apply(put=(replace(NAT, public=False),))
    assert targets(planned(networks))["0.0.0.0/0"] == (Target.NOWHERE, None)
    networks.apply(put=(replace(NAT, deleted=5),))
    assert targets(planned(networks))["0.0.0.0/0"] == (Target.NOWHERE, None)
    networks.apply(put=(NAT,), removed=(OUT,))
    assert targets(planned(networks))["0.0.0.0/0"] == (Target.NOWHERE, None)


def test_without_an_outbound_network_a_nat_gateway_leads_nowhere(networks: Networks) -> None:
    networks.apply(put=(NAT, GATEWAY, OUT, BY_NAT))
    plan = private_networks.plan(networks, ENI, {}, outward=False)
    assert plan is not None
    assert targets(plan)["0.0.0.0/0"] == (Target.NOWHERE, None)
    assert not plan.resolver


def test_a_public_subnet_alone_gives_functions_no_internet(networks: Networks) -> None:
    networks.apply(put=(GATEWAY, replace(MAIN, routes=(LOCAL, Route(target="igw-1", cidr="0.0.0.0/0")))))
    assert targets(planned(networks))["0.0.0.0/0"] == (Target.NOWHERE, None)


def test_a_route_to_an_interface_leads_over_it_if_it_is_in_the_subnet(networks: Networks) -> None:
    router = replace(ENI, id="eni-7", interface_type="interface",
                     addresses=(PrivateAddress(address="10.0.1.7", primary=True),))  # fmt: skip
    networks.apply(put=(router, replace(MAIN, routes=(LOCAL, Route(target="eni-7", cidr="10.8.0.0/16")))))
    assert targets(planned(networks))["10.8.0.0/16"] == (Target.VIA, IPv4Address("10.0.1.7"))
    networks.apply(put=(replace(router, subnet="subnet-2"),))
    assert targets(planned(networks))["10.8.0.0/16"] == (Target.NOWHERE, None)


def test_bound_subnets_are_neighbours_of_the_others(networks: Networks) -> None:
    wanted = (Segment(name="subnet-2", device="br0", address=IPv4Interface("10.0.2.3/24")),)
    assert planned(networks, subnet_2="br0").neighbours == wanted
    assert planned(networks, subnet_1="br0").neighbours == ()


def test_names_are_resolved_as_the_vpc_says(networks: Networks) -> None:
    plan = planned(networks)
    assert (plan.resolver, plan.resolver_address, plan.name_server) == (True, IPv4Address("10.0.0.2"), None)
    networks.apply(put=(replace(VPC, dns_support=False),))
    assert not planned(networks).resolver
    own = DhcpConfiguration(key="domain-name-servers", values=("10.0.1.53", "10.0.1.54"))
    networks.apply(put=(DhcpOptions(id="dopt-1", configurations=(own,), **WHO), replace(VPC, dhcp_options="dopt-1")))
    plan = planned(networks)
    assert (plan.resolver, plan.name_server) == (False, IPv4Address("10.0.1.53"))


def test_the_resolvers_address_in_a_bound_subnet_is_left_to_who_has_it(networks: Networks) -> None:
    networks.apply(put=(replace(PRIVATE, cidr="10.0.0.0/24"),))
    assert planned(networks, subnet_1="br0").resolver_address is None


def test_ipv6_is_used_if_it_is_allowed(networks: Networks) -> None:
    six = replace(PRIVATE, ipv6=(Ipv6Association(id="z", cidr="2001:db8::/64"),))
    networks.apply(put=(six, replace(ENI, ipv6=("2001:db8::4",), ipv6_allowed=True)))
    assert planned(networks).addresses[1] == IPv6Interface("2001:db8::4/64")
    networks.apply(put=(replace(ENI, ipv6=("2001:db8::4",)),))
    assert len(planned(networks).addresses) == 1


@pytest.mark.parametrize(
    "record", [VPC, PRIVATE, MAIN, NAT, GATEWAY, ENI, rule(cidr="0.0.0.0/0"), GROUP], ids=lambda record: record.kind
)
def test_a_change_touches_the_vpc_that_it_is_in(networks: Networks, record: Any) -> None:
    networks.apply(put=(replace(VPC, id="vpc-2"),))
    assert private_networks.touched(networks, NetworkChange(put=(record,))) == {"vpc-1"}
    assert private_networks.touched(networks, NetworkChange(removed=(record,))) == {"vpc-1"}


def test_interfaces_of_functions_are_told_from_others(networks: Networks) -> None:
    networks.apply(put=(replace(ENI, id="eni-2", interface_type="interface"),))
    assert [item.id for item in private_networks.interfaces(networks, {"vpc-1"})] == ["eni-1"]
