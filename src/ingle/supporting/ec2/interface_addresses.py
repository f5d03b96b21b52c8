"""More addresses for a network interface, or fewer. Pure.

Source of the rules: "IP addresses for your EC2 instances" in the EC2 user guide.
"""

from __future__ import annotations

from dataclasses import replace

from ingle.domain.vpc import NetworkInterface, Subnet
from ingle.supporting.ec2 import addressing
from ingle.supporting.ec2.addressing import counted, too_many
from ingle.supporting.ec2.errors import invalid_value, missing, not_together
from ingle.supporting.ec2.interface_view import elastic_of, require_own
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene


def assign(scene: Scene, params: Params) -> Outcome:
    interface, subnet = _addressable(scene, params)
    taken = addressing.taken_in(scene.networks, subnet)
    wanted = params.get("PrivateIpAddresses") or []
    count = counted(params.get("SecondaryPrivateIpAddressCount", 0))
    if bool(wanted) == bool(count):
        raise not_together("Specify either privateIpAddresses or secondaryPrivateIpAddressCount.")
    if len(interface.addresses) + len(wanted) + count > addressing.MOST_ADDRESSES:
        raise too_many()
    made = addressing.these_addresses(subnet, taken, wanted) + addressing.some_addresses(subnet, taken, count)
    added = addressing.as_private([interface.address, *made])[1:]
    answer = {
        "NetworkInterfaceId": interface.id,
        "AssignedPrivateIpAddresses": [{"PrivateIpAddress": text} for text in made],
    }
    return Outcome(answer, put=[replace(interface, addresses=(*interface.addresses, *added))])


def unassign(scene: Scene, params: Params) -> Outcome:
    interface, _ = _addressable(scene, params)
    gone = set(params.get("PrivateIpAddresses") or [])
    if not gone:
        raise missing("privateIpAddress")
    secondary = {held.address for held in interface.addresses if not held.primary}
    for text in sorted(gone - secondary):
        raise invalid_value(f"The private address {text} is not assigned to the interface as a secondary address.")
    left = tuple(held for held in interface.addresses if held.address not in gone)
    freed = [held.freed() for held in elastic_of(scene, interface) if held.private_ip in gone]
    return Outcome({}, put=[replace(interface, addresses=left), *freed])


def assign_ipv6(scene: Scene, params: Params) -> Outcome:
    interface, subnet = _addressable(scene, params)
    taken = addressing.taken_in(scene.networks, subnet)
    wanted, count = params.get("Ipv6Addresses") or [], counted(params.get("Ipv6AddressCount", 0))
    if bool(wanted) == bool(count):
        raise not_together("Specify either ipv6Addresses or ipv6AddressCount.")
    made = addressing.these_ipv6(subnet, taken, wanted) + addressing.some_ipv6(subnet, taken, count)
    answer = {"NetworkInterfaceId": interface.id, "AssignedIpv6Addresses": made}
    return Outcome(answer, put=[replace(interface, ipv6=(*interface.ipv6, *made))])


def unassign_ipv6(scene: Scene, params: Params) -> Outcome:
    interface, _ = _addressable(scene, params)
    gone = params.get("Ipv6Addresses") or []
    for text in gone:
        if text not in interface.ipv6:
            raise invalid_value(f"The address {text} is not assigned to the interface.")
    left = tuple(text for text in interface.ipv6 if text not in gone)
    answer = {"NetworkInterfaceId": interface.id, "UnassignedIpv6Addresses": gone}
    return Outcome(answer, put=[replace(interface, ipv6=left)])


def _addressable(scene: Scene, params: Params) -> tuple[NetworkInterface, Subnet]:
    interface = scene.find(NetworkInterface, params["NetworkInterfaceId"])
    require_own(interface)
    return interface, scene.find(Subnet, interface.subnet)


OPERATIONS: dict[str, Decide] = {
    "AssignPrivateIpAddresses": assign,
    "UnassignPrivateIpAddresses": unassign,
    "AssignIpv6Addresses": assign_ipv6,
    "UnassignIpv6Addresses": unassign_ipv6,
}
