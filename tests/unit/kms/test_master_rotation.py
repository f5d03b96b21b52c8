"""Another master key takes the place of the present one."""

from __future__ import annotations

import asyncio

import pytest

from ingle.encryption.master import Keyring, MasterKey, MasterKeyMissing
from kms_world import World

OLD, NEW = MasterKey(b"o" * 32), MasterKey(b"n" * 32)


async def test_everything_is_under_the_new_key_and_readable_with_it_alone():
    world = World(ring=Keyring((OLD,)))
    key = await world.key()
    blobs = [await world.encrypt(key)]
    await world.call("RotateKeyOnDemand", KeyId=key)
    blobs.append(await world.encrypt(key))
    assert world.records.master_keys_in_use() == {OLD.id}
    assert await world.records.use_ring(Keyring((NEW, OLD))) == 2
    assert world.records.master_keys_in_use() == {NEW.id}
    assert await world.records.use_ring(Keyring((NEW,))) == 0
    later = await world.key()
    for server in (world, await world.restarted(Keyring((NEW,)))):
        for blob in blobs:
            assert (await server.call("Decrypt", CiphertextBlob=blob))["Plaintext"] == b"secret"
        await server.encrypt(later)


async def test_a_ring_without_a_key_that_is_in_use_changes_nothing():
    world = World(ring=Keyring((OLD,)))
    blob = await world.encrypt(await world.key())
    with pytest.raises(MasterKeyMissing, match=OLD.id):
        await world.records.use_ring(Keyring((NEW,)))
    assert world.master.ring == Keyring((OLD,))
    assert (await world.call("Decrypt", CiphertextBlob=blob))["Plaintext"] == b"secret"


async def test_what_happens_meanwhile_is_under_one_of_both_keys_and_works():
    world = World(ring=Keyring((OLD,)))
    keys = [await world.key() for _ in range(20)]
    blobs = [await world.encrypt(key) for key in keys]

    async def work(number: int) -> bytes:
        key = await world.key()
        await world.call("RotateKeyOnDemand", KeyId=keys[number])
        return await world.encrypt(key, b"%d" % number)

    rotation = asyncio.create_task(world.records.use_ring(Keyring((NEW, OLD))))
    made = await asyncio.gather(*(work(number) for number in range(20)))
    assert await rotation >= 20
    assert world.records.master_keys_in_use() == {NEW.id}
    after = await world.restarted(Keyring((NEW,)))
    for blob in blobs:
        assert (await after.call("Decrypt", CiphertextBlob=blob))["Plaintext"] == b"secret"
    for number, blob in enumerate(made):
        assert (await after.call("Decrypt", CiphertextBlob=blob))["Plaintext"] == b"%d" % number
