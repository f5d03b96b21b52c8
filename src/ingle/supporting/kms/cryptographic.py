"""The cryptographic operations on symmetric keys, and random bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ingle.domain.caller import Caller
from ingle.supporting.kms import names
from ingle.supporting.kms.access import KeyRequest
from ingle.supporting.kms.errors import (
    DryRunSucceeded,
    InvalidKeyUsage,
    KmsValidation,
)
from ingle.supporting.kms.grant_tokens import check_tokens
from ingle.supporting.kms.operations import Answer, Handler, end_dry_run, not_implemented
from ingle.supporting.kms.use import KeyUse, require_enabled

SYMMETRIC = "SYMMETRIC_DEFAULT"
#: Bytes of an encryption context, written as JSON (KMS quotas).
MAX_CONTEXT = 8192
_SPECS = {"AES_128": 16, "AES_256": 32}
_IGNORE_CIPHERTEXT = "IGNORE_CIPHERTEXT"


class Cryptography:
    def __init__(self, use: KeyUse) -> None:
        self._use = use
        self._records = use.records

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        return {
            "Decrypt": self.decrypt,
            "Encrypt": self.encrypt,
            "GenerateDataKey": self.generate_data_key,
            "GenerateDataKeyWithoutPlaintext": self.generate_data_key_without_plaintext,
            "GenerateRandom": self.generate_random,
            "ReEncrypt": self.re_encrypt,
        }

    async def encrypt(self, caller: Caller, params: Answer) -> Answer:
        context = _context(params, "EncryptionContext")
        key = names.find(self._records, caller, params["KeyId"])
        _require_symmetric(params, "EncryptionAlgorithm")
        check_tokens(params)
        request = KeyRequest(caller=caller, action="kms:Encrypt", context=context)
        blob = self._use.encrypt(request, key, params["Plaintext"])
        end_dry_run(params)
        return {"CiphertextBlob": blob, "KeyId": key.arn, "EncryptionAlgorithm": SYMMETRIC}

    async def decrypt(self, caller: Caller, params: Answer) -> Answer:
        _refuse_recipient("Decrypt", params)
        request = KeyRequest(caller=caller, action="kms:Decrypt", context=_context(params, "EncryptionContext"))
        expected = names.find(self._records, caller, params["KeyId"]) if "KeyId" in params else None
        _require_symmetric(params, "EncryptionAlgorithm")
        check_tokens(params)
        if _without_ciphertext(params, expected is not None):
            assert expected is not None
            self._use.allow(request, expected)
            require_enabled(expected)
            raise DryRunSucceeded
        opened = self._use.decrypt(request, params["CiphertextBlob"], expected)
        end_dry_run(params)
        return {
            "KeyId": opened.key.arn,
            "Plaintext": opened.plaintext,
            "EncryptionAlgorithm": SYMMETRIC,
            "KeyMaterialId": opened.material.id,
        }

    async def re_encrypt(self, caller: Caller, params: Answer) -> Answer:
        before = KeyRequest(
            caller=caller, action="kms:ReEncryptFrom", context=_context(params, "SourceEncryptionContext")
        )
        after = KeyRequest(
            caller=caller, action="kms:ReEncryptTo", context=_context(params, "DestinationEncryptionContext")
        )
        expected = names.find(self._records, caller, params["SourceKeyId"]) if "SourceKeyId" in params else None
        key = names.find(self._records, caller, params["DestinationKeyId"])
        _require_symmetric(params, "SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm")
        check_tokens(params)
        if _without_ciphertext(params, expected is not None):
            assert expected is not None
            for request, used in ((before, expected), (after, key)):
                self._use.allow(request, used)
                require_enabled(used)
            raise DryRunSucceeded
        opened = self._use.decrypt(before, params["CiphertextBlob"], expected)
        blob = self._use.encrypt(after, key, opened.plaintext)
        end_dry_run(params)
        return {
            "CiphertextBlob": blob,
            "SourceKeyId": opened.key.arn,
            "KeyId": key.arn,
            "SourceEncryptionAlgorithm": SYMMETRIC,
            "DestinationEncryptionAlgorithm": SYMMETRIC,
            "SourceKeyMaterialId": opened.material.id,
            "DestinationKeyMaterialId": key.material.id,
        }

    async def generate_data_key(self, caller: Caller, params: Answer) -> Answer:
        _refuse_recipient("GenerateDataKey", params)
        plaintext, answer = self._data_key(caller, params, "GenerateDataKey")
        return {**answer, "Plaintext": plaintext}

    async def generate_data_key_without_plaintext(self, caller: Caller, params: Answer) -> Answer:
        return self._data_key(caller, params, "GenerateDataKeyWithoutPlaintext")[1]

    def _data_key(self, caller: Caller, params: Answer, operation: str) -> tuple[bytes, Answer]:
        context = _context(params, "EncryptionContext")
        spec, size = params.get("KeySpec"), params.get("NumberOfBytes")
        if (spec is None) == (size is None):
            raise KmsValidation("Please specify either number of bytes or key spec.")
        key = names.find(self._records, caller, params["KeyId"])
        check_tokens(params)
        plaintext = os.urandom(_SPECS[spec] if spec is not None else size or 0)
        request = KeyRequest(caller=caller, action=f"kms:{operation}", context=context)
        blob = self._use.encrypt(request, key, plaintext)
        end_dry_run(params)
        return plaintext, {"CiphertextBlob": blob, "KeyId": key.arn, "KeyMaterialId": key.material.id}

    async def generate_random(self, caller: Caller, params: Answer) -> Answer:
        _refuse_recipient("GenerateRandom", params)
        if "CustomKeyStoreId" in params:
            raise not_implemented("GenerateRandom", "CustomKeyStoreId")
        if "NumberOfBytes" not in params:
            raise KmsValidation("NumberOfBytes is required.")
        return {"Plaintext": os.urandom(params["NumberOfBytes"])}


def _context(params: Mapping[str, Any], member: str) -> dict[str, str]:
    """An encryption context of a request. Raises KmsValidation."""
    context: dict[str, str] = params.get(member, {})
    size = 2 + sum(len(text.encode("utf-8", "surrogatepass")) + 3 for pair in context.items() for text in pair)
    if size > MAX_CONTEXT:
        raise KmsValidation(f"{member} is longer than {MAX_CONTEXT} bytes.")
    return context


def _require_symmetric(params: Mapping[str, Any], *members: str) -> None:
    for member in members:
        if params.get(member, SYMMETRIC) != SYMMETRIC:
            raise InvalidKeyUsage(f"The {member} {params[member]} is not one of a key whose KeySpec is {SYMMETRIC}.")


def _without_ciphertext(params: Mapping[str, Any], key_named: bool) -> bool:
    """Whether only permissions are to be checked. Raises KmsValidation for what is missing."""
    modifiers = params.get("DryRunModifiers")
    if modifiers and not params.get("DryRun"):
        raise KmsValidation("DryRunModifiers is valid with DryRun only.")
    without = _IGNORE_CIPHERTEXT in (modifiers or ())
    if without and not key_named:
        raise KmsValidation(f"The key is required with {_IGNORE_CIPHERTEXT}.")
    if not without and "CiphertextBlob" not in params:
        raise KmsValidation(
            "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must "
            "not be null"
        )
    return without


def _refuse_recipient(operation: str, params: Mapping[str, Any]) -> None:
    if "Recipient" in params:
        raise not_implemented(operation, "Recipient")
