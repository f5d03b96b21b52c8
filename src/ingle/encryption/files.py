"""Whole files, encrypted piece by piece under the master key.

    "ingle sealed file 1\n" | length of the wrapped key (2) | wrapped key | pieces

Each piece is one mebibyte sealed, the last one shorter or empty; its number, and whether it is the last, are bound to
it, so that none can be left out, moved or added.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ingle.encryption.aead import KEY_BYTES, OVERHEAD, Undecipherable, seal, unseal
from ingle.encryption.master import Keyring

_MAGIC = b"ingle sealed file 1\n"
_CONTEXT = b"sealed file"
_PIECE = 1 << 20


def seal_file(source: Path, destination: Path, ring: Keyring) -> None:
    """Writes an encrypted copy, durably, that its owner alone can read. Blocks. Raises OSError."""
    key = os.urandom(KEY_BYTES)
    wrapped = ring.wrap(key, _CONTEXT)
    descriptor = os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(source, "rb") as reader, open(descriptor, "wb") as writer:
        writer.write(_MAGIC + len(wrapped).to_bytes(2, "big") + wrapped)
        for number, piece, last in _pieces(reader, _PIECE):
            writer.write(seal(key, piece, _place(number, last=last)))
        writer.flush()
        os.fsync(writer.fileno())


def unseal_file(source: Path, destination: Path, ring: Keyring) -> None:
    """The inverse. `destination` must not exist, and does not if this fails.

    Blocks. Raises Undecipherable, MasterKeyMissing, OSError.
    """
    with open(source, "rb") as reader:
        if reader.read(len(_MAGIC)) != _MAGIC:
            raise Undecipherable
        length = int.from_bytes(reader.read(2), "big")
        key = ring.unwrap(reader.read(length), _CONTEXT)
        descriptor = os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as writer:
                for number, piece, last in _pieces(reader, _PIECE + OVERHEAD):
                    writer.write(unseal(key, piece, _place(number, last=last)))
        except BaseException:  # nothing half-done stays, whatever interrupted it; raised again
            destination.unlink()
            raise


def _pieces(reader: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Number, content, and whether it is the last: at least one of them, and the last one is shorter than `size`."""
    number = 0
    while True:
        piece = reader.read(size)
        yield number, piece, len(piece) < size
        if len(piece) < size:
            return
        number += 1


def _place(number: int, *, last: bool) -> bytes:
    return number.to_bytes(8, "big") + bytes([last])
