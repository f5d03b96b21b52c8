"""The rules of every namespace, from values to the text that nftables reads. Pure.

Each text replaces what is in its table in one transaction and leaves connections alone. What a list of matches means is
in `Rule`s first, of which the text is one form; tests evaluate the other.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Network, collapse_addresses

from ingle.network.addresses import BEHIND, LEG, LINKS, NAT, NEVER, NEVER6, RESOLVER, SUBNET, UPLINK, VPC
from ingle.network.plan import ICMP, ICMP6, TCP, UDP, Entry, Interface, Match, Network

TABLE = "ingle"
#: Connections and the like that one environment may have at one time: it must not use up the machine's table of them.
MOST_FLOWS = 4096
#: For a gateway: what is left is to drop.
NOTHING = f"flush table inet {TABLE}\n"
_PROTOCOLS = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmpv6"}
_REFUSE = "reject with icmpx admin-prohibited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of one address family: what it compares, and whether it lets through. Empty `networks`: every address."""

    version: int
    networks: tuple[Network, ...]
    protocol: int | None
    ports: tuple[int, int] | None
    icmp: tuple[int | None, int | None]
    allow: bool


# --- lists of matches ------------------------------------------------------------------------------------------------


def allowing(matches: Iterable[Match]) -> list[Rule]:
    """Rules that let through what any of `matches` describes: as few as possible, since order means nothing here."""
    together: dict[Match, list[Network]] = {}
    for match in matches:
        together.setdefault(replace(match, networks=()), []).extend(match.networks)
    return [rule for kind, networks in together.items() for rule in _of_each_version(networks, kind, allow=True)]


def deciding(entries: Iterable[Entry]) -> list[Rule]:
    """Rules of which the first that matches decides."""
    return [
        rule for entry in entries for rule in _of_each_version(entry.match.networks, entry.match, allow=entry.allow)
    ]


def _of_each_version(networks: Iterable[Network], match: Match, *, allow: bool) -> Iterator[Rule]:
    four = [network for network in networks if isinstance(network, IPv4Network)]
    six = [network for network in networks if isinstance(network, IPv6Network)]
    # ICMP is another protocol in each version; one that is named for both means that of the version.
    sides: list[tuple[int, list[Network], int]] = [
        (4, list(collapse_addresses(four)), ICMP), (6, list(collapse_addresses(six)), ICMP6)
    ]  # fmt: skip
    for version, found, icmp in sides:
        other = match.protocol in (ICMP, ICMP6) and match.protocol != icmp
        if not found or other:
            continue
        everywhere = any(network.prefixlen == 0 for network in found)
        yield Rule(
            version=version, networks=() if everywhere else tuple(found), protocol=match.protocol, ports=match.ports,
            icmp=match.icmp, allow=allow,
        )  # fmt: skip


def text_of(rule: Rule, side: str, *, allow: str = "accept", refuse: str = "drop") -> str:
    """`side`: saddr or daddr, which address the networks are compared with."""
    parts = []
    family = "ip" if rule.version == 4 else "ip6"
    if rule.networks:
        parts.append(f"{family} {side} {_set(rule.networks)}")
    else:
        parts.append(f"meta nfproto ipv{rule.version}")
    if rule.protocol in (TCP, UDP) and rule.ports is not None:
        low, high = rule.ports
        parts.append(f"{_PROTOCOLS[rule.protocol]} dport {low if low == high else f'{low}-{high}'}")
    elif rule.protocol is not None:
        parts.append(f"meta l4proto {rule.protocol}")
        name = _PROTOCOLS.get(rule.protocol)
        for what, value in zip(("type", "code"), rule.icmp, strict=True):
            if value is not None and name in ("icmp", "icmpv6"):
                parts.append(f"{name} {what} {value}")
    return f"{' '.join(parts)} {allow if rule.allow else refuse}"


def _set(items: Iterable[object]) -> str:
    return "{ " + ", ".join(str(item) for item in items) + " }"


# --- tables ----------------------------------------------------------------------------------------------------------


def _table(
    name: str, chains: dict[str, tuple[str, list[str]]], sets: tuple[str, ...] = (), *, owned: bool = False
) -> str:
    """Chains by name: how they are hooked in, and their rules. `owned`: nobody but its maker can change it."""
    head = [f"table inet {name} {{", *(["  flags owner;"] if owned else [])]
    lines = [*head]
    lines += [f"  {item}" for item in sets]
    lines += [f"  chain {chain} {{ {head} }}" for chain, (head, _) in chains.items()]
    lines += ["}", f"flush table inet {name}", *head]
    for chain, (_, rules) in chains.items():
        lines += [f"  chain {chain} {{", *(f"    {rule}" for rule in rules), "  }"]
    return "\n".join([*lines, "}", ""])


