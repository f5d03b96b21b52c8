"""Seals secrets with AES-256-GCM under a key in a file of its own, which is made when it is first needed.

The file is 32 random bytes, readable by the server's user alone. Without it what was sealed is lost; with it and the
database, secrets can be read. The library is imported late: most servers never seal anything.
"""

from __future__ import annotations

import secrets
from functools import cached_property
from pathlib import Path
from typing import Any

from ingle.domain.sealing import CannotOpen
from ingle.storage.errors import DataDirectoryError
from ingle.storage.files import write_atomically

_KEY_BYTES = 32
_NONCE_BYTES = 12


class FileSealer:
    """A `domain.sealing.Sealer`. Raises DataDirectoryError where the file is not what it should be."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def seal(self, secret: bytes, context: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed: bytes = self._cipher.encrypt(nonce, secret, context.encode())
        return nonce + sealed

    def open(self, sealed: bytes, context: str) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            opened: bytes = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError):
            raise CannotOpen(context) from None
        return opened

    @cached_property
    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._key())

    def _key(self) -> bytes:
        try:
            key = self._path.read_bytes()
        except FileNotFoundError:
            key = secrets.token_bytes(_KEY_BYTES)
            write_atomically(self._path, key)
        if len(key) != _KEY_BYTES:
            raise DataDirectoryError(f"The file {self._path} does not hold a key of {_KEY_BYTES} bytes.")
        return key
