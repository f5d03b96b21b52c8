"""Functions, layers and KMS keys in SQL, by SQLAlchemy Core: SQLite in WAL mode now; `sql_engine` knows the dialect.

All SQL runs in one worker thread that owns the one connection (`transactions`), so that the event loop never waits and
writers never meet. A commit is durable when it returns (SQLite: synchronous=FULL). Chosen by `app`; used by `control`
through `store.FunctionStore`, `store.LayerStore` and `store.CodeSigningStore`, by `supporting` through `store.KeyStore`
`store.IdentityStore` and `store.NetworkStore`, by `own` through `store.TestEventStore`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, and_, bindparam, delete
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from ingle.domain.code_signing import CodeSigningConfig, CodeSigningKey
from ingle.domain.function import LATEST, Function, FunctionKey, Version
from ingle.domain.identity import Record
from ingle.domain.kms import Grant, KmsAlias, KmsKey
from ingle.domain.layer import Layer
from ingle.domain.test_event import TestEvent
from ingle.domain.vpc import Resource
from ingle.encryption.master import Keyring
from ingle.storage import (
    scrubbing,
    sql_code_signing,
    sql_identities,
    sql_keys,
    sql_layers,
    sql_networks,
    sql_test_events,
)
from ingle.storage.documents import alias_to_document, provisioned_to_document, to_document
from ingle.storage.errors import RecordExists, RecordNotFound
from ingle.storage.layout import BACKUPS
from ingle.storage.schema import (
    RECORDED,
    SERVING,
    aliases,
    attachments,
    functions,
    provisioned_concurrency,
    test_events,
    versions,
)
from ingle.storage.schema_upgrade import bring_to_head
from ingle.storage.sql_attachments import save_attachments
from ingle.storage.sql_engine import empty_log, open_engine, rewrite
from ingle.storage.sql_loading import Versions, load_functions
from ingle.storage.sqlite_copy import copy_database
from ingle.storage.store import StoredKeys
from ingle.storage.transactions import Transactions

_Item = TypeVar("_Item")


class SqlStore:
    """A FunctionStore, LayerStore, CodeSigningStore, KeyStore, IdentityStore, NetworkStore and TestEventStore.

    `async with SqlStore(url, ring) as store`; raises SchemaError if the database is a newer one. `ring`: the master
    keys under which the migration of an older database encrypts what was readable in it.
    """

    def __init__(self, url: str, ring: Keyring | None = None) -> None:
        self._url = url
        self._ring = ring
        self._transactions = Transactions(self._open)

    async def __aenter__(self) -> Self:
        try:
            await self._transactions.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Finishes what was asked for, then closes the database. Idempotent."""
        await self._transactions.close()

    async def load_all(self) -> list[Function]:
        return await self._transactions.run(load_functions)

    async def insert(self, function: Function) -> None:
        await self._transactions.run(lambda connection: _insert(connection, function))

    async def save(self, function: Function, before: Function | None = None) -> None:
        await self._transactions.run(lambda connection: _save(connection, function, before))

    async def delete(self, key: FunctionKey) -> None:
        await self._transactions.run(lambda connection: _delete(connection, key))

    async def load_layers(self) -> list[Layer]:
        return await self._transactions.run(sql_layers.load_layers)

    async def save_layer(self, layer: Layer, number: int) -> None:
        await self._transactions.run(lambda connection: sql_layers.save_layer(connection, layer, number))

    async def load_code_signing_configs(self) -> list[CodeSigningConfig]:
        return await self._transactions.run(sql_code_signing.load_code_signing_configs)

    async def save_code_signing_config(self, config: CodeSigningConfig) -> None:
        await self._transactions.run(lambda connection: sql_code_signing.save_code_signing_config(connection, config))

    async def delete_code_signing_config(self, key: CodeSigningKey) -> None:
        await self._transactions.run(lambda connection: sql_code_signing.delete_code_signing_config(connection, key))

    async def load_keys(self) -> StoredKeys:
        return await self._transactions.run(sql_keys.load_keys)

    async def save_keys(self, keys: Sequence[KmsKey], alias: KmsAlias | None = None) -> None:
        await self._transactions.run(lambda connection: sql_keys.save_keys(connection, keys, alias))

    async def delete_key(self, key_id: str) -> None:
        await self._transactions.run(lambda connection: sql_keys.delete_key(connection, key_id))
        await self._transactions.apart(empty_log)

    async def save_alias(self, alias: KmsAlias) -> None:
        await self._transactions.run(lambda connection: sql_keys.save_alias(connection, alias))

    async def delete_alias(self, alias: KmsAlias) -> None:
        await self._transactions.run(lambda connection: sql_keys.delete_alias(connection, alias))

    async def save_grant(self, grant: Grant) -> None:
        await self._transactions.run(lambda connection: sql_keys.save_grant(connection, grant))

    async def delete_grant(self, grant: Grant) -> None:
        await self._transactions.run(lambda connection: sql_keys.delete_grant(connection, grant))

    async def load_identities(self) -> list[Record]:
        return await self._transactions.run(sql_identities.load_identities)

    async def change_identities(self, put: Sequence[Record] = (), removed: Sequence[Record] = ()) -> None:
        await self._transactions.run(lambda connection: sql_identities.change_identities(connection, put, removed))

    async def load_networks(self) -> list[Resource]:
        return await self._transactions.run(sql_networks.load_networks)

    async def change_networks(self, put: Sequence[Resource] = (), removed: Sequence[Resource] = ()) -> None:
        await self._transactions.run(lambda connection: sql_networks.change_networks(connection, put, removed))

    async def list_test_events(self, key: FunctionKey) -> list[TestEvent]:
        return await self._transactions.run(lambda connection: sql_test_events.list_test_events(connection, key))

    async def load_test_event(self, key: FunctionKey, name: str) -> TestEvent | None:
        return await self._transactions.run(lambda connection: sql_test_events.load_test_event(connection, key, name))

    async def save_test_event(self, key: FunctionKey, event: TestEvent) -> None:
        await self._transactions.run(lambda connection: sql_test_events.save_test_event(connection, key, event))

    async def delete_test_event(self, key: FunctionKey, name: str) -> bool:
        return await self._transactions.run(lambda connection: sql_test_events.delete_test_event(connection, key, name))

    def _open(self) -> Engine:
        engine = open_engine(self._url, erase=True)
        try:
            with engine.begin() as connection:
                bring_to_head(connection, self._back_up, self._ring)
            database = self._file
            if database is not None and self._ring is not None and scrubbing.is_due(database):
                scrubbing.finish(database, self._ring, lambda: rewrite(engine))
        except BaseException:
            engine.dispose()
            raise
        return engine

    @property
    def _file(self) -> Path | None:
        """The database's file, where it is one."""
        url = make_url(self._url)
        return Path(url.database) if url.get_backend_name() == sqlite_dialect.name and url.database else None

    def _back_up(self, revision: str) -> None:
        """Keeps the database as it was before an upgrade. A server database is its administrator's to back up."""
        database = self._file
        if database is None:
            return
        if self._ring is not None and revision < scrubbing.SEALED:
            scrubbing.begin(database)
            scrubbing.back_up(database, revision, self._ring)
            return
        backups = database.parent / BACKUPS
        backups.mkdir(mode=0o700, exist_ok=True)
        copy_database(database, backups / f"schema-{revision}.db")


