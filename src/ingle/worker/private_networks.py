"""From the VPCs of the catalog to the plans of the network agent. Pure: reads the catalog and changes nothing.

Sources of the rules: the VPC user guide on security groups, network ACLs, route tables, NAT gateways and DNS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Interface, ip_network

from ingle.catalog.networks import NetworkChange, Networks
from ingle.domain.vpc import (
    AclEntry,
    DhcpOptions,
    InternetGateway,
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    PrefixList,
    Route,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)
from ingle.domain.vpc.interfaces import OF_LAMBDA
from ingle.domain.vpc.routing import LOCAL
from ingle.domain.vpc.security import EVERY
from ingle.network.plan import ICMP, ICMP6, TCP, UDP, Border, Entry, Interface, Match, Network, Segment, Target
from ingle.network.plan import Route as PlannedRoute

#: Devices of the machine by the subnets that are bound to them.
Bindings = Mapping[str, str]

_PROTOCOLS = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "icmpv6": ICMP6}
_ANYWHERE = IPv4Network("0.0.0.0/0")
_AMAZON = "AmazonProvidedDNS"
#: Of a subnet's reserved addresses the one that AWS keeps for the future: the router's in a subnet that is bound, whose
#: first may be that of a router which is there.
_RESERVED = 3


def plan(networks: Networks, interface: NetworkInterface, bindings: Bindings, *, outward: bool) -> Interface | None:
    """The plan of a function's interface; None if its subnet or VPC is gone.

    `outward`: whether anything may leave the machine.
    """
    subnet, vpc = networks.get(Subnet, interface.subnet), networks.get(Vpc, interface.vpc)
    if subnet is None or vpc is None:
        return None
    name_server = _name_server(networks, vpc)
    bound = {found.id: found for found in networks.in_vpc(Subnet, vpc.id) if found.id in bindings}
    return Interface(
        name=interface.id,
        network=vpc.id,
        subnet=subnet.id,
        hardware=interface.mac,
        addresses=_addresses(interface, subnet),
        device=bindings.get(subnet.id),
        allowed=tuple(_allowed(networks, interface)),
        outbound=tuple(_entries(networks, subnet, egress=True)),
        inbound=tuple(_entries(networks, subnet, egress=False)),
        borders=tuple(_borders(networks, subnet)),
        routes=tuple(_routes(networks, subnet, outward=outward)),
        neighbours=tuple(
            Segment(name=other.id, device=bindings[other.id], address=_router(other))
            for other in bound.values() if other.id != subnet.id
        ),
        resolver=vpc.dns_support and outward and name_server is None,
        resolver_address=_resolver(vpc, list(bound.values())),
        name_server=name_server,
    )  # fmt: skip


def _addresses(interface: NetworkInterface, subnet: Subnet) -> tuple[IPv4Interface | IPv6Interface, ...]:
    found: list[IPv4Interface | IPv6Interface] = [IPv4Interface((interface.address, subnet.network.prefixlen))]
    if interface.ipv6_allowed and interface.ipv6 and subnet.ipv6_networks:
        found.append(IPv6Interface((interface.ipv6[0], subnet.ipv6_networks[0].prefixlen)))
    return tuple(found)


def _router(subnet: Subnet) -> IPv4Interface:
    return IPv4Interface((subnet.network[_RESERVED], subnet.network.prefixlen))


# --- security groups -------------------------------------------------------------------------------------------------


def _allowed(networks: Networks, interface: NetworkInterface) -> Iterator[Match]:
    for group in interface.groups:
        for rule in networks.rules(group):
            if rule.egress and (match := _match_of(networks, rule)) is not None:
                yield match


def _match_of(networks: Networks, rule: SecurityGroupRule) -> Match | None:
    peers = tuple(_peers(networks, rule))
    if not peers:
        return None  # a group without members, a list without entries
    protocol = _PROTOCOLS.get(rule.protocol) or (None if rule.protocol == str(EVERY) else int(rule.protocol))
    if protocol in (ICMP, ICMP6):
        return Match(networks=peers, protocol=protocol, icmp=(_every(rule.from_port), _every(rule.to_port)))
    return Match(networks=peers, protocol=protocol, ports=_ports(protocol, rule.from_port, rule.to_port))


def _ports(protocol: int | None, low: int, high: int) -> tuple[int, int] | None:
    return (low, high) if protocol in (TCP, UDP) and EVERY not in (low, high) else None


def _every(value: int) -> int | None:
    return None if value == EVERY else value


def _peers(networks: Networks, rule: SecurityGroupRule) -> Iterator[Network]:
    if rule.group is not None:
        for member in networks.members(rule.group):
            for address in (*(held.address for held in member.addresses), *member.ipv6):
                yield ip_network(address)
    elif rule.prefix_list is not None:
        yield from (ip_network(prefix, strict=False) for prefix in networks.prefixes(rule.prefix_list))
    else:
        yield ip_network(rule.peer, strict=False)


# --- network ACLs ----------------------------------------------------------------------------------------------------


def _entries(networks: Networks, subnet: Subnet, *, egress: bool) -> Iterator[Entry]:
    acl = networks.acl(subnet)
    if acl is not None:
        yield from _entries_of(acl, egress=egress)


def _entries_of(acl: NetworkAcl, *, egress: bool) -> Iterator[Entry]:
    chosen = [entry for entry in acl.entries if entry.egress == egress]
    for entry in sorted(chosen, key=lambda entry: entry.number):
        yield Entry(match=_match_of_entry(entry), allow=entry.allow)


def _borders(networks: Networks, subnet: Subnet) -> Iterator[Border]:
    """The lists of the VPC's other subnets: what goes there passes both. Those that let everything through are left
    out, as most are."""
    for acl in networks.in_vpc(NetworkAcl, subnet.vpc):
        held = (networks.get(Subnet, association.subnet) for association in acl.associations)
        others = [other for other in held if other is not None and other.id != subnet.id]
        ranges: list[Network] = []
        for other in others:
            ranges += [other.network, *other.ipv6_networks]
        lists = [tuple(_entries_of(acl, egress=egress)) for egress in (False, True)]
        versions = {each.version for each in ranges}
        if not all(_lets_everything(entries, version) for entries in lists for version in versions):
            yield Border(networks=tuple(ranges), inbound=lists[0], outbound=lists[1])


def _lets_everything(entries: Iterable[Entry], version: int) -> bool:
    """Whether the first entry that is about a version lets all of it through."""
    for entry in entries:
        if any(network.version == version for network in entry.match.networks):
            everywhere = any(network.prefixlen == 0 for network in entry.match.networks)
            return entry.allow and everywhere and entry.match.protocol is None
    return False


def _match_of_entry(entry: AclEntry) -> Match:
    network = ip_network(entry.cidr or entry.cidr6 or "0.0.0.0/0", strict=False)
    protocol = _every(entry.protocol)
    ports = _ports(protocol, entry.from_port, entry.to_port)
    icmp = (None, None) if protocol not in (ICMP, ICMP6) else (_every(entry.icmp_type), _every(entry.icmp_code))
    return Match(networks=(network,), protocol=protocol, ports=ports, icmp=icmp)


# --- routes ----------------------------------------------------------------------------------------------------------


def _routes(networks: Networks, subnet: Subnet, *, outward: bool) -> Iterator[PlannedRoute]:
    table = networks.route_table(subnet)
    found: dict[Network, PlannedRoute] = {}
    for route in () if table is None else table.routes:
        target, via = _target(networks, subnet, route, outward=outward)
        for destination in _destinations(networks, route):
            # A route of a single range goes before one of a prefix list, and local ones before all.
            if destination not in found or route.target == LOCAL:
                found[destination] = PlannedRoute(destination=destination, target=target, via=via)
    yield from found.values()


def _destinations(networks: Networks, route: Route) -> list[Network]:
    if route.prefix_list is not None:
        return [ip_network(prefix, strict=False) for prefix in networks.prefixes(route.prefix_list)]
    return [ip_network(route.destination, strict=False)]


def _target(networks: Networks, subnet: Subnet, route: Route, *, outward: bool) -> tuple[Target, IPv4Address | None]:
    """A function has no public address: an internet gateway alone leads nowhere."""
    if route.target == LOCAL:
        return Target.VPC, None
    if route.target.startswith(f"{NatGateway.prefix}-"):
        return (Target.NAT if outward and _leads_out(networks, route.target) else Target.NOWHERE), None
    router = networks.get(NetworkInterface, route.target)
    if router is not None and router.subnet == subnet.id:
        return Target.VIA, IPv4Address(router.address)
    return Target.NOWHERE, None


def _leads_out(networks: Networks, gateway: str) -> bool:
    """Whether a NAT gateway is public, and its own subnet has a route to the internet."""
    found = networks.get(NatGateway, gateway)
    if found is None or not found.available or not found.public:
        return False
    subnet = networks.get(Subnet, found.subnet)
    table = None if subnet is None else networks.route_table(subnet)
    for route in () if table is None else table.routes:
        through = networks.get(InternetGateway, route.target)
        if through is not None and through.vpc == found.vpc and _ANYWHERE in _destinations(networks, route):
            return True
    return False


# --- names -----------------------------------------------------------------------------------------------------------


def _name_server(networks: Networks, vpc: Vpc) -> IPv4Address | None:
    """The first server that the VPC's DHCP options name, if that is not Amazon's."""
    options = networks.get(DhcpOptions, vpc.dhcp_options)
    for configuration in () if options is None else options.configurations:
        if configuration.key == "domain-name-servers":
            for value in configuration.values:
                return None if value == _AMAZON else _ipv4(value)
    return None


def _ipv4(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text)
    except ValueError:
        return None


def _resolver(vpc: Vpc, bound: list[Subnet]) -> IPv4Address | None:
    """The VPC's own address of its resolver; on a network of the machine that may be somebody else's."""
    return None if any(vpc.resolver in subnet.network for subnet in bound) else vpc.resolver


def interfaces(networks: Networks, vpcs: set[str]) -> list[NetworkInterface]:
    """The interfaces of functions in `vpcs`."""
    return [
        found for vpc in vpcs for found in networks.in_vpc(NetworkInterface, vpc) if found.interface_type == OF_LAMBDA
    ]


def touched(networks: Networks, change: NetworkChange) -> set[str]:
    """The VPCs whose plans a change may change."""
    found: set[str] = set()
    for record in (*change.put, *change.removed):
        if isinstance(record, Vpc):
            found.add(record.id)
        elif isinstance(record, SecurityGroupRule):
            group = networks.get(SecurityGroup, record.group_id)
            if group is not None:  # otherwise no interface is in it
                found.add(group.vpc)
        elif isinstance(record, DhcpOptions | PrefixList):
            found |= {vpc.id for vpc in networks.every(Vpc)}
        elif (vpc := getattr(record, "vpc", None)) is not None:
            found.add(vpc)
    return found
