"""AES-256-GCM: bytes that only the holder of a key can read, and that nobody can change or move elsewhere unnoticed."""

from __future__ import annotations

import os

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD = NONCE_BYTES + TAG_BYTES


class Undecipherable(Exception):
    """The key, the context or the bytes are not those of the encryption. Says nothing of any of them."""

    def __init__(self) -> None:
        super().__init__("the ciphertext cannot be deciphered")


def load() -> None:
    """Import the library: once and ahead of the first use, since that takes about 50 ms."""
    from cryptography.hazmat.primitives.ciphers import aead  # noqa: F401


def seal(key: bytes, plaintext: bytes, context: bytes) -> bytes:
    """Nonce, ciphertext and tag. `context` is bound to it: `unseal` needs the same."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, context)


def unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """The inverse of `seal`. Raises Undecipherable."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(sealed) < OVERHEAD:
        raise Undecipherable
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
    except InvalidTag:
        raise Undecipherable from None
