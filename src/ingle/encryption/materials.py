"""The secret bytes of KMS keys, as they are stored: wrapped under the master key, each bound to its own place."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field

from ingle.encryption.aead import KEY_BYTES
from ingle.encryption.master import Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedMaterial:
    """`id` is 64 hexadecimal digits, as AWS's KeyMaterialId."""

    id: str
    wrapped: bytes = field(repr=False)


def generate(ring: Keyring, key_id: str) -> WrappedMaterial:
    """New random material for the key `key_id`."""
    material_id = secrets.token_hex(32)
    return WrappedMaterial(id=material_id, wrapped=ring.wrap(os.urandom(KEY_BYTES), _place(key_id, material_id)))


def unwrap(ring: Keyring, key_id: str, material_id: str, wrapped: bytes) -> bytes:
    """The secret bytes. Raises MasterKeyMissing, and Undecipherable for what belongs elsewhere."""
    return ring.unwrap(wrapped, _place(key_id, material_id))


def rewrap(ring: Keyring, key_id: str, material_id: str, wrapped: bytes) -> bytes:
    """The same material under the ring's current key. Raises what `unwrap` does."""
    return ring.rewrap(wrapped, _place(key_id, material_id))


def _place(key_id: str, material_id: str) -> bytes:
    return f"kms key material\x00{key_id}\x00{material_id}".encode()
