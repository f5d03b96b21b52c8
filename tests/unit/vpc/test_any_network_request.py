"""Whatever a caller sends to EC2 is answered or refused by name, and answers have only what EC2's model knows."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.catalog.networks import Networks
from ingle.domain.caller import Caller
from ingle.domain.clock import RandomIds, SystemClock
from ingle.domain.vpc import (
    KINDS,
    InternetGateway,
    NetworkAcl,
    NetworkInterface,
    Resource,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)
from ingle.domain.vpc.addresses import usable
from ingle.frontend.asgi import Application
from ingle.frontend.authorization.ec2_needs import Ec2Needs
from ingle.supporting.ec2.records import NetworkRecords
from ingle.supporting.ec2.service import Ec2
from ingle.testing.memory_store import MemoryStore
from ingle.wire.model import Shape, load_model

MODEL = load_model("ec2")


def require_known(value: Any, shape: Shape, path: str) -> None:
    """Members that the model does not have would be dropped silently."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            assert name in shape.members, f"{path}.{name}"
            if item is not None:
                require_known(item, shape.members[name].shape, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            require_known(item, shape.part("member").shape, path)


def checked(name: str, handler: Any) -> Any:
    async def handle(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        needs = Ec2Needs(NETWORKS)(caller, name, params)
        assert needs
        answer: dict[str, Any] = await handler(caller, params)
        shape = MODEL.io_shape(name, "output")
        if shape is None:
            assert answer == {}, name
        else:
            require_known(answer, shape, name)
        return answer

    return handle


NETWORKS = Networks()
STORE = MemoryStore()


async def require_whole() -> None:
    """What holds whatever was asked for."""
    stored = {(record.kind, record.id): record for record in await STORE.load_networks()}
    held = {(record.kind, record.id): record for kind in KINDS.values() for record in NETWORKS.every(kind)}
    assert stored == held
    for vpc in NETWORKS.every(Vpc):
        assert sum(table.is_main for table in NETWORKS.in_vpc(RouteTable, vpc.id)) == 1
        assert sum(acl.is_default for acl in NETWORKS.in_vpc(NetworkAcl, vpc.id)) == 1
        assert [group.name for group in NETWORKS.in_vpc(SecurityGroup, vpc.id)].count("default") == 1
        subnets = NETWORKS.in_vpc(Subnet, vpc.id)
        for number, subnet in enumerate(subnets):
            assert any(subnet.network.subnet_of(network) for network in vpc.networks)
            assert not any(subnet.network.overlaps(other.network) for other in subnets[:number])
    for subnet in NETWORKS.every(Subnet):
        assert NETWORKS.get(Vpc, subnet.vpc) is not None
        acls = NETWORKS.in_vpc(NetworkAcl, subnet.vpc)
        assert sum(held.subnet == subnet.id for acl in acls for held in acl.associations) == 1
        tables = NETWORKS.in_vpc(RouteTable, subnet.vpc)
        assert sum(held.subnet == subnet.id for table in tables for held in table.associations) <= 1
        interfaces = NETWORKS.interfaces_in(subnet.id)
        addresses = [held.address for interface in interfaces for held in interface.addresses]
        assert len(set(addresses)) == len(addresses)
        assert all(int(IPv4Address(address)) in usable(subnet.network) for address in addresses)
    for interface in NETWORKS.every(NetworkInterface):
        assert NETWORKS.get(Subnet, interface.subnet) is not None
        assert all(interface in NETWORKS.members(group) for group in interface.groups)
        assert all(NETWORKS.get(SecurityGroup, group) is not None for group in interface.groups)
    for rule in NETWORKS.every(SecurityGroupRule):
        assert NETWORKS.get(SecurityGroup, rule.group_id) is not None
        assert rule.group is None or NETWORKS.get(SecurityGroup, rule.group) is not None
        assert [other.meaning for other in NETWORKS.rules(rule.group_id)].count(rule.meaning) == 1
    for gateway in NETWORKS.every(InternetGateway):
        assert gateway.vpc is None or NETWORKS.get(Vpc, gateway.vpc) is not None


@pytest.fixture(scope="module")
def application() -> Application:
    records = NetworkRecords(STORE, NETWORKS, SystemClock(), RandomIds())
    handlers = {("ec2", name): checked(name, handler) for name, handler in Ec2(records).handlers().items()}
    return Application(handlers, {})


async def ask(application: Application, form: Mapping[str, str]) -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []
    body = urlencode({"Version": "2016-11-15", **form}, quote_via=quote_plus, errors="replace").encode()
    credential = b"AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0"
    scope = {
        "type": "http", "method": "POST", "raw_path": b"/", "query_string": b"", "scheme": "http", "state": {},
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/x-www-form-urlencoded"),
                    (b"authorization", credential)],
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


def names_of(shape: Shape, prefix: str = "", depth: int = 0) -> list[str]:
    """The names that parameters of an operation may have in a form."""
    found = []
    for member in shape.members.values():
        name = member.raw.get("queryName", member.wire_name)
        name = f"{prefix}{name[:1].upper()}{name[1:]}"
        inner = member.shape
        while inner.type == "list":
            name, inner = f"{name}.1", inner.part("member").shape
        found += names_of(inner, f"{name}.", depth + 1) if inner.type == "structure" and depth < 3 else [name]
    return found


OPERATIONS = sorted(Ec2(NetworkRecords(MemoryStore(), NETWORKS, SystemClock(), RandomIds())).handlers())
NAMES = {name: names_of(shape) if (shape := MODEL.io_shape(name, "input")) is not None else [] for name in OPERATIONS}
#: What is required, as it is called in a form.
MUST = {
    name: {
        member.raw.get("queryName", member.wire_name)[:1].upper() + member.raw.get("queryName", member.wire_name)[1:]
        for member in shape.members.values()
        if member.name in shape.required
    }
    if (shape := MODEL.io_shape(name, "input")) is not None
    else set()
    for name in OPERATIONS
}
TEXTS = [
    "10.0.0.0/16", "10.0.1.0/24", "0.0.0.0/0", "::/0", "fd00::/64", "10.0.1.4", "tcp", "-1", "6", "icmp", "80", "0",
    "true", "false", "allow", "default", "us-east-1a", "vpc", "subnet", "security-group", "enableDnsSupport", "IPv4",
    "vpc-00000000", "bogus", "", "99999999999999999999", "a" * 300, "ä\x00<&>", "local", "private", "public",
]  # fmt: skip


#: What parameters of these names take, so that some requests succeed.
FITTING = {
    "VpcId": "vpc", "SubnetId": "subnet", "GroupId": "security-group", "SecurityGroupId": "security-group",
    "RouteTableId": "route-table", "NetworkAclId": "network-acl", "NetworkInterfaceId": "network-interface",
    "InternetGatewayId": "internet-gateway", "GatewayId": "internet-gateway", "NatGatewayId": "natgateway",
    "AllocationId": "elastic-ip", "PrefixListId": "prefix-list", "DhcpOptionsId": "dhcp-options",
    "SecurityGroupRuleId": "security-group-rule", "ResourceId": "subnet", "PrivateIpAddress": "10.0.1.9",
    "IpProtocol": "-1", "CidrIp": "0.0.0.0/0", "Egress": "true", "RuleNumber": "80", "Protocol": "-1",
    "RuleAction": "allow", "DestinationCidrBlock": "0.0.0.0/0", "ConnectivityType": "private", "MaxEntries": "80",
    "PrefixListName": "default", "AddressFamily": "IPv4", "GroupName": "true", "GroupDescription": "local",
    "AmazonProvidedIpv6CidrBlock": "true", "SecondaryPrivateIpAddressCount": "6",
}  # fmt: skip
RANGES = ["10.0.0.0/16", "10.0.1.0/24", "10.0.2.0/24", "10.0.1.0/28", "10.1.0.0/16", "172.31.200.0/24"]


def values_of(member: str, *, ordinary: bool = False) -> st.SearchStrategy[Any]:
    any_value = st.sampled_from(TEXTS) | st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 5))
    last = member.removesuffix(".1").rpartition(".")[2]
    if last in ("CidrBlock", "Cidr"):
        return st.sampled_from(RANGES) if ordinary else st.sampled_from(RANGES) | any_value
    fitting = FITTING.get(last)
    if fitting is None:
        return any_value
    good = st.tuples(st.just(fitting), st.integers(0, 2)) if fitting in KINDS else st.just(fitting)
    return good if ordinary else st.one_of(good, good, good, any_value)


