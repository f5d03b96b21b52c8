"""Private networks: VPCs and everything in them, as frozen values, and the arithmetic of their addresses. Pure.

`supporting.ec2` makes and changes them, `storage` keeps them, `catalog.networks` holds the current ones in memory, and
`worker` has the kernel do what they say. What a function is attached to is in `domain.attached`.
"""

from ingle.domain.vpc.gateways import EgressOnlyGateway, ElasticAddress, InternetGateway, NatAddress, NatGateway
from ingle.domain.vpc.interfaces import Attachment, NetworkInterface, PrivateAddress
from ingle.domain.vpc.networks import (
    CidrAssociation,
    DhcpConfiguration,
    DhcpOptions,
    Ipv6Association,
    Subnet,
    Vpc,
)
from ingle.domain.vpc.resource import Opened, Resource
from ingle.domain.vpc.routing import (
    AclAssociation,
    AclEntry,
    NetworkAcl,
    Route,
    RouteTable,
    RouteTableAssociation,
)
from ingle.domain.vpc.security import PrefixList, PrefixListEntry, SecurityGroup, SecurityGroupRule

__all__ = [
    "BY_PREFIX",
    "KINDS",
    "AclAssociation",
    "AclEntry",
    "Attachment",
    "CidrAssociation",
    "DhcpConfiguration",
    "DhcpOptions",
    "EgressOnlyGateway",
    "ElasticAddress",
    "InternetGateway",
    "Ipv6Association",
    "NatAddress",
    "NatGateway",
    "NetworkAcl",
    "NetworkInterface",
    "Opened",
    "PrefixList",
    "PrefixListEntry",
    "PrivateAddress",
    "Resource",
    "Route",
    "RouteTable",
    "RouteTableAssociation",
    "SecurityGroup",
    "SecurityGroupRule",
    "Subnet",
    "Vpc",
]

#: Every kind of record by the name that tags, ARNs and the database have for it.
KINDS: dict[str, type[Resource]] = {
    made.kind: made
    for made in (
        Vpc, Subnet, DhcpOptions, SecurityGroup, SecurityGroupRule, PrefixList, RouteTable, NetworkAcl,
        NetworkInterface, InternetGateway, EgressOnlyGateway, NatGateway, ElasticAddress, Opened,
    )
}  # fmt: skip

#: The same by what ids begin with.
BY_PREFIX = {made.prefix: made for made in KINDS.values()}
