"""Encrypting and decrypting with keys: whether a caller may and a key can, and then the bytes.

Memory only, a few microseconds each, so that the start of an environment can wait for it. Used by KMS's cryptographic
operations and by what encrypts environment variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ingle.catalog.principal_names import PrincipalNames
from ingle.domain.kms import KeyMaterial, KeyState, KmsKey
from ingle.encryption import ciphertext
from ingle.encryption.aead import Undecipherable
from ingle.supporting.kms import access
from ingle.supporting.kms.access import Authority, KeyRequest
from ingle.supporting.kms.errors import (
    IncorrectKey,
    InvalidCiphertext,
    KmsError,
    disabled,
    pending_deletion,
    unknown_origin,
)
from ingle.supporting.kms.records import KeyRecords

Context = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A plaintext, and what had encrypted it."""

    plaintext: bytes
    key: KmsKey
    material: KeyMaterial


class KeyUse:
    def __init__(self, records: KeyRecords, authority: Authority, names: PrincipalNames | None = None) -> None:
        self.records = records
        self.authority = authority
        self.names = names or PrincipalNames()

    def allow(self, request: KeyRequest, key: KmsKey) -> None:
        """Raise KmsAccessDenied unless the request, completed by the key, is allowed."""
        grants = self.records.catalog.grants(key.id)
        access.require(self.authority, replace(request, key=key, grants=grants))

    def encrypt(self, request: KeyRequest, key: KmsKey, plaintext: bytes) -> bytes:
        """A ciphertext under the key's newest material. Raises KmsAccessDenied, KeyDisabled, KeyInvalidState."""
        self.allow(request, key)
        require_enabled(key)
        secret = self.records.secret(key, key.material)
        return ciphertext.encrypt(key.id, key.material.id, secret, plaintext, request.context)

    def origin(self, blob: bytes) -> KmsKey | None:
        """The key that made a ciphertext; None if it is gone. Raises InvalidCiphertext."""
        try:
            key_id, _ = ciphertext.origin(blob)
        except Undecipherable:
            raise InvalidCiphertext from None
        return self.records.get(key_id)

    def decrypt(
        self, request: KeyRequest, blob: bytes, expected: KmsKey | None = None, absent: KmsError | None = None
    ) -> Opened:
        """What a ciphertext holds. `expected`: it has to be this key's. `absent`: the answer if its key is gone.

        Raises InvalidCiphertext, IncorrectKey, and what `encrypt` does.
        """
        key = self.origin(blob)
        if expected is not None and (key is None or key.id != expected.id):
            raise IncorrectKey("The key ID in the request does not identify a CMK that can perform this operation.")
        if key is None or key.region != request.caller.region:
            raise absent or unknown_origin()
        self.allow(request, key)
        require_enabled(key)
        material = key.made_with(ciphertext.origin(blob)[1])
        if material is None:
            raise InvalidCiphertext
        try:
            plaintext = ciphertext.decrypt(self.records.secret(key, material), blob, request.context)
        except Undecipherable:
            raise InvalidCiphertext from None
        return Opened(plaintext=plaintext, key=key, material=material)


def require_enabled(key: KmsKey) -> None:
    """Raise KeyDisabled or KeyInvalidState for a key that encrypts and decrypts nothing now."""
    require_not_deleted(key)
    if key.state is KeyState.DISABLED:
        raise disabled(key)


def require_not_deleted(key: KmsKey) -> None:
    """Raise KeyInvalidState for a key that is to be deleted."""
    if key.state is KeyState.PENDING_DELETION:
        raise pending_deletion(key)
