"""Promises of the SQL store alone: durability, schema, one thread."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, insert

from ingle.domain.function import Signature
from ingle.storage import schema, schema_upgrade
from ingle.storage.errors import SchemaError, StorageFull, StorageUnavailable
from ingle.storage.schema_upgrade import bring_to_head, current_revision, run_migrations
from ingle.storage.sql import SqlStore

from .values import fill_disk, make_function, published

KILLED = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from storage.values import make_function
from ingle.storage.sql import SqlStore

async def main():
    async with SqlStore(f"sqlite:///{sys.argv[1]}") as store:
        for number in range(100000):
            await store.insert(make_function(f"f{number:06}"))
            print(number, flush=True)

asyncio.run(main())
"""


async def test_a_kill_loses_no_acknowledged_function(start: Callable[..., subprocess.Popen[str]], tmp_path: Path):
    process = start(KILLED, tmp_path / "test.db", Path(__file__).parents[1])
    acknowledged = -1
    assert process.stdout is not None
    while acknowledged < 50:
        acknowledged = int(process.stdout.readline())
    process.kill()
    rest = process.stdout.read().split()
    acknowledged = int(rest[-1]) if rest else acknowledged
    async with SqlStore(f"sqlite:///{tmp_path}/test.db") as store:
        found = {function.key.name for function in await store.load_all()}
    assert {f"f{number:06}" for number in range(acknowledged + 1)} <= found


async def test_the_database_is_in_wal_mode_and_commits_are_full(tmp_path: Path):
    async with SqlStore(f"sqlite:///{tmp_path}/test.db") as store:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2)):
            assert await store._transactions.run(partial(asked, f"PRAGMA {pragma}")) == value


def asked(statement: str, connection: Connection) -> object:
    return connection.exec_driver_sql(statement).scalar()


async def insert_many(store: SqlStore) -> None:
    for number in range(200):
        await store.insert(make_function(f"f{number}"))


async def test_a_full_disk_is_a_named_error_and_the_store_goes_on(small_disk: Path):
    async with SqlStore(f"sqlite:///{small_disk}/test.db") as store:
        await store.insert(make_function("kept"))
        filler = fill_disk(small_disk)
        with pytest.raises((StorageFull, StorageUnavailable)):
            await insert_many(store)
        filler.unlink()
        await store.insert(make_function("later"))
        names = {function.key.name for function in await store.load_all()}
    assert {"kept", "later"} <= names


async def test_a_closed_store_says_so(tmp_path: Path):
    async with SqlStore(f"sqlite:///{tmp_path}/test.db") as store:
        pass
    with pytest.raises(StorageUnavailable):
        await store.load_all()


async def test_the_event_loop_runs_while_sql_does(tmp_path: Path):
    async with SqlStore(f"sqlite:///{tmp_path}/test.db") as store:
        with closing(sqlite3.connect(tmp_path / "test.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE").close()
            waiting = asyncio.ensure_future(store.insert(make_function()))
            for _ in range(100):
                await asyncio.sleep(0)
            assert not waiting.done()
            other.execute("ROLLBACK").close()
        await waiting


def test_migrations_lead_to_the_tables_of_the_schema(tmp_path: Path):
    engine = create_engine(f"sqlite:///{tmp_path}/test.db")
    with engine.begin() as connection:
        schema.alembic_version.create(connection)
        run_migrations(connection)
        assert current_revision(connection) == schema.HEAD
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_a_fresh_database_has_the_newest_revision_and_a_second_start_changes_nothing(tmp_path: Path):
    engine = create_engine(f"sqlite:///{tmp_path}/test.db")
    for _ in range(2):
        with engine.begin() as connection:
            bring_to_head(connection, lambda revision: pytest.fail("nothing to back up"))
            assert current_revision(connection) == schema.HEAD
    engine.dispose()


async def test_a_newer_schema_is_refused_and_kept(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/test.db"
    engine = create_engine(url)
    with engine.begin() as connection:
        schema.alembic_version.create(connection)
        connection.execute(insert(schema.alembic_version).values(version_num="9999"))
    engine.dispose()
    with pytest.raises(SchemaError, match="newer than this release"):
        async with SqlStore(url):
            pass


async def test_tables_of_somebody_else_are_refused(tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection:
        connection.execute("CREATE TABLE theirs (x)").close()
    with pytest.raises(SchemaError, match="theirs"):
        async with SqlStore(f"sqlite:///{tmp_path}/test.db"):
            pass


def test_opening_a_current_database_imports_neither_alembic_nor_the_orm(tmp_path: Path):
    program = """
import asyncio, sys
from ingle.storage.sql import SqlStore

async def main():
    for _ in range(2):
        async with SqlStore(f"sqlite:///{sys.argv[1]}") as store:
            await store.load_all()

asyncio.run(main())
print([name for name in ("alembic", "sqlalchemy.orm") if name in sys.modules])
"""
    command = [sys.executable, "-c", program, str(tmp_path / "test.db")]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)})
    assert done.stdout.strip() == "[]", done.stderr


