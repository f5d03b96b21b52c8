"""What every NetworkStore promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingle.domain.vpc import (
    KINDS,
    AclAssociation,
    AclEntry,
    Attachment,
    CidrAssociation,
    DhcpConfiguration,
    DhcpOptions,
    EgressOnlyGateway,
    ElasticAddress,
    InternetGateway,
    Ipv6Association,
    NatAddress,
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    Opened,
    PrefixList,
    PrefixListEntry,
    PrivateAddress,
    Resource,
    Route,
    RouteTable,
    RouteTableAssociation,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)
from ingle.storage.sql import SqlStore
from ingle.storage.store import NetworkStore
from ingle.testing.memory_store import MemoryStore

OWN: dict[str, Any] = {"account": "111111111111", "region": "us-east-1"}
IPV6 = (Ipv6Association(id="6", cidr="fd00::/64"),)
#: In an order that is none of ids or kinds.
RECORDS: list[Resource] = [
    Vpc(**OWN, id="vpc-2", cidrs=(CidrAssociation(id="c", cidr="10.0.0.0/16"),), ipv6=IPV6, tags={"a": "b"}),
    Opened(**OWN, id="opened-1"),
    Subnet(**OWN, id="subnet-1", vpc="vpc-2", cidr="10.0.0.0/24", zone="us-east-1a", ipv6=IPV6, client_token="t"),
    DhcpOptions(**OWN, id="dopt-1", configurations=(DhcpConfiguration(key="domain-name", values=("x", "y")),)),
    SecurityGroup(**OWN, id="sg-1", vpc="vpc-2", name="n", description="d"),
    SecurityGroupRule(**OWN, id="sgr-2", group_id="sg-1", egress=True, protocol="-1", cidr="0.0.0.0/0"),
    SecurityGroupRule(**OWN, id="sgr-1", group_id="sg-1", egress=True, protocol="tcp", group="sg-1"),
    PrefixList(
        **OWN, id="pl-1", name="n", family="IPv4", max_entries=2,
        versions=((), (PrefixListEntry(cidr="10.0.0.0/8"), PrefixListEntry(cidr="11.0.0.0/8", description="d"))),
    ),
    RouteTable(
        **OWN, id="rtb-1", vpc="vpc-2", routes=(Route(cidr="10.0.0.0/16", target="local"),),
        associations=(RouteTableAssociation(id="m", subnet=None), RouteTableAssociation(id="s", subnet="subnet-1")),
    ),
    NetworkAcl(
        **OWN, id="acl-1", vpc="vpc-2", associations=(AclAssociation(id="a", subnet="subnet-1"),),
        entries=(AclEntry(number=1, egress=True, protocol=6, allow=False, cidr="10.0.0.0/8", from_port=1, to_port=2),),
    ),
    NetworkInterface(
        **OWN, id="eni-1", vpc="vpc-2", subnet="subnet-1", groups=("sg-1",), mac="02:00:00:00:00:00", created=5,
        addresses=(PrivateAddress(address="10.0.0.4", primary=True), PrivateAddress(address="10.0.0.5")),
        attachment=Attachment(id="e", owner="amazon-aws", attached=6), ipv6=("fd00::4",),
    ),
    InternetGateway(**OWN, id="igw-1", vpc=None),
    EgressOnlyGateway(**OWN, id="eigw-1", vpc="vpc-2"),
    NatGateway(
        **OWN, id="nat-1", vpc="vpc-2", subnet="subnet-1", public=True, created=7,
        addresses=(NatAddress(interface="eni-1", private_ip="10.0.0.4", allocation="eipalloc-1"),),
    ),
    ElasticAddress(**OWN, id="eipalloc-1", public_ip="198.18.0.4", interface="eni-1"),
]  # fmt: skip


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NetworkStore]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        async with SqlStore(f"sqlite:///{tmp_path}/test.db") as sql:
            yield sql


async def test_records_of_every_kind_come_back_as_they_were_and_in_their_order(store: NetworkStore) -> None:
    assert {type(record) for record in RECORDS} == set(KINDS.values())
    await store.change_networks(RECORDS)
    assert await store.load_networks() == RECORDS


async def test_changes_replace_in_place_and_remove_in_one_step(store: NetworkStore) -> None:
    await store.change_networks(RECORDS)
    changed = replace(RECORDS[0], tags={"a": "c"})
    new = InternetGateway(**OWN, id="igw-0", vpc="vpc-2")
    await store.change_networks([new, changed], [RECORDS[1], RECORDS[-1]])
    assert await store.load_networks() == [changed, *RECORDS[2:-1], new]
    await store.change_networks(removed=[RECORDS[1]])
    assert len(await store.load_networks()) == len(RECORDS) - 1
