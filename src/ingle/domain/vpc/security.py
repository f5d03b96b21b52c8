"""Security groups, their rules, and prefix lists, which rules and routes may name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ingle.domain.vpc.resource import Resource

#: In place of a protocol: every protocol, and in place of a port or of an ICMP type or code: every one.
EVERY = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup(Resource):
    """Its rules are records of their own."""

    kind: ClassVar[str] = "security-group"
    prefix: ClassVar[str] = "sg"

    vpc: str
    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupRule(Resource):
    """Lets through what it describes. Rules only allow, and what answers to an allowed flow is allowed.

    `protocol` is tcp, udp, icmp, icmpv6, another protocol's number as text, or "-1" for all. `from_port` and `to_port`
    are ports of tcp and udp, the type and the code of ICMP, and -1 where all are meant. Exactly one of the peers
    `cidr`, `cidr6`, `group` and `prefix_list` is set: the destination of an egress rule, the source of another.
    `group_account` owns `group`.
    """

    kind: ClassVar[str] = "security-group-rule"
    prefix: ClassVar[str] = "sgr"

    group_id: str
    egress: bool
    protocol: str
    from_port: int = EVERY
    to_port: int = EVERY
    cidr: str | None = None
    cidr6: str | None = None
    group: str | None = None
    group_account: str | None = None
    prefix_list: str | None = None
    description: str | None = None

    @property
    def peer(self) -> str:
        found = self.cidr or self.cidr6 or self.group or self.prefix_list
        assert found is not None, "a rule has a peer"
        return found

    @property
    def meaning(self) -> tuple[object, ...]:
        """What no two rules of a group have in common."""
        return self.group_id, self.egress, self.protocol, self.from_port, self.to_port, self.peer


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixListEntry:
    cidr: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixList(Resource):
    """`family` is IPv4 or IPv6. `versions` has the entries of every version by its number less one, the current last.

    `state` tells of the last change: create-, modify- or restore-complete. The lists of AWS's own services have account
    "AWS" and no entries.
    """

    kind: ClassVar[str] = "prefix-list"
    prefix: ClassVar[str] = "pl"

    name: str
    family: str
    max_entries: int
    versions: tuple[tuple[PrefixListEntry, ...], ...]
    state: str = "create-complete"

    @property
    def entries(self) -> tuple[PrefixListEntry, ...]:
        return self.versions[-1]

    @property
    def version(self) -> int:
        return len(self.versions)
