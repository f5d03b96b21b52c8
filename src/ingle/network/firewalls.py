"""Rule sets of others that refuse what functions send out, and what lets it through: looked for, never touched.

A packet has to be accepted by every table that sees it, so nothing that Ingle's own says undoes such a refusal. What
its owner may say to it is given as commands, in the place that each firewall keeps for that.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ingle.network import namespaces
from ingle.network.nftables import Nftables
from ingle.network.uplink import PREFIX

_FRAMES = "bridge/bridge-nf-call-iptables"
_LEGACY = "iptables-legacy"
_LEGACY_TABLES = Path("/proc/net/ip_tables_names")
#: In what nft lists: tables, the chains of one, how one is hooked in, and what rules say of devices.
_TABLE = re.compile(r"^table (\S+) (\S+) \{.*\n((?:(?!\}$).*\n)*)\}$", re.MULTILINE)
_CHAIN = re.compile(r"^\tchain (\S+) \{.*\n((?:\t\t.*\n)*)\t\}$", re.MULTILINE)
_FORWARD = re.compile(r"type filter hook forward priority [^;]*; policy (?P<policy>\w+);")
_REFUSES_ALL = re.compile(r"(counter packets \d+ bytes \d+ )?(log( prefix \S+)? )?(drop|reject( with [a-z0-9 -]+)?)")
_DEVICES = re.compile(r'[io]ifname ("[^"]+"|\{[^}]+\})')
_NAME = re.compile(r'"([^"]+)"')
#: What is a name to nft without quotes.
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


class Keeper(StrEnum):
    """Whose a rule set is."""

    DOCKER = "Docker"
    UFW = "ufw"
    FIREWALLD = "firewalld"
    OTHER = "another"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A chain that refuses forwarded packets which no rule of its table lets through.

    `named`: devices that rules of the table are about, as they have them: "ingle-*" among them is all of Ingle's.
    """

    family: str
    table: str
    chain: str
    keepers: tuple[Keeper, ...]
    named: frozenset[str] = frozenset()

    def __str__(self) -> str:
        keepers = " and ".join(keeper for keeper in self.keepers if keeper is not Keeper.OTHER)
        place = self.table if self.family == _LEGACY else f"table {self.family} {self.table}"
        return f"{place}, chain {self.chain}{f' ({keepers})' if keepers else ''}"

    def mentions(self, device: str) -> bool:
        return any(device.startswith(name[:-1]) if name.endswith(("*", "+")) else device == name for name in self.named)


# --- looking ---------------------------------------------------------------------------------------------------------


def look() -> list[Refusal]:
    """Those of the network namespace that this process is in. Takes root. Raises OSError."""
    with Nftables() as tables:
        found = refusals(tables.run("list ruleset"))
    return [*found, *_look_at_legacy()]


def frames_are_seen() -> bool:
    """Whether frames that pass through a bridge are shown to rule sets as if they were forwarded."""
    with contextlib.suppress(OSError):
        return namespaces.parameter(_FRAMES) != "0"
    return False


def _look_at_legacy() -> list[Refusal]:
    """Rules of the kernel's older kind, which nftables does not list."""
    program = shutil.which(_LEGACY, path="/usr/sbin:/sbin:/usr/bin:/bin")
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if program is not None and "filter" in _LEGACY_TABLES.read_text().split():
            listed = subprocess.run([program, "-S"], capture_output=True, text=True, timeout=10, check=True)
            return legacy_refusals(listed.stdout)
    return []


def refusals(listing: str) -> list[Refusal]:
    """From what nft lists. Those of IPv4, which is all that leaves the machine; Ingle's own not. Pure.

    Its words and not its JSON: nftables 1.0.6 reads freed memory for the JSON of a table that has flags.
    """
    found = []
    for family, table, body in _TABLE.findall(listing):
        chains = dict(_CHAIN.findall(body))
        for name, lines in chains.items():
            rules = [line.strip() for line in lines.splitlines() if line.strip()]
            head = _FORWARD.match(rules[0]) if rules else None
            if family not in ("ip", "inet") or table.startswith(PREFIX) or head is None:
                continue
            if head["policy"] == "drop" or _REFUSES_ALL.fullmatch(rules[-1]):
                named = frozenset(_NAME.findall(" ".join(_DEVICES.findall(body))))
                found.append(
                    Refusal(family=family, table=table, chain=name, keepers=_keepers(table, chains), named=named)
                )
    return found


