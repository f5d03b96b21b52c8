"""The arithmetic of a subnet's addresses.

Source of the rules: the VPC user guide, "Subnet CIDR blocks": the first four addresses of a subnet and its last one
are reserved.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Network

#: Base address, router, resolver, one for the future; and the broadcast address at the end.
RESERVED_FIRST = 4
RESERVED_LAST = 1


def usable(network: IPv4Network) -> range:
    """The addresses that interfaces may have, as numbers."""
    first = int(network.network_address)
    return range(first + RESERVED_FIRST, first + network.num_addresses - RESERVED_LAST)


def free_address(network: IPv4Network, taken: Container[str]) -> str | None:
    """The lowest usable address that is not taken; None: all are."""
    texts = (str(IPv4Address(number)) for number in usable(network))
    return next((text for text in texts if text not in taken), None)


def free_ipv6(network: IPv6Network, taken: Container[str]) -> str | None:
    """As `free_address`: the same addresses of a subnet are reserved."""
    numbers = range(RESERVED_FIRST, min(network.num_addresses, 2**20) - RESERVED_LAST)
    texts = (str(network[number]) for number in numbers)
    return next((text for text in texts if text not in taken), None)


def free_network(within: IPv4Network, length: int, taken: tuple[IPv4Network, ...]) -> IPv4Network | None:
    """The lowest range of a prefix length inside another that overlaps none of those taken."""
    candidates: Iterator[IPv4Network] = within.subnets(new_prefix=length)
    return next((found for found in candidates if not any(found.overlaps(other) for other in taken)), None)
