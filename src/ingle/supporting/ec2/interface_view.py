"""What network interfaces look like in answers, to filters, and who may change them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ingle.domain.arn import partition_of
from ingle.domain.vpc import ElasticAddress, NetworkInterface, SecurityGroup, Subnet
from ingle.domain.zones import id_of_zone
from ingle.supporting.ec2.defaults import private_domain
from ingle.supporting.ec2.errors import invalid_value
from ingle.supporting.ec2.filters import TAGGED, Table
from ingle.supporting.ec2.pages import tags_of
from ingle.supporting.ec2.scene import Scene


def private_name(region: str, address: str) -> str:
    return f"ip-{address.replace('.', '-')}.{private_domain(region)}"


def public_name(region: str, address: str) -> str:
    domain = "compute-1.amazonaws.com" if region == "us-east-1" else f"{region}.compute.amazonaws.com"
    suffix = ".cn" if partition_of(region) == "aws-cn" else ""
    return f"ec2-{address.replace('.', '-')}.{domain}{suffix}"


def show(scene: Scene, interface: NetworkInterface) -> dict[str, Any]:
    subnet = scene.networks.get(Subnet, interface.subnet)
    zone = "" if subnet is None else subnet.zone
    elastic = {held.private_ip: held for held in elastic_of(scene, interface)}
    return {
        "NetworkInterfaceId": interface.id,
        "SubnetId": interface.subnet,
        "VpcId": interface.vpc,
        "AvailabilityZone": zone,
        "AvailabilityZoneId": id_of_zone(interface.region, zone) if zone else None,
        "Description": interface.description,
        "OwnerId": interface.account,
        "RequesterId": interface.requester,
        "RequesterManaged": interface.requester is not None,
        "Status": status_of(interface),
        "InterfaceType": interface.interface_type,
        "MacAddress": interface.mac,
        "PrivateIpAddress": interface.address,
        "PrivateDnsName": private_name(interface.region, interface.address),
        "PrivateIpAddresses": [
            {
                "PrivateIpAddress": held.address,
                "Primary": held.primary,
                "PrivateDnsName": private_name(interface.region, held.address),
                "Association": _association(elastic.get(held.address)),
            }
            for held in interface.addresses
        ],
        "Association": _association(elastic.get(interface.address)),
        "Ipv6Addresses": [{"Ipv6Address": text, "IsPrimaryIpv6": False} for text in interface.ipv6],
        "Ipv6Address": interface.ipv6[0] if interface.ipv6 else None,
        "SourceDestCheck": interface.source_dest_check,
        "Groups": groups_of(scene, interface),
        "Attachment": attachment_of(interface),
        "Operator": {"Managed": False},
        "TagSet": tags_of(interface) or [],
    }


def status_of(interface: NetworkInterface) -> str:
    return "in-use" if interface.in_use else "available"


def groups_of(scene: Scene, interface: NetworkInterface) -> list[dict[str, Any]]:
    found = [(identifier, scene.networks.get(SecurityGroup, identifier)) for identifier in interface.groups]
    return [{"GroupId": identifier, "GroupName": None if held is None else held.name} for identifier, held in found]


def attachment_of(interface: NetworkInterface) -> dict[str, Any] | None:
    held = interface.attachment
    if held is None:
        return None
    return {
        "AttachmentId": held.id, "InstanceOwnerId": held.owner, "DeviceIndex": 1, "NetworkCardIndex": 0,
        "Status": "attached", "DeleteOnTermination": False, "AttachTime": datetime.fromtimestamp(held.attached, UTC),
    }  # fmt: skip


def elastic_of(scene: Scene, interface: NetworkInterface) -> list[ElasticAddress]:
    return [held for held in scene.mine(ElasticAddress) if held.interface == interface.id]


def _association(held: ElasticAddress | None) -> dict[str, Any] | None:
    if held is None:
        return None
    return {
        "AllocationId": held.id, "AssociationId": held.association, "IpOwnerId": held.account,
        "PublicIp": held.public_ip, "PublicDnsName": public_name(held.region, held.public_ip),
    }  # fmt: skip


def filters(scene: Scene) -> Table[NetworkInterface]:
    def zone(interface: NetworkInterface) -> str | None:
        subnet = scene.networks.get(Subnet, interface.subnet)
        return None if subnet is None else subnet.zone

    def elastic(field: str) -> Any:
        return lambda interface: [getattr(held, field) for held in elastic_of(scene, interface)]

    def attached(member: str) -> Any:
        return lambda interface: [(attachment_of(interface) or {}).get(member)]

    return {
        **TAGGED,
        "addresses.association.owner-id": elastic("account"),
        "addresses.association.public-ip": elastic("public_ip"),
        "addresses.primary": lambda interface: [held.primary for held in interface.addresses],
        "addresses.private-ip-address": lambda interface: [held.address for held in interface.addresses],
        "association.allocation-id": elastic("id"),
        "association.association-id": elastic("association"),
        "association.ip-owner-id": elastic("account"),
        "association.public-ip": elastic("public_ip"),
        "association.public-dns-name": lambda interface: [
            public_name(held.region, held.public_ip) for held in elastic_of(scene, interface)
        ],
        "attachment.attach-time": lambda interface: [
            f"{datetime.fromtimestamp(interface.attachment.attached, UTC):%Y-%m-%dT%H:%M:%S.000Z}"
            if interface.attachment
            else None
        ],
        "attachment.attachment-id": attached("AttachmentId"),
        "attachment.delete-on-termination": attached("DeleteOnTermination"),
        "attachment.device-index": attached("DeviceIndex"),
        "attachment.instance-id": lambda interface: [],
        "attachment.instance-owner-id": attached("InstanceOwnerId"),
        "attachment.status": attached("Status"),
        "availability-zone": lambda interface: [zone(interface)],
        "availability-zone-id": lambda interface: [
            None if zone(interface) is None else id_of_zone(interface.region, str(zone(interface)))
        ],
        "description": lambda interface: [interface.description],
        "group-id": lambda interface: interface.groups,
        "group-name": lambda interface: [held["GroupName"] for held in groups_of(scene, interface)],
        "interface-type": lambda interface: [interface.interface_type],
        "ipv6-addresses.ipv6-address": lambda interface: interface.ipv6,
        "mac-address": lambda interface: [interface.mac],
        "network-interface-id": lambda interface: [interface.id],
        "operator.managed": lambda interface: [False],
        "operator.principal": lambda interface: [],
        "private-dns-name": lambda interface: [private_name(interface.region, interface.address)],
        "private-ip-address": lambda interface: [held.address for held in interface.addresses],
        "requester-id": lambda interface: [interface.requester],
        "requester-managed": lambda interface: [interface.requester is not None],
        "source-dest-check": lambda interface: [interface.source_dest_check],
        "status": lambda interface: [status_of(interface)],
        "subnet-id": lambda interface: [interface.subnet],
        "vpc-id": lambda interface: [interface.vpc],
    }


def require_own(interface: NetworkInterface) -> None:
    """Raise for an interface that a service of AWS made."""
    if interface.requester is not None:
        raise invalid_value(f"Network interface '{interface.id}' is currently in use.")
