"""What a KMS key makes of a plaintext: opaque to callers, and it says which key and which of its materials made it.

    version (1) | key id (16) | material (8) | salt (16) | nonce (12) | ciphertext | tag (16)

Every ciphertext has an AES key of its own, derived from the material and the salt, as in AWS's KMS: random nonces
never come near their limit, however much a key encrypts. Everything before the nonce and the encryption context are
bound to the ciphertext.
"""

from __future__ import annotations

import hmac
import os
import uuid
from collections.abc import Mapping

from ingle.encryption.aead import OVERHEAD, Undecipherable, seal, unseal

_VERSION = b"\x01"
_ID_BYTES = 16
_MATERIAL_BYTES = 8
_SALT_BYTES = 16
_MATERIAL = len(_VERSION) + _ID_BYTES
_SALT = _MATERIAL + _MATERIAL_BYTES
_HEADER = _SALT + _SALT_BYTES
_PURPOSE = b"ingle kms ciphertext\x00"


def encrypt(
    key_id: str, material_id: str, material: bytes, plaintext: bytes, context: Mapping[str, str]
) -> bytes:  # fmt: skip
    """`key_id` is a UUID, `material_id` hexadecimal digits, `material` 32 secret bytes."""
    start = _VERSION + uuid.UUID(key_id).bytes + bytes.fromhex(material_id)[:_MATERIAL_BYTES]
    header = start + os.urandom(_SALT_BYTES)
    return header + seal(_derived(material, header), plaintext, header + canonical(context))


def decrypt(material: bytes, ciphertext: bytes, context: Mapping[str, str]) -> bytes:
    """The plaintext, if `material` is the one that `origin` names. Raises Undecipherable."""
    header = ciphertext[:_HEADER]
    return unseal(_derived(material, header), ciphertext[_HEADER:], header + canonical(context))


def origin(ciphertext: bytes) -> tuple[str, str]:
    """The id of the key, and how the id of its material begins. Raises Undecipherable for what was not made here."""
    if len(ciphertext) < _HEADER + OVERHEAD or not ciphertext.startswith(_VERSION):
        raise Undecipherable
    return str(uuid.UUID(bytes=ciphertext[len(_VERSION) : _MATERIAL])), ciphertext[_MATERIAL:_SALT].hex()


def canonical(context: Mapping[str, str]) -> bytes:
    """An encryption context as bytes: the same for the same pairs in any order, and for no others."""
    parts: list[bytes] = []
    for name in sorted(context):
        for text in (name, context[name]):
            encoded = text.encode("utf-8", "surrogatepass")
            parts += [len(encoded).to_bytes(4, "big"), encoded]
    return b"".join(parts)


def _derived(material: bytes, header: bytes) -> bytes:
    return hmac.digest(material, _PURPOSE + header, "sha256")
