"""What all records of a private network have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ingle.domain.arn import partition_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A record with an id that is unique everywhere, such as `subnet-0123456789abcdef0`, of one account and region.

    `kind` is EC2's resource type, as tags and ARNs have it; `prefix` is what ids of the kind begin with. Times are
    epoch seconds. Fields added later need defaults: stored records lack them.
    """

    kind: ClassVar[str] = ""
    prefix: ClassVar[str] = ""

    account: str
    region: str
    id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    #: The request that made it, where the caller named it so that it would not be carried out twice.
    client_token: str | None = None

    @property
    def arn(self) -> str:
        return arn_of(self.account, self.region, self.kind, self.id)


def arn_of(account: str, region: str, kind: str, identifier: str) -> str:
    """The ARN of something in EC2; `identifier` may be `*`."""
    return f"arn:{partition_of(region)}:ec2:{region}:{account}:{kind}/{identifier}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Resource):
    """That an account was given its default network in a region: once, whatever becomes of the network later.

    No part of any network, and seen by nobody.
    """

    kind: ClassVar[str] = "opened"
    prefix: ClassVar[str] = "opened"
