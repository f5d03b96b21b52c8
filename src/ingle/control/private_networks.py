"""What functions are attached to: whether they can be, the interfaces that they share, and when these go. File systems
have to be known, and that is all there is to them here.

An interface is there from the activation of the first function that needs it, and for a while after the last. Its
record is the network's to carry out (`worker`); which functions need it is read from the catalog.

Source of texts: recorded answers, and the descriptions of the service model.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from typing import Any

from ingle.catalog import Catalog, Prepared
from ingle.control import attached_settings
from ingle.control.ports import Roles
from ingle.domain.attached import Vpc as FunctionVpc
from ingle.domain.errors import InvalidParameterValue
from ingle.domain.function import Function, FunctionKey, State, Version
from ingle.domain.vpc import NetworkInterface, SecurityGroup, Subnet, Vpc
from ingle.domain.vpc.interfaces import OF_LAMBDA
from ingle.domain.vpc.resource import arn_of
from ingle.observability.log import Logger
from ingle.storage.errors import StorageError
from ingle.supporting.ec2.errors import not_found
from ingle.supporting.ec2.lambda_interfaces import (
    CannotAttach,
    Combination,
    attach,
    combination_of,
    combinations,
    tidied,
)
from ingle.supporting.ec2.records import NetworkRecords
from ingle.supporting.ec2.scene import Kind, Scene

#: Between two looks for interfaces that nobody needs, in seconds.
_LOOK_SECONDS = 1.0
_NO_PERMISSION = "The provided execution role does not have permissions to call CreateNetworkInterface on EC2"

_log = Logger("control")


class PrivateNetworks:
    """`linger`: how long an interface stays when no function needs it any more, in seconds.

    `access_points`: the ARNs of those by which file systems can be reached. `occupied`: addresses in a subnet that
    others are known to have.
    """

    def __init__(
        self, records: NetworkRecords, catalog: Catalog, roles: Roles, linger: float,
        access_points: Container[str] = (), occupied: Callable[[str], set[str]] = lambda subnet: set(),
    ) -> None:  # fmt: skip
        self._records = records
        self._roles = roles
        self._linger = linger
        self._occupied = occupied
        self._access_points = access_points
        #: How many functions need each combination, and which of them each function needs.
        self._needed: Counter[Combination] = Counter()
        self._of: dict[FunctionKey, frozenset[Combination]] = {}
        catalog.follow(self._changed)

    # --- requests ---------------------------------------------------------------------------------------------------

    def require(self, key: FunctionKey, role: str, params: dict[str, Any]) -> None:
        """Raise InvalidParameterValue for a VpcConfig that names what is not there or that the role does not allow.

        The same for FileSystemConfigs of unknown access points.
        """
        wanted = attached_settings.vpc_of(params, None)
        if wanted is not None:
            self.resolved(key, wanted)
            if not self._allowed(key, role, wanted):
                raise InvalidParameterValue(_NO_PERMISSION)
        for system in params.get("FileSystemConfigs") or []:
            if system["Arn"] not in self._access_points:
                raise InvalidParameterValue(f"The access point {system['Arn']} does not exist.")

    def resolved(self, key: FunctionKey, wanted: FunctionVpc) -> FunctionVpc:
        """With the id of the VPC that everything is in. Raises InvalidParameterValue."""
        scene = self._records.scene(key.account, key.region)
        subnets = [_found(scene, Subnet, identifier, "DescribeSubnets") for identifier in wanted.subnets]
        groups = [
            _found(scene, SecurityGroup, identifier, "DescribeSecurityGroups") for identifier in wanted.security_groups
        ]
        vpc = subnets[0].vpc
        if any(subnet.vpc != vpc for subnet in subnets):
            raise InvalidParameterValue("Subnets are required to be in the same VPC.")
        if any(group.vpc != vpc for group in groups):
            raise InvalidParameterValue("Security Groups are required to be in the same VPC.")
        found = scene.networks.get(Vpc, vpc)
        if found is not None and found.tenancy == "dedicated":
            raise InvalidParameterValue("Lambda functions cannot connect to a VPC with dedicated instance tenancy.")
        single = next((subnet for subnet in subnets if wanted.ipv6 and not subnet.dual_stack), None)
        if single is not None:
            raise InvalidParameterValue(
                "Ipv6AllowedForDualStack can be true only if every subnet is a dual-stack subnet: "
                f"'{single.id}' has no IPv6 CIDR block."
            )
        return replace(wanted, vpc_id=vpc)

    def _allowed(self, key: FunctionKey, role: str, vpc: FunctionVpc) -> bool:
        named = [
            (NetworkInterface.kind, "*"), *((Subnet.kind, identifier) for identifier in vpc.subnets),
            *((SecurityGroup.kind, identifier) for identifier in vpc.security_groups),
        ]  # fmt: skip
        resources = [arn_of(key.account, key.region, kind, identifier) for kind, identifier in named]
        return all(self._roles.allows(key, role, "ec2:CreateNetworkInterface", resource) for resource in resources)

    # --- activation -------------------------------------------------------------------------------------------------

    async def prepare(self, version: Version) -> Prepared:
        """Make the interfaces that a version needs. Raises StorageError."""
        key, vpc = version.key, version.configuration.attached_vpc
        if vpc is None:
            return Prepared()
        wanted = combinations(key, vpc)
        if not self._allowed(key, version.configuration.role, vpc):
            return Prepared(reason_code="InsufficientRolePermissions", reason=_NO_PERMISSION)
        try:
            await self._records.change(
                key.account, key.region, lambda scene: attach(scene, wanted, key.name, self._occupied)
            )
        except CannotAttach as problem:
            return Prepared(reason_code=problem.code, reason=problem.reason)
        return Prepared()

    # --- interfaces that nobody needs -------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Remove what nobody needs, for as long as the server runs."""
        while True:
            try:
                await self.tidy()
            except StorageError as error:
                _log.error("unused network interfaces wait for the store", reason=str(error))
            await asyncio.sleep(_LOOK_SECONDS)

    async def tidy(self) -> None:
        """One look."""
        for account, region in dict.fromkeys(self._untidy()):
            await self._records.change(account, region, lambda scene: tidied(scene, self._needed, self._linger))

    def _untidy(self) -> Iterator[tuple[str, str]]:
        for interface in self._records.networks.every(NetworkInterface):
            if interface.interface_type == OF_LAMBDA:
                needed = combination_of(interface) in self._needed
                if not needed or interface.unused_since is not None:
                    yield interface.account, interface.region

    def _changed(self, key: FunctionKey, function: Function | None) -> None:
        before = self._of.pop(key, frozenset())
        after = _needs_of(function)
        if after:
            self._of[key] = after
        self._needed.update(after - before)
        for gone in before - after:
            self._needed[gone] -= 1
            if not self._needed[gone]:
                del self._needed[gone]


def _needs_of(function: Function | None) -> frozenset[Combination]:
    """What any version needs that is not idle; during an update also what is still served."""
    if function is None:
        return frozenset()
    versions = [version for version in function.every_version if version.state is not State.INACTIVE]
    versions += [] if function.serving is None else [function.serving]
    return frozenset(
        combination for version in versions for combination in combinations(version.key, version.configuration.vpc)
    )


def _found(scene: Scene, kind: type[Kind], identifier: str, call: str) -> Kind:
    """Raises InvalidParameterValue with what EC2 would answer to Lambda's `call`."""
    found = scene.seek(kind, identifier)
    if found is None:
        problem = not_found(kind, identifier)
        raise InvalidParameterValue(
            f"Error occurred while {call}. EC2 Error Code: {problem.code}. EC2 Error Message: {problem.message}"
        )
    return found
