"""A small evaluator of packets: what lists of matches mean, said once more and in another way than the rules say it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from hypothesis import strategies as st

from ingle.network.plan import ICMP, ICMP6, TCP, UDP, Entry, Interface, Match
from ingle.network.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """`address`: the one that lists are about. `kind`: type and code of ICMP."""

    address: IPv4Address | IPv6Address
    protocol: int
    port: int = 0
    kind: tuple[int, int] = (0, 0)


def fits(match: Match, packet: Packet) -> bool:
    """Whether a match describes a packet, by the words of its documentation."""
    if not any(packet.address in network for network in match.networks if network.version == packet.address.version):
        return False
    if match.protocol is None:
        return True
    if match.protocol != packet.protocol:
        return False
    if packet.protocol in (TCP, UDP) and match.ports is not None:
        return match.ports[0] <= packet.port <= match.ports[1]
    if packet.protocol in (ICMP, ICMP6):
        return all(wanted in (None, found) for wanted, found in zip(match.icmp, packet.kind, strict=True))
    return True


def any_allows(matches: Iterable[Match], packet: Packet) -> bool:
    return any(fits(match, packet) for match in matches)


def first_decides(entries: Iterable[Entry], packet: Packet) -> bool:
    return next((entry.allow for entry in entries if fits(entry.match, packet)), False)


def answered(plan: Interface, packet: Packet, port: int) -> bool:
    """Whether who opens what `packet` begins has an answer, which goes to `port`, with all lists on the way: those of
    the own subnet for what leaves it, those of the subnet at the other end, and both again on the way back."""
    there, own = packet.address, plan.address
    asked = [any_allows(plan.allowed, packet)]
    if there not in own.network:
        asked += [first_decides(plan.outbound, packet), first_decides(plan.inbound, replace(packet, port=port))]
    for border in plan.borders:
        if any(there in network for network in border.networks if network.version == there.version):
            coming = replace(packet, address=own.ip)
            asked += [first_decides(border.inbound, coming), first_decides(border.outbound, replace(coming, port=port))]
    return all(asked)


def rules_allow(rules: Iterable[Rule], packet: Packet) -> bool:
    """What a chain of these rules does with a packet that no rule decides about being dropped."""
    for rule in rules:
        if rule.version != packet.address.version:
            continue
        if rule.networks and not any(packet.address in network for network in rule.networks):
            continue
        if rule.protocol is not None and rule.protocol != packet.protocol:
            continue
        if rule.protocol in (TCP, UDP) and rule.ports and not rule.ports[0] <= packet.port <= rule.ports[1]:
            continue
        if rule.protocol in (ICMP, ICMP6) and not all(
            wanted in (None, found) for wanted, found in zip(rule.icmp, packet.kind, strict=True)
        ):
            continue
        return rule.allow
    return False


_ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.0.255", "10.1.2.3", "192.0.2.1", "2001:db8::1", "2001:db8:1::1"]
_NETWORKS = ["0.0.0.0/0", "::/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/31", "10.0.0.1/32", "192.0.2.0/24",
             "2001:db8::/32", "2001:db8::1/128", "128.0.0.0/1", "0.0.0.0/1"]  # fmt: skip
_PORTS = [0, 1, 22, 443, 5432, 65535]
_KINDS = [0, 3, 8, 128]

packets = st.builds(
    Packet,
    address=st.sampled_from(_ADDRESSES).map(ip_address),
    protocol=st.sampled_from([TCP, UDP, ICMP, ICMP6, 132]),
    port=st.sampled_from(_PORTS),
    kind=st.tuples(st.sampled_from(_KINDS), st.sampled_from([0, 1])),
).filter(lambda packet: packet.protocol != (ICMP6 if packet.address.version == 4 else ICMP))
matches = st.builds(
    Match,
    networks=st.lists(st.sampled_from(_NETWORKS).map(ip_network), min_size=1, max_size=4).map(tuple),
    protocol=st.sampled_from([None, TCP, UDP, ICMP, ICMP6, 132]),
    ports=st.none() | st.tuples(st.sampled_from(_PORTS), st.sampled_from(_PORTS)).map(lambda pair: tuple(sorted(pair))),
    icmp=st.tuples(st.none() | st.sampled_from(_KINDS), st.none() | st.sampled_from([0, 1])),
)
entries = st.builds(Entry, match=matches, allow=st.booleans())
