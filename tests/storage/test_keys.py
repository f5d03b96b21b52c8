"""KMS keys in the SQL store, and what of them is in its files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.domain.kms import Grant, KeyMaterial, KeyState, KmsAlias, KmsKey
from ingle.storage.errors import StorageUnavailable
from ingle.storage.sql import SqlStore
from ingle.storage.sql_keys import key_from_document, key_to_document
from ingle.storage.sqlite_copy import has_keys

KEY = KmsKey(
    account="000000000000", region="us-east-1", id="k1", created=1.5, policy="{}",
    materials=(KeyMaterial(id="ab" * 32, wrapped=b"\x00wrapped material\xff", created=1.5),),
)  # fmt: skip
OTHER = replace(KEY, id="k2", region="eu-west-1", managed=True)
ALIAS = KmsAlias(account="000000000000", region="us-east-1", name="alias/a", key_id="k1", created=1.0, updated=2.0)
GRANT = Grant(
    id="g1", key_id="k1", created=3.0, issuing_account="000000000000", operations=("Decrypt", "Encrypt"), name="n",
    grantee="arn", constraints={"EncryptionContextEquals": {"a": "b"}},
)  # fmt: skip

_texts = st.text(max_size=8)
_times = st.floats(0, 2**40)
keys = st.builds(
    KmsKey,
    account=st.just("1"),
    region=st.just("r"),
    id=st.just("k"),
    created=_times,
    materials=st.lists(
        st.builds(KeyMaterial, id=_texts, wrapped=st.binary(), created=_times, rotation=st.none() | _texts), min_size=1
    ).map(tuple),
    policy=_texts,
    description=_texts,
    state=st.sampled_from(KeyState),
    deletion=st.none() | _times,
    managed=st.booleans(),
    tags=st.dictionaries(_texts, _texts),
    rotation_days=st.none() | st.integers(90, 2560),
    next_rotation=st.none() | _times,
)


@given(key=keys)
def test_a_key_survives_its_document(key: KmsKey):
    assert key_from_document("1", "r", "k", key_to_document(key)) == key


async def test_keys_aliases_and_grants_outlive_the_server(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/test.db"
    async with SqlStore(url) as store:
        await store.save_keys([KEY, OTHER], ALIAS)
        later = replace(GRANT, id="g0", created=4.0, constraints={}, operations=("Decrypt",))
        for grant in (later, GRANT):
            await store.save_grant(grant)
        disabled = replace(KEY, state=KeyState.DISABLED)
        await store.save_keys([disabled])
        await store.save_alias(replace(ALIAS, key_id="k2"))
    async with SqlStore(url) as store:
        stored = await store.load_keys()
        assert sorted(stored.keys, key=lambda key: key.id) == [disabled, OTHER]
        assert stored.aliases == (replace(ALIAS, key_id="k2"),)
        assert stored.grants == (GRANT, later)
        await store.delete_alias(ALIAS)
        await store.delete_grant(GRANT)
        await store.delete_grant(GRANT)
        stored = await store.load_keys()
        assert (stored.aliases, stored.grants) == ((), (later,))


async def test_a_deleted_key_is_gone_with_what_names_it_from_every_file(tmp_path: Path):
    marker = b"a material that must not stay"
    material = KeyMaterial(id="cd" * 32, wrapped=marker * 3, created=1.0)
    async with SqlStore(f"sqlite:///{tmp_path}/test.db") as store:
        await store.save_keys([OTHER])
        await store.save_keys([replace(KEY, materials=(material,))], ALIAS)
        await store.save_grant(GRANT)
        encoded = key_to_document(replace(KEY, materials=(material,)))["materials"][0]["wrapped"].encode()
        assert any(encoded in path.read_bytes() for path in tmp_path.iterdir())
        await store.delete_key("k1")
        await store.delete_key("k1")
        assert [path.name for path in tmp_path.iterdir() if encoded in path.read_bytes()] == []
        stored = await store.load_keys()
        assert ([key.id for key in stored.keys], stored.aliases, stored.grants) == (["k2"], (), ())


async def test_several_keys_are_saved_together_or_not_at_all(tmp_path: Path):
    async with SqlStore(f"sqlite:///{tmp_path}/test.db") as store:
        await store.save_keys([KEY])
        broken = replace(OTHER, policy=object())  # type: ignore[arg-type]
        with pytest.raises((StorageUnavailable, TypeError)):
            await store.save_keys([replace(KEY, description="new"), broken])
        assert (await store.load_keys()).keys == (KEY,)


async def test_a_database_says_whether_it_holds_keys(tmp_path: Path):
    path = tmp_path / "test.db"
    assert not has_keys(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (x)").close()
    assert not has_keys(path)
    path.unlink()
    async with SqlStore(f"sqlite:///{path}") as store:
        assert not has_keys(path)
        await store.save_keys([KEY])
    assert has_keys(path)
