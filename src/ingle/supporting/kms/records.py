"""The keys of this server, as one thing to change: durable store first, then memory, one change at a time.

Also what changes by itself: keys whose deletion is due, materials that are due for rotation. A key whose time has come
counts as deleted at once; its material goes with the next look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from ingle.catalog.keys import KeyCatalog
from ingle.domain.clock import Clock, Ids
from ingle.domain.kms import Grant, KeyMaterial, KeyState, KmsAlias, KmsKey
from ingle.encryption import materials
from ingle.encryption.master import Keyring, MasterKeys, wrapped_under
from ingle.observability.log import Logger
from ingle.storage.errors import StorageError
from ingle.storage.store import KeyStore, StoredKeys
from ingle.supporting.kms import policies

_log = Logger("kms")

DAY = 86_400.0
YEAR_DAYS = 365
#: Seconds between two looks for what is due.
LOOK_SECONDS = 60.0
AUTOMATIC, ON_DEMAND = "AUTOMATIC", "ON_DEMAND"


class KeyRecords:
    """Writes go through here, inside `exclusive`. A commit that fails changes nothing in memory."""

    def __init__(self, store: KeyStore, catalog: KeyCatalog, master: MasterKeys, clock: Clock, ids: Ids) -> None:
        self._store = store
        self.catalog = catalog
        self._master = master
        self.clock = clock
        self.ids = ids
        #: `async with records.exclusive`: no other change of keys, aliases and grants happens inside the block.
        self.exclusive = asyncio.Lock()

    def fill(self, stored: StoredKeys) -> None:
        """Take over what the store has, at the start."""
        for key in stored.keys:
            self.catalog.put(key)
        for alias in stored.aliases:
            self.catalog.put_alias(alias)
        for grant in stored.grants:
            self.catalog.put_grant(grant)

    # --- keys -------------------------------------------------------------------------------------------------------

    def get(self, key_id: str) -> KmsKey | None:
        key = self.catalog.get(key_id)
        return None if key is None or is_gone(key, self.clock.now()) else key

    def keys(self, account: str, region: str, after: str | None = None) -> Iterator[KmsKey]:
        """By id, those behind `after` only. Not while keys change."""
        now = self.clock.now()
        return (key for key in self.catalog.keys(account, region, after) if not is_gone(key, now))

    def new_key(self, account: str, region: str) -> KmsKey:
        """A key with material of its own and the default policy, not stored yet. Call it inside `exclusive`."""
        now, key_id = self.clock.now(), self.ids.uuid()
        return KmsKey(
            account=account,
            region=region,
            id=key_id,
            created=now,
            materials=(self._new_material(key_id, None),),
            policy=policies.default_policy(account, region),
        )

    def secret(self, key: KmsKey, material: KeyMaterial) -> bytes:
        """The bytes of a material, for the moment. Raises MasterKeyMissing, Undecipherable."""
        return materials.unwrap(self._master.ring, key.id, material.id, material.wrapped)

    async def save(self, key: KmsKey, alias: KmsAlias | None = None) -> None:
        await self._store.save_keys([key], alias)
        self.catalog.put(key)
        if alias is not None:
            self.catalog.put_alias(alias)

    async def managed(self, account: str, region: str, service: str) -> KmsKey:
        """The key that a service has in an account: `aws/<service>`, made when it is first asked for."""
        name = f"alias/aws/{service}"
        alias = self.catalog.alias(account, region, name)
        if alias is None:
            async with self.exclusive:
                alias = self.catalog.alias(account, region, name)
                if alias is None:
                    return await self._make_managed(account, region, service)
        key = self.catalog.get(alias.key_id)
        assert key is not None, "an alias goes with its key"
        return key

    async def _make_managed(self, account: str, region: str, service: str) -> KmsKey:
        key = replace(
            self.new_key(account, region),
            managed=True,
            description=policies.MANAGED_DESCRIPTION,
            policy=policies.managed_policy(account, region, service),
            rotation_days=YEAR_DAYS,
            next_rotation=self.clock.now() + YEAR_DAYS * DAY,
        )
        now = self.clock.now()
        alias = KmsAlias(
            account=account, region=region, name=f"alias/aws/{service}", key_id=key.id, created=now, updated=now
        )
        await self.save(key, alias)
        return key

    def rotated(self, key: KmsKey, kind: str) -> KmsKey:
        """`key` with one more material, not stored yet."""
        return replace(key, materials=(*key.materials, self._new_material(key.id, kind)))

    def _new_material(self, key_id: str, rotation: str | None) -> KeyMaterial:
        made = materials.generate(self._master.ring, key_id)
        return KeyMaterial(id=made.id, wrapped=made.wrapped, created=self.clock.now(), rotation=rotation)

    # --- aliases and grants -----------------------------------------------------------------------------------------

    async def save_alias(self, alias: KmsAlias) -> None:
        await self._store.save_alias(alias)
        self.catalog.put_alias(alias)

    async def delete_alias(self, alias: KmsAlias) -> None:
        await self._store.delete_alias(alias)
        self.catalog.remove_alias(alias)

    async def save_grant(self, grant: Grant) -> None:
        await self._store.save_grant(grant)
        self.catalog.put_grant(grant)

    async def delete_grant(self, grant: Grant) -> None:
        await self._store.delete_grant(grant)
        self.catalog.remove_grant(grant)

    # --- the master key ---------------------------------------------------------------------------------------------

    def master_keys_in_use(self) -> set[str]:
        """The ids of the master keys that materials are wrapped under."""
        return {wrapped_under(material.wrapped) for key in self.catalog for material in key.materials}

    async def use_ring(self, ring: Keyring) -> int:
        """From now on everything is under the current key of `ring`; how many materials were not before.

        All of it or nothing: a crash leaves the store under one master key. Raises MasterKeyMissing for a ring
        without a key that is in use.
        """
        async with self.exclusive:
            changed = 0
            keys: list[KmsKey] = []
            for key in self.catalog:
                under = tuple(self._under(ring, key, material) for material in key.materials)
                if under != key.materials:
                    changed += sum(new is not old for new, old in zip(under, key.materials, strict=True))
                    keys.append(replace(key, materials=under))
            if keys:
                await self._store.save_keys(keys)
                for key in keys:
                    self.catalog.put(key)
            self._master.ring = ring
        return changed

    @staticmethod
    def _under(ring: Keyring, key: KmsKey, material: KeyMaterial) -> KeyMaterial:
        wrapped = materials.rewrap(ring, key.id, material.id, material.wrapped)
        return material if wrapped is material.wrapped else replace(material, wrapped=wrapped)

    # --- what is due ------------------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Do what is due, now and then, for as long as the server runs."""
        while True:
            try:
                await self.do_what_is_due()
            except StorageError as error:
                _log.error("keys that are due wait for the store", reason=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def do_what_is_due(self) -> None:
        """Delete the keys whose waiting period is over, and rotate those whose period is."""
        now = self.clock.now()
        for key_id in [key.id for key in self.catalog if is_gone(key, now) or _rotation_is_due(key, now)]:
            async with self.exclusive:
                key = self.catalog.get(key_id)
                if key is None:
                    continue
                if is_gone(key, now):
                    await self._store.delete_key(key_id)
                    self.catalog.remove(key_id)
                elif _rotation_is_due(key, now):
                    assert key.rotation_days is not None, "what has a date has a period"
                    following = now + key.rotation_days * DAY
                    await self.save(replace(self.rotated(key, AUTOMATIC), next_rotation=following))


def is_gone(key: KmsKey, now: float) -> bool:
    """Whether the waiting period of a key is over: nothing can be done with it any more."""
    return key.state is KeyState.PENDING_DELETION and key.deletion is not None and key.deletion <= now


def _rotation_is_due(key: KmsKey, now: float) -> bool:
    return key.state is KeyState.ENABLED and key.next_rotation is not None and key.next_rotation <= now
