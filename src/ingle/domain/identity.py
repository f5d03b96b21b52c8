"""Who there is in an account: users, groups, roles, their access keys, and managed policies. Pure values.

`supporting.iam` makes them, `storage` keeps them, `catalog.identities` holds the current ones in memory. Times are
epoch seconds. Policies are kept as the texts that callers gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """Something in IAM with a name that is unique for its kind within the account. `id` is never used again."""

    kind: ClassVar[str] = ""

    account: str
    name: str
    id: str
    created: int
    path: str = "/"

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:{self.kind}{self.path}{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder(Entity):
    """What policies are attached to: `inline` by name, `attached` by ARN, in the order in which they came."""

    inline: Mapping[str, str] = field(default_factory=dict)
    attached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Holder):
    """`boundary` is the ARN of the managed policy that limits the user's permissions."""

    kind: ClassVar[str] = "user"

    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Holder):
    """`members` are names of users."""

    kind: ClassVar[str] = "group"

    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Role(Holder):
    """`trust` says who may assume it; `max_session` is in seconds."""

    kind: ClassVar[str] = "role"

    trust: str
    description: str | None = None
    max_session: int = 3600
    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    text: str
    created: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPolicy(Entity):
    """`versions` by their ids (`v1`, ...), of which `default` is the one in effect. Numbers are never used again."""

    kind: ClassVar[str] = "policy"

    versions: Mapping[str, PolicyVersion]
    default: str = "v1"
    next_version: int = 2
    updated: int
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.versions[self.default].text


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A key of a user, or of the root of the account where `user` is None.

    `sealed` is the secret in base64, wrapped under a key that the database does not have.
    """

    kind: ClassVar[str] = "key"

    account: str
    id: str
    created: int
    user: str | None = None
    active: bool = True
    sealed: str = field(repr=False)

    @property
    def name(self) -> str:
        return self.id


Record = User | Group | Role | ManagedPolicy | AccessKey
KINDS: Mapping[str, type[Any]] = {kind.kind: kind for kind in (User, Group, Role, ManagedPolicy, AccessKey)}


def session_name(function_name: str) -> str:
    """The name of the session that a function has: its own. Names of one character are too short for sessions."""
    return function_name if len(function_name) > 1 else f"{function_name}@lambda_function"
