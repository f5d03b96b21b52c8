"""Signing profiles, signing jobs, and what a signature of a package says. Pure.

Names and ARNs have the forms of AWS Signer's. Where a signature is in a package: `artifacts.sealing`; how it is made
and checked: `artifacts.signatures`; what follows from it for a deployment: `domain.code_signing`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ingle.domain.arn import partition_of
from ingle.domain.function import Signature

PROFILE_NAME = re.compile(r"[a-zA-Z0-9_]{2,64}", re.ASCII)
_OWNER = r"arn:(?P<partition>aws[a-zA-Z-]*):signer:(?P<region>[a-z]{2}[a-z0-9-]{1,40}):(?P<account>\d{12}):"
_PROFILE_VERSION = re.compile(
    _OWNER + r"/signing-profiles/(?P<name>[a-zA-Z0-9_]{2,64})/(?P<version>[a-zA-Z0-9]{10})", re.ASCII
)
_JOB = re.compile(
    _OWNER + r"/signing-jobs/(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileVersion:
    """One version of a signing profile: a pair of keys. A version's keys never change."""

    account: str
    region: str
    name: str
    version: str

    @property
    def arn(self) -> str:
        return f"{_owner(self.region, self.account)}:/signing-profiles/{self.name}/{self.version}"

    @staticmethod
    def parse(arn: str) -> ProfileVersion | None:
        """None for what is no ARN of a version of a signing profile."""
        match = _PROFILE_VERSION.fullmatch(arn)
        if match is None or match["partition"] != partition_of(match["region"]):
            return None
        return ProfileVersion(
            account=match["account"], region=match["region"], name=match["name"], version=match["version"]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningJob:
    """One act of signing. `id` is a UUID in lower case."""

    account: str
    region: str
    id: str

    @property
    def arn(self) -> str:
        return f"{_owner(self.region, self.account)}:/signing-jobs/{self.id}"

    @staticmethod
    def parse(arn: str) -> SigningJob | None:
        """None for what is no ARN of a signing job."""
        match = _JOB.fullmatch(arn)
        if match is None or match["partition"] != partition_of(match["region"]):
            return None
        return SigningJob(account=match["account"], region=match["region"], id=match["id"])


#: What can be revoked.
Revocable = ProfileVersion | SigningJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is signed. `package` is the lower-case hex SHA-256 of the zip that was signed; times are epoch seconds.

    `expires` is the first moment in which the signature is no good any more.
    """

    profile: ProfileVersion
    job: SigningJob
    package: str
    signed: int
    expires: int

    def encode(self) -> bytes:
        """One line of JSON, always the same one for the same statement."""
        members = {
            "expires": self.expires,
            "job": self.job.arn,
            "package": self.package,
            "profile": self.profile.arn,
            "signed": self.signed,
        }
        return json.dumps(members, separators=(",", ":"), sort_keys=True).encode("ascii")

    @staticmethod
    def decode(data: bytes) -> Statement | None:
        """The inverse of `encode`; None for anything that it does not give."""
        try:
            found = _read(json.loads(data))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None
        return found if found is not None and found.encode() == data else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the signature of a package shows now.

    `signature` is None without one, and where nothing is known of the profile that it claims. `altered`: the package
    claims one that does not fit it. `expires` is epoch seconds.
    """

    signature: Signature | None = None
    altered: bool = False
    expires: int = 0
    revoked: bool = False


UNSIGNED = Evidence()
ALTERED = Evidence(altered=True)


def _read(members: Any) -> Statement | None:
    profile, job = ProfileVersion.parse(members["profile"]), SigningJob.parse(members["job"])
    if profile is None or job is None:
        return None
    signed, expires, package = int(members["signed"]), int(members["expires"]), str(members["package"])
    return Statement(profile=profile, job=job, package=package, signed=signed, expires=expires)


def _owner(region: str, account: str) -> str:
    return f"arn:{partition_of(region)}:signer:{region}:{account}"
