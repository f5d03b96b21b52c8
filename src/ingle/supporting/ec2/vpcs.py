"""VPCs: their ranges, attributes and the default ones. Pure.

Source of the rules: "VPC CIDR blocks" and "Default VPCs" in the VPC user guide. AWS forbids some secondary ranges
beside others, for its own networks' sake; these are allowed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from ingle.domain.vpc import (
    CidrAssociation,
    DhcpOptions,
    EgressOnlyGateway,
    InternetGateway,
    Ipv6Association,
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    Resource,
    RouteTable,
    SecurityGroup,
    Subnet,
    Vpc,
)
from ingle.domain.vpc.routing import local_route
from ingle.supporting.ec2 import defaults
from ingle.supporting.ec2.errors import Ec2Error, in_use, missing
from ingle.supporting.ec2.filters import TAGGED, Table
from ingle.supporting.ec2.pages import described, tags_of
from ingle.supporting.ec2.ranges import network_of
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene, only_attribute
from ingle.supporting.ec2.tags import tags_for

_LARGEST, _SMALLEST = 16, 28
_MOST_RANGES = 5
_ATTRIBUTES = {
    "enableDnsSupport": ("EnableDnsSupport", "dns_support"),
    "enableDnsHostnames": ("EnableDnsHostnames", "dns_hostnames"),
    "enableNetworkAddressUsageMetrics": ("EnableNetworkAddressUsageMetrics", "usage_metrics"),
}


def show(vpc: Vpc) -> dict[str, Any]:
    return {
        "VpcId": vpc.id,
        "OwnerId": vpc.account,
        "State": "available",
        "CidrBlock": vpc.cidr,
        "DhcpOptionsId": vpc.dhcp_options,
        "InstanceTenancy": vpc.tenancy,
        "IsDefault": vpc.is_default,
        "CidrBlockAssociationSet": [show_range(held) for held in vpc.cidrs],
        "Ipv6CidrBlockAssociationSet": [show_ipv6(held, vpc.region) for held in vpc.ipv6] or None,
        "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
        "Tags": tags_of(vpc),
    }


def show_range(held: CidrAssociation, state: str = "associated") -> dict[str, Any]:
    return {"AssociationId": held.id, "CidrBlock": held.cidr, "CidrBlockState": {"State": state}}


def show_ipv6(held: Ipv6Association, group: str, state: str = "associated") -> dict[str, Any]:
    return {
        "AssociationId": held.id, "Ipv6CidrBlock": held.cidr, "Ipv6CidrBlockState": {"State": state},
        "NetworkBorderGroup": group, "Ipv6Pool": "Amazon", "Ipv6AddressAttribute": "public", "IpSource": "amazon",
    }  # fmt: skip


FILTERS: Table[Vpc] = {
    **TAGGED,
    "cidr": lambda vpc: [vpc.cidr],
    "cidrBlock": lambda vpc: [vpc.cidr],
    "cidr-block": lambda vpc: [vpc.cidr],
    "cidr-block-association.cidr-block": lambda vpc: [held.cidr for held in vpc.cidrs],
    "cidr-block-association.association-id": lambda vpc: [held.id for held in vpc.cidrs],
    "cidr-block-association.state": lambda vpc: ["associated"],
    "dhcp-options-id": lambda vpc: [vpc.dhcp_options],
    "dhcpOptionsId": lambda vpc: [vpc.dhcp_options],
    "ipv6-cidr-block-association.ipv6-cidr-block": lambda vpc: [held.cidr for held in vpc.ipv6],
    "ipv6-cidr-block-association.ipv6-pool": lambda vpc: ["Amazon" for _ in vpc.ipv6],
    "ipv6-cidr-block-association.association-id": lambda vpc: [held.id for held in vpc.ipv6],
    "ipv6-cidr-block-association.state": lambda vpc: ["associated" for _ in vpc.ipv6],
    "is-default": lambda vpc: [vpc.is_default],
    "isDefault": lambda vpc: [vpc.is_default],
    "state": lambda vpc: ["available"],
    "vpc-id": lambda vpc: [vpc.id],
}


def describe(scene: Scene, params: Params) -> Outcome:
    return described(scene, params, Vpc, "Vpcs", show, FILTERS, ids="VpcIds")


def create(scene: Scene, params: Params) -> Outcome:
    if "CidrBlock" not in params:
        raise missing("cidrBlock")
    network = _vpc_range(params["CidrBlock"])
    made = defaults.new_vpc(scene, network, tags=tags_for(params, Vpc), tenancy=params.get("InstanceTenancy"))
    vpc = made[0]
    assert isinstance(vpc, Vpc)
    if params.get("AmazonProvidedIpv6CidrBlock"):
        vpc, tables = _with_ipv6(scene, vpc, [record for record in made if isinstance(record, RouteTable)])
        made = [vpc, *tables, *(record for record in made[1:] if not isinstance(record, RouteTable))]
    return Outcome({"Vpc": {**show(vpc), "State": "pending"}}, put=made)


def create_default(scene: Scene, params: Params) -> Outcome:
    if scene.networks.default_vpc(scene.account, scene.region) is not None:
        raise Ec2Error("DefaultVpcAlreadyExists", "A Default VPC already exists for this account in this region.")
    made = defaults.default_network(scene)
    vpc = next(record for record in made if isinstance(record, Vpc))
    return Outcome({"Vpc": show(vpc)}, put=made)


def delete(scene: Scene, params: Params) -> Outcome:
    """What came with the VPC goes with it; anything else has to go before."""
    vpc = scene.find(Vpc, params["VpcId"])
    networks = scene.networks
    groups = networks.in_vpc(SecurityGroup, vpc.id)
    tables = networks.in_vpc(RouteTable, vpc.id)
    acls = networks.in_vpc(NetworkAcl, vpc.id)
    gateways = [*networks.in_vpc(InternetGateway, vpc.id), *networks.in_vpc(EgressOnlyGateway, vpc.id)]
    nats = [gateway for gateway in networks.in_vpc(NatGateway, vpc.id) if gateway.available]
    others: list[Resource] = [
        *networks.in_vpc(Subnet, vpc.id), *networks.in_vpc(NetworkInterface, vpc.id), *gateways, *nats,
        *(group for group in groups if group.name != defaults.DEFAULT_GROUP),
        *(table for table in tables if not table.is_main), *(acl for acl in acls if not acl.is_default),
    ]  # fmt: skip
    if others:
        raise in_use("vpc", vpc.id)
    rules = [rule for group in groups for rule in networks.rules(group.id)]
    return Outcome({}, removed=[*rules, *groups, *tables, *acls, vpc])


# --- attributes -----------------------------------------------------------------------------------------------------


def describe_attribute(scene: Scene, params: Params) -> Outcome:
    vpc = scene.find(Vpc, params["VpcId"])
    member, field = _ATTRIBUTES[params["Attribute"]]
    return Outcome({"VpcId": vpc.id, member: {"Value": getattr(vpc, field)}})


def modify_attribute(scene: Scene, params: Params) -> Outcome:
    vpc = scene.find(Vpc, params["VpcId"])
    fields = dict(_ATTRIBUTES.values())
    member = only_attribute(params, fields)
    value = params[member].get("Value")
    if value is None:
        raise missing("value")
    changes: Mapping[str, Any] = {fields[member]: value}
    return Outcome({}, put=[replace(vpc, **changes)])


def modify_tenancy(scene: Scene, params: Params) -> Outcome:
    vpc = scene.find(Vpc, params["VpcId"])
    return Outcome({"ReturnValue": True}, put=[replace(vpc, tenancy=params["InstanceTenancy"])])


# --- ranges ---------------------------------------------------------------------------------------------------------


def associate_range(scene: Scene, params: Params) -> Outcome:
    vpc = scene.find(Vpc, params["VpcId"])
    if params.get("AmazonProvidedIpv6CidrBlock"):
        changed, tables = _with_ipv6(scene, vpc, scene.networks.in_vpc(RouteTable, vpc.id))
        shown = show_ipv6(changed.ipv6[-1], scene.region, "associating")
        return Outcome({"VpcId": vpc.id, "Ipv6CidrBlockAssociation": shown}, put=[changed, *tables])
    if "CidrBlock" not in params:
        raise missing("cidrBlock")
    network = _vpc_range(params["CidrBlock"])
    if any(network.overlaps(other) for other in vpc.networks):
        raise Ec2Error("InvalidVpc.Range", f"The CIDR '{network}' conflicts with an existing CIDR of the VPC.")
    if len(vpc.cidrs) >= _MOST_RANGES:
        raise Ec2Error("VpcCidrLimitExceeded", "This network has met its maximum number of allowed CIDRs.")
    held = CidrAssociation(id=scene.new_id("vpc-cidr-assoc"), cidr=str(network))
    tables = [table.having(local_route(cidr=held.cidr)) for table in scene.networks.in_vpc(RouteTable, vpc.id)]
    answer = {"VpcId": vpc.id, "CidrBlockAssociation": show_range(held, "associating")}
    return Outcome(answer, put=[replace(vpc, cidrs=(*vpc.cidrs, held)), *tables])


def disassociate_range(scene: Scene, params: Params) -> Outcome:
    identifier = params["AssociationId"]
    for vpc in scene.mine(Vpc):
        if any(held.id == identifier for held in vpc.cidrs):
            return _without_range(scene, vpc, identifier)
        if any(held.id == identifier for held in vpc.ipv6):
            return _without_ipv6(scene, vpc, identifier)
    raise Ec2Error(
        "InvalidVpcCidrBlockAssociationID.NotFound",
        f"The vpc CIDR block association ID '{identifier}' does not exist",
    )


def _without_range(scene: Scene, vpc: Vpc, identifier: str) -> Outcome:
    gone = next(held for held in vpc.cidrs if held.id == identifier)
    if gone == vpc.cidrs[0]:
        raise Ec2Error(
            "OperationNotPermitted",
            f"The vpc CIDR block with association ID {identifier} may not be disassociated. It is the primary IPv4 "
            "CIDR block of the VPC",
        )
    if any(subnet.network.subnet_of(IPv4Network(gone.cidr)) for subnet in scene.networks.in_vpc(Subnet, vpc.id)):
        raise in_use("vpc CIDR block", gone.cidr)
    left = replace(vpc, cidrs=tuple(held for held in vpc.cidrs if held != gone))
    answer = {"VpcId": vpc.id, "CidrBlockAssociation": show_range(gone, "disassociating")}
    return Outcome(answer, put=[left, *_tables_without(scene, vpc, gone.cidr)])


def _without_ipv6(scene: Scene, vpc: Vpc, identifier: str) -> Outcome:
    gone = next(held for held in vpc.ipv6 if held.id == identifier)
    within = IPv6Network(gone.cidr)
    subnets = scene.networks.in_vpc(Subnet, vpc.id)
    if any(network.subnet_of(within) for subnet in subnets for network in subnet.ipv6_networks):
        raise in_use("vpc CIDR block", gone.cidr)
    left = replace(vpc, ipv6=tuple(held for held in vpc.ipv6 if held != gone))
    answer = {"VpcId": vpc.id, "Ipv6CidrBlockAssociation": show_ipv6(gone, scene.region, "disassociating")}
    return Outcome(answer, put=[left, *_tables_without(scene, vpc, gone.cidr)])


def _tables_without(scene: Scene, vpc: Vpc, destination: str) -> list[RouteTable]:
    return [
        replace(table, routes=tuple(route for route in table.routes if route.destination != destination))
        for table in scene.networks.in_vpc(RouteTable, vpc.id)
    ]


def _with_ipv6(scene: Scene, vpc: Vpc, tables: list[RouteTable]) -> tuple[Vpc, list[RouteTable]]:
    """The VPC with a range of its own for IPv6, and its tables with the local route to it."""
    if vpc.ipv6:
        raise Ec2Error("VpcCidrLimitExceeded", "This network has met its maximum number of allowed IPv6 CIDRs.")
    held = Ipv6Association(id=scene.new_id("vpc-cidr-assoc"), cidr=str(_private_range(scene)))
    return replace(vpc, ipv6=(held,)), [table.having(local_route(cidr6=held.cidr)) for table in tables]


def _private_range(scene: Scene) -> IPv6Network:
    """A /56 of unique local addresses (RFC 4193), since no provider gives us public ones."""
    digits = scene.new_id("x").partition("-")[2]
    return IPv6Network((int(f"fd{digits[:12]}{'0' * 18}", 16), 56))


def _vpc_range(text: str) -> IPv4Network:
    network = network_of(text, "cidrBlock")
    if not _LARGEST <= network.prefixlen <= _SMALLEST:
        raise Ec2Error("InvalidVpc.Range", f"The CIDR '{text}' is invalid.")
    return network


# --- DHCP options ---------------------------------------------------------------------------------------------------


def associate_dhcp_options(scene: Scene, params: Params) -> Outcome:
    vpc = scene.find(Vpc, params["VpcId"])
    identifier = params["DhcpOptionsId"]
    if identifier != "default":
        scene.find(DhcpOptions, identifier)
    return Outcome({}, put=[replace(vpc, dhcp_options=identifier)])


OPERATIONS: dict[str, Decide] = {
    "CreateVpc": create,
    "CreateDefaultVpc": create_default,
    "DescribeVpcs": describe,
    "DeleteVpc": delete,
    "DescribeVpcAttribute": describe_attribute,
    "ModifyVpcAttribute": modify_attribute,
    "ModifyVpcTenancy": modify_tenancy,
    "AssociateVpcCidrBlock": associate_range,
    "DisassociateVpcCidrBlock": disassociate_range,
    "AssociateDhcpOptions": associate_dhcp_options,
}
