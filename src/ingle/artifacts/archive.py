"""Reading a zip archive that a stranger made: its entries by kind, every name and size checked, no file written.

Limits are on declared sizes; reading an entry never yields more than it declared, so they bound the real sizes too.
Used by `packages` (inspection) and `unzip` (extraction).
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import IO

from ingle.artifacts.errors import (
    CorruptPackage,
    EmptyPackage,
    EncryptedPackage,
    NotAZip,
    TooManyEntries,
    UnsafePackage,
    UnsupportedCompression,
    UnzippedTooLarge,
)

#: Bytes; source: AWS Lambda quotas, "deployment package size, unzipped".
MAX_UNZIPPED = 262_144_000
#: More than the largest real packages have; bounds the memory that an archive's directory takes, about 60 MB.
MAX_ENTRIES = 65_536
_MAX_PATH = 4096 - 256  # PATH_MAX less the path of the tree itself
_MAX_NAME = 255
#: Directories within each other. Real packages have a dozen; what walks and removes trees recurses.
_MAX_DEPTH = 256
_MAX_LINK = 4095
#: No deflate stream expands further than 1,032 times.
_MAX_RATIO = 1032
_CHUNK = 256 * 1024

_END = b"PK\x05\x06"
_END_SIZE = 22
_ENTRY = b"PK\x01\x02"
_EXTENDED_TIME = 0x5455


class EntryKind(Enum):
    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`path` is relative, normalised and below the root; `mode` has permission bits only; `mtime` is in seconds."""

    path: str
    kind: EntryKind
    mode: int
    mtime: int
    info: zipfile.ZipInfo


@contextmanager
def open_archive(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """Raises NotAZip and TooManyEntries."""
    _bound_directory(file)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, struct.error, ValueError, OverflowError, NotImplementedError, OSError) as error:
        raise NotAZip(f"Not a zip archive: {error}") from error
    with archive:
        yield archive


def entries(archive: zipfile.ZipFile, limit: int = MAX_UNZIPPED) -> list[Entry]:
    """All entries, checked against each other and against the limits. Raises PackageError of every kind."""
    infos = archive.infolist()
    if not infos:
        raise EmptyPackage("The archive has no entries.")
    if len(infos) > MAX_ENTRIES:
        raise TooManyEntries(f"The archive has {len(infos)} entries.")
    for info in infos:
        _check_stream(info)
    if sum(info.file_size for info in infos) > limit:
        raise UnzippedTooLarge(f"Unzipped size must be smaller than {limit} bytes.")
    found = [entry for info in infos if (entry := _entry(info)) is not None]
    _check_tree(found)
    return found


def chunks(archive: zipfile.ZipFile, entry: Entry) -> Iterator[bytes]:
    """The content of an entry, never more than it declares. Raises CorruptPackage at the end if the CRC is wrong."""
    left = entry.info.file_size
    try:
        with archive.open(entry.info) as file:
            while data := file.read(_CHUNK):
                left -= len(data)
                yield data
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, struct.error, ValueError) as error:
        raise CorruptPackage(f"Entry {entry.path!r} is corrupt: {error}") from error
    if left:
        raise CorruptPackage(f"Entry {entry.path!r} has another size than it declares.")


def link_target(archive: zipfile.ZipFile, entry: Entry) -> str:
    """Where a symbolic link points: any text that the file system takes, also outside of the tree."""
    if entry.info.file_size > _MAX_LINK:
        raise UnsafePackage(f"The symbolic link {entry.path!r} has a target that is too long.")
    target = b"".join(chunks(archive, entry))
    if not target or b"\0" in target:
        raise UnsafePackage(f"The symbolic link {entry.path!r} has no usable target.")
    return target.decode("utf-8", "surrogateescape")


def verify(archive: zipfile.ZipFile, found: Iterable[Entry]) -> None:
    """Reads everything once, so that extraction cannot fail later for the archive's sake."""
    for entry in found:
        if entry.kind is EntryKind.SYMLINK:
            link_target(archive, entry)
        else:
            for _ in chunks(archive, entry):
                pass


def _bound_directory(file: IO[bytes]) -> None:
    """Refuses a directory with too many entries before it is turned into objects."""
    size = file.seek(0, 2)
    start = max(0, size - _END_SIZE - 0xFFFF)
    file.seek(start)
    tail = file.read()
    end = len(tail) - _END_SIZE
    if end < 0 or not (tail.startswith(_END, end) and tail.endswith(b"\0\0")):
        end = tail.rfind(_END)
    if end < 0 or end + _END_SIZE > len(tail):
        raise NotAZip("Not a zip archive: it has no end of a central directory.")
    length = struct.unpack_from("<I", tail, end + 12)[0]
    begin = start + end - length
    # A length that only the 64-bit records tell is bounded by the whole file.
    file.seek(begin if begin >= 0 else 0)
    count = 0
    carry = b""
    while data := file.read(1024 * 1024):
        count += (carry + data).count(_ENTRY)
        carry = data[-3:]
        if count > MAX_ENTRIES:
            raise TooManyEntries(f"The archive has more than {MAX_ENTRIES} entries.")
    file.seek(0)


