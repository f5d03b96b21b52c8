"""What a function is attached to outside its environment: a private network, and file systems."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """The subnets and security groups of a function, by id; none of either: it was attached and no longer is."""

    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    ipv6: bool = False  # also IPv6, in subnets that have both

    @property
    def attached(self) -> bool:
        return bool(self.subnets)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """An access point of a file system, and where the function finds it. `direct_read` is of S3 Files only."""

    arn: str
    path: str
    direct_read: str | None = None  # ENABLED | DISABLED | AUTO

    @property
    def is_s3(self) -> bool:
        return self.arn.split(":")[2] == "s3files"

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]


def default_vpc(account: str, region: str) -> str:
    """The id of the one VPC that an account has in a region. Until networks can be made, every subnet is in it."""
    return f"vpc-{hashlib.sha256(f'{account} {region}'.encode()).hexdigest()[:17]}"
