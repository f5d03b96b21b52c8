"""Giving addresses to interfaces. Pure. Shared by network interfaces, NAT gateways, and Lambda's interfaces."""

from __future__ import annotations

from collections.abc import Iterable

from ingle.catalog.networks import Networks
from ingle.domain.vpc import PrivateAddress, Subnet
from ingle.domain.vpc.addresses import free_address, free_ipv6, usable
from ingle.supporting.ec2.errors import Ec2Error, invalid_value
from ingle.supporting.ec2.ranges import address_of, ipv6_address_of

MOST_ADDRESSES = 50


class OutOfAddresses(Ec2Error):
    """Every address of a subnet is taken or reserved."""

    def __init__(self, subnet: Subnet) -> None:
        super().__init__(
            "InsufficientFreeAddressesInSubnet",
            f"The specified subnet does not have enough free addresses to satisfy the request: {subnet.id}.",
        )


def taken_in(networks: Networks, subnet: Subnet) -> set[str]:
    """Addresses of both families."""
    found: set[str] = set()
    for interface in networks.interfaces_in(subnet.id):
        found.update(held.address for held in interface.addresses)
        found.update(interface.ipv6)
    return found


def some_addresses(subnet: Subnet, taken: set[str], count: int) -> list[str]:
    """The lowest that are free; they are taken afterwards. Raises OutOfAddresses."""
    found = []
    for _ in range(count):
        address = free_address(subnet.network, taken)
        if address is None:
            raise OutOfAddresses(subnet)
        taken.add(address)
        found.append(address)
    return found


def these_addresses(subnet: Subnet, taken: set[str], wanted: Iterable[str]) -> list[str]:
    """The same with addresses of the caller's choice. Raises Ec2Error."""
    found = []
    for text in wanted:
        address = address_of(text)
        if address not in subnet.network or int(address) not in usable(subnet.network):
            raise invalid_value(f"Address {address} is not in the usable range of the subnet {subnet.id}.")
        if str(address) in taken:
            raise Ec2Error("InvalidIPAddress.InUse", f"Address {address} is in use.")
        taken.add(str(address))
        found.append(str(address))
    return found


def some_ipv6(subnet: Subnet, taken: set[str], count: int) -> list[str]:
    found = []
    for _ in range(count):
        networks = subnet.ipv6_networks
        if not networks:
            raise invalid_value(f"The subnet {subnet.id} has no IPv6 CIDR block.")
        address = free_ipv6(networks[0], taken)
        if address is None:
            raise OutOfAddresses(subnet)
        taken.add(address)
        found.append(address)
    return found


def these_ipv6(subnet: Subnet, taken: set[str], wanted: Iterable[str]) -> list[str]:
    found = []
    for text in wanted:
        address = ipv6_address_of(text)
        if not any(address in network for network in subnet.ipv6_networks):
            raise invalid_value(f"Address {address} is not in the range of the subnet {subnet.id}.")
        if str(address) in taken:
            raise Ec2Error("InvalidIPAddress.InUse", f"Address {address} is in use.")
        taken.add(str(address))
        found.append(str(address))
    return found


def as_private(addresses: Iterable[str]) -> tuple[PrivateAddress, ...]:
    """The first is the primary one."""
    return tuple(PrivateAddress(address=text, primary=number == 0) for number, text in enumerate(addresses))


def new_mac(identifier: str) -> str:
    """A locally administered address made from an id, which is unique."""
    digits = identifier.rpartition("-")[2][-10:]
    return ":".join(["02", *(digits[place : place + 2] for place in range(0, 10, 2))])


def counted(value: int) -> int:
    if value < 0:
        raise invalid_value(f"Invalid value '{value}' for a number of addresses.")
    if value >= MOST_ADDRESSES:
        raise too_many()
    return value


def too_many() -> Ec2Error:
    return Ec2Error("PrivateIpAddressLimitExceeded", f"An interface has at most {MOST_ADDRESSES} private addresses.")
