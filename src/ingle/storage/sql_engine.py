"""Connections to databases, and what can go wrong with them: the only place that knows a dialect."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.exc import SQLAlchemyError

from ingle.storage.errors import StorageError, StorageFull, StorageUnavailable


def open_engine(url: str, *, synchronous: str = "FULL", erase: bool = False) -> Engine:
    """An engine with one connection. `synchronous` NORMAL: a crash of the machine may cost the latest commits.

    `erase`: what is deleted is overwritten, and not only forgotten.
    """
    engine = create_engine(url, pool_size=1, max_overflow=0)
    if engine.dialect.name == sqlite_dialect.name:
        _sqlite(engine, synchronous, erase)
    return engine


def _sqlite(engine: Engine, synchronous: str, erase: bool) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        # The driver would begin transactions by itself, and not before DDL: migrations would not be atomic.
        connection.isolation_level = None
        pragmas = ["busy_timeout=10000", "journal_mode=WAL", f"synchronous={synchronous}"]
        if erase:
            # Temporary files are not the server's to write, and would be one more place to look for secrets.
            pragmas += ["secure_delete=ON", "temp_store=MEMORY"]
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE: a transaction that reads first and writes later cannot fail half-way because another wrote.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def empty_log(engine: Engine) -> bool:
    """Move what the write-ahead log holds into the database, and the log's old contents out of the world.

    False if another process, which reads at this moment, kept it from that: the log is emptied when the database is
    closed, then.
    """
    if engine.dialect.name != sqlite_dialect.name:
        return True
    with _outside_transactions(engine) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy


def rewrite(engine: Engine) -> bool:
    """Write the database anew, without pages that are free and what they still hold, and empty its log.

    False if that could not be completed now.
    """
    if engine.dialect.name == sqlite_dialect.name:
        with _outside_transactions(engine) as connection:
            connection.execute("VACUUM").close()
    return empty_log(engine)


@contextmanager
def _outside_transactions(engine: Engine) -> Iterator[sqlite3.Connection]:
    """The driver's connection: SQLAlchemy's would begin a transaction first."""
    pooled = engine.raw_connection()
    try:
        driver = pooled.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        yield driver
    except sqlite3.Error as error:
        raise StorageUnavailable(f"The database failed: {str(error).splitlines()[0]}.") from error
    finally:
        pooled.close()


def named_error(error: SQLAlchemyError) -> StorageError:
    """The error of this package for what SQLAlchemy raised."""
    original = getattr(error, "orig", None)
    if getattr(original, "sqlite_errorname", "") == "SQLITE_FULL":
        return StorageFull("No space left while writing the database.")
    return StorageUnavailable(f"The database failed: {str(original or error).splitlines()[0]}.")