def _row_at(table: Table, *columns: str) -> ColumnElement[bool]:
    """Finds what belongs to a function, by parameters that `_at` gives. Made once: SQLAlchemy takes longer to make a
    condition than SQLite to use it."""
    return and_(*(table.c[name] == bindparam(f"at_{name}") for name in ("account", "region", "name", *columns)))


def _at(key: FunctionKey, **columns: str) -> dict[str, str]:
    return {f"at_{name}": value for name, value in (_key_columns(key) | columns).items()}


_UPDATE = functions.update().where(_row_at(functions))
_UPDATE_VERSION = versions.update().where(_row_at(versions, "version", "role"))
_DROP_VERSION = delete(versions).where(_row_at(versions, "version", "role"))


def _of(table: Table, key: FunctionKey) -> ColumnElement[bool]:
    return and_(table.c.account == key.account, table.c.region == key.region, table.c.name == key.name)


def _key_columns(key: FunctionKey) -> dict[str, str]:
    return {"account": key.account, "region": key.region, "name": key.name}


def _insert(connection: Connection, function: Function) -> None:
    try:
        connection.execute(functions.insert().values(**_key_columns(function.key), **_columns(function)))
    except IntegrityError:
        raise RecordExists(f"Function {function.key.name} exists.") from None
    _insert_versions(connection, _versions(function))
    _save_named(connection, function, None)
    save_attachments(connection, function, {})


