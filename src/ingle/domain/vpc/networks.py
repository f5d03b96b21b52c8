"""VPCs, their subnets, and the options that DHCP would give to what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import ClassVar

from ingle.domain.vpc.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class CidrAssociation:
    """An IPv4 range of a VPC. `id` is a `vpc-cidr-assoc-`."""

    id: str
    cidr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ipv6Association:
    """An IPv6 range of a VPC (/56) or subnet (/64). `id` is a `vpc-cidr-assoc-` or `subnet-cidr-assoc-`."""

    id: str
    cidr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc(Resource):
    """`cidrs` begins with the primary range, which stays as long as the VPC.

    `dns_support`: the resolver at the range's base plus two (and 169.254.169.253) answers.
    """

    kind: ClassVar[str] = "vpc"
    prefix: ClassVar[str] = "vpc"

    cidrs: tuple[CidrAssociation, ...]
    ipv6: tuple[Ipv6Association, ...] = ()
    dhcp_options: str = "default"
    tenancy: str = "default"
    is_default: bool = False
    dns_support: bool = True
    dns_hostnames: bool = False
    usage_metrics: bool = False

    @property
    def cidr(self) -> str:
        return self.cidrs[0].cidr

    @property
    def networks(self) -> tuple[IPv4Network, ...]:
        return tuple(IPv4Network(held.cidr) for held in self.cidrs)

    @property
    def ipv6_networks(self) -> tuple[IPv6Network, ...]:
        return tuple(IPv6Network(held.cidr) for held in self.ipv6)

    @property
    def resolver(self) -> IPv4Address:
        return IPv4Network(self.cidr)[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet(Resource):
    """`zone` is an availability zone's name, such as us-east-1a. `outpost`s and local zones there are none."""

    kind: ClassVar[str] = "subnet"
    prefix: ClassVar[str] = "subnet"

    vpc: str
    cidr: str
    zone: str
    ipv6: tuple[Ipv6Association, ...] = ()
    is_default: bool = False
    public_ips: bool = False
    assign_ipv6: bool = False
    dns64: bool = False
    hostname_type: str = "ip-name"
    a_records: bool = False
    aaaa_records: bool = False

    @property
    def network(self) -> IPv4Network:
        return IPv4Network(self.cidr)

    @property
    def ipv6_networks(self) -> tuple[IPv6Network, ...]:
        return tuple(IPv6Network(held.cidr) for held in self.ipv6)

    @property
    def dual_stack(self) -> bool:
        return bool(self.ipv6)


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpConfiguration:
    """`key`: domain-name, domain-name-servers, ntp-servers, netbios-name-servers, netbios-node-type, ..."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpOptions(Resource):
    """What VPCs that name it in `dhcp_options` give to their members. The name server AmazonProvidedDNS is the VPC's
    resolver."""

    kind: ClassVar[str] = "dhcp-options"
    prefix: ClassVar[str] = "dopt"

    configurations: tuple[DhcpConfiguration, ...]
