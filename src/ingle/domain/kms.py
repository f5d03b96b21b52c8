"""KMS keys with their aliases and grants: what `supporting.kms` changes, `storage` keeps and `catalog.keys` shows.

Pure values. Only symmetric keys exist. A key's secret bytes are here as `storage` has them: wrapped under the master
key, which this module knows nothing of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ingle.domain.arn import partition_of


class KeyState(StrEnum):
    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING_DELETION = "PendingDeletion"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMaterial:
    """One generation of a key's secret bytes. `created` is in epoch seconds, `rotation` what brought it about.

    `id` is 64 hexadecimal digits. `rotation` is None for the first, else AUTOMATIC or ON_DEMAND.
    """

    id: str
    wrapped: bytes = field(repr=False)
    created: float
    rotation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsKey:
    """A key as it is stored and used. Its id, a UUID, is unique over all accounts and regions. Times: epoch seconds.

    `materials` are in the order in which they came: the last one encrypts, all of them decrypt. `policy` is the text
    of its key policy. `managed`: it is AWS-managed, that is Ingle's own for an account, and no caller changes it.
    `rotation_days` is None without automatic rotation, `next_rotation` then too.
    """

    account: str
    region: str
    id: str
    created: float
    materials: tuple[KeyMaterial, ...]
    policy: str
    description: str = ""
    state: KeyState = KeyState.ENABLED
    deletion: float | None = None
    managed: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    rotation_days: int | None = None
    next_rotation: float | None = None

    @property
    def arn(self) -> str:
        return key_arn(self.account, self.region, self.id)

    @property
    def material(self) -> KeyMaterial:
        """The one that encrypts."""
        return self.materials[-1]

    def made_with(self, start: str) -> KeyMaterial | None:
        """The material whose id begins so, as ciphertexts name it."""
        return next((material for material in self.materials if material.id.startswith(start)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsAlias:
    """A name for a key, with its prefix `alias/`, unique within an account and a region. Times: epoch seconds."""

    account: str
    region: str
    name: str
    key_id: str
    created: float
    updated: float

    @property
    def arn(self) -> str:
        return alias_arn(self.account, self.region, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A permission to use a key. `constraints` is as the API spells it, `created` in epoch seconds.

    A grantee and a retiring principal are each given as an ARN or as the name of a service, by the member that says so.
    """

    id: str
    key_id: str
    created: float
    issuing_account: str
    operations: tuple[str, ...]
    name: str | None = None
    grantee: str | None = None
    grantee_service: str | None = None
    retiring: str | None = None
    retiring_service: str | None = None
    constraints: Mapping[str, object] = field(default_factory=dict)


def key_arn(account: str, region: str, key_id: str) -> str:
    return f"arn:{partition_of(region)}:kms:{region}:{account}:key/{key_id}"


def alias_arn(account: str, region: str, name: str) -> str:
    """`name` with its prefix `alias/`."""
    return f"arn:{partition_of(region)}:kms:{region}:{account}:{name}"
