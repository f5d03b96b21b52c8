"""Databases of releases that stored environment variables in clear: what becomes of them, and of what they left."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine

from ingle.domain.function import Function
from ingle.encryption import ciphertext, materials
from ingle.encryption.aead import Undecipherable
from ingle.encryption.envelope import unseal_variables
from ingle.encryption.files import seal_file, unseal_file
from ingle.encryption.master import Keyring, MasterKey, MasterKeyMissing
from ingle.storage import schema_upgrade, scrubbing
from ingle.storage.errors import SchemaError
from ingle.storage.sql import SqlStore

MARKER = "a value that must be nowhere"
RING = Keyring((MasterKey(b"m" * 32),))
ACCOUNT, REGION = "000000000000", "us-east-1"


def document(variables: dict[str, str] | None) -> str:
    return json.dumps({
        "revision_id": "r", "serial": 1, "last_modified": 5, "state": "Active", "update_status": None,
        "configuration": {
            "runtime": "python3.12", "handler": "app.handler", "role": "arn:r", "environment": variables,
            "package": {"digest": "ab" * 32, "size": 1}, "logging": {"format": "Text", "group": ""},
        },
    })  # fmt: skip


def make_old(directory: Path, revision: str = "0007") -> Path:
    """A database with variables in clear in its rows, in free pages and in a log that a killed server has left."""
    made = directory / "made"
    made.mkdir(parents=True)
    engine = create_engine(f"sqlite:///{made}/ingle.db")
    with engine.begin() as connection:
        command.upgrade(schema_upgrade._alembic(connection), revision)
    engine.dispose()
    with closing(sqlite3.connect(made / "ingle.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL").close()
        for name, region in (("f", REGION), ("g", REGION), ("h", "eu-west-1"), ("plain", REGION)):
            connection.execute(
                "INSERT INTO functions (account, region, name, serving) VALUES (?, ?, ?, 'own')",
                (ACCOUNT, region, name),
            )
            variables = None if name == "plain" else {"OWN": name, "MARK": MARKER, "data_key": "x"}
            for version, role in (("$LATEST", "recorded"), ("$LATEST", "serving"), ("1", "recorded")):
                row = (ACCOUNT, region, name, version, role, "r", 1, "Active", document(variables))
                connection.execute(f"INSERT INTO versions VALUES ({', '.join('?' * len(row))})", row)
        for number in range(200):  # what is deleted stays in pages that are free
            row = (
                ACCOUNT,
                REGION,
                f"gone{number}",
                "$LATEST",
                "recorded",
                "r",
                1,
                "Active",
                document({"M": MARKER * 20}),
            )
            connection.execute(f"INSERT INTO versions VALUES ({', '.join('?' * len(row))})", row)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        connection.execute("DELETE FROM versions WHERE name LIKE 'gone%'")
        connection.execute("UPDATE versions SET serial = 2")
        connection.commit()
        for file in made.iterdir():  # as they are while the server runs
            shutil.copy(file, directory / file.name)
    shutil.rmtree(made)
    return directory / "ingle.db"


def found_in(directory: Path) -> list[str]:
    """The files that hold the marker."""
    paths = [Path(root) / name for root, _, names in os.walk(directory) for name in names]
    return [str(path.relative_to(directory)) for path in paths if MARKER.encode() in path.read_bytes()]


async def opened(path: Path, ring: Keyring = RING) -> dict[tuple[str, str], list[dict[str, str] | None]]:
    """The variables of all versions, by region and name: decrypted with what the database and the ring have."""
    async with SqlStore(f"sqlite:///{path}", ring) as store:
        functions, stored = await store.load_all(), await store.load_keys()
    assert [alias.name for alias in stored.aliases] == ["alias/aws/lambda"] * len(stored.aliases)
    secrets = {
        key.id: materials.unwrap(ring, key.id, key.material.id, key.material.wrapped) for key in stored.keys
    }  # fmt: skip
    return {(f.key.region, f.key.name): list(variables_of(f, secrets)) for f in functions}


def variables_of(function: Function, secrets: dict[str, bytes]) -> Iterator[dict[str, str] | None]:
    arn = f"arn:aws:lambda:{function.key.region}:{ACCOUNT}:function:{function.key.name}"
    context = {"aws:lambda:FunctionArn": arn}
    assert function.serving is not None
    for version in (*function.every_version, function.serving):
        sealed = version.configuration.environment
        if sealed is None:
            yield None
            continue
        secret = secrets[ciphertext.origin(sealed.data_key)[0]]
        yield unseal_variables(ciphertext.decrypt(secret, sealed.data_key, context), sealed.ciphertext, context)


EXPECTED: dict[tuple[str, str], list[Any]] = {
    **{(region, name): [{"OWN": name, "MARK": MARKER, "data_key": "x"}] * 3
       for region, name in ((REGION, "f"), (REGION, "g"), ("eu-west-1", "h"))},
    (REGION, "plain"): [None] * 3,
}  # fmt: skip


async def test_everything_is_encrypted_and_no_file_holds_a_value(tmp_path: Path):
    path = make_old(tmp_path)
    assert {"ingle.db", "ingle.db-wal"} <= set(found_in(tmp_path))
    backups = tmp_path / "backups"
    backups.mkdir()
    shutil.copy(path, backups / "schema-0005.db")  # what an earlier migration kept
    (backups / "schema-0006.db.part").write_bytes(MARKER.encode())  # and one that was interrupted
    assert await opened(path) == EXPECTED
    assert found_in(tmp_path) == []
    assert sorted(item.name for item in backups.iterdir()) == ["schema-0005.db.sealed", "schema-0007.db.sealed"]
    assert not scrubbing.is_due(path)
    assert await opened(path) == EXPECTED


async def test_the_copy_from_before_the_migration_can_be_made_readable(tmp_path: Path):
    path = make_old(tmp_path)
    await opened(path)
    sealed = tmp_path / "backups" / "schema-0007.db.sealed"
    assert sealed.stat().st_mode & 0o077 == 0
    unseal_file(sealed, tmp_path / "readable.db", RING)
    with closing(sqlite3.connect(tmp_path / "readable.db")) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0007",)]
        documents = [json.loads(row[0]) for row in copy.execute("SELECT document FROM versions WHERE name = 'f'")]
    assert [item["configuration"]["environment"]["MARK"] for item in documents] == [MARKER] * 3
    with pytest.raises(FileExistsError):
        unseal_file(sealed, tmp_path / "readable.db", RING)
    with pytest.raises(MasterKeyMissing):
        unseal_file(sealed, tmp_path / "other.db", Keyring((MasterKey(b"o" * 32),)))
    assert not (tmp_path / "other.db").exists()


async def test_an_interruption_after_the_migration_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = make_old(tmp_path)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(scrubbing, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            await opened(path)
    assert scrubbing.is_due(path)
    assert await opened(path) == EXPECTED
    assert (found_in(tmp_path), scrubbing.is_due(path)) == ([], False)


async def test_an_interruption_before_the_migration_leaves_the_old_database(tmp_path: Path, monkeypatch):
    path = make_old(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(scrubbing, "_seal", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            await opened(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0007",)]
    assert await opened(path) == EXPECTED
    assert found_in(tmp_path) == []


async def test_a_reader_that_is_in_the_way_only_delays_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = make_old(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("ingle.storage.sql.rewrite", lambda engine: False)  # as where another process reads
        await opened(path)
    assert scrubbing.is_due(path)
    await opened(path)
    assert (found_in(tmp_path), scrubbing.is_due(path)) == ([], False)


async def test_without_a_master_key_nothing_happens_to_the_database(tmp_path: Path):
    path = make_old(tmp_path)
    with pytest.raises(SchemaError, match="takes a master key"):
        async with SqlStore(f"sqlite:///{path}"):
            pass
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0007",)]
    assert await opened(path) == EXPECTED


async def test_a_managed_key_that_is_there_is_used(tmp_path: Path):
    path = make_old(tmp_path, "0008")
    made = materials.generate(RING, "11111111-1111-4111-8111-111111111111")
    stored = {
        "created": 1.0, "policy": "{}", "description": "", "deletion": None, "managed": True, "rotation_days": 365,
        "next_rotation": 2.0, "state": "Enabled", "tags": {},
        "materials": [{"id": made.id, "wrapped": _encoded(made.wrapped), "created": 1.0, "rotation": None}],
    }  # fmt: skip
    with closing(sqlite3.connect(path)) as connection:
        key = ("11111111-1111-4111-8111-111111111111", ACCOUNT, REGION, json.dumps(stored))
        connection.execute("INSERT INTO kms_keys VALUES (?, ?, ?, ?)", key)
        alias = (ACCOUNT, REGION, "alias/aws/lambda", key[0], json.dumps({"created": 1.0, "updated": 1.0}))
        connection.execute("INSERT INTO kms_aliases VALUES (?, ?, ?, ?, ?)", alias)
        connection.commit()
    assert await opened(path) == EXPECTED
    async with SqlStore(f"sqlite:///{path}", RING) as store:
        assert sorted(key.region for key in (await store.load_keys()).keys) == ["eu-west-1", REGION]


def _encoded(data: bytes) -> str:
    from base64 import b64encode

    text = b64encode(data).decode()
    assert b64decode(text) == data
    return text


async def test_backups_of_the_user_are_named_and_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = make_old(tmp_path)
    kept = tmp_path / "backups" / "mine"
    kept.mkdir(parents=True)
    shutil.copy(path, kept / "ingle.db")
    await opened(path)
    assert found_in(tmp_path) == ["backups/mine/ingle.db"]
    assert f"the backup {kept} may hold environment variables in clear" in caplog.text


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_sealed_files_come_back_and_no_piece_can_be_changed(tmp_path: Path, size: int):
    content = os.urandom(size)
    (tmp_path / "plain").write_bytes(content)
    seal_file(tmp_path / "plain", tmp_path / "sealed", RING)
    unseal_file(tmp_path / "sealed", tmp_path / "again", RING)
    assert (tmp_path / "again").read_bytes() == content
    sealed = (tmp_path / "sealed").read_bytes()
    piece = (1 << 20) + 28
    for number, changed in enumerate((
        sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed + b"x", sealed[: len(sealed) - piece], b"",
        b"x" * 200,
    )):  # fmt: skip
        (tmp_path / "changed").write_bytes(changed)
        with pytest.raises(Undecipherable):
            unseal_file(tmp_path / "changed", tmp_path / f"out{number}", RING)
        assert not (tmp_path / f"out{number}").exists()
