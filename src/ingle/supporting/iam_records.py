"""Every change of identities: durable first, then in memory, one at a time. Shared by the modules of IAM."""

from __future__ import annotations

import asyncio
import base64
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingle.catalog.identities import Identities
from ingle.catalog.principal_names import PrincipalNames
from ingle.domain.clock import Clock
from ingle.domain.identity import AccessKey, Group, ManagedPolicy, Record, Role, User
from ingle.domain.sealing import Sealer
from ingle.storage.store import IdentityStore
from ingle.supporting.iam_errors import LimitExceeded, missing

#: Access keys that one user, or the root of an account, may have.
KEYS_EACH = 2
_ALPHABET = string.ascii_uppercase + "234567"
_SECRET_ALPHABET = string.ascii_letters + string.digits + "+/"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """An access key at the one moment when its secret can be told."""

    key: AccessKey
    secret: str = field(repr=False)


def new_id(prefix: str, length: int = 17) -> str:
    """A unique id as AWS's look: AIDA and so on, and random letters and digits."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new_secret() -> str:
    return "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(40))


class IamRecords:
    """`async with records.exclusive:` around whatever reads and then changes."""

    def __init__(
        self, store: IdentityStore, identities: Identities, sealer: Sealer, clock: Clock,
        names: PrincipalNames | None = None,
    ) -> None:  # fmt: skip
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self.identities = identities
        self.names = names or PrincipalNames()
        self.exclusive = asyncio.Lock()

    def now(self) -> int:
        return int(self._clock.now())

    async def change(self, put: Sequence[Record] = (), removed: Sequence[Record] = ()) -> None:
        """All of it or nothing."""
        await self._store.change_identities(put, removed)
        for record in removed:
            self.identities.remove(record)
        for record in put:
            self.identities.put(record)

    def user(self, account: str, name: str) -> User:
        """Raises NoSuchEntity, as the others."""
        found = self.identities.get(User, account, name)
        if found is None:
            raise missing("user", name)
        return found

    def group(self, account: str, name: str) -> Group:
        found = self.identities.get(Group, account, name)
        if found is None:
            raise missing("group", name)
        return found

    def role(self, account: str, name: str) -> Role:
        found = self.identities.get(Role, account, name)
        if found is None:
            raise missing("role", name)
        return found

    def keys_of(self, account: str, user: str | None) -> list[AccessKey]:
        return [key for key in self.identities.of(AccessKey, account) if key.user == user]

    def attachments_of(self, policy: ManagedPolicy, account: str) -> list[User | Group | Role]:
        found: list[User | Group | Role] = [
            *self.identities.of(User, account), *self.identities.of(Group, account), *self.identities.of(Role, account)
        ]  # fmt: skip
        return [holder for holder in found if policy.arn in holder.attached]

    async def add_key(self, account: str, user: str | None) -> NewKey:
        """A new access key, inside `exclusive`. Raises LimitExceeded."""
        if len(self.keys_of(account, user)) >= KEYS_EACH:
            raise LimitExceeded(f"Cannot exceed quota for AccessKeysPerUser: {KEYS_EACH}")
        made = self.sealed_key(account, user)
        await self.change([made.key])
        return made

    def sealed_key(self, account: str, user: str | None) -> NewKey:
        identifier, secret = new_id("AKIA", 16), new_secret()
        sealed = base64.b64encode(self._sealer.seal(secret.encode(), context_of(identifier))).decode()
        key = AccessKey(account=account, id=identifier, created=self.now(), user=user, sealed=sealed)
        return NewKey(key=key, secret=secret)


def context_of(access_key_id: str) -> str:
    """What a key's secret is sealed for: moved to another key's row it cannot be opened."""
    return f"access key {access_key_id}"
