"""Subnets. Pure.

Source of the rules: "Subnet CIDR blocks" in the VPC user guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Any

from ingle.catalog.networks import Networks
from ingle.domain.vpc import (
    AclAssociation,
    Ipv6Association,
    NatGateway,
    NetworkAcl,
    Resource,
    RouteTable,
    Subnet,
    Vpc,
)
from ingle.domain.vpc.addresses import free_network, usable
from ingle.domain.zones import id_of_zone, zones
from ingle.supporting.ec2 import defaults
from ingle.supporting.ec2.errors import Ec2Error, in_use, invalid_value, missing, wrong_value
from ingle.supporting.ec2.filters import TAGGED, Table
from ingle.supporting.ec2.pages import described, tags_of
from ingle.supporting.ec2.ranges import ipv6_network_of, network_of
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene, only_attribute
from ingle.supporting.ec2.tags import tags_for

_LARGEST, _SMALLEST = 16, 28
_IPV6_LENGTH = 64
#: What may be modified, one at a time: the parameter, the field, and whether the value stands in a structure.
_ATTRIBUTES = {
    "AssignIpv6AddressOnCreation": ("assign_ipv6", True),
    "MapPublicIpOnLaunch": ("public_ips", True),
    "EnableDns64": ("dns64", True),
    "PrivateDnsHostnameTypeOnLaunch": ("hostname_type", False),
    "EnableResourceNameDnsARecordOnLaunch": ("a_records", True),
    "EnableResourceNameDnsAAAARecordOnLaunch": ("aaaa_records", True),
}


def addresses_left(networks: Networks, subnet: Subnet) -> int:
    """What interfaces can still have."""
    taken = sum(len(interface.addresses) for interface in networks.interfaces_in(subnet.id))
    return len(usable(subnet.network)) - taken


def show(scene: Scene, subnet: Subnet) -> dict[str, Any]:
    return {
        "SubnetId": subnet.id,
        "SubnetArn": subnet.arn,
        "VpcId": subnet.vpc,
        "OwnerId": subnet.account,
        "State": "available",
        "CidrBlock": subnet.cidr,
        "AvailableIpAddressCount": addresses_left(scene.networks, subnet),
        "AvailabilityZone": subnet.zone,
        "AvailabilityZoneId": id_of_zone(subnet.region, subnet.zone),
        "DefaultForAz": subnet.is_default,
        "MapPublicIpOnLaunch": subnet.public_ips,
        "MapCustomerOwnedIpOnLaunch": False,
        "AssignIpv6AddressOnCreation": subnet.assign_ipv6,
        "Ipv6CidrBlockAssociationSet": [show_ipv6(held) for held in subnet.ipv6],
        "EnableDns64": subnet.dns64,
        "Ipv6Native": False,
        "PrivateDnsNameOptionsOnLaunch": {
            "HostnameType": subnet.hostname_type,
            "EnableResourceNameDnsARecord": subnet.a_records,
            "EnableResourceNameDnsAAAARecord": subnet.aaaa_records,
        },
        "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
        "Tags": tags_of(subnet),
    }


def show_ipv6(held: Ipv6Association, state: str = "associated") -> dict[str, Any]:
    return {
        "AssociationId": held.id, "Ipv6CidrBlock": held.cidr, "Ipv6CidrBlockState": {"State": state},
        "Ipv6AddressAttribute": "public", "IpSource": "amazon",
    }  # fmt: skip


def _filters(scene: Scene) -> Table[Subnet]:
    return {
        **TAGGED,
        "availability-zone": lambda subnet: [subnet.zone],
        "availabilityZone": lambda subnet: [subnet.zone],
        "availability-zone-id": lambda subnet: [id_of_zone(subnet.region, subnet.zone)],
        "availabilityZoneId": lambda subnet: [id_of_zone(subnet.region, subnet.zone)],
        "available-ip-address-count": lambda subnet: [addresses_left(scene.networks, subnet)],
        "cidr-block": lambda subnet: [subnet.cidr],
        "cidr": lambda subnet: [subnet.cidr],
        "cidrBlock": lambda subnet: [subnet.cidr],
        "customer-owned-ipv4-pool": lambda subnet: [],
        "default-for-az": lambda subnet: [subnet.is_default],
        "defaultForAz": lambda subnet: [subnet.is_default],
        "enable-dns64": lambda subnet: [subnet.dns64],
        "enable-lni-at-device-index": lambda subnet: [],
        "ipv6-cidr-block-association.ipv6-cidr-block": lambda subnet: [held.cidr for held in subnet.ipv6],
        "ipv6-cidr-block-association.association-id": lambda subnet: [held.id for held in subnet.ipv6],
        "ipv6-cidr-block-association.state": lambda subnet: ["associated" for _ in subnet.ipv6],
        "ipv6-native": lambda subnet: [False],
        "map-customer-owned-ip-on-launch": lambda subnet: [False],
        "map-public-ip-on-launch": lambda subnet: [subnet.public_ips],
        "outpost-arn": lambda subnet: [],
        "private-dns-name-options-on-launch.hostname-type": lambda subnet: [subnet.hostname_type],
        "private-dns-name-options-on-launch.enable-resource-name-dns-a-record": lambda subnet: [subnet.a_records],
        "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": lambda subnet: [subnet.aaaa_records],
        "state": lambda subnet: ["available"],
        "subnet-arn": lambda subnet: [subnet.arn],
        "subnet-id": lambda subnet: [subnet.id],
        "vpc-id": lambda subnet: [subnet.vpc],
    }


def describe(scene: Scene, params: Params) -> Outcome:
    return described(
        scene, params, Subnet, "Subnets", lambda subnet: show(scene, subnet), _filters(scene), ids="SubnetIds"
    )


def create(scene: Scene, params: Params) -> Outcome:
    vpc = scene.find(Vpc, params["VpcId"])
    if "CidrBlock" not in params:
        raise missing("cidrBlock")
    network = _range_in(scene, vpc, params["CidrBlock"])
    ipv6 = [_ipv6_in(scene, vpc, params["Ipv6CidrBlock"])] if "Ipv6CidrBlock" in params else []
    subnet = Subnet(
        **scene.place, id=scene.new_id(Subnet.prefix), tags=tags_for(params, Subnet), vpc=vpc.id, cidr=str(network),
        zone=_zone(scene, params), ipv6=tuple(ipv6),
    )  # fmt: skip
    return Outcome({"Subnet": show(scene, subnet)}, put=[subnet, _in_default_acl(scene, subnet)])


def create_default(scene: Scene, params: Params) -> Outcome:
    """The lowest range of the default VPC that is free."""
    if "AvailabilityZone" not in params and "AvailabilityZoneId" not in params:
        raise missing("availabilityZone")
    zone = _zone(scene, params)
    vpc = scene.networks.default_vpc(scene.account, scene.region)
    if vpc is None:
        raise Ec2Error("DefaultVpcDoesNotExist", "No default VPC exists for this account in this region.")
    there = scene.networks.in_vpc(Subnet, vpc.id)
    if any(subnet.is_default and subnet.zone == zone for subnet in there):
        raise Ec2Error(
            "DefaultSubnetAlreadyExistsInAvailabilityZone", f"A default subnet already exists in the zone {zone}."
        )
    taken = tuple(subnet.network for subnet in there)
    network = free_network(IPv4Network(vpc.cidr), defaults.DEFAULT_SUBNET_LENGTH, taken)
    if network is None:
        raise Ec2Error("InsufficientFreeAddressesInVpc", "The VPC has no free range for a default subnet.")
    subnet = defaults.default_subnet(scene, vpc.id, zone, network)
    return Outcome({"Subnet": show(scene, subnet)}, put=[subnet, _in_default_acl(scene, subnet)])


def delete(scene: Scene, params: Params) -> Outcome:
    subnet = scene.find(Subnet, params["SubnetId"])
    networks = scene.networks
    gateways = networks.in_vpc(NatGateway, subnet.vpc)
    if networks.interfaces_in(subnet.id) or any(held.available and held.subnet == subnet.id for held in gateways):
        raise in_use("subnet", subnet.id)
    changed: list[Resource] = []
    for table in networks.in_vpc(RouteTable, subnet.vpc):
        left = tuple(held for held in table.associations if held.subnet != subnet.id)
        if left != table.associations:
            changed.append(replace(table, associations=left))
    acl = networks.acl(subnet)
    if acl is not None:
        kept = tuple(held for held in acl.associations if held.subnet != subnet.id)
        changed.append(replace(acl, associations=kept))
    return Outcome({}, put=changed, removed=[subnet])


def modify_attribute(scene: Scene, params: Params) -> Outcome:
    subnet = scene.find(Subnet, params["SubnetId"])
    name = only_attribute(params, _ATTRIBUTES)
    field, structured = _ATTRIBUTES[name]
    value = params[name].get("Value") if structured else params[name]
    if value is None:
        raise missing("value")
    if field in ("assign_ipv6", "dns64") and value and not subnet.dual_stack:
        raise invalid_value(f"Invalid value '{value}' for {name}: the subnet has no IPv6 CIDR block.")
    changes: Mapping[str, Any] = {field: value}
    return Outcome({}, put=[replace(subnet, **changes)])


def associate_ipv6(scene: Scene, params: Params) -> Outcome:
    subnet = scene.find(Subnet, params["SubnetId"])
    if "Ipv6CidrBlock" not in params:
        raise missing("ipv6CidrBlock")
    if subnet.ipv6:
        raise Ec2Error("SubnetLimitExceeded", "This subnet has met its maximum number of allowed IPv6 CIDRs.")
    held = _ipv6_in(scene, scene.find(Vpc, subnet.vpc), params["Ipv6CidrBlock"])
    answer = {"SubnetId": subnet.id, "Ipv6CidrBlockAssociation": show_ipv6(held, "associating")}
    return Outcome(answer, put=[replace(subnet, ipv6=(held,))])


def disassociate_ipv6(scene: Scene, params: Params) -> Outcome:
    identifier = params["AssociationId"]
    found = ((subnet, held) for subnet in scene.mine(Subnet) for held in subnet.ipv6 if held.id == identifier)
    subnet, gone = next(found, (None, None))
    if subnet is None or gone is None:
        raise Ec2Error(
            "InvalidSubnetCidrBlockAssociationID.NotFound",
            f"The subnet CIDR block association ID '{identifier}' does not exist",
        )
    if any(interface.ipv6 for interface in scene.networks.interfaces_in(subnet.id)):
        raise in_use("subnet CIDR block", gone.cidr)
    answer = {"SubnetId": subnet.id, "Ipv6CidrBlockAssociation": show_ipv6(gone, "disassociating")}
    return Outcome(answer, put=[replace(subnet, ipv6=(), assign_ipv6=False, dns64=False)])


def _range_in(scene: Scene, vpc: Vpc, text: str) -> IPv4Network:
    network = network_of(text, "cidrBlock")
    if not _LARGEST <= network.prefixlen <= _SMALLEST or not any(network.subnet_of(held) for held in vpc.networks):
        raise Ec2Error("InvalidSubnet.Range", f"The CIDR '{text}' is invalid.")
    if IPv4Address(text.partition("/")[0]) != network.network_address:
        raise Ec2Error("InvalidSubnet.Range", f"The CIDR '{text}' is invalid.")
    if any(network.overlaps(other.network) for other in scene.networks.in_vpc(Subnet, vpc.id)):
        raise Ec2Error("InvalidSubnet.Conflict", f"The CIDR '{text}' conflicts with another subnet")
    return network


def _ipv6_in(scene: Scene, vpc: Vpc, text: str) -> Ipv6Association:
    network: IPv6Network = ipv6_network_of(text, "ipv6CidrBlock")
    if network.prefixlen != _IPV6_LENGTH or not any(network.subnet_of(held) for held in vpc.ipv6_networks):
        raise Ec2Error("InvalidSubnet.Range", f"The CIDR '{text}' is invalid.")
    others = scene.networks.in_vpc(Subnet, vpc.id)
    if any(network.overlaps(held) for other in others for held in other.ipv6_networks):
        raise Ec2Error("InvalidSubnet.Conflict", f"The CIDR '{text}' conflicts with another subnet")
    return Ipv6Association(id=scene.new_id("subnet-cidr-assoc"), cidr=str(network))


def _zone(scene: Scene, params: Params) -> str:
    """The zone that a request names; else the first."""
    ids = {name: id_of_zone(scene.region, name) for name in zones(scene.region)}
    wanted: str = params.get("AvailabilityZone", next(iter(ids)))
    if "AvailabilityZoneId" in params:
        identifier = params["AvailabilityZoneId"]
        named = next((name for name, held in ids.items() if held == identifier), None)
        if named is None or params.get("AvailabilityZone", named) != named:
            raise _no_zone(identifier, "availabilityZoneId", ids.values())
        return named
    if wanted not in ids:
        raise _no_zone(wanted, "availabilityZone", ids)
    return wanted


def _no_zone(wanted: str, parameter: str, there: Iterable[str]) -> Ec2Error:
    reason = f"Subnets can currently only be created in the following availability zones: {', '.join(there)}."
    return wrong_value(wanted, parameter, reason)


def _in_default_acl(scene: Scene, subnet: Subnet) -> NetworkAcl:
    """The VPC's default ACL with a new subnet."""
    acl = next(acl for acl in scene.networks.in_vpc(NetworkAcl, subnet.vpc) if acl.is_default)
    held = AclAssociation(id=scene.new_id("aclassoc"), subnet=subnet.id)
    return replace(acl, associations=(*acl.associations, held))


OPERATIONS: dict[str, Decide] = {
    "CreateSubnet": create,
    "CreateDefaultSubnet": create_default,
    "DescribeSubnets": describe,
    "DeleteSubnet": delete,
    "ModifySubnetAttribute": modify_attribute,
    "AssociateSubnetCidrBlock": associate_ipv6,
    "DisassociateSubnetCidrBlock": disassociate_ipv6,
}
