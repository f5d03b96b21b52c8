"""Functions in SQL, through SQLAlchemy Core: SQLite in WAL mode now; `sql_engine` knows the dialect.

All SQL runs in one worker thread that owns the one connection, so that the event loop never waits and writers never
meet. A commit is durable when it returns (SQLite: synchronous=FULL). Chosen by `app`; used by `control` through
`store.FunctionStore`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Row, Table, and_, delete, select
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ingle.domain.function import LATEST, Function, FunctionKey, Version
from ingle.storage.documents import from_document, to_document
from ingle.storage.errors import RecordExists, RecordNotFound, StorageUnavailable
from ingle.storage.schema import functions, versions
from ingle.storage.schema_upgrade import bring_to_head
from ingle.storage.sql_engine import named_error, open_engine
from ingle.storage.sqlite_copy import copy_database

_Result = TypeVar("_Result")

_RECORDED = "recorded"
_SERVING = "serving"


class SqlStore:
    """A FunctionStore. `async with SqlStore(url) as store`; raises SchemaError if the database is a newer one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine: Engine | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ingle-sql")
        try:
            await self._run(self._open)
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
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._dispose)
            thread.shutdown(wait=False)

    async def load_all(self) -> list[Function]:
        return await self._transaction(_load_all)

    async def insert(self, function: Function) -> None:
        await self._transaction(lambda connection: _insert(connection, function))

    async def save(self, function: Function) -> None:
        await self._transaction(lambda connection: _save(connection, function))

    async def delete(self, key: FunctionKey) -> None:
        await self._transaction(lambda connection: _delete(connection, key))

    async def _transaction(self, work: Callable[[Connection], _Result]) -> _Result:
        def transact() -> _Result:
            assert self._engine is not None, "the thread runs nothing before _open"
            with self._engine.begin() as connection:
                return work(connection)

        return await self._run(transact)

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        if self._thread is None:
            raise StorageUnavailable("The database is closed.")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except SQLAlchemyError as error:
            raise named_error(error) from error

    def _open(self) -> None:
        self._engine = open_engine(self._url)
        with self._engine.begin() as connection:
            bring_to_head(connection, self._back_up)

    def _back_up(self, revision: str) -> None:
        """Keeps the database as it was before an upgrade. A server database is its administrator's to back up."""
        url = make_url(self._url)
        if url.get_backend_name() != sqlite_dialect.name or not url.database:
            return
        database = Path(url.database)
        backups = database.parent / "backups"
        backups.mkdir(mode=0o700, exist_ok=True)
        copy_database(database, backups / f"schema-{revision}.db")

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _of(table: Table, key: FunctionKey) -> ColumnElement[bool]:
    return and_(table.c.account == key.account, table.c.region == key.region, table.c.name == key.name)


def _key_columns(key: FunctionKey) -> dict[str, str]:
    return {"account": key.account, "region": key.region, "name": key.name}


def _load_all(connection: Connection) -> list[Function]:
    rows = connection.execute(select(versions).where(versions.c.version == LATEST))
    found = {(row.account, row.region, row.name, row.role): row for row in rows}
    order = (functions.c.account, functions.c.region, functions.c.name)
    return [_function(row, found) for row in connection.execute(select(functions).order_by(*order))]


def _function(row: Row[Any], found: dict[tuple[str, str, str, str], Row[Any]]) -> Function:
    identity = (row.account, row.region, row.name)
    key = FunctionKey(account=row.account, region=row.region, name=row.name)
    latest = _version(key, found[*identity, _RECORDED])
    if row.serving == "own":
        return Function(key=key, latest=latest, serving=_version(key, found[*identity, _SERVING]))
    return Function(key=key, latest=latest, serving=latest if row.serving == "latest" else None)


def _version(key: FunctionKey, row: Row[Any]) -> Version:
    return from_document(key, row.version, row.document)


def _insert(connection: Connection, function: Function) -> None:
    try:
        connection.execute(functions.insert().values(**_key_columns(function.key), serving=_serving(function)))
    except IntegrityError:
        raise RecordExists(f"Function {function.key.name} exists.") from None
    connection.execute(versions.insert(), _rows(function))


def _save(connection: Connection, function: Function) -> None:
    update = functions.update().where(_of(functions, function.key)).values(serving=_serving(function))
    if connection.execute(update).rowcount == 0:
        raise RecordNotFound(f"Function {function.key.name} does not exist.")
    connection.execute(delete(versions).where(_of(versions, function.key), versions.c.version == LATEST))
    connection.execute(versions.insert(), _rows(function))


def _delete(connection: Connection, key: FunctionKey) -> None:
    connection.execute(delete(versions).where(_of(versions, key)))
    connection.execute(delete(functions).where(_of(functions, key)))


def _serving(function: Function) -> str:
    if function.serving is None:
        return "none"
    return "latest" if function.serving == function.latest else "own"


def _rows(function: Function) -> Sequence[dict[str, Any]]:
    rows = [_row(function.latest, _RECORDED)]
    if function.serving is not None and _serving(function) == "own":
        rows.append(_row(function.serving, _SERVING))
    return rows


def _row(version: Version, role: str) -> dict[str, Any]:
    return {
        **_key_columns(version.key),
        "version": version.version,
        "role": role,
        "revision_id": version.revision_id,
        "serial": version.serial,
        "state": version.state.value,
        "document": to_document(version),
    }