#: Requests that often succeed, so that others find something there.
ORDINARY: dict[str, tuple[str, ...]] = {
    "CreateVpc": ("CidrBlock",),
    "DeleteVpc": ("VpcId",),
    "AssociateVpcCidrBlock": ("VpcId", "CidrBlock"),
    "CreateSubnet": ("VpcId", "CidrBlock"),
    "DeleteSubnet": ("SubnetId",),
    "CreateNetworkInterface": ("SubnetId", "SecurityGroupId.1"),
    "DeleteNetworkInterface": ("NetworkInterfaceId",),
    "AssignPrivateIpAddresses": ("NetworkInterfaceId", "SecondaryPrivateIpAddressCount"),
    "ModifyNetworkInterfaceAttribute": ("NetworkInterfaceId", "SecurityGroupId.1"),
    "CreateSecurityGroup": ("VpcId", "GroupName", "GroupDescription"),
    "AuthorizeSecurityGroupIngress": ("GroupId", "IpPermissions.1.IpProtocol", "IpPermissions.1.Groups.1.GroupId"),
    "AuthorizeSecurityGroupEgress": ("GroupId", "IpPermissions.1.IpProtocol", "IpPermissions.1.IpRanges.1.CidrIp"),
    "RevokeSecurityGroupEgress": ("GroupId", "SecurityGroupRuleId.1"),
    "RevokeSecurityGroupIngress": ("GroupId", "SecurityGroupRuleId.1"),
    "CreateRoute": ("RouteTableId", "DestinationCidrBlock", "GatewayId"),
    "DeleteRoute": ("RouteTableId", "DestinationCidrBlock"),
    "AssociateRouteTable": ("RouteTableId", "SubnetId"),
    "AttachInternetGateway": ("InternetGatewayId", "VpcId"),
    "DetachInternetGateway": ("InternetGatewayId", "VpcId"),
    "CreateNatGateway": ("SubnetId", "ConnectivityType"),
    "DeleteNatGateway": ("NatGatewayId",),
    "AssociateAddress": ("AllocationId", "NetworkInterfaceId"),
    "ReleaseAddress": ("AllocationId",),
    "CreateNetworkAclEntry": ("NetworkAclId", "RuleNumber", "Protocol", "RuleAction", "Egress", "CidrBlock"),
    "DeleteNetworkAclEntry": ("NetworkAclId", "RuleNumber", "Egress"),
}