def make_first_schema(url: str) -> None:
    """A database as the first revision has it, with the function of `make_function`."""
    document = {
        "revision_id": "r-1", "serial": 1, "last_modified": 5, "state": "Pending", "update_status": None,
        "configuration": {
            "runtime": "python3.12", "handler": "app.handler", "role": "arn:r", "extra": {}, "environment": None,
            "package": {"digest": "ab" * 32, "size": 1}, "logging": {"format": "Text", "group": ""},
        },
    }  # fmt: skip
    key = ("000000000000", "us-east-1", "hello")
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(schema_upgrade._alembic(connection), "0001")
        connection.exec_driver_sql("INSERT INTO functions VALUES (?, ?, ?, 'none')", key)
        row = (*key, "$LATEST", "recorded", "r-1", 1, "Pending", json.dumps(document))
        connection.exec_driver_sql(f"INSERT INTO versions VALUES ({', '.join('?' * len(row))})", row)
    engine.dispose()


async def test_an_older_schema_is_copied_and_upgraded(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/test.db"
    make_first_schema(url)
    async with SqlStore(url) as store:
        assert await store.load_all() == [make_function()]
        await store.save(published(make_function()), before=make_function())
    async with SqlStore(url) as store:
        assert await store.load_all() == [published(make_function())]
    with closing(sqlite3.connect(tmp_path / "backups" / "schema-0001.db")) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert copy.execute("SELECT name, serving FROM functions").fetchall() == [("hello", "none")]


async def test_a_message_with_half_a_surrogate_pair_comes_back(tmp_path: Path):
    """As an error about a file has it whose name is no text."""
    function = make_function()
    told = replace(function, latest=replace(function.latest, state_reason="Entry 'caf\udce9.py' is corrupt."))
    async with SqlStore(f"sqlite:///{tmp_path}/test.db") as store:
        await store.insert(told)
        assert await store.load_all() == [told]


async def test_the_newest_version_shares_its_configuration_with_the_unpublished_one(tmp_path: Path):
    function = published(make_function())
    async with SqlStore(f"sqlite:///{tmp_path}/test.db") as store:
        await store.insert(function)
        (loaded,) = await store.load_all()
    assert loaded == function
    assert loaded.latest.configuration is loaded.versions["1"].configuration


async def test_a_signature_that_only_the_unpublished_version_has_stays_its_own(tmp_path: Path):
    function = published(make_function())
    configuration = function.latest.configuration
    signed = replace(configuration.package, signature=Signature(profile_version_arn="arn:profile", job_arn="arn:job"))
    latest = replace(function.latest, configuration=replace(configuration, package=signed))
    async with SqlStore(f"sqlite:///{tmp_path}/test.db") as store:
        await store.insert(replace(function, latest=latest))
        (loaded,) = await store.load_all()
    assert loaded.latest.configuration.package.signature == signed.signature
    assert loaded.versions["1"].configuration.package.signature is None
