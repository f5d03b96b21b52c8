"""A consistent copy of a SQLite database that may be in use, also by another process."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ingle.storage.files import sync_directory, sync_file


def copy_database(source: Path, destination: Path) -> None:
    """Copies `source` as of one moment. Blocks; writers of the source go on meanwhile. Replaces `destination`.

    Raises sqlite3.Error and OSError.
    """
    part = destination.with_name(destination.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(source)) as reader, closing(sqlite3.connect(part)) as writer:
            reader.backup(writer)
        part.chmod(0o600)
        sync_file(part)
        part.rename(destination)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_directory(destination.parent)


def package_digests(database: Path) -> set[str]:
    """The packages that a database refers to. Blocks; for a copy that no server uses. Raises sqlite3.Error."""
    with closing(sqlite3.connect(database)) as connection:
        configurations = [document["configuration"] for document in _documents(connection, "versions")]
        layers = [layer for configuration in configurations for layer in configuration.get("layers", [])]
        holders = [*configurations, *layers, *_documents(connection, "layer_versions")]
        return {holder["package"]["digest"] for holder in holders}


def has_keys(database: Path) -> bool:
    """Whether a database holds KMS keys. Blocks; for one that no server uses."""
    if not database.exists():
        return False
    try:
        with closing(sqlite3.connect(database)) as connection:
            return bool(_has_table(connection, "kms_keys") and connection.execute("SELECT 1 FROM kms_keys").fetchone())
    except sqlite3.Error:
        return False  # whoever opens it for use says what is wrong with it


def _has_table(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None


def _documents(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """What a table holds; nothing where an older database has no such table."""
    if not _has_table(connection, table):
        return []
    return [json.loads(document) for (document,) in connection.execute(f"SELECT document FROM {table}")]