def _hook(name: str, priority: int, policy: str = "accept", kind: str = "filter") -> str:
    return f"type {kind} hook {name} priority {priority}; policy {policy};"


_FLOWS = "set flows { typeof ip saddr; size 65535; flags dynamic; }"
_FROM_BEHIND = f'iifname "{BEHIND}*"'
#: What no environment may send, whatever its rules say.
_NEVER_LEAVES = [
    "fib saddr . iif oif 0 drop",
    f"ip daddr {_set(NEVER)} {_REFUSE}",
    f"ip6 daddr {_set(NEVER6)} {_REFUSE}",
    f"meta l4proto != {_set((TCP, UDP, ICMP, ICMP6))} drop",
    "ct state invalid drop",
    "tcp dport 25 drop",
    f"ct state new add @flows {{ ip saddr ct count over {MOST_FLOWS} }} drop",
]
#: As AWS limits each interface, so that nobody keeps others from having names resolved.
_QUERIES = "set queries { typeof ip saddr; size 65535; flags dynamic; }"
_TO_RESOLVER = [
    f"{_FROM_BEHIND} ip daddr {RESOLVER} add @queries {{ ip saddr limit rate over 1024/second burst 99 packets }} drop",
    *(f"{_FROM_BEHIND} ip daddr {RESOLVER} {protocol} dport 53 accept" for protocol in ("udp", "tcp")),
]


def of_router() -> str:
    """The gateway of environments that are in no private network: out of the machine, and nothing in."""
    return _table(
        TABLE,
        {
            "input": (_hook("input", 0, "drop"), [*_TO_RESOLVER, f"{_FROM_BEHIND} {_REFUSE}"]),
            "forward": (
                _hook("forward", 0, "drop"),
                [
                    "meta nfproto ipv6 drop",
                    f'iifname "{UPLINK}" oifname "{BEHIND}*" ct state established,related ct direction reply accept',
                    f"{_FROM_BEHIND} goto leaving",
                ],
            ),
            "leaving": ("", [*_NEVER_LEAVES, f'oifname "{UPLINK}" accept', _REFUSE]),
            "translation": (
                _hook("postrouting", 100, kind="nat"),
                [f'oifname "{UPLINK}" ip saddr {LINKS} masquerade'],
            ),
        },
        (_FLOWS, _QUERIES),
    )


def of_interface(plan: Interface) -> str:
    """The gateway of environments that are in a private network."""
    ways = _set(f'"{name}"' for name in (SUBNET, VPC, NAT))
    resolver = _TO_RESOLVER if plan.resolver else []
    arriving = [*_outside(plan, "saddr", "inbound"), *_beyond(plan, "saddr", "leaving")]
    departing = [
        # A flow that began under another address has ended.
        f'oifname {{ "{SUBNET}", "{VPC}" }} ip saddr != {plan.address.ip} drop',
        *(f"oifname {ways} {rule}" for rule in _outside(plan, "daddr", "outbound")),
        *(f"oifname {ways} {rule}" for rule in _beyond(plan, "daddr", "entering")),
    ]
    return _table(
        TABLE,
        {
            "arriving": (_hook("prerouting", -290), [f"iifname {ways} {rule}" for rule in arriving]),
            "resolver": (_hook("prerouting", -100, kind="nat"), list(_resolver(plan))),
            "input": (
                _hook("input", 0, "drop"),
                [
                    *resolver,
                    f"{_FROM_BEHIND} {_REFUSE}",
                    f'iifname "{SUBNET}" icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept',
                ],
            ),
            "forward": (
                _hook("forward", 0, "drop"),
                [
                    f'iifname {ways} oifname "{BEHIND}*" ct state established,related ct direction reply accept',
                    f"{_FROM_BEHIND} oifname {ways} goto leaving",
                ],
            ),
            "leaving": (
                "",
                [
                    *_NEVER_LEAVES,
                    f"ct state related meta l4proto {_set((ICMP, ICMP6))} accept",
                    "ct direction reply drop",
                    # Of every packet and not only of the first: a flow ends when it is no longer allowed.
                    *(text_of(rule, "daddr") for rule in allowing(plan.allowed)),
                    "drop",
                ],
            ),
            "translation": (_hook("postrouting", 100, kind="nat"), list(_translation(plan))),
            "departing": (_hook("postrouting", 300), departing),
            "inbound": _list(plan.inbound, "saddr"),
            "outbound": _list(plan.outbound, "daddr"),
            **{f"entering{n}": _list(border.inbound, "saddr") for n, border in enumerate(plan.borders)},
            **{f"leaving{n}": _list(border.outbound, "daddr") for n, border in enumerate(plan.borders)},
        },
        (_FLOWS, _QUERIES),
    )  # fmt: skip


