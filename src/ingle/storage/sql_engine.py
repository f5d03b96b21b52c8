"""Connections to databases, and what can go wrong with them: the only place that knows a dialect."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.exc import SQLAlchemyError

from ingle.storage.errors import StorageError, StorageFull, StorageUnavailable


def open_engine(url: str, *, synchronous: str = "FULL") -> Engine:
    """An engine with one connection. `synchronous` NORMAL: a crash of the machine may cost the latest commits."""
    engine = create_engine(url, pool_size=1, max_overflow=0)
    if engine.dialect.name == sqlite_dialect.name:
        _sqlite(engine, synchronous)
    return engine


def _sqlite(engine: Engine, synchronous: str) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        # The driver would begin transactions by itself, and not before DDL: migrations would not be atomic.
        connection.isolation_level = None
        for pragma in ("busy_timeout=10000", "journal_mode=WAL", f"synchronous={synchronous}"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE: a transaction that reads first and writes later cannot fail half-way because another wrote.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def named_error(error: SQLAlchemyError) -> StorageError:
    """The error of this package for what SQLAlchemy raised."""
    original = getattr(error, "orig", None)
    if getattr(original, "sqlite_errorname", "") == "SQLITE_FULL":
        return StorageFull("No space left while writing the database.")
    return StorageUnavailable(f"The database failed: {str(original or error).splitlines()[0]}.")