def _check_stream(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 0x2041:  # encrypted, strongly encrypted, masked local headers
        raise EncryptedPackage(f"Entry {info.filename!r} is encrypted.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnsupportedCompression(f"Entry {info.filename!r} has compression method {info.compress_type}.")
    if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
        raise CorruptPackage(f"Entry {info.filename!r} is stored with two sizes.")
    if info.file_size > (info.compress_size + 1) * _MAX_RATIO:
        raise CorruptPackage(f"Entry {info.filename!r} declares a size that cannot be compressed so far.")


def _entry(info: zipfile.ZipInfo) -> Entry | None:
    """None for an entry that is the root itself ("./")."""
    bits = info.external_attr >> 16
    kind = _kind(info, bits)
    path = _path(info.orig_filename)
    if not path:
        if kind is not EntryKind.DIRECTORY:
            raise UnsafePackage(f"Entry {info.orig_filename!r} has no name.")
        return None
    default = 0o755 if kind is EntryKind.DIRECTORY else 0o644
    return Entry(path=path, kind=kind, mode=_permissions(bits, default), mtime=_mtime(info), info=info)


def _permissions(bits: int, default: int) -> int:
    """Permission bits as the archive has them. A mode without a file type was not taken from a file system: a program
    made it up (Python's `ZipFile.writestr` says 0600), so everybody may read the entry in any case."""
    if not bits:
        return default
    return bits & 0o777 if stat.S_IFMT(bits) else (bits & 0o777) | default & 0o555


def _kind(info: zipfile.ZipInfo, bits: int) -> EntryKind:
    form = stat.S_IFMT(bits)
    if info.orig_filename.endswith("/") and form in (0, stat.S_IFDIR, stat.S_IFREG):
        return EntryKind.DIRECTORY
    kinds = {
        0: EntryKind.FILE,
        stat.S_IFREG: EntryKind.FILE,
        stat.S_IFDIR: EntryKind.DIRECTORY,
        stat.S_IFLNK: EntryKind.SYMLINK,
    }
    if form not in kinds:
        raise UnsafePackage(f"Entry {info.orig_filename!r} is a special file.")
    return kinds[form]


def _path(name: str) -> str:
    if "\0" in name or "\\" in name:
        raise UnsafePackage(f"Entry {name!r} has a name with a backslash or a NUL.")
    if name.startswith("/") or (len(name) >= 2 and name[1] == ":" and name[0].isalpha()):
        raise UnsafePackage(f"Entry {name!r} has an absolute name.")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UnsafePackage(f"Entry {name!r} has a name that leaves the package.")
    try:
        lengths = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        raise UnsafePackage("An entry has a name that is no text.") from None
    if any(length > _MAX_NAME for length in lengths) or sum(lengths) + len(lengths) > _MAX_PATH:
        raise UnsafePackage(f"Entry {name[:80]!r} has a name that is too long.")
    if len(parts) > _MAX_DEPTH:
        raise UnsafePackage(f"Entry {name[:80]!r} is too deep.")
    return "/".join(parts)


def _check_tree(found: Iterable[Entry]) -> None:
    """Every path once, and below directories only: never below a file, and never through a symbolic link."""
    kinds: dict[str, EntryKind] = {}
    for entry in found:
        repeated = kinds.get(entry.path)
        if repeated is not None and not (repeated is entry.kind is EntryKind.DIRECTORY):
            raise UnsafePackage(f"Entry {entry.path!r} is there twice.")
        kinds[entry.path] = entry.kind
    parents = {entry.path.rpartition("/")[0] for entry in found}
    checked: set[str] = {""}
    for parent in parents:
        while parent not in checked:
            if kinds.get(parent, EntryKind.DIRECTORY) is not EntryKind.DIRECTORY:
                raise UnsafePackage(f"Entry {parent!r} is used as a directory and is none.")
            checked.add(parent)
            parent = parent.rpartition("/")[0]


def _mtime(info: zipfile.ZipInfo) -> int:
    """The exact time where the archive has it (extended timestamp), else the DOS time read as UTC; seconds."""
    at = 0
    extra = info.extra
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == _EXTENDED_TIME and size >= 5 and at + 9 <= len(extra) and extra[at + 4] & 1:
            return int(struct.unpack_from("<i", extra, at + 5)[0])
        at += 4 + size
    try:
        return int(datetime(*info.date_time, tzinfo=UTC).timestamp())
    except ValueError:
        return 0