def _outside(plan: Interface, side: str, chain: str) -> Iterator[str]:
    """What is subject to the lists of the subnet: all but what stays in it, and what neighbours tell each other."""
    yield f"ip {side} != {plan.address.network} jump {chain}"
    near: list[object] = [IPv6Network("fe80::/10"), IPv6Network("ff02::/16"), IPv6Network("::/128")]
    if plan.address6 is not None:
        near.append(plan.address6.network)
    yield f"ip6 {side} != {_set(near)} jump {chain}"


def _beyond(plan: Interface, side: str, chain: str) -> Iterator[str]:
    """What is subject to the lists of the subnets at the other end: they see it as it is on the wire."""
    for n, border in enumerate(plan.borders):
        for family, version in (("ip", 4), ("ip6", 6)):
            networks = [network for network in border.networks if network.version == version]
            if networks:
                yield f"{family} {side} {_set(networks)} jump {chain}{n}"


def _list(entries: Iterable[Entry], side: str) -> tuple[str, list[str]]:
    """A chain that drops what a list does not let through."""
    return "", [*(text_of(rule, side, allow="return") for rule in deciding(entries)), "drop"]


def _resolver(plan: Interface) -> Iterator[str]:
    """Where queries go: environments know one address, which is not the one of every private network."""
    for protocol in ("udp", "tcp"):
        if plan.name_server is not None:
            yield f"{_FROM_BEHIND} ip daddr {RESOLVER} {protocol} dport 53 dnat ip to {plan.name_server}"
        if plan.resolver and plan.resolver_address is not None:
            yield f"{_FROM_BEHIND} ip daddr {plan.resolver_address} {protocol} dport 53 dnat ip to {RESOLVER}"


def _translation(plan: Interface) -> Iterator[str]:
    own = _set((f'"{SUBNET}"', f'"{VPC}"'))
    yield f"oifname {own} ip saddr {LINKS} snat ip to {plan.address.ip}"
    yield f'oifname "{NAT}" ip saddr {LINKS} masquerade'
    if plan.address6 is not None:
        yield f"oifname {own} meta nfproto ipv6 snat ip6 to {plan.address6.ip}"


def of_fabric() -> str:
    """The router between the subnets of a private network: into those that are bound only what answers comes back."""
    return _table(
        TABLE,
        {
            "input": (
                _hook("input", 0, "drop"),
                ["icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"],
            ),
            "forward": (
                _hook("forward", 0),
                [f'iifname "{LEG}*" ct state established,related ct direction reply accept', f'iifname "{LEG}*" drop'],
            ),
            "translation": (_hook("postrouting", 100, kind="nat"), [f'oifname "{LEG}*" masquerade']),
        },
    )


def of_bridges(table: str, prefix: str) -> str:
    """On bridges of the machine: what comes from a device of Ingle's is for others on the bridge, and never for the
    machine. The table is its maker's, and goes with that."""
    rules = f'type filter hook input priority -200; policy accept; iifname "{prefix}*" drop'
    return f"table bridge {table} {{\n  flags owner\n  chain input {{ {rules}; }}\n}}\n"


def of_host(
    table: str, owned: str, device: str, uplink: IPv4Address, guarded: Iterable[str] = (), bridges: Container[str] = ()
) -> str:
    """The machine's own namespace. `device` leads to the router, whose address there is `uplink`.

    `guarded`: devices for which forwarding was switched on for Ingle alone; what others would have forwarded from them
    is dropped as before. Devices of all servers begin with the same letters. What passes through one of `bridges` is
    not forwarded, though kernels may show it here, too, as coming from and going to the bridge.

    Two tables say the same: `table` stays when its maker is killed, as forwarding does; `owned` is its maker's, so that
    nobody flushes it, not even who flushes everything.
    """
    into = '"ingle-*"'
    chains = {
        "input": (_hook("input", -10), [f'iifname "{device}" {_REFUSE}']),
        "forward": (
            _hook("forward", -10),
            [
                f'oifname "{device}" ct state established,related ct direction reply accept',
                f'oifname "{device}" drop',
                f'iifname "{device}" oifname {into} {_REFUSE}',
                f'iifname "{device}" ip daddr {_set(NEVER)} {_REFUSE}',
                f'iifname "{device}" ip saddr != {uplink} drop',
                *(_guard(name, into, name in bridges) for name in guarded),
            ],
        ),
        "translation": (
            _hook("postrouting", 100, kind="nat"),
            [f'ip saddr {uplink} oifname != "{device}" masquerade'],
        ),
    }
    return _table(table, chains) + _table(owned, chains, owned=True)


def _guard(name: str, into: str, is_bridge: bool) -> str:
    allowed = _set((into, f'"{name}"') if is_bridge else (into,))
    return f'iifname "{name}" oifname != {allowed} drop comment "ingle guard {name}"'
