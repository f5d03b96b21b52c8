"""A consistent copy of a data directory, made beside a server that uses it, from any process.

Consistency rests on three facts: each database copies itself as of one moment; blobs never change and are there before
a record names them; log segments only grow, and a torn last record is ignored by whoever opens them.
Called by `ingle backup` and before a migration.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

from ingle.storage.blobs import blob_path
from ingle.storage.errors import BackupError, DataDirectoryError, of_os_error
from ingle.storage.files import sync_directory, sync_file, write_atomically
from ingle.storage.layout import (
    ACCESS_KEY,
    AUDIT,
    BACKUPS,
    BINDINGS,
    BLOBS,
    DATABASE,
    EVENTS,
    FORMAT,
    LOGS,
    METRICS,
    SIGNING,
    read_format,
)
from ingle.storage.sqlite_copy import copy_database, package_digests

#: A record that is deleted between the copy of the database and of the blobs can take its blob along: copy again.
_ATTEMPTS = 5


def backup(data_dir: Path, destination: Path) -> None:
    """Copies the data directory to `destination`, which must be missing or empty and then is a data directory itself.

    Blocks. Extracted packages are left out: they are made again from blobs. Raises BackupError, with one line, and
    StorageFull; in both cases removes what it wrote.
    """
    data_dir, destination = Path(os.path.abspath(data_dir)), Path(os.path.abspath(destination))
    try:
        format_number = read_format(data_dir)
    except DataDirectoryError as error:
        raise BackupError(str(error)) from error
    except OSError as error:
        raise BackupError(f"The data directory {data_dir} cannot be read ({error.strerror}).") from error
    if format_number is None:
        raise BackupError(f"{data_dir} is not a data directory of Ingle.")
    _check_destination(data_dir, destination)
    copy_data(data_dir, destination)


def copy_data(source: Path, destination: Path) -> None:
    """The copy itself, without checks. `destination` gets its FORMAT last: an unfinished copy is no data directory."""
    try:
        existed = destination.exists()
        destination.mkdir(mode=0o700, parents=True, exist_ok=True)
        destination.chmod(0o700)
        try:
            _copy(source, destination)
        except BaseException:
            _discard(destination, keep=existed)
            raise
    except OSError as error:
        raise of_os_error(error, f"copying {source} to {destination}") from error
    except sqlite3.Error as error:
        raise BackupError(f"The database in {source} cannot be copied ({error}).") from error


def _check_destination(data_dir: Path, destination: Path) -> None:
    inside = destination.resolve().is_relative_to(data_dir.resolve())
    if inside and not destination.resolve().is_relative_to((data_dir / BACKUPS).resolve()):
        raise BackupError(f"The destination {destination} is inside the data directory.")
    if destination.is_symlink() or (destination.exists() and not destination.is_dir()):
        raise BackupError(f"The destination {destination} exists and is not a directory.")
    try:
        if destination.exists() and any(destination.iterdir()):
            raise BackupError(f"The destination {destination} exists and is not empty.")
    except OSError as error:
        raise BackupError(f"The destination {destination} cannot be used ({error.strerror}).") from error


def _copy(source: Path, destination: Path) -> None:
    format_text = (source / FORMAT).read_bytes()
    for _ in range(_ATTEMPTS):
        _copy_tree(source / BLOBS, destination / BLOBS, again=False)
        if (source / DATABASE).exists():
            copy_database(source / DATABASE, destination / DATABASE)
        _copy_tree(source / BLOBS, destination / BLOBS, again=False)
        if not _missing_blobs(destination):
            break
    else:
        raise BackupError(f"The packages in {source} change too fast to be copied; try again.")
    for name in (METRICS, EVENTS):
        if (source / name).exists():
            copy_database(source / name, destination / name)
    for name in (ACCESS_KEY, BINDINGS):
        if (source / name).exists():
            _copy_file(source / name, destination / name)
    _copy_tree(source / LOGS, destination / LOGS, again=True)
    _copy_tree(source / AUDIT, destination / AUDIT, again=True)
    _copy_tree(source / SIGNING, destination / SIGNING, again=True)
    sync_directory(destination)
    write_atomically(destination / FORMAT, format_text)


def _missing_blobs(destination: Path) -> bool:
    if not (destination / DATABASE).exists():
        return False
    digests = package_digests(destination / DATABASE)
    return any(not blob_path(destination / BLOBS, digest).exists() for digest in digests)


def _copy_tree(source: Path, destination: Path, *, again: bool) -> None:
    """Copies files durably. Files that vanish meanwhile are left out; `again`: also those that were copied before."""
    destination.mkdir(mode=0o700, exist_ok=True)
    try:
        entries = sorted(os.scandir(source), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        target = destination / entry.name
        if entry.name.startswith("."):
            continue  # temporary, or being deleted
        if entry.is_dir(follow_symlinks=False):
            _copy_tree(Path(entry.path), target, again=again)
        elif entry.is_file(follow_symlinks=False) and (again or not target.exists()):
            _copy_file(Path(entry.path), target)
    sync_directory(destination)


def _copy_file(source: Path, destination: Path) -> None:
    part = destination.with_name(f".{destination.name}.part")
    try:
        shutil.copy2(source, part, follow_symlinks=False)
    except FileNotFoundError:
        part.unlink(missing_ok=True)
        return
    sync_file(part)
    part.rename(destination)


def _discard(destination: Path, *, keep: bool) -> None:
    for entry in os.scandir(destination):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
    if not keep:
        destination.rmdir()
