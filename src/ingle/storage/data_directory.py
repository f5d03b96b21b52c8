"""The data directory: who may use it, what is where in it, and which format it has.

    <dir>/FORMAT       the format's number; written last, so a directory without it was never finished
    <dir>/lock         held with flock by the one server that uses the directory
    <dir>/ingle.db     functions, layers and KMS keys
    <dir>/metrics.db   metrics by the minute
    <dir>/events.db    asynchronous events that are not over
    <dir>/audit/       records of management calls
    <dir>/access.key   what secrets of access keys are sealed with, itself under the master key
    <dir>/blobs/       deployment packages and layers as they were uploaded
    <dir>/packages/    the same, extracted; can be made again from blobs
    <dir>/logs/        log segments
    <dir>/signing/     public keys of signing profiles, and what was revoked; written by the command line
    <dir>/backups/     copies made before a migration
    <dir>/master.key   the master key, unless the settings name another place (`master_key.finding`)
    <dir>/operator.sock  how `ingle keys` reaches the server (`master_key.channel`)

Opened by `app`; `backup` knows the layout too.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from ingle.storage.backup import copy_data
from ingle.storage.errors import DataDirectoryError, StorageError
from ingle.storage.files import write_atomically
from ingle.storage.layout import (
    ACCESS_KEY,
    AUDIT,
    BACKUPS,
    BINDINGS,
    BLOBS,
    COMPANION,
    DATABASE,
    EVENTS,
    FORMAT,
    LOCK,
    LOGS,
    METRICS,
    PACKAGES,
    SIGNING,
    read_format,
)

__all__ = ["DataDirectory", "DataDirectoryError", "Formats"]

#: May be in an otherwise empty directory: the root of a file system, or what an interrupted first start left.
_NOT_FOREIGN = frozenset({LOCK, "lost+found"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """The current format, and for each older one the function that turns a directory of it into the next."""

    current: int = 1
    migrations: Mapping[int, Callable[[Path], None]] = field(default_factory=dict)


class DataDirectory:
    """An open data directory. Use as a context manager: the lock lasts as long as the context."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def open(cls, path: Path, *, formats: Formats | None = None) -> Self:
        """Creates or opens `path`. Blocks. Raises DataDirectoryError with one line that says what is wrong."""
        path = Path(os.path.abspath(path))
        with _explained(path):
            _create(path)
            lock = _lock(path)
            try:
                _prepare(path, formats or Formats())
            except BaseException:
                os.close(lock)
                raise
        return cls(path, lock)

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.path / DATABASE}"

    @property
    def metrics_url(self) -> str:
        return f"sqlite:///{self.path / METRICS}"

    @property
    def events_url(self) -> str:
        return f"sqlite:///{self.path / EVENTS}"

    @property
    def audit(self) -> Path:
        return self.path / AUDIT

    @property
    def bindings(self) -> Path:
        return self.path / BINDINGS

    @property
    def access_key(self) -> Path:
        return self.path / ACCESS_KEY

    @property
    def companion(self) -> Path:
        return self.path / COMPANION

    @property
    def packages(self) -> Path:
        return self.path / PACKAGES

    @property
    def blobs(self) -> Path:
        return self.path / BLOBS

    @property
    def logs(self) -> Path:
        return self.path / LOGS

    @property
    def signing(self) -> Path:
        return self.path / SIGNING

    def close(self) -> None:
        """Lets another server have the directory. Idempotent."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise DataDirectoryError(f"The data directory {path} is not writable ({error.strerror}).") from error
        raise DataDirectoryError(f"The data directory {path} cannot be used ({error.strerror}).") from error
    except DataDirectoryError:
        raise
    except StorageError as error:
        raise DataDirectoryError(f"The data directory {path} cannot be used ({error})") from error


def _create(path: Path) -> None:
    if "?" in str(path):
        raise DataDirectoryError(f"The data directory {path} cannot be used: its path contains a question mark.")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise DataDirectoryError(f"The data directory {path} is not a directory.") from None
    if not (path / FORMAT).exists():
        foreign = sorted(name for name in os.listdir(path) if name not in _NOT_FOREIGN and not name.endswith(".part"))
        if foreign and not _unfinished(path, foreign):
            raise DataDirectoryError(f"The directory {path} is not empty and is not a data directory of Ingle.")


def _unfinished(path: Path, names: list[str]) -> bool:
    """Whether the directory is one whose first start was interrupted before FORMAT was written."""
    return (path / LOCK).exists() and set(names) <= {BLOBS, PACKAGES, LOGS, SIGNING, BACKUPS}


def _lock(path: Path) -> int:
    """Takes the lock. The kernel releases it when the process ends, however it ends."""
    lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise DataDirectoryError(
            f"The data directory {path} is in use by another Ingle server (process {holder})."
        ) from None
    except BaseException:
        os.close(lock)
        raise
    return lock


def _prepare(path: Path, formats: Formats) -> None:
    lock = path / LOCK
    lock.write_text(f"{os.getpid()}\n")
    write_atomically(path / ".writable", b"")
    (path / ".writable").unlink()
    found = read_format(path)
    if found is None:
        path.chmod(0o700)
    else:
        _migrate(path, found, formats)
    for name in (BLOBS, PACKAGES, LOGS, SIGNING, BACKUPS):
        (path / name).mkdir(mode=0o755 if name == PACKAGES else 0o700, exist_ok=True)
    if found is None:
        _write_format(path, formats.current)


def _migrate(path: Path, found: int, formats: Formats) -> None:
    if found > formats.current:
        raise DataDirectoryError(
            f"The data directory {path} has format {found}; this release of Ingle knows up to {formats.current}."
        )
    if found == formats.current:
        return
    missing = [number for number in range(found, formats.current) if number not in formats.migrations]
    if missing:
        raise DataDirectoryError(f"The data directory {path} has format {found}, too old for this release of Ingle.")
    _keep_copy(path, found)
    for number in range(found, formats.current):
        formats.migrations[number](path)
        _write_format(path, number + 1)


def _keep_copy(path: Path, found: int) -> None:
    """A copy under a name of its own: a migration that was interrupted and runs again keeps the first copy."""
    backups = path / BACKUPS
    backups.mkdir(mode=0o700, exist_ok=True)
    attempt = 1
    while (copy := backups / f"format-{found}.{attempt}").exists():
        attempt += 1
    copy_data(path, copy)


def _write_format(path: Path, number: int) -> None:
    write_atomically(path / FORMAT, f"{number}\n".encode())
