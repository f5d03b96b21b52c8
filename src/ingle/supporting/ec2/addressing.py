"""Giving addresses to interfaces. Pure. Shared by network interfaces, NAT gateways, and Lambda's interfaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address

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
    network = subnet.network
    return _some(subnet, taken, count, lambda: free_address(network, taken))


def these_addresses(subnet: Subnet, taken: set[str], wanted: Iterable[str]) -> list[str]:
    """The same with addresses of the caller's choice. Raises Ec2Error."""
    network = subnet.network
    found = []
    for text in wanted:
        address = address_of(text)
        if address not in network or int(address) not in usable(network):
            raise invalid_value(f"Address {address} is not in the usable range of the subnet {subnet.id}.")
        found.append(_take(taken, address))
    return found


def some_ipv6(subnet: Subnet, taken: set[str], count: int) -> list[str]:
    networks = subnet.ipv6_networks
    if count and not networks:
        raise invalid_value(f"The subnet {subnet.id} has no IPv6 CIDR block.")
    return _some(subnet, taken, count, lambda: free_ipv6(networks[0], taken))


def these_ipv6(subnet: Subnet, taken: set[str], wanted: Iterable[str]) -> list[str]:
    networks = subnet.ipv6_networks
    found = []
    for text in wanted:
        address = ipv6_address_of(text)
        if not any(address in network for network in networks):
            raise invalid_value(f"Address {address} is not in the range of the subnet {subnet.id}.")
        found.append(_take(taken, address))
    return found


def _some(subnet: Subnet, taken: set[str], count: int, free: Callable[[], str | None]) -> list[str]:
    found = []
    for _ in range(count):
        address = free()
        if address is None:
            raise OutOfAddresses(subnet)
        taken.add(address)
        found.append(address)
    return found


def _take(taken: set[str], address: IPv4Address | IPv6Address) -> str:
    """Raises Ec2Error if it is taken."""
    text = str(address)
    if text in taken:
        raise Ec2Error("InvalidIPAddress.InUse", f"Address {text} is in use.")
    taken.add(text)
    return text


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
