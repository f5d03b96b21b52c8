"""What a layer is: its identity, its versions, and who may use them.

Pure values. `control` makes them, `storage` keeps them, `catalog.layers` holds the current ones in memory. What a
function has of a layer is a `domain.function.LayerReference`, which outlives the layer version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ingle.domain.arn import partition_of
from ingle.domain.function import Package

_NAME = re.compile(
    r"(?:arn:[a-zA-Z-]+:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:)?(?P<name>[a-zA-Z0-9_-]+)"
    r"(?::(?P<version>[0-9]+))?",
    re.ASCII,
)
#: Any account, as a principal.
EVERYBODY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerKey:
    """Identity of a layer: names are unique within an account and a region."""

    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        return f"arn:{partition_of(self.region)}:lambda:{self.region}:{self.account}:layer:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerName:
    """A layer's name or ARN, or the ARN of a version, taken apart. None: the form that was used does not say."""

    name: str
    region: str | None = None
    account: str | None = None
    version: int | None = None

    @staticmethod
    def parse(text: str) -> LayerName | None:
        """None for what has no such form, ARNs of layers that AWS itself owns (`awslayer`) included."""
        match = _NAME.fullmatch(text)
        if match is None:
            return None
        version = match["version"]
        return LayerName(
            name=match["name"],
            region=match["region"],
            account=match["account"],
            version=None if version is None else int(version),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A statement of a layer version's policy: `principal` is `*` or the ARN of an account's root."""

    sid: str
    principal: str
    organization: str | None = None

    def allows(self, account: str) -> bool:
        """Whether `account` may use the layer version. No account is in an organization, so such a grant never fits."""
        if self.organization is not None:
            return False
        return self.principal == EVERYBODY or self.principal.endswith(f":iam::{account}:root")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersion:
    """One version of a layer. `created` is epoch milliseconds. None: the publisher did not say.

    `policy_revision` is a UUID that changes with every change of `grants`.
    """

    key: LayerKey
    number: int
    package: Package
    created: int
    description: str = ""
    runtimes: tuple[str, ...] | None = None
    architectures: tuple[str, ...] | None = None
    license: str | None = None
    grants: tuple[Grant, ...] = ()
    policy_revision: str = ""

    @property
    def arn(self) -> str:
        return f"{self.key.arn}:{self.number}"

    def usable_by(self, account: str) -> bool:
        return account == self.key.account or any(grant.allows(account) for grant in self.grants)

    def suits(self, runtime: str | None, architecture: str | None) -> bool:
        """Whether the publisher named both as compatible. None: whatever it is."""
        return (runtime is None or runtime in (self.runtimes or ())) and (
            architecture is None or architecture in (self.architectures or ())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer and the versions that were not deleted, by number, ascending. `next_version` only grows."""

    key: LayerKey
    versions: Mapping[int, LayerVersion] = field(default_factory=dict)
    next_version: int = 1

    def with_version(self, version: LayerVersion) -> Layer:
        """The layer with one more version, or with another value of one that it has."""
        following = max(self.next_version, version.number + 1)
        return Layer(key=self.key, versions={**self.versions, version.number: version}, next_version=following)

    def without_version(self, number: int) -> Layer:
        left = {key: value for key, value in self.versions.items() if key != number}
        return Layer(key=self.key, versions=left, next_version=self.next_version)
