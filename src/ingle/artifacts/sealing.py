"""Where a signature is in a package: the last entry of the zip, put there so that it can be taken out exactly.

A sealed zip is the original with one entry more: behind its last file, and last in its directory. What `sealed` adds
has one form only, so `unsealed` finds the original byte for byte or refuses: no byte of a sealed zip can be changed
without changing the seal's content or the original. That covers names, contents, modes, times, comments and gaps alike.
Knows no keys; `artifacts.signatures` does. Everything blocks; nothing is decompressed.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass

from ingle.artifacts.archive import entries, open_archive, verify
from ingle.artifacts.errors import AlreadySealed, BrokenSeal, PackageError, UnsupportedArchive

#: The entry, as extraction names it. It stays in the package, as AWS Signer's does.
NAME = "META-INF/ingle-signature-v1"
#: Bytes of the seal's content.
MAX_CONTENT = 4096

_NAME = NAME.encode("ascii")
_LOCAL = struct.Struct("<4s5H3L2H")
_RECORD = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"
_MAX_COMMENT = 0xFFFF
#: 1 January 1980, the first day that zip knows.
_DAY = 0x0021
_RECORD_SIZE = _RECORD.size + len(_NAME)
_CONTENT_AT = _LOCAL.size + len(_NAME)
_FILE_OF_UNIX = 3 << 8 | 20
_MODE = 0o100644 << 16
_MOST_ENTRIES = 0xFFFF - 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsealed:
    """What is in a sealed zip: the seal's content, and the lower-case hex SHA-256 of the original zip."""

    content: bytes
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """The end of a zip's directory. `at`: where this record is; directory and record touch."""

    at: int
    count: int
    directory: int  # where it begins
    comment: bytes

    @staticmethod
    def of(zip_bytes: bytes) -> _End | None:
        """None for what is no zip, and for one with gaps, several disks or 64-bit records."""
        at = zip_bytes.rfind(_END_MAGIC, max(0, len(zip_bytes) - _END.size - _MAX_COMMENT))
        if at < 0 or at + _END.size > len(zip_bytes):
            return None
        _, disk, first, here, total, size, directory, comment = _END.unpack_from(zip_bytes, at)
        plain = disk == first == 0 and here == total and directory + size == at
        if not plain or at + _END.size + comment != len(zip_bytes):
            return None
        return _End(at=at, count=total, directory=directory, comment=zip_bytes[at + _END.size :])

    def with_directory(self, count: int, directory: int, size: int) -> bytes:
        """This record for a zip of another directory."""
        head = _END.pack(_END_MAGIC, 0, 0, count, count, size, directory, len(self.comment))
        return head + self.comment


def digest(zip_bytes: bytes) -> str:
    return hashlib.sha256(zip_bytes).hexdigest()


def sealed(zip_bytes: bytes, content: bytes) -> bytes:
    """`zip_bytes` with a seal. Raises PackageError: for what cannot be deployed, and for what has a seal already."""
    before = _names(zip_bytes)
    if NAME in before:
        raise AlreadySealed("The package is signed already.")
    end = _End.of(zip_bytes)
    if end is None or end.count > _MOST_ENTRIES:
        raise UnsupportedArchive("The archive has gaps, 64-bit records or trailing bytes; pack it again.")
    local, record = _local(content), _record(content, end.directory)
    directory = zip_bytes[end.directory : end.at]
    last = end.with_directory(end.count + 1, end.directory + len(local), len(directory) + len(record))
    made = b"".join((zip_bytes[: end.directory], local, directory, record, last))
    if _names(made) != [*before, NAME] or unsealed(made).digest != digest(zip_bytes):
        raise UnsupportedArchive("The archive has a directory that cannot be added to; pack it again.")
    return made


def may_be_sealed(zip_bytes: bytes) -> bool:
    """False for what has certainly no seal. Costs one look at the directory."""
    end = _End.of(zip_bytes)
    return end is None or zip_bytes.find(_NAME, end.directory, end.at) >= 0


def has_seal(zip_bytes: bytes) -> bool:
    """Whether the zip has an entry of the seal's name, whatever is in it. False for what is no usable zip."""
    try:
        return NAME in _names(zip_bytes, check=False)
    except PackageError:
        return False


def unsealed(zip_bytes: bytes) -> Unsealed:
    """Takes a sealed zip apart. Raises BrokenSeal for everything that `sealed` does not make."""
    end = _End.of(zip_bytes)
    if end is None or end.count < 1 or end.at - end.directory < _RECORD_SIZE:
        raise BrokenSeal("The archive does not end with a seal.")
    at = end.at - _RECORD_SIZE
    fields = _RECORD.unpack_from(zip_bytes, at)
    size, start = fields[8], fields[16]
    if size > MAX_CONTENT or start + _CONTENT_AT + size != end.directory:
        raise BrokenSeal("The archive does not end with a seal.")
    content = zip_bytes[start + _CONTENT_AT : end.directory]
    if zip_bytes[start : end.directory] != _local(content) or zip_bytes[at : end.at] != _record(content, start):
        raise BrokenSeal("The seal is not as it was made.")
    original = hashlib.sha256(memoryview(zip_bytes)[:start])
    original.update(memoryview(zip_bytes)[end.directory : at])
    original.update(end.with_directory(end.count - 1, start, at - end.directory))
    return Unsealed(content=content, digest=original.hexdigest())


def _names(zip_bytes: bytes, *, check: bool = True) -> list[str]:
    """The paths of all entries in order; `check`: of a package that can be deployed. Raises PackageError."""
    with open_archive(io.BytesIO(zip_bytes)) as archive:
        found = entries(archive)
        if check:
            verify(archive, found)
        return [entry.path for entry in found]


def _local(content: bytes) -> bytes:
    """The seal as a file of the zip."""
    crc, size = zlib.crc32(content), len(content)
    head = _LOCAL.pack(b"PK\x03\x04", 20, 0, 0, 0, _DAY, crc, size, size, len(_NAME), 0)
    return head + _NAME + content


def _record(content: bytes, start: int) -> bytes:
    """The seal as an entry of the directory; `start` is where its file begins."""
    crc, size = zlib.crc32(content), len(content)
    head = _RECORD.pack(
        b"PK\x01\x02", _FILE_OF_UNIX, 20, 0, 0, 0, _DAY, crc, size, size, len(_NAME), 0, 0, 0, 0, _MODE, start
    )
    return head + _NAME
