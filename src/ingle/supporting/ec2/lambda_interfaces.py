"""The interfaces through which functions reach their subnets: one for each combination of subnet and security groups
in an account, whichever functions have it. Pure.

Source of the rules: "Giving Lambda functions access to resources in an Amazon VPC" in the Lambda developer guide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ingle.catalog.networks import Networks
from ingle.domain.attached import Vpc as FunctionVpc
from ingle.domain.function import FunctionKey
from ingle.domain.vpc import Attachment, NetworkInterface, SecurityGroup, Subnet
from ingle.domain.vpc.addresses import free_address
from ingle.domain.vpc.interfaces import OF_LAMBDA
from ingle.supporting.ec2 import addressing
from ingle.supporting.ec2.scene import Outcome, Scene

#: Interfaces of Lambda in one VPC, at the most.
MOST_INTERFACES = 500
REQUESTER = "amazon-lambda"


class CannotAttach(Exception):
    """`code` is a StateReasonCode of Lambda's model."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """What functions share an interface by."""

    account: str
    region: str
    subnet: str
    groups: frozenset[str]
    ipv6: bool


def combinations(key: FunctionKey, vpc: FunctionVpc | None) -> list[Combination]:
    """One for each subnet of a function that is attached."""
    if vpc is None:
        return []
    return [
        Combination(
            account=key.account, region=key.region, subnet=subnet, groups=frozenset(vpc.security_groups), ipv6=vpc.ipv6
        )
        for subnet in dict.fromkeys(vpc.subnets)
    ]  # fmt: skip


def combination_of(interface: NetworkInterface) -> Combination:
    return Combination(
        account=interface.account, region=interface.region, subnet=interface.subnet,
        groups=frozenset(interface.groups), ipv6=interface.ipv6_allowed,
    )  # fmt: skip


def interface_of(networks: Networks, wanted: Combination) -> NetworkInterface | None:
    """The one that functions with this combination have, if there is one."""
    found = (held for held in networks.interfaces_in(wanted.subnet) if held.interface_type == OF_LAMBDA)
    return next((held for held in found if combination_of(held) == wanted), None)


def attach(scene: Scene, wanted: Iterable[Combination], function: str, occupied: Callable[[str], set[str]]) -> Outcome:
    """Makes the interfaces that are not there, and keeps those that were on their way out. Raises CannotAttach.

    `occupied`: addresses of a subnet that others are known to have.
    """
    put: list[NetworkInterface] = []
    for combination in wanted:
        there = interface_of(scene.networks, combination)
        if there is None:
            put.append(_new(scene, combination, function, occupied(combination.subnet)))
        elif there.unused_since is not None:
            put.append(replace(there, unused_since=None))
    return Outcome({}, put=put)


def tidied(scene: Scene, used: Iterable[Combination], linger: float) -> Outcome:
    """Notes since when interfaces are unused, and removes those that were for longer than `linger` seconds."""
    in_use = set(used)
    put: list[NetworkInterface] = []
    removed: list[NetworkInterface] = []
    for interface in scene.mine(NetworkInterface):
        if interface.interface_type != OF_LAMBDA:
            continue
        since = interface.unused_since
        if combination_of(interface) in in_use:
            if since is not None:
                put.append(replace(interface, unused_since=None))
        elif scene.now - (scene.now if since is None else since) >= linger:
            removed.append(interface)
        elif since is None:
            put.append(replace(interface, unused_since=scene.now))
    return Outcome({}, put=put, removed=removed)


def candidates(networks: Networks, subnet: Subnet, count: int) -> list[str]:
    """The addresses that interfaces of functions would get next, as many as there are."""
    taken = addressing.taken_in(networks, subnet)
    found: list[str] = []
    while len(found) < count and (address := free_address(subnet.network, taken)) is not None:
        taken.add(address)
        found.append(address)
    return found


def moved(scene: Scene, identifier: str, occupied: set[str]) -> Outcome:
    """Another address for an interface whose address is among those that somebody has. Raises OutOfAddresses."""
    interface = scene.seek(NetworkInterface, identifier)
    subnet = None if interface is None else scene.seek(Subnet, interface.subnet)
    if interface is None or subnet is None or interface.address not in occupied:
        return Outcome({})
    taken = addressing.taken_in(scene.networks, subnet) | occupied
    addresses = addressing.some_addresses(subnet, taken, 1)
    return Outcome({}, put=[replace(interface, addresses=addressing.as_private(addresses))])


def _new(scene: Scene, wanted: Combination, function: str, occupied: set[str]) -> NetworkInterface:
    subnet = scene.seek(Subnet, wanted.subnet)
    if subnet is None or (wanted.ipv6 and not subnet.dual_stack):
        raise CannotAttach(
            "InvalidSubnet", "The subnet ID provided in the Lambda function VPC configuration is not valid."
        )
    groups = [scene.seek(SecurityGroup, identifier) for identifier in sorted(wanted.groups)]
    if any(group is None or group.vpc != subnet.vpc for group in groups):
        raise CannotAttach(
            "InvalidSecurityGroup",
            "The security group ID provided in the Lambda function VPC configuration is not valid.",
        )
    others = scene.networks.in_vpc(NetworkInterface, subnet.vpc)
    if sum(held.interface_type == OF_LAMBDA for held in others) >= MOST_INTERFACES:
        raise CannotAttach(
            "EniLimitExceeded",
            "Lambda was not able to create an elastic network interface in the VPC, specified as part of Lambda "
            "function configuration, because the limit for network interfaces has been reached.",
        )
    taken = addressing.taken_in(scene.networks, subnet) | occupied
    try:
        addresses = addressing.some_addresses(subnet, taken, 1)
        ipv6 = addressing.some_ipv6(subnet, taken, 1) if wanted.ipv6 else []
    except addressing.OutOfAddresses:
        raise CannotAttach(
            "SubnetOutOfIPAddresses",
            "Lambda was not able to set up VPC access of the Lambda function because one or more configured subnets "
            "has no available IP addresses.",
        ) from None
    identifier = scene.new_id(NetworkInterface.prefix)
    return NetworkInterface(
        **scene.place, id=identifier, vpc=subnet.vpc, subnet=subnet.id, groups=tuple(sorted(wanted.groups)),
        addresses=addressing.as_private(addresses), ipv6=tuple(ipv6), mac=addressing.new_mac(identifier),
        created=scene.now, description=f"AWS Lambda VPC ENI-{function}-{scene.new_uuid()}", interface_type=OF_LAMBDA,
        requester=REQUESTER, ipv6_allowed=wanted.ipv6,
        attachment=Attachment(id=scene.new_id("ela-attach"), owner="amazon-aws", attached=scene.now),
    )  # fmt: skip
