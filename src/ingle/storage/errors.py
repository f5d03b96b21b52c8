"""Errors of storage, one tree. Every message is one line that can be shown to the person at the keyboard.

StorageError
├── DataDirectoryError     the data directory cannot be used (taken, unwritable, newer format, ...)
│   └── SchemaError        the database in it belongs to another release
├── BackupError            a backup cannot be made there, or from that
├── StorageFull            no space left; nothing was left behind
├── StorageUnavailable     the database or a file failed otherwise
├── RecordExists           insert of a key that is there
├── RecordNotFound         save of a key that is not
├── BlobError
│   ├── BlobNotFound
│   └── BlobCorrupt        content and digest disagree
└── LogError
    ├── LogGroupExists
    ├── LogGroupNotFound
    ├── LogStreamExists
    ├── LogStreamNotFound
    └── BadPosition        a resume position that this store never gave out
"""

from __future__ import annotations

import errno

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class StorageError(Exception):
    """Base of all errors of this package."""


class DataDirectoryError(StorageError):
    """The data directory cannot be used; the message says why in one line."""


class SchemaError(DataDirectoryError):
    """The database was written by a release that this one does not know."""


class BackupError(StorageError):
    """A backup cannot be made."""


class StorageFull(StorageError):
    """No space left on the device, or the quota is used up."""


class StorageUnavailable(StorageError):
    """The database or a file refused to work, for another reason than space."""


class RecordExists(StorageError):
    """There is a record with this key already."""


class RecordNotFound(StorageError):
    """There is no record with this key."""


class BlobError(StorageError):
    """Base of blob errors."""


class BlobNotFound(BlobError):
    """No blob has this digest."""


class BlobCorrupt(BlobError):
    """The content does not have the digest that names it."""


class LogError(StorageError):
    """Base of log errors."""


class LogGroupExists(LogError):
    """There is a log group of this name."""


class LogGroupNotFound(LogError):
    """There is no log group of this name."""


class LogStreamExists(LogError):
    """There is a log stream of this name."""


class LogStreamNotFound(LogError):
    """There is no log stream of this name."""


class BadPosition(LogError):
    """The text is not a position of a log event."""


def of_os_error(error: OSError, what: str) -> StorageError:
    """The named error for `error`, which happened while doing `what`."""
    if error.errno in NO_SPACE:
        return StorageFull(f"No space left while {what}.")
    return StorageUnavailable(f"Failed while {what}: {error.strerror or error}.")
