"""What the network of functions shall be, as frozen values that know nothing of AWS: the agent makes it so.

`worker` translates VPCs, security groups and the like into these; they travel to the agent as JSON. Reading them checks
every value, since rules are made of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any

Network = IPv4Network | IPv6Network

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
#: Of devices of the machine.
DEVICE = re.compile(r"[A-Za-z0-9_.@-]{1,15}")
_HARDWARE = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Packets to or from `networks`. `protocol` None: every one. `ports` are of tcp and udp, None: every one.

    `icmp` is a type and a code of ICMP, of which each may be None: every one.
    """

    networks: tuple[Network, ...]
    protocol: int | None = None
    ports: tuple[int, int] | None = None
    icmp: tuple[int | None, int | None] = (None, None)

    def __post_init__(self) -> None:
        low, high = self.ports or (0, 65535)
        if not (self.protocol is None or 0 <= self.protocol <= 255) or not 0 <= low <= high <= 65535:
            raise ValueError("a match has no such protocol or ports")
        if not all(part is None or 0 <= part <= 255 for part in self.icmp):
            raise ValueError("a match has no such ICMP type or code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One of an ordered list: the first that matches decides."""

    match: Match
    allow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """Other subnets of the private network, and what decides about single packets that enter and leave them."""

    networks: tuple[Network, ...]
    inbound: tuple[Entry, ...]
    outbound: tuple[Entry, ...]


class Target(StrEnum):
    """Where a route leads."""

    NAT = "nat"  # translated, out of the machine as the machine itself
    VPC = "vpc"  # to the other subnets of the private network
    VIA = "via"  # to a router in the subnet
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The longest destination wins. What no route has leads nowhere; the subnet itself needs none."""

    destination: Network
    target: Target
    via: IPv4Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A subnet that is bound to a device of the machine. `address`: what the private network's router has in it."""

    name: str
    device: str
    address: IPv4Interface

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or not DEVICE.fullmatch(self.device):
            raise ValueError("a segment has a name or device that cannot be used")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One network interface, with what environments behind it may do.

    `addresses` are its own, with the length of the subnet: one of IPv4, and none or one of IPv6. `device`: the bridge
    or device of the machine that its subnet is bound to; without, the subnet is the segment `subnet` of `network`.
    `allowed`: what may be opened. `outbound` and `inbound` decide about single packets, replies too, that leave the
    subnet or come from outside, and `borders` besides about those that another subnet is at the other end of.
    `resolver`: whether names are resolved, and at which address besides the usual one. `name_server`: who is asked
    instead, like any other server there. `neighbours`: other subnets that are bound.
    """

    name: str
    network: str
    subnet: str
    hardware: str
    addresses: tuple[IPv4Interface | IPv6Interface, ...]
    device: str | None = None
    allowed: tuple[Match, ...] = ()
    outbound: tuple[Entry, ...] = ()
    inbound: tuple[Entry, ...] = ()
    borders: tuple[Border, ...] = ()
    routes: tuple[Route, ...] = ()
    neighbours: tuple[Segment, ...] = ()
    resolver: bool = True
    resolver_address: IPv4Address | None = None
    name_server: IPv4Address | None = None

    def __post_init__(self) -> None:
        names = (self.name, self.network, self.subnet)
        if not all(_NAME.fullmatch(name) for name in names) or not _HARDWARE.fullmatch(self.hardware):
            raise ValueError("an interface has a name or hardware address that cannot be used")
        if self.device is not None and not DEVICE.fullmatch(self.device):
            raise ValueError(f"{self.device!r} is no device's name")
        if not self.addresses or self.addresses[0].version != 4:
            raise ValueError("an interface has no IPv4 address")

    @property
    def address(self) -> IPv4Interface:
        first = self.addresses[0]
        assert isinstance(first, IPv4Interface)
        return first

    @property
    def address6(self) -> IPv6Interface | None:
        return next((found for found in self.addresses if isinstance(found, IPv6Interface)), None)

    @property
    def where(self) -> tuple[object, ...]:
        """What cannot be changed while the interface is there."""
        return self.network, self.subnet, self.hardware, self.address6 is None


# --- as JSON ---------------------------------------------------------------------------------------------------------


def to_json(interface: Interface) -> dict[str, Any]:
    return {
        "name": interface.name,
        "network": interface.network,
        "subnet": interface.subnet,
        "hardware": interface.hardware,
        "addresses": [str(address) for address in interface.addresses],
        "device": interface.device,
        "allowed": [_match_to_json(match) for match in interface.allowed],
        "outbound": _entries_to_json(interface.outbound),
        "inbound": _entries_to_json(interface.inbound),
        "borders": [
            [
                [str(network) for network in border.networks],
                _entries_to_json(border.inbound),
                _entries_to_json(border.outbound),
            ]
            for border in interface.borders
        ],
        "routes": [
            [str(route.destination), route.target, None if route.via is None else str(route.via)]
            for route in interface.routes
        ],
        "neighbours": [[segment.name, segment.device, str(segment.address)] for segment in interface.neighbours],
        "resolver": interface.resolver,
        "resolver_address": None if interface.resolver_address is None else str(interface.resolver_address),
        "name_server": None if interface.name_server is None else str(interface.name_server),
    }


def from_json(given: dict[str, Any]) -> Interface:
    """Raises ValueError for what is not a plan."""
    try:
        return Interface(
            name=str(given["name"]),
            network=str(given["network"]),
            subnet=str(given["subnet"]),
            hardware=str(given["hardware"]),
            addresses=tuple(ip_interface(text) for text in given["addresses"]),
            device=given["device"],
            allowed=tuple(_match(parts) for parts in given["allowed"]),
            outbound=_entries(given["outbound"]),
            inbound=_entries(given["inbound"]),
            borders=tuple(_border(*parts) for parts in given["borders"]),
            routes=tuple(_route(*parts) for parts in given["routes"]),
            neighbours=tuple(
                Segment(name=str(name), device=str(device), address=IPv4Interface(address))
                for name, device, address in given["neighbours"]
            ),
            resolver=given["resolver"] is True,
            resolver_address=None if given["resolver_address"] is None else IPv4Address(given["resolver_address"]),
            name_server=None if given["name_server"] is None else IPv4Address(given["name_server"]),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"this is no plan of an interface: {error}") from error


def _entries_to_json(entries: tuple[Entry, ...]) -> list[Any]:
    return [[*_match_to_json(entry.match), entry.allow] for entry in entries]


def _entries(given: list[Any]) -> tuple[Entry, ...]:
    return tuple(Entry(match=_match(parts[:-1]), allow=parts[-1] is True) for parts in given)


def _border(networks: list[Any], inbound: list[Any], outbound: list[Any]) -> Border:
    return Border(
        networks=tuple(ip_network(text) for text in networks), inbound=_entries(inbound), outbound=_entries(outbound)
    )


def _match_to_json(match: Match) -> list[Any]:
    return [[str(network) for network in match.networks], match.protocol, match.ports, match.icmp]


def _match(parts: list[Any]) -> Match:
    networks, protocol, ports, icmp = parts
    return Match(
        networks=tuple(ip_network(text) for text in networks),
        protocol=None if protocol is None else int(protocol),
        ports=None if ports is None else (int(ports[0]), int(ports[1])),
        icmp=(_optional(icmp[0]), _optional(icmp[1])),
    )


def _optional(value: Any) -> int | None:
    return None if value is None else int(value)


def _route(destination: str, target: str, via: str | None) -> Route:
    found = None if via is None else ip_address(via)
    if isinstance(found, IPv4Address) or found is None:
        return Route(destination=ip_network(destination), target=Target(target), via=found)
    raise ValueError("routers in a subnet have IPv4 addresses")
