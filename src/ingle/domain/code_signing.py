"""Whose signatures deployment packages shall have, and what happens to those that have none. Pure.

A configuration is a resource of its own, which functions are bound to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ingle.domain.arn import partition_of
from ingle.domain.signing import Evidence

WARN, ENFORCE = "Warn", "Enforce"


class Fault(StrEnum):
    """Why a package is not trusted, in the order in which AWS checks. Only the first one stops a deployment always."""

    ALTERED = "altered"
    EXPIRED = "expired"
    MISMATCH = "mismatch"  # not signed, or by none of the publishers
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigningKey:
    """Identity of a configuration: `id` is `csc-` and 17 characters."""

    account: str
    region: str
    id: str

    @property
    def arn(self) -> str:
        return f"arn:{partition_of(self.region)}:lambda:{self.region}:{self.account}:code-signing-config:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigningConfig:
    """`publishers` are ARNs of versions of signing profiles. `last_modified` is epoch milliseconds.

    `tags` is None for one that never had any, as for functions.
    """

    key: CodeSigningKey
    publishers: tuple[str, ...]
    last_modified: int
    policy: str = WARN  # Warn | Enforce
    description: str = ""
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigningBinding:
    """The configuration that a function is bound to; it exists as long as functions are."""

    arn: str


def fault_of(evidence: Evidence, config: CodeSigningConfig, now: float) -> Fault | None:
    """What speaks against a package, if anything. `now` is epoch seconds.

    Source: developer guide, "Using code signing to verify code integrity with Lambda".
    """
    if evidence.altered:
        return Fault.ALTERED
    if evidence.signature is None:
        return Fault.MISMATCH
    if now >= evidence.expires:
        return Fault.EXPIRED
    if evidence.signature.profile_version_arn not in config.publishers:
        return Fault.MISMATCH
    return Fault.REVOKED if evidence.revoked else None
