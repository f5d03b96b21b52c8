"""The networks in memory: what is found where, and that readers are told."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from ingle.catalog.networks import NetworkChange, Networks
from ingle.domain.vpc import (
    AclAssociation,
    CidrAssociation,
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
from ingle.domain.vpc.addresses import free_address, free_ipv6, free_network, usable
from ingle.domain.zones import id_of_zone, zones

PLACE: dict[str, Any] = {"account": "111122223333", "region": "us-east-1"}
VPC = Vpc(**PLACE, id="vpc-1", cidrs=(CidrAssociation(id="a", cidr="10.0.0.0/16"),), is_default=True)
ONE = Subnet(**PLACE, id="subnet-1", vpc="vpc-1", cidr="10.0.0.0/24", zone="us-east-1a")
TWO = Subnet(**PLACE, id="subnet-2", vpc="vpc-1", cidr="10.0.1.0/24", zone="us-east-1b")
LOCAL = (Route(cidr="10.0.0.0/16", target="local"),)


def interface(identifier: str, *groups: str) -> NetworkInterface:
    return NetworkInterface(
        **PLACE, id=identifier, vpc="vpc-1", subnet="subnet-1", groups=groups, mac="02:00:00:00:00:01", created=0,
        addresses=(PrivateAddress(address="10.0.0.4", primary=True),),
    )  # fmt: skip


def test_records_are_found_by_id_place_and_vpc():
    networks = Networks()
    networks.apply([VPC, ONE, TWO])
    assert networks.get(Subnet, "subnet-2") is TWO
    assert networks.get(Subnet, "vpc-1") is None
    assert networks.get(Subnet, None) is None
    assert networks.of(Subnet, "111122223333", "us-east-1") == [ONE, TWO]
    assert networks.of(Subnet, "111122223333", "eu-west-1") == []
    assert networks.in_vpc(Subnet, "vpc-1") == [ONE, TWO]
    assert networks.default_vpc("111122223333", "us-east-1") is VPC


def test_a_record_that_is_replaced_keeps_its_place_and_leaves_what_it_is_no_longer_in():
    networks = Networks()
    group = SecurityGroup(**PLACE, id="sg-1", vpc="vpc-1", name="one", description="")
    first, second = interface("eni-1", "sg-1", "sg-2"), interface("eni-2", "sg-1")
    networks.apply([group, first, second])
    changed = replace(first, groups=("sg-1",))
    networks.apply([changed])
    assert networks.members("sg-1") == [changed, second]
    assert networks.members("sg-2") == []
    networks.apply(removed=[second])
    assert networks.interfaces_in("subnet-1") == [changed]


def test_a_subnet_without_a_table_of_its_own_has_the_main_one():
    networks = Networks()
    main = RouteTable(
        **PLACE, id="rtb-1", vpc="vpc-1", routes=LOCAL, associations=(RouteTableAssociation(id="a", subnet=None),)
    )
    own = RouteTable(
        **PLACE, id="rtb-2", vpc="vpc-1", routes=LOCAL, associations=(RouteTableAssociation(id="b", subnet="subnet-2"),)
    )
    acl = NetworkAcl(**PLACE, id="acl-1", vpc="vpc-1", associations=(AclAssociation(id="c", subnet="subnet-1"),))
    networks.apply([VPC, ONE, TWO, main, own, acl])
    assert networks.route_table(ONE) is main
    assert networks.route_table(TWO) is own
    assert networks.acl(ONE) is acl


def test_rules_and_prefixes_are_those_of_their_owner():
    networks = Networks()
    rule = SecurityGroupRule(**PLACE, id="sgr-1", group_id="sg-1", egress=True, protocol="tcp", cidr="0.0.0.0/0")
    entries = (PrefixListEntry(cidr="10.9.0.0/16"),)
    listed = PrefixList(**PLACE, id="pl-1", name="n", family="IPv4", max_entries=2, versions=((), entries))
    networks.apply([rule, listed])
    assert networks.rules("sg-1") == [rule]
    assert networks.rules("sg-2") == []
    assert networks.prefixes("pl-1") == ["10.9.0.0/16"]
    assert networks.prefixes("pl-gone") == []


def test_readers_are_told_of_each_change():
    networks, told = Networks(), list[NetworkChange]()
    networks.subscribe(told.append)
    networks.apply([VPC, ONE])
    networks.apply(removed=[ONE])
    assert [change.put for change in told] == [(VPC, ONE), ()]
    assert told[1].removed == (ONE,)


def test_the_first_four_addresses_and_the_last_are_never_given():
    network = IPv4Network("10.0.0.0/28")
    assert len(usable(network)) == 11
    taken: set[str] = set()
    while (found := free_address(network, taken)) is not None:
        taken.add(found)
    assert taken == {f"10.0.0.{number}" for number in range(4, 15)}
    assert free_ipv6(IPv6Network("fd00::/64"), {"fd00::4"}) == "fd00::5"
    assert free_network(IPv4Network("10.0.0.0/16"), 20, (IPv4Network("10.0.0.0/18"),)) == IPv4Network("10.0.64.0/20")


def test_zones_have_the_names_and_ids_of_their_region():
    assert zones("eu-central-1") == ("eu-central-1a", "eu-central-1b", "eu-central-1c")
    assert id_of_zone("us-east-1", "us-east-1b") == "use1-az2"
