"""Master keys: what everything else that is secret in a data directory is encrypted under, and never stored in it.

A ring holds the current key and former ones, which only read. Texts of keys are never part of an error or a repr.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from ingle.encryption.aead import KEY_BYTES, Undecipherable, seal, unseal

_ID_BYTES = 8
_VERSION = b"\x01"
_HEADER = len(_VERSION) + _ID_BYTES


class MasterKeyError(Exception):
    """There is no usable master key; the message is one line for the person at the keyboard."""


class MasterKeyMissing(MasterKeyError):
    """Something is encrypted under a master key that is not in the ring."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"The master key {key_id}, which the data directory is encrypted under, is missing.")
        self.key_id = key_id


@dataclass(frozen=True, slots=True)
class MasterKey:
    """`id` is 16 hexadecimal digits that follow from the bytes and do not give them away."""

    material: bytes = field(repr=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        if len(self.material) != KEY_BYTES:
            raise MasterKeyError(f"A master key has {KEY_BYTES} bytes.")
        digest = hashlib.sha256(b"ingle master key id\x00" + self.material).digest()
        object.__setattr__(self, "id", digest[:_ID_BYTES].hex())

    @classmethod
    def generate(cls) -> Self:
        return cls(os.urandom(KEY_BYTES))

    @property
    def text(self) -> str:
        """The key as files and variables hold it."""
        return base64.b64encode(self.material).decode()


@dataclass(frozen=True, slots=True)
class Keyring:
    """Master keys, the current one first."""

    keys: tuple[MasterKey, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Keys in base64, separated by blanks or line ends; a line that begins with # is a remark.

        Raises MasterKeyError.
        """
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        return cls.of(" ".join(lines).split())

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Raises MasterKeyError."""
        if not texts:
            raise MasterKeyError("There is no master key.")
        try:
            keys = [MasterKey(base64.b64decode(text, validate=True)) for text in texts]
        except (binascii.Error, ValueError):
            raise MasterKeyError(f"A master key is {KEY_BYTES} bytes in base64.") from None
        return cls(tuple({key.id: key for key in keys}.values()))

    @property
    def current(self) -> MasterKey:
        return self.keys[0]

    @property
    def texts(self) -> list[str]:
        return [key.text for key in self.keys]

    def has(self, key_id: str) -> bool:
        return any(key.id == key_id for key in self.keys)

    def wrap(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypted under the current key; says under which, so that another can take its place."""
        key = self.current
        header = _VERSION + bytes.fromhex(key.id)
        return header + seal(key.material, plaintext, header + context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The inverse of `wrap`. Raises MasterKeyMissing, Undecipherable."""
        key_id = wrapped_under(wrapped)
        key = next((key for key in self.keys if key.id == key_id), None)
        if key is None:
            raise MasterKeyMissing(key_id)
        return unseal(key.material, wrapped[_HEADER:], wrapped[:_HEADER] + context)

    def rewrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The same under the current key. Raises what `unwrap` does."""
        if wrapped_under(wrapped) == self.current.id:
            return wrapped
        return self.wrap(self.unwrap(wrapped, context), context)


class MasterKeys:
    """The ring that a server uses now: the one place that changes when the master key is rotated."""

    __slots__ = ("ring",)

    def __init__(self, ring: Keyring) -> None:
        self.ring = ring


def wrapped_under(wrapped: bytes) -> str:
    """The id of the master key. Raises Undecipherable for what `wrap` never made."""
    if len(wrapped) < _HEADER or not wrapped.startswith(_VERSION):
        raise Undecipherable
    return wrapped[len(_VERSION) : _HEADER].hex()
