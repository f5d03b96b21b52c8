"""Elastic IP addresses. Pure.

Nobody gives Ingle public addresses: these are from the range that RFC 2544 sets aside for tests (198.18.0.0/15), and
are names for what the machine's own way to the internet translates to.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

from ingle.domain.vpc import ElasticAddress, InternetGateway, NetworkInterface
from ingle.domain.vpc.addresses import free_address
from ingle.supporting.ec2.errors import Ec2Error, association_missing, invalid_value, missing, not_found, not_together
from ingle.supporting.ec2.filters import TAGGED, Table, selected
from ingle.supporting.ec2.interface_view import require_own
from ingle.supporting.ec2.pages import chosen, described, tags_of
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene
from ingle.supporting.ec2.tags import tags_for

POOL = IPv4Network("198.18.0.0/15")
_MOST = 1000


def show(held: ElasticAddress) -> dict[str, Any]:
    return {
        "AllocationId": held.id,
        "PublicIp": held.public_ip,
        "Domain": "vpc",
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": held.region,
        "AssociationId": held.association,
        "NetworkInterfaceId": held.interface,
        "NetworkInterfaceOwnerId": None if held.interface is None else held.account,
        "PrivateIpAddress": held.private_ip,
        "Tags": tags_of(held),
    }


_FILTERS: Table[ElasticAddress] = {
    **TAGGED,
    "allocation-id": lambda held: [held.id],
    "association-id": lambda held: [held.association],
    "domain": lambda held: ["vpc"],
    "instance-id": lambda held: [],
    "network-border-group": lambda held: [held.region],
    "network-interface-id": lambda held: [held.interface],
    "network-interface-owner-id": lambda held: [None if held.interface is None else held.account],
    "private-ip-address": lambda held: [held.private_ip],
    "public-ip": lambda held: [held.public_ip],
}


def describe(scene: Scene, params: Params) -> Outcome:
    """In one page: the operation has no other."""
    found = scene.mine(ElasticAddress)
    if params.get("AllocationIds"):
        found = chosen(ElasticAddress, found, params["AllocationIds"])
    for text in params.get("PublicIps") or []:
        _by_public(scene, text)
    if params.get("PublicIps"):
        found = [held for held in found if held.public_ip in params["PublicIps"]]
    found = sorted(selected(found, params, _FILTERS), key=lambda held: held.id)
    return Outcome({"Addresses": [show(held) for held in found]})


def describe_attribute(scene: Scene, params: Params) -> Outcome:
    """Reverse names of addresses: none has any."""

    def shown(held: ElasticAddress) -> dict[str, Any]:
        return {"AllocationId": held.id, "PublicIp": held.public_ip}

    return described(scene, params, ElasticAddress, "Addresses", shown, {}, ids="AllocationIds")


def allocate(scene: Scene, params: Params) -> Outcome:
    if params.get("NetworkBorderGroup", scene.region) != scene.region:
        raise invalid_value(f"Invalid network border group '{params['NetworkBorderGroup']}'.")
    if len(scene.mine(ElasticAddress)) >= _MOST:
        raise Ec2Error("AddressLimitExceeded", "The maximum number of addresses has been reached.")
    taken = {held.public_ip for held in scene.networks.every(ElasticAddress)}
    address = free_address(POOL, taken)
    if address is None:
        raise Ec2Error("InsufficientAddressCapacity", "There are not enough free addresses to satisfy the request.")
    made = ElasticAddress(
        **scene.place, id=scene.new_id(ElasticAddress.prefix), tags=tags_for(params, ElasticAddress), public_ip=address
    )
    answer = {
        "AllocationId": made.id, "PublicIp": made.public_ip, "Domain": "vpc", "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": scene.region,
    }  # fmt: skip
    return Outcome(answer, put=[made])


def release(scene: Scene, params: Params) -> Outcome:
    held = _addressed(scene, params)
    if held.association is not None:
        raise Ec2Error("InvalidIPAddress.InUse", f"Address {held.public_ip} is in use.")
    return Outcome({}, removed=[held])


def associate(scene: Scene, params: Params) -> Outcome:
    held = _addressed(scene, params)
    if "InstanceId" in params:
        raise Ec2Error("InvalidInstanceID.NotFound", f"The instance ID '{params['InstanceId']}' does not exist")
    if "NetworkInterfaceId" not in params:
        raise missing("networkInterfaceId")
    interface = scene.find(NetworkInterface, params["NetworkInterfaceId"])
    require_own(interface)
    private = params.get("PrivateIpAddress", interface.address)
    if all(address.address != private for address in interface.addresses):
        raise invalid_value(f"The private address {private} is not assigned to the interface {interface.id}.")
    if not scene.networks.in_vpc(InternetGateway, interface.vpc):
        raise Ec2Error("Gateway.NotAttached", f"Network {interface.vpc} is not attached to any internet gateway")
    others = [other for other in scene.mine(ElasticAddress) if (other.interface, other.private_ip) == (
        interface.id, private) and other.id != held.id]  # fmt: skip
    moved = held.association is not None and (held.interface, held.private_ip) != (interface.id, private)
    if (moved and params.get("AllowReassociation") is False) or others:
        raise Ec2Error("Resource.AlreadyAssociated", f"resource {held.id} is already associated with another resource")
    if held.association is not None and not moved:
        return Outcome({"AssociationId": held.association})
    made = replace(held, association=scene.new_id("eipassoc"), interface=interface.id, private_ip=private)
    return Outcome({"AssociationId": made.association}, put=[made])


def disassociate(scene: Scene, params: Params) -> Outcome:
    if "AssociationId" in params:
        found = (held for held in scene.mine(ElasticAddress) if held.association == params["AssociationId"])
        held = next(found, None)
        if held is None:
            raise association_missing(params["AssociationId"])
    elif "PublicIp" in params:
        held = _by_public(scene, params["PublicIp"])
    else:
        raise missing("associationId")
    interface = scene.networks.get(NetworkInterface, held.interface)
    if interface is not None and interface.requester is not None:
        raise Ec2Error("AuthFailure", "You do not have permission to access the specified resource.")
    return Outcome({}, put=[held.freed()])


def _addressed(scene: Scene, params: Params) -> ElasticAddress:
    if "AllocationId" in params and "PublicIp" in params:
        raise not_together("You may specify public IP or allocation id, but not both in the same call")
    if "AllocationId" in params:
        return scene.find(ElasticAddress, params["AllocationId"])
    if "PublicIp" in params:
        return _by_public(scene, params["PublicIp"])
    raise missing("allocationId")


def _by_public(scene: Scene, text: str) -> ElasticAddress:
    found = next((held for held in scene.mine(ElasticAddress) if held.public_ip == text), None)
    if found is None:
        raise Ec2Error("InvalidAddress.NotFound", f"Address '{text}' not found.")
    return found


def available(scene: Scene, identifier: str) -> ElasticAddress:
    """An address that a gateway may take. Raises Ec2Error."""
    held = scene.seek(ElasticAddress, identifier)
    if held is None:
        raise not_found(ElasticAddress, identifier)
    if held.association is not None:
        raise Ec2Error("Resource.AlreadyAssociated", f"Elastic IP address [{identifier}] is already associated")
    return held


OPERATIONS: dict[str, Decide] = {
    "AllocateAddress": allocate,
    "ReleaseAddress": release,
    "AssociateAddress": associate,
    "DisassociateAddress": disassociate,
    "DescribeAddresses": describe,
    "DescribeAddressesAttribute": describe_attribute,
}
