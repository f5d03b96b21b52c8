"""What AWS makes by itself: what every VPC comes with, and the default network of an account in a region. Pure.

Source: "Default VPC components" in the VPC user guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network

from ingle.domain.vpc import (
    AclAssociation,
    AclEntry,
    CidrAssociation,
    DhcpConfiguration,
    DhcpOptions,
    InternetGateway,
    NetworkAcl,
    Opened,
    Resource,
    Route,
    RouteTable,
    RouteTableAssociation,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)
from ingle.domain.vpc.routing import local_route
from ingle.domain.vpc.security import EVERY
from ingle.domain.zones import zones
from ingle.supporting.ec2.scene import Scene

DEFAULT_GROUP = "default"
ALL_IPV4 = "0.0.0.0/0"
DEFAULT_RANGE = IPv4Network("172.31.0.0/16")
DEFAULT_SUBNET_LENGTH = 20
_FIRST_RULE = 100


def new_vpc(
    scene: Scene, network: IPv4Network, *, tags: Mapping[str, str], tenancy: str | None = None,
    is_default: bool = False, dhcp: DhcpOptions | None = None,
) -> list[Resource]:  # fmt: skip
    """A VPC, which is the first, and its main route table, default network ACL and default security group."""
    options = dhcp or _default_options(scene)
    vpc = Vpc(
        **scene.place, id=scene.new_id(Vpc.prefix), tags=tags, tenancy=tenancy or "default", is_default=is_default,
        cidrs=(CidrAssociation(id=scene.new_id("vpc-cidr-assoc"), cidr=str(network)),), dns_hostnames=is_default,
        dhcp_options="default" if options is None else options.id,
    )  # fmt: skip
    table = RouteTable(
        **scene.place, id=scene.new_id(RouteTable.prefix), vpc=vpc.id,
        routes=(local_route(cidr=vpc.cidr),),
        associations=(RouteTableAssociation(id=scene.new_id("rtbassoc"), subnet=None),),
    )  # fmt: skip
    acl = NetworkAcl(
        **scene.place, id=scene.new_id(NetworkAcl.prefix), vpc=vpc.id, is_default=True,
        entries=tuple(
            AclEntry(number=_FIRST_RULE, egress=egress, protocol=EVERY, allow=True, cidr=ALL_IPV4)
            for egress in (True, False)
        ),
    )  # fmt: skip
    group = SecurityGroup(
        **scene.place, id=scene.new_id(SecurityGroup.prefix), vpc=vpc.id, name=DEFAULT_GROUP,
        description="default VPC security group",
    )  # fmt: skip
    among_itself = SecurityGroupRule(
        **scene.place, id=scene.new_id(SecurityGroupRule.prefix), group_id=group.id, egress=False, protocol="-1",
        group=group.id, group_account=scene.account,
    )  # fmt: skip
    return [vpc, table, acl, group, among_itself, everything_out(scene, group)]


def everything_out(scene: Scene, group: SecurityGroup) -> SecurityGroupRule:
    """What a new group lets through."""
    return SecurityGroupRule(
        **scene.place, id=scene.new_id(SecurityGroupRule.prefix), group_id=group.id, egress=True, protocol="-1",
        cidr=ALL_IPV4,
    )  # fmt: skip


def opening(scene: Scene) -> list[Resource]:
    """Everything that an account has in a region before it made anything; nothing, if it was made already."""
    if scene.mine(Opened):
        return []
    opened = Opened(**scene.place, id=scene.new_id(Opened.prefix))
    return [opened, *default_network(scene)]


def default_network(scene: Scene) -> list[Resource]:
    """The default VPC with a subnet for each zone and a way to the internet."""
    dhcp = _default_options(scene)
    options = dhcp or DhcpOptions(
        **scene.place, id=scene.new_id(DhcpOptions.prefix), configurations=default_dhcp(scene.region)
    )
    made = new_vpc(scene, DEFAULT_RANGE, tags={}, is_default=True, dhcp=options)
    vpc = made[0]
    gateway = InternetGateway(**scene.place, id=scene.new_id(InternetGateway.prefix), vpc=vpc.id)
    names = zones(scene.region)
    ranges = DEFAULT_RANGE.subnets(new_prefix=DEFAULT_SUBNET_LENGTH)
    subnets = [default_subnet(scene, vpc.id, name, network) for name, network in zip(names, ranges, strict=False)]
    found: list[Resource] = [*([] if dhcp else [options]), gateway, *subnets]
    for record in made:
        if isinstance(record, RouteTable):
            found.append(record.having(Route(cidr=ALL_IPV4, target=gateway.id)))
        elif isinstance(record, NetworkAcl):
            held = tuple(AclAssociation(id=scene.new_id("aclassoc"), subnet=subnet.id) for subnet in subnets)
            found.append(replace(record, associations=held))
        else:
            found.append(record)
    return found


def default_subnet(scene: Scene, vpc: str, zone: str, network: IPv4Network) -> Subnet:
    return Subnet(
        **scene.place, id=scene.new_id(Subnet.prefix), vpc=vpc, cidr=str(network), zone=zone, is_default=True,
        public_ips=True,
    )  # fmt: skip


def default_dhcp(region: str) -> tuple[DhcpConfiguration, ...]:
    return (
        DhcpConfiguration(key="domain-name", values=(private_domain(region),)),
        DhcpConfiguration(key="domain-name-servers", values=("AmazonProvidedDNS",)),
    )


def private_domain(region: str) -> str:
    """What names of private addresses end with."""
    return "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"


def _default_options(scene: Scene) -> DhcpOptions | None:
    wanted = default_dhcp(scene.region)
    return next((held for held in scene.mine(DhcpOptions) if held.configurations == wanted), None)
