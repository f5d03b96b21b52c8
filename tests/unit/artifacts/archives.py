"""Zip archives for the tests, honest and otherwise."""

from __future__ import annotations

import io
import stat
import struct
import zipfile

_ARCHIVE = 0x20  # a DOS attribute: without any, zipfile would set a mode of its own
FILE = stat.S_IFREG | 0o644


def make_zip(*members: tuple[str, bytes] | tuple[str, bytes, int], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Members are (name, content[, mode]); names are taken as they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content, *mode in members:
            info = zipfile.ZipInfo("x", date_time=(2024, 2, 29, 12, 0, 2))
            info.filename = name
            info.create_system = 3
            info.external_attr = ((mode[0] if mode else FILE) << 16) | _ARCHIVE
            info.compress_type = compression
            archive.writestr(info, content)
    return buffer.getvalue()


def patch_directory(data: bytes, offset: int, form: str, value: int) -> bytes:
    """Changes one field of the first entry of the central directory, at `offset` in its record."""
    at = data.index(b"PK\x01\x02") + offset
    patched = bytearray(data)
    struct.pack_into(form, patched, at, value)
    return bytes(patched)


UNCOMPRESSED_SIZE = 24
COMPRESSION = 10
FLAGS = 8
CRC = 16
