"""VpcConfig and FileSystemConfigs: validation, how an update replaces them, and how answers show them. Pure.

The service model has the patterns of ids, ARNs and paths, and how many there may be. Whether subnets and groups are
there is `control.private_networks`' to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingle.domain.attached import FileSystem, Vpc
from ingle.domain.errors import InvalidParameterValue
from ingle.domain.function import PUBLISHED_VERSIONS, Configuration


def validate_vpc(vpc: Mapping[str, Any]) -> None:
    """Raise InvalidParameterValue for subnets without security groups, and the other way round."""
    if bool(vpc.get("SubnetIds")) != bool(vpc.get("SecurityGroupIds")):
        raise InvalidParameterValue("SubnetIds and SecurityIds must coexist or be both empty list.")


def vpc_of(params: Mapping[str, Any], current: Vpc | None) -> Vpc | None:
    """What VpcConfig says, as a whole. A function that never was attached, and is not now, has none."""
    if "VpcConfig" not in params:
        return current
    given = params["VpcConfig"]
    wanted = Vpc(
        subnets=tuple(given.get("SubnetIds", ())),
        security_groups=tuple(given.get("SecurityGroupIds", ())),
        ipv6=bool(given.get("Ipv6AllowedForDualStack")),
    )
    if wanted.attached:
        return wanted
    return None if current is None else Vpc()


def file_systems_of(params: Mapping[str, Any], current: tuple[FileSystem, ...]) -> tuple[FileSystem, ...]:
    """What FileSystemConfigs says, as a whole."""
    if "FileSystemConfigs" not in params:
        return current
    return tuple(
        FileSystem(
            arn=given["Arn"], path=given["LocalMountPath"],
            direct_read=given.get("S3FilesConfig", {}).get("DirectS3Read"),
        )
        for given in params["FileSystemConfigs"]
    )  # fmt: skip


def validate(wanted: Configuration, region: str) -> None:
    """Raise InvalidParameterValue for file systems that the function, as it is to be, cannot have."""
    for system in wanted.file_systems:
        if wanted.attached_vpc is None:
            raise InvalidParameterValue(
                f"Function must be configured to execute in a VPC to reference access point {system.arn}."
            )
        if system.region != region:
            raise InvalidParameterValue(
                f"The access point {system.arn} is in another region than the function, which is in {region}."
            )
        if system.direct_read is not None and not system.is_s3:
            raise InvalidParameterValue(f"S3FilesConfig is not supported for the access point {system.arn}.")
        if wanted.snap_start == PUBLISHED_VERSIONS:
            kind = "S3 Files" if system.is_s3 else "EFS"
            raise InvalidParameterValue(f"{kind} is not supported for SnapStart enabled functions.")


def shown(configuration: Configuration) -> dict[str, Any]:
    """The members of a FunctionConfiguration that tell of both, as far as the function has them."""
    found: dict[str, Any] = {}
    vpc = configuration.vpc
    if vpc is not None:
        found["VpcConfig"] = {
            "SubnetIds": list(vpc.subnets),
            "SecurityGroupIds": list(vpc.security_groups),
            "VpcId": vpc.vpc_id,
            "Ipv6AllowedForDualStack": vpc.ipv6,
        }
    if configuration.file_systems:
        found["FileSystemConfigs"] = [_shown(system) for system in configuration.file_systems]
    return found


def _shown(system: FileSystem) -> dict[str, Any]:
    entry: dict[str, Any] = {"Arn": system.arn, "LocalMountPath": system.path}
    if system.direct_read is not None:
        entry["S3FilesConfig"] = {"DirectS3Read": system.direct_read}
    return entry
