"""Ways out of a VPC, and the public addresses that they use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from ingle.domain.vpc.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class InternetGateway(Resource):
    """`vpc` None: attached to none."""

    kind: ClassVar[str] = "internet-gateway"
    prefix: ClassVar[str] = "igw"

    vpc: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressOnlyGateway(Resource):
    """Lets IPv6 out of `vpc`, and nothing in."""

    kind: ClassVar[str] = "egress-only-internet-gateway"
    prefix: ClassVar[str] = "eigw"

    vpc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NatAddress:
    """An address of a NAT gateway: on `interface`, and translated to the elastic address `allocation` if it is a
    public gateway."""

    interface: str
    private_ip: str
    allocation: str | None = None
    association: str | None = None
    public_ip: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NatGateway(Resource):
    """Translates what its routes send it: to the internet if `public`, else to where its own subnet's routes lead.

    One that was deleted is no record any more, except for `deleted`, which keeps it visible for an hour.
    """

    kind: ClassVar[str] = "natgateway"
    prefix: ClassVar[str] = "nat"

    vpc: str
    subnet: str
    public: bool
    addresses: tuple[NatAddress, ...]
    created: int
    deleted: int | None = None

    @property
    def available(self) -> bool:
        return self.deleted is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticAddress(Resource):
    """A public address. `interface` and `private_ip` are set while it is associated (`association`, `eipassoc-`)."""

    kind: ClassVar[str] = "elastic-ip"
    prefix: ClassVar[str] = "eipalloc"

    public_ip: str
    association: str | None = None
    interface: str | None = None
    private_ip: str | None = None

    def freed(self) -> ElasticAddress:
        return replace(self, association=None, interface=None, private_ip=None)
