"""KMS over a store in memory, a clock that is moved by hand, and an authority that refuses what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ingle.catalog.keys import KeyCatalog
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock, RandomIds
from ingle.domain.kms import Grant, KmsAlias, KmsKey
from ingle.encryption.master import Keyring, MasterKey, MasterKeys
from ingle.storage.errors import StorageFull
from ingle.storage.store import StoredKeys
from ingle.supporting.kms.access import KeyRequest
from ingle.supporting.kms.errors import KmsError
from ingle.supporting.kms.records import KeyRecords
from ingle.supporting.kms.service import Kms
from ingle.supporting.kms.use import KeyUse

CALLER = Caller(account="111111111111", region="us-east-1")
DAY = 86_400


class MovedClock:
    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def now(self) -> float:
        return self.seconds


class KeysInMemory:
    def __init__(self) -> None:
        self.keys: dict[str, KmsKey] = {}
        self.aliases: dict[tuple[str, str, str], KmsAlias] = {}
        self.grants: dict[str, Grant] = {}
        self.failing = False

    async def load_keys(self) -> StoredKeys:
        return StoredKeys(
            keys=tuple(self.keys.values()), aliases=tuple(self.aliases.values()), grants=tuple(self.grants.values())
        )

    async def _commit(self) -> None:
        await asyncio.sleep(0)
        if self.failing:
            raise StorageFull("no space")

    async def save_keys(self, keys: Sequence[KmsKey], alias: KmsAlias | None = None) -> None:
        await self._commit()
        self.keys |= {key.id: key for key in keys}
        if alias is not None:
            await self.save_alias(alias)

    async def delete_key(self, key_id: str) -> None:
        await self._commit()
        del self.keys[key_id]
        self.aliases = {name: alias for name, alias in self.aliases.items() if alias.key_id != key_id}
        self.grants = {grant_id: grant for grant_id, grant in self.grants.items() if grant.key_id != key_id}

    async def save_alias(self, alias: KmsAlias) -> None:
        await self._commit()
        self.aliases[alias.account, alias.region, alias.name] = alias

    async def delete_alias(self, alias: KmsAlias) -> None:
        await self._commit()
        del self.aliases[alias.account, alias.region, alias.name]

    async def save_grant(self, grant: Grant) -> None:
        await self._commit()
        self.grants[grant.id] = grant

    async def delete_grant(self, grant: Grant) -> None:
        await self._commit()
        del self.grants[grant.id]


class Told:
    """Refuses the actions in `refused`, and remembers what it was asked."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.asked: list[KeyRequest] = []

    def refusal(self, request: KeyRequest) -> str | None:
        self.asked.append(request)
        return f"no {request.action}" if request.action in self.refused else None


class World:
    """`master` is the ring that everything is wrapped under."""

    CALLER = CALLER
    DAY = DAY

    def __init__(
        self, store: KeysInMemory | None = None, ring: Keyring | None = None, clock: Clock | None = None
    ) -> None:
        self.store = store or KeysInMemory()
        self.clock: Any = clock or MovedClock()
        self.authority = Told()
        self.master = MasterKeys(ring or Keyring((MasterKey.generate(),)))
        self.records = KeyRecords(self.store, KeyCatalog(), self.master, self.clock, RandomIds())
        self.use = KeyUse(self.records, self.authority)
        self.kms = Kms(self.use)

    async def call(self, operation: str, caller: Caller = CALLER, **params: Any) -> dict[str, Any]:
        return await self.kms.handlers()[operation](caller, params)

    async def refused(self, operation: str, caller: Caller = CALLER, **params: Any) -> tuple[str, str | None]:
        """The code and the text of the error that a call gets."""
        with pytest.raises(KmsError) as raised:
            await self.call(operation, caller, **params)
        return raised.value.code, raised.value.message

    async def key(self, caller: Caller = CALLER, **params: Any) -> str:
        """The ARN of a new key."""
        arn: str = (await self.call("CreateKey", caller, **params))["KeyMetadata"]["Arn"]
        return arn

    async def described(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.call("DescribeKey", KeyId=key))["KeyMetadata"]
        return found

    async def encrypt(self, key: str, plaintext: bytes = b"secret", **params: Any) -> bytes:
        blob: bytes = (await self.call("Encrypt", KeyId=key, Plaintext=plaintext, **params))["CiphertextBlob"]
        return blob

    async def restarted(self, ring: Keyring | None = None) -> World:
        """The same store under a server that has just started."""
        after = World(self.store, ring or self.master.ring)
        after.clock.seconds = self.clock.seconds
        after.records.fill(await self.store.load_keys())
        return after

    @staticmethod
    def caller(**changes: str) -> Caller:
        return replace(CALLER, **changes)