@st.composite
def ordinary(draw: Any) -> tuple[str, dict[str, Any]]:
    name = draw(st.sampled_from(sorted(ORDINARY)))
    return name, {member: draw(values_of(member, ordinary=True)) for member in ORDINARY[name]}


@st.composite
def requests(draw: Any) -> tuple[str, dict[str, Any]]:
    """Ids that are there are drawn when the request is made: by the place among those of their kind."""
    name = draw(st.sampled_from(OPERATIONS))
    shape = MODEL.io_shape(name, "input")
    required = [] if shape is None else [item for item in NAMES[name] if item.split(".")[0] in MUST[name]]
    optional = draw(st.lists(st.sampled_from(NAMES[name]), max_size=4, unique=True)) if NAMES[name] else []
    members = dict.fromkeys([*required, *optional])
    return name, {member: draw(values_of(member)) for member in members if member != "DryRun"}


def filled(value: Any, vpc: str) -> str:
    """A text, or the id of a record of a kind: one in the VPC, if there is any."""
    if isinstance(value, str):
        return value
    kind, place = KINDS[value[0]], value[1]
    if kind is Vpc:
        return vpc
    records: list[Resource] = [record for record in NETWORKS.every(kind) if vpc_of(record) == vpc]
    records = records or list(NETWORKS.every(kind))
    return records[place % len(records)].id if records else f"{kind.prefix}-00000000"


def vpc_of(record: Resource) -> str | None:
    if isinstance(record, SecurityGroupRule):
        group = NETWORKS.get(SecurityGroup, record.group_id)
        return None if group is None else group.vpc
    found: str | None = getattr(record, "vpc", None)
    return found


@given(asked=st.lists(requests() | ordinary() | ordinary(), min_size=1, max_size=12), place=st.integers(0, 1))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_requests_are_answered_or_refused(application: Application, asked: list[Any], place: int) -> None:
    for name, params in asked:
        made = [vpc.id for vpc in NETWORKS.every(Vpc)][-2:]
        vpc = made[place % len(made)] if made else "vpc-00000000"
        form = {"Action": name, **{member: filled(value, vpc) for member, value in params.items()}}
        status, answer = await ask(application, form)
        assert status < 500, (form, answer)
    await require_whole()


async def test_every_operation_that_lists_answers_with_what_its_model_has(application: Application) -> None:
    for name in OPERATIONS:
        if name.startswith("Describe"):
            status, answer = await ask(application, {"Action": name})
            assert status == 200 or b"MissingParameter" in answer, (name, answer)


@given(name=st.sampled_from(OPERATIONS), member=st.text(max_size=20), value=st.text(max_size=20))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_form_is_answered_or_refused(application: Application, name: str, member: str, value: str) -> None:
    status, answer = await ask(application, {"Action": name, member: value})
    assert status < 500, answer
