"""Removing what releases before schema 0009 left behind: environment variables in clear, outside of their rows.

An update only forgets old pages of a database. After the migration that encrypts, the database is written anew, its
write-ahead log is emptied, and copies that were made before migrations are encrypted under the master key. A marker
file is there from before the migration until all of this is done: an interruption is made up for at the next start.
Called by `sql`, in its worker thread. Blocks until done.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from pathlib import Path

from ingle.encryption.files import seal_file
from ingle.encryption.master import Keyring
from ingle.storage.files import sync_directory, write_atomically
from ingle.storage.layout import BACKUPS, DATABASE
from ingle.storage.sqlite_copy import copy_database

#: The first schema without environment variables in clear.
SEALED = "0009"
SUFFIX = ".sealed"
_MARKER = ".scrubbing"
_COPY = re.compile(r"schema-(\d{4})\.db(\.part)?(-journal|-wal|-shm)?")
_OVERWRITTEN = 1 << 20

_log = logging.getLogger("storage")


def begin(database: Path) -> None:
    """From now on `finish` has something to do. Called before a database of an older schema is touched."""
    write_atomically(database.with_name(database.name + _MARKER), b"")


def is_due(database: Path) -> bool:
    return database.with_name(database.name + _MARKER).exists()


def back_up(database: Path, revision: str, ring: Keyring) -> None:
    """Keep the database as it was before an upgrade, encrypted: it may hold environment variables in clear."""
    backups = _backups(database)
    copy = backups / f"schema-{revision}.db"
    copy_database(database, copy)
    _seal(copy, ring)


def finish(database: Path, ring: Keyring, rewrite: Callable[[], bool]) -> None:
    """Remove what is left. `rewrite` writes the database anew and empties its log; False: it could not, now."""
    complete = rewrite()
    backups = _backups(database)
    for path in sorted(backups.iterdir()):
        match = _COPY.fullmatch(path.name)
        if match is not None and match[1] < SEALED:
            if match[2] or match[3]:
                erase(path)  # half a copy, or what belongs to one
            else:
                _seal(path, ring)
        elif path.is_dir() and (path / DATABASE).exists():
            _log.warning("the backup %s may hold environment variables in clear: make a new one, and remove it", path)
    if complete:
        database.with_name(database.name + _MARKER).unlink(missing_ok=True)
        sync_directory(database.parent)


def erase(path: Path) -> None:
    """Overwrite a file before it is removed, as far as the file system writes in place."""
    with open(path, "r+b") as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            left -= file.write(bytes(min(left, _OVERWRITTEN)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    sync_directory(path.parent)


def _seal(copy: Path, ring: Keyring) -> None:
    part = copy.with_name(f".{copy.name}{SUFFIX}.part")
    seal_file(copy, part, ring)
    part.rename(copy.with_name(copy.name + SUFFIX))
    sync_directory(copy.parent)
    erase(copy)


def _backups(database: Path) -> Path:
    backups = database.parent / BACKUPS
    backups.mkdir(mode=0o700, exist_ok=True)
    return backups
