"""Seals secrets with AES-256-GCM under a key of its own, which is in a file that the master key encrypts.

The file is made when it is first needed. Copies of the data directory have it, and not the master key: without that one
it opens nothing.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from threading import Lock

from ingle.domain.sealing import CannotOpen
from ingle.encryption.aead import KEY_BYTES, Undecipherable, seal, unseal
from ingle.encryption.master import Keyring, MasterKeyMissing, MasterKeys
from ingle.storage.errors import DataDirectoryError
from ingle.storage.files import write_atomically

_CONTEXT = b"ingle access key file"


class FileSealer:
    """A `domain.sealing.Sealer`, for any thread. Raises DataDirectoryError where the file is not what it should be."""

    def __init__(self, path: Path, master: MasterKeys) -> None:
        self._path = path
        self._master = master
        #: Two threads must not make the key at one time.
        self._lock = Lock()
        self._made: bytes | None = None

    def seal(self, secret: bytes, context: str) -> bytes:
        return seal(self._key, secret, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        try:
            return unseal(self._key, sealed, context.encode())
        except (Undecipherable, ValueError):
            raise CannotOpen(context) from None

    def use_ring(self, ring: Keyring) -> None:
        """Put the file, if there is one, under the current master key. Blocks. Raises DataDirectoryError."""
        if self._path.exists():
            wrapped = self._path.read_bytes()
            try:
                again = ring.rewrap(wrapped, _CONTEXT)
            except (MasterKeyMissing, Undecipherable, ValueError) as error:
                raise self._unusable() from error
            if again != wrapped:
                write_atomically(self._path, again)

    @property
    def _key(self) -> bytes:
        with self._lock:
            if self._made is None:
                self._made = self._read()
            return self._made

    def _read(self) -> bytes:
        try:
            wrapped = self._path.read_bytes()
        except FileNotFoundError:
            key = secrets.token_bytes(KEY_BYTES)
            write_atomically(self._path, self._master.ring.wrap(key, _CONTEXT))
            return key
        try:
            return self._master.ring.unwrap(wrapped, _CONTEXT)
        except (MasterKeyMissing, Undecipherable, ValueError) as error:
            raise self._unusable() from error

    def _unusable(self) -> DataDirectoryError:
        return DataDirectoryError(
            f"The file {self._path} cannot be opened with the master key that is given; access keys and test events "
            "depend on it."
        )