def _save(connection: Connection, function: Function, before: Function | None) -> None:
    if connection.execute(_UPDATE, {**_at(function.key), **_columns(function)}).rowcount == 0:
        raise RecordNotFound(f"Function {function.key.name} does not exist.")
    wanted = _versions(function)
    if before is None:
        for table in (versions, aliases, provisioned_concurrency, attachments):
            connection.execute(delete(table).where(_of(table, function.key)))
        _insert_versions(connection, wanted)
        _save_named(connection, function, None)
        save_attachments(connection, function, {})
        return
    _save_versions(connection, function.key, _versions(before), wanted)
    _save_named(connection, function, before)
    save_attachments(connection, function, before.attachments.values)


def _delete(connection: Connection, key: FunctionKey) -> None:
    for table in (versions, aliases, provisioned_concurrency, attachments, test_events, functions):
        connection.execute(delete(table).where(_of(table, key)))


def _serving(function: Function) -> str:
    if function.serving is None:
        return "none"
    return "latest" if function.serving == function.latest else "own"


def _columns(function: Function) -> dict[str, Any]:
    return {
        "serving": _serving(function),
        "next_version": function.next_version,
        "reserved_concurrency": function.reserved,
        "tags": None if function.tags is None else dict(function.tags),
    }


def _versions(function: Function) -> Versions:
    found = {(version.version, RECORDED): version for version in function.every_version}
    if function.serving is not None and _serving(function) == "own":
        found[LATEST, SERVING] = function.serving
    return found


def _save_named(connection: Connection, function: Function, before: Function | None) -> None:
    """Aliases and provisioned concurrency. `before`: the function as it is stored; None: it has neither there."""
    key = function.key
    there = {} if before is None else before.aliases
    _save_rows(connection, key, aliases.c.alias, there, function.aliases, alias_to_document)
    stored = {} if before is None else before.provisioned
    column = provisioned_concurrency.c.qualifier
    _save_rows(connection, key, column, stored, function.provisioned, provisioned_to_document)


def _save_rows(
    connection: Connection, key: FunctionKey, named: Column[str], there: Mapping[str, _Item],
    wanted: Mapping[str, _Item], document_of: Callable[[_Item], dict[str, Any]],
) -> None:  # fmt: skip
    """Makes `there`, what is stored by the column `named`, what is wanted."""
    table = named.table
    assert isinstance(table, Table)
    for name in (name for name in there if wanted.get(name) is not there[name]):
        connection.execute(delete(table).where(_of(table, key), named == name))
    rows = [
        {**_key_columns(key), named.name: name, "document": document_of(item)}
        for name, item in wanted.items()
        if there.get(name) is not item
    ]
    if rows:
        connection.execute(table.insert(), rows)


def _save_versions(connection: Connection, key: FunctionKey, there: Versions, wanted: Versions) -> None:
    """Makes `there`, what is stored, what is wanted."""
    gone = [_at(key, version=number, role=role) for number, role in there if (number, role) not in wanted]
    if gone:
        connection.execute(_DROP_VERSION, gone)
    changed = [
        {**_at(key, version=number, role=role), **_contents(version)}
        for (number, role), version in wanted.items()
        if (number, role) in there and there[number, role] is not version
    ]
    if changed:
        connection.execute(_UPDATE_VERSION, changed)
    _insert_versions(connection, {identity: wanted[identity] for identity in wanted if identity not in there})


def _insert_versions(connection: Connection, found: Versions) -> None:
    if found:
        connection.execute(versions.insert(), [_row(version, role) for (_, role), version in found.items()])


def _row(version: Version, role: str) -> dict[str, Any]:
    return {**_key_columns(version.key), "version": version.version, "role": role, **_contents(version)}


def _contents(version: Version) -> dict[str, Any]:
    return {
        "revision_id": version.revision_id,
        "serial": version.serial,
        "state": version.state.value,
        "document": to_document(version),
    }
