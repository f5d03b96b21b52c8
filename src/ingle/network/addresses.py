"""The addresses that links have, and those that no function may reach. Pure.

Links are numbered; each has one address of its own on the environment's side, and both of its ends have the same
hardware address and do not use ARP: a frame for the other end is one for oneself. Names of devices say what they are.
"""

from __future__ import annotations

from hashlib import sha256
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

#: The gateway of environments that are in no private network, by name.
OUTWARD = "outward"
#: Both ends of every link.
HARDWARE = "02:00:49:6e:67:6c"
#: Links of environments, and of the gateways that are behind another gateway.
LINKS = IPv4Network("169.254.192.0/18")
LINKS6 = IPv6Network("fd49:6e67:6c65::/64")
#: Where a link leads to; whoever is there answers to any address, so this is nobody's.
NEXT_HOP = IPv4Address("169.254.1.1")
NEXT_HOP6 = IPv6Address("fe80::1")
#: The resolver that every environment is told of: AWS's address for the resolver of a VPC.
RESOLVER = IPv4Address("169.254.169.253")
#: Of the uplinks of servers on one machine, one of which each server has.
UPLINKS = IPv4Network("169.254.32.0/19")

#: What an environment calls its link, a gateway the links of environments, and its own ways on.
INSIDE = "eth0"
BEHIND = "env"
SUBNET, NAT, VPC, UPLINK = "subnet", "nat", "vpc", "uplink"
#: Legs of a private network's router in subnets that are bound to devices of the machine.
LEG = "leg"

#: This network, loopback, link-local with the metadata service, multicast, and what is reserved with broadcast.
NEVER = tuple(
    IPv4Network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4")
)
#: Unspecified, loopback, IPv4 in other forms, link-local, the metadata service, multicast.
NEVER6 = tuple(
    IPv6Network(text)
    for text in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "2002::/16", "fe80::/10", "fd00:ec2::/32", "ff00::/8")
)


def leg_hardware(subnet: str) -> str:
    """The hardware address of a leg: the same after a restart, so that nobody takes the last one for a stranger."""
    digest = sha256(subnet.encode()).hexdigest()
    return ":".join(["02", *(digest[place : place + 2] for place in range(0, 10, 2))])


MOST_LINKS = LINKS.num_addresses - 2


def link(number: int) -> IPv4Interface:
    """The address of the environment on link `number`, from 1."""
    return IPv4Interface((LINKS[number], 32))


def link6(number: int) -> IPv6Interface:
    return IPv6Interface((LINKS6[number + 0x100], 128))
