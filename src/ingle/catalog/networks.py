"""VPCs and everything in them, in memory, for all accounts and regions: what networks are made from.

`supporting.ec2` writes it in the step that commits, a change at a time, so that readers never see half of one. Readers
are told of every change (`subscribe`). Single-threaded: call it from the event loop only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from ingle.domain.vpc import (
    NetworkAcl,
    NetworkInterface,
    PrefixList,
    Resource,
    RouteTable,
    SecurityGroupRule,
    Subnet,
    Vpc,
)

Kind = TypeVar("Kind", bound=Resource)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkChange:
    """What one commit did. `put` are new ones, or replace those of the same id."""

    put: tuple[Resource, ...] = ()
    removed: tuple[Resource, ...] = ()


Listener = Callable[[NetworkChange], None]


class Networks:
    def __init__(self) -> None:
        self._records: dict[type[Resource], dict[str, Any]] = defaultdict(dict)
        self._places: dict[tuple[type[Resource], str, str], dict[str, Any]] = defaultdict(dict)
        self._of_vpc: dict[tuple[type[Resource], str], dict[str, Any]] = defaultdict(dict)
        self._rules: dict[str, dict[str, SecurityGroupRule]] = defaultdict(dict)
        self._in_subnet: dict[str, dict[str, NetworkInterface]] = defaultdict(dict)
        self._in_group: dict[str, dict[str, NetworkInterface]] = defaultdict(dict)
        self._listeners: list[Listener] = []

    # --- changes ----------------------------------------------------------------------------------------------------

    def apply(self, put: Iterable[Resource] = (), removed: Iterable[Resource] = ()) -> None:
        """Everything of one change, then tell."""
        change = NetworkChange(put=tuple(put), removed=tuple(removed))
        for record in change.removed:
            self._drop(record)
        for record in change.put:
            self._put(record)
        for listener in self._listeners:
            listener(change)

    def subscribe(self, listener: Listener) -> None:
        """`listener(change)` is called after every change, in order, and must not block."""
        self._listeners.append(listener)

    # --- looking up -------------------------------------------------------------------------------------------------

    def get(self, kind: type[Kind], identifier: str | None) -> Kind | None:
        return cast("Kind | None", self._records[kind].get(identifier or ""))

    def of(self, kind: type[Kind], account: str, region: str) -> list[Kind]:
        """Those of an account in a region, in the order in which they were made."""
        return list(self._places[kind, account, region].values())

    def every(self, kind: type[Kind]) -> Iterator[Kind]:
        return iter(self._records[kind].values())

    def in_vpc(self, kind: type[Kind], vpc: str) -> list[Kind]:
        """What is in a VPC, in the order in which it was made."""
        return list(self._of_vpc[kind, vpc].values())

    def rules(self, group: str) -> list[SecurityGroupRule]:
        """The rules of a security group, in the order in which they were made."""
        return list(self._rules[group].values()) if group in self._rules else []

    def interfaces_in(self, subnet: str) -> list[NetworkInterface]:
        return list(self._in_subnet[subnet].values()) if subnet in self._in_subnet else []

    def members(self, group: str) -> list[NetworkInterface]:
        """The interfaces that are in a security group."""
        return list(self._in_group[group].values()) if group in self._in_group else []

    def default_vpc(self, account: str, region: str) -> Vpc | None:
        return next((vpc for vpc in self.of(Vpc, account, region) if vpc.is_default), None)

    def route_table(self, subnet: Subnet) -> RouteTable | None:
        """The table that decides where what leaves a subnet goes: its own, or the VPC's main one."""
        tables = self.in_vpc(RouteTable, subnet.vpc)
        own = (table for table in tables if any(held.subnet == subnet.id for held in table.associations))
        return next(own, None) or next((table for table in tables if table.is_main), None)

    def acl(self, subnet: Subnet) -> NetworkAcl | None:
        """Every subnet has one."""
        found = self.in_vpc(NetworkAcl, subnet.vpc)
        return next((acl for acl in found if any(held.subnet == subnet.id for held in acl.associations)), None)

    def prefixes(self, prefix_list: str) -> list[str]:
        """The ranges of a prefix list; AWS's own lists, and lists that are gone, have none."""
        found = self.get(PrefixList, prefix_list)
        return [] if found is None else [entry.cidr for entry in found.entries]

    # --- the indices ------------------------------------------------------------------------------------------------

    def _put(self, record: Resource) -> None:
        """In the place of the record that it replaces; an index may have that under what the new one no longer has."""
        wanted = list(self._indices(record))
        before = self._records[type(record)].get(record.id)
        for index in () if before is None else self._indices(before):
            if not any(index is other for other in wanted):
                index.pop(record.id, None)
        for index in wanted:
            index[record.id] = record
        self._records[type(record)][record.id] = record

    def _drop(self, record: Resource) -> None:
        before = self._records[type(record)].pop(record.id, None)
        for index in () if before is None else self._indices(before):
            index.pop(record.id, None)

    def _indices(self, record: Resource) -> Iterator[dict[str, Any]]:
        yield self._places[type(record), record.account, record.region]
        vpc = getattr(record, "vpc", None)
        if vpc is not None:
            yield self._of_vpc[type(record), vpc]
        if isinstance(record, SecurityGroupRule):
            yield self._rules[record.group_id]
        if isinstance(record, NetworkInterface):
            yield self._in_subnet[record.subnet]
            for group in record.groups:
                yield self._in_group[group]