def legacy_refusals(listing: str) -> list[Refusal]:
    """From `iptables-legacy -S`. Pure."""
    lines = [line.split() for line in listing.splitlines()]
    if ["-P", "FORWARD", "DROP"] not in lines:
        return []
    chains = [words[1] for words in lines if words[:1] == ["-N"]]
    named = (words[at + 1] for words in lines for at, word in enumerate(words[:-1]) if word in ("-i", "-o"))
    return [
        Refusal(
            family=_LEGACY, table=_LEGACY, chain="FORWARD", keepers=_keepers("", chains), named=frozenset(named)
        )
    ]  # fmt: skip


def _keepers(table: str, chains: Iterable[str]) -> tuple[Keeper, ...]:
    if table == "firewalld":
        return (Keeper.FIREWALLD,)
    names = set(chains)
    found = [Keeper.DOCKER] if "DOCKER-USER" in names else []
    if any(name.startswith("ufw-") for name in names):
        found.append(Keeper.UFW)
    return tuple(found) or (Keeper.OTHER,)


# --- what lets functions through -------------------------------------------------------------------------------------


def commands(found: Iterable[Refusal], uplink: str | None, bridges: Iterable[str]) -> list[str]:
    """What the owner of the machine may run. Pure.

    `uplink`: Ingle's device, if functions have an outbound network. `bridges`: those that subnets are bound to, where
    frames of bridges are seen. What is named already is left out.
    """
    lines: dict[str, None] = {}
    for refusal in found:
        if uplink is not None and not refusal.mentions(uplink):
            for keeper in refusal.keepers:
                lines.update(dict.fromkeys(_for_uplink(keeper, refusal, uplink)))
        for bridge in bridges:
            if not refusal.mentions(bridge):
                for keeper in refusal.keepers:
                    lines.update(dict.fromkeys(_for_bridge(keeper, refusal, bridge)))
    return list(lines)


def _for_uplink(keeper: Keeper, refusal: Refusal, uplink: str) -> list[str]:
    answers = "-m conntrack --ctstate RELATED,ESTABLISHED"
    program = _iptables(refusal)
    match keeper:
        case Keeper.DOCKER:
            return [
                f"{program} -I DOCKER-USER -i {uplink} -j ACCEPT",
                f"{program} -I DOCKER-USER -o {uplink} {answers} -j ACCEPT",
            ]
        case Keeper.UFW:
            return [f"ufw route allow in on {uplink}"]
        case Keeper.FIREWALLD:
            return [
                f"firewall-cmd --permanent --zone=trusted --add-interface={uplink}",
                f"firewall-cmd --zone=trusted --add-interface={uplink}",
            ]
    if refusal.family == _LEGACY:
        return [f"{program} -I FORWARD -i {uplink} -j ACCEPT", f"{program} -I FORWARD -o {uplink} {answers} -j ACCEPT"]
    return [
        _insert(refusal, f"iifname {_nft_name(uplink)} accept"),
        _insert(refusal, f"oifname {_nft_name(uplink)} ct state established,related accept"),
    ]


def _for_bridge(keeper: Keeper, refusal: Refusal, bridge: str) -> list[str]:
    program, name = _iptables(refusal), shlex.quote(bridge)
    match keeper:
        case Keeper.DOCKER:
            return [f"{program} -I DOCKER-USER -i {name} -o {name} -j ACCEPT"]
        case Keeper.UFW:
            return [f"ufw route allow in on {name} out on {name}"]
        case Keeper.FIREWALLD:
            # Zones let everything through between their devices: frames of bridges are better not shown to it.
            return ["sysctl -w net.bridge.bridge-nf-call-iptables=0"]
    if refusal.family == _LEGACY:
        return [f"{program} -I FORWARD -i {name} -o {name} -j ACCEPT"]
    return [_insert(refusal, f"iifname {_nft_name(bridge)} oifname {_nft_name(bridge)} accept")]


def _insert(refusal: Refusal, rule: str) -> str:
    """`rule` is nft's, with names that are safe in a shell."""
    return f"nft insert rule {shlex.join((refusal.family, refusal.table, refusal.chain))} {rule}"


def _nft_name(device: str) -> str:
    return device if _WORD.fullmatch(device) else shlex.quote(f'"{device}"')


def _iptables(refusal: Refusal) -> str:
    return _LEGACY if refusal.family == _LEGACY else "iptables"
