"""What a function is attached to outside its environment: a private network, and file systems."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """The subnets and security groups of a function, by id; none of either: it was attached and no longer is.

    `vpc_id` is what all of them are in.
    """

    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    ipv6: bool = False  # also IPv6, in subnets that have both
    vpc_id: str = ""

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
