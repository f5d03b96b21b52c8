"""What every IdentityStore promises, and the sealing of secrets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingle.domain.identity import AccessKey, Group, ManagedPolicy, PolicyVersion, Record, Role, User
from ingle.domain.sealing import CannotOpen
from ingle.encryption.master import Keyring, MasterKey, MasterKeys
from ingle.storage.backup import backup
from ingle.storage.data_directory import DataDirectory, DataDirectoryError
from ingle.storage.sealing import FileSealer
from ingle.storage.sql import SqlStore
from ingle.storage.store import IdentityStore
from ingle.testing.memory_store import MemoryStore

OWN = {"account": "111111111111", "created": 5}
RECORDS: list[Record] = [
    Group(**OWN, name="g", id="AGPA1", members=("u",)),
    AccessKey(account="111111111111", created=5, id="AKIA1", user="u", sealed="c2VhbA=="),
    ManagedPolicy(**OWN, name="p", id="ANPA1", versions={"v1": PolicyVersion(text="{}", created=5)}, updated=6),
    Role(**OWN, name="r", id="AROA1", trust="{}", inline={"a": "{}"}, attached=("arn:1", "arn:2"), tags={"k": "v"}),
    User(**OWN, name="u", id="AIDA1", path="/x/", boundary="arn:b"),
]


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[IdentityStore]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        async with SqlStore(f"sqlite:///{tmp_path}/test.db") as sql:
            yield sql


async def test_records_of_every_kind_come_back_as_they_were(store: IdentityStore) -> None:
    await store.change_identities(RECORDS)
    assert await store.load_identities() == RECORDS


async def test_changes_replace_and_remove_in_one_step(store: IdentityStore) -> None:
    await store.change_identities(RECORDS)
    user = RECORDS[-1]
    renamed = replace(user, name="w")
    await store.change_identities([renamed], [user, RECORDS[0]])
    assert await store.load_identities() == [*RECORDS[1:-1], renamed]
    changed = replace(renamed, path="/y/")
    await store.change_identities([changed])
    assert (await store.load_identities())[-1] == changed


def ring(*keys: MasterKey) -> MasterKeys:
    return MasterKeys(Keyring(keys))


MASTER = MasterKey.generate()


def test_what_is_sealed_opens_with_the_same_key_and_context_only(tmp_path: Path) -> None:
    sealer = FileSealer(tmp_path / "key", ring(MASTER))
    sealed = sealer.seal(b"secret", "one")
    assert b"secret" not in sealed
    assert FileSealer(tmp_path / "key", ring(MASTER)).open(sealed, "one") == b"secret"
    for attempt in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:5], b""):
        with pytest.raises(CannotOpen):
            sealer.open(attempt, "one")
    with pytest.raises(CannotOpen):
        sealer.open(sealed, "two")
    with pytest.raises(CannotOpen):
        FileSealer(tmp_path / "other", ring(MASTER)).open(sealed, "one")


def test_the_key_is_readable_by_its_owner_alone_and_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key"
    FileSealer(path, ring(MASTER)).seal(b"x", "c")
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"short")
    with pytest.raises(DataDirectoryError):
        FileSealer(path, ring(MASTER)).seal(b"x", "c")
    assert path.read_bytes() == b"short"


def test_the_key_follows_the_master_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    sealer = FileSealer(path, ring(MASTER))
    sealed = sealer.seal(b"secret", "c")
    fresh = MasterKey.generate()
    with pytest.raises(DataDirectoryError):
        FileSealer(path, ring(fresh)).open(sealed, "c")
    sealer.use_ring(Keyring((fresh, MASTER)))
    assert FileSealer(path, ring(fresh)).open(sealed, "c") == b"secret"


def test_a_backup_has_the_key_and_opens_nothing_without_the_master_key(tmp_path: Path) -> None:
    with DataDirectory.open(tmp_path / "data") as directory:
        sealed = FileSealer(directory.access_key, ring(MASTER)).seal(b"secret", "c")
        backup(directory.path, tmp_path / "copy")
    with DataDirectory.open(tmp_path / "copy") as copied:
        assert FileSealer(copied.access_key, ring(MASTER)).open(sealed, "c") == b"secret"
        with pytest.raises(DataDirectoryError):
            FileSealer(copied.access_key, ring(MasterKey.generate())).open(sealed, "c")
