"""Route tables and network ACLs: what leaves a subnet, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from ingle.domain.vpc.resource import Resource
from ingle.domain.vpc.security import EVERY

#: The target of routes within the VPC.
LOCAL = "local"
#: The origin of routes that came with their table.
WITH_TABLE = "CreateRouteTable"
#: The number of the entry that refuses what no other entry decided. It is always there and no record.
LAST_ENTRY = 32767
LAST_ENTRY_IPV6 = 32768


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Exactly one of the three destinations is set. `target` is "local" or the id of a gateway (`igw-`, `nat-`,
    `eigw-`) or interface (`eni-`); a route whose target is gone is a black hole. `origin` is CreateRouteTable or
    CreateRoute."""

    target: str
    cidr: str | None = None
    cidr6: str | None = None
    prefix_list: str | None = None
    origin: str = "CreateRoute"

    @property
    def destination(self) -> str:
        found = self.cidr or self.cidr6 or self.prefix_list
        assert found is not None, "a route has a destination"
        return found


def local_route(*, cidr: str | None = None, cidr6: str | None = None) -> Route:
    """The way to a range of the VPC itself, which every table has."""
    return Route(target=LOCAL, cidr=cidr, cidr6=cidr6, origin=WITH_TABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTableAssociation:
    """`subnet` None: the table is the VPC's main one. `id` is an `rtbassoc-`."""

    id: str
    subnet: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTable(Resource):
    """The longest destination wins; local routes come first."""

    kind: ClassVar[str] = "route-table"
    prefix: ClassVar[str] = "rtb"

    vpc: str
    routes: tuple[Route, ...]
    associations: tuple[RouteTableAssociation, ...] = ()

    @property
    def is_main(self) -> bool:
        return any(held.subnet is None for held in self.associations)

    def having(self, route: Route) -> RouteTable:
        return replace(self, routes=(*self.routes, route))


@dataclass(frozen=True, slots=True, kw_only=True)
class AclEntry:
    """Decides what it describes, whichever way: `allow` or refuse. The lowest number that matches decides.

    `protocol` is a number, -1 for all. Ports are of tcp and udp, type and code of ICMP; -1: every one. `cidr` or
    `cidr6` is the destination of an egress entry, the source of another.
    """

    number: int
    egress: bool
    protocol: int
    allow: bool
    cidr: str | None = None
    cidr6: str | None = None
    from_port: int = EVERY
    to_port: int = EVERY
    icmp_type: int = EVERY
    icmp_code: int = EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class AclAssociation:
    """`id` is an `aclassoc-`."""

    id: str
    subnet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAcl(Resource):
    """`entries` are ordered by direction and number. What none of them decides is refused."""

    kind: ClassVar[str] = "network-acl"
    prefix: ClassVar[str] = "acl"

    vpc: str
    is_default: bool = False
    entries: tuple[AclEntry, ...] = ()
    associations: tuple[AclAssociation, ...] = ()
