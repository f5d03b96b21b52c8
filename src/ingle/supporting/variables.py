"""Lambda's use of KMS: environment variables encrypted when they are set, and decrypted for who is to see them.

Every set of variables has a data key of its own, which a KMS key has encrypted: that of the function, or the one that
is managed for its account and region. Both ciphertexts are bound to the function's ARN. A function with a key of its
own has a grant for its execution role, as on AWS; it goes with the last version that needs it.

Plaintext is returned and kept nowhere here. Sources: the Lambda developer guide, "Securing environment variables".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingle.domain.arn import FunctionArn, partition_of
from ingle.domain.caller import Caller
from ingle.domain.errors import (
    InternalFailure,
    ServiceError,
    VariablesKeyAccessDenied,
    VariablesKeyDisabled,
    VariablesKeyInvalidState,
    VariablesKeyNotFound,
    VariablesUnreadable,
)
from ingle.domain.function import Function, FunctionKey, Version
from ingle.domain.sealed import SealedVariables
from ingle.encryption.aead import Undecipherable
from ingle.encryption.envelope import new_data_key, seal_variables, unseal_variables
from ingle.encryption.master import MasterKeyError
from ingle.observability.log import Logger
from ingle.storage.errors import StorageError
from ingle.supporting.kms import names
from ingle.supporting.kms.access import KeyRequest
from ingle.supporting.kms.errors import (
    InvalidCiphertext,
    KeyDisabled,
    KeyInvalidState,
    KeyNotFound,
    KmsAccessDenied,
    KmsError,
)
from ingle.supporting.kms.grants import Grants
from ingle.supporting.kms.use import KeyUse, require_enabled

_SERVICE = "lambda"
_log = Logger("kms")

#: What an invocation is told when its variables cannot be decrypted, by what KMS says.
_AT_START: Mapping[type[KmsError], tuple[type[VariablesUnreadable], str]] = {
    KeyDisabled: (VariablesKeyDisabled, "because the KMS key used is disabled"),
    KeyInvalidState: (VariablesKeyInvalidState, "because the KMS key used is in an invalid state for Decrypt"),
    KeyNotFound: (VariablesKeyNotFound, "because the KMS key was not found"),
    KmsAccessDenied: (VariablesKeyAccessDenied, "because KMS access was denied"),
}


class FunctionVariables:
    def __init__(self, use: KeyUse, grants: Grants) -> None:
        self._use = use
        self._records = use.records
        self._grants = grants

    # --- for callers ------------------------------------------------------------------------------------------------

    async def seal(
        self, caller: Caller, function: FunctionKey, key_arn: str | None, variables: Mapping[str, str]
    ) -> SealedVariables:
        """Encrypt what a caller sets. Raises KmsError, StorageError."""
        if key_arn is None:
            key = await self._records.managed(function.account, function.region, _SERVICE)
        else:
            key = names.find_by_id(self._records, caller, key_arn)
        context = encryption_context(function)
        data_key = new_data_key()
        request = KeyRequest(caller=caller, action="kms:Encrypt", context=context, via=_SERVICE)
        return SealedVariables(
            data_key=self._use.encrypt(request, key, data_key),
            ciphertext=seal_variables(data_key, variables, context),
        )

    def open(self, caller: Caller, function: FunctionKey, sealed: SealedVariables) -> dict[str, str]:
        """Decrypt what a caller wants to see. Raises KmsError."""
        request = KeyRequest(
            caller=caller, action="kms:Decrypt", context=encryption_context(function), via=_SERVICE
        )  # fmt: skip
        return self._opened(request, sealed)

    def key_of(self, sealed: SealedVariables) -> str | None:
        """The ARN of the key that encrypted them, None for one that is managed or gone."""
        key = self._use.origin(sealed.data_key)
        return None if key is None or key.managed else key.arn

    # --- for execution ----------------------------------------------------------------------------------------------

    def open_for_execution(self, version: Version) -> dict[str, str]:
        """Decrypt what an environment is to have. Raises VariablesUnreadable and InternalFailure, for its caller."""
        sealed = version.configuration.environment
        if sealed is None:
            return {}
        function = version.key
        request = KeyRequest(
            caller=Caller(account=function.account, region=function.region),
            action="kms:Decrypt",
            context=encryption_context(function),
            via=_SERVICE,
            function=str(FunctionArn.of(function)),
            role=version.configuration.role,
        )
        try:
            return self._opened(request, sealed)
        except KmsError as error:
            raise _at_start(error) from None
        except MasterKeyError as error:
            _log.error("environment variables cannot be decrypted", function=function.name, reason=str(error))
            raise InternalFailure(
                "Lambda was unable to decrypt the environment variables due to an internal service error."
            ) from None

    def _opened(self, request: KeyRequest, sealed: SealedVariables) -> dict[str, str]:
        absent = KeyNotFound("The key that encrypted the environment variables does not exist.")
        opened = self._use.decrypt(request, sealed.data_key, absent=absent)
        try:
            return unseal_variables(opened.plaintext, sealed.ciphertext, request.context)
        except Undecipherable:
            raise InvalidCiphertext from None

    # --- grants -----------------------------------------------------------------------------------------------------

    async def grant(self, caller: Caller, function: FunctionKey, role: str, key_arn: str) -> None:
        """Let the execution role decrypt with a function's own key. Raises KmsError, StorageError."""
        async with self._records.exclusive:
            key = names.find_by_id(self._records, caller, key_arn)
            self._use.allow(KeyRequest(caller=caller, action="kms:CreateGrant", via=_SERVICE), key)
            require_enabled(key)
            issuer = replace(caller, account=function.account)
            await self._grants.put(issuer, key, _grant(function, role))

    async def settle(self, before: Function | None, after: Function | None) -> None:
        """Drop the grants that no version of a function needs any more, after a change of it was committed."""
        for role, key_arn in _needs(before) - _needs(after):
            assert before is not None, "nothing needs no grant"
            try:
                await self._drop(before.key, role, key_arn)
            except StorageError as error:
                # The change itself is done; what is left permits nothing that anybody could ask for.
                _log.warning("a grant could not be retired", function=before.key.name, reason=str(error))

    async def _drop(self, function: FunctionKey, role: str, key_arn: str) -> None:
        name = _grant(function, role)["Name"]
        async with self._records.exclusive:
            grants = self._records.catalog.grants(key_arn.rpartition("/")[2])
            for grant in [grant for grant in grants.values() if grant.name == name]:
                await self._records.delete_grant(grant)


def encryption_context(function: FunctionKey) -> dict[str, str]:
    """What the ciphertexts of a function are bound to: they are of no use to another one."""
    return {"aws:lambda:FunctionArn": str(FunctionArn.of(function))}


def _needs(function: Function | None) -> set[tuple[str, str]]:
    """Roles and the keys with which they decrypt, of all versions that may run."""
    if function is None:
        return set()
    versions = (*function.every_version, *((function.serving,) if function.serving is not None else ()))
    configurations = [version.configuration for version in versions]
    return {(found.role, found.kms_key_arn) for found in configurations if found.kms_key_arn is not None}


def _grant(function: FunctionKey, role: str) -> dict[str, Any]:
    """The members of CreateGrant for an execution role; the name is always the same for the same."""
    arn = str(FunctionArn.of(function))
    session = function.name if len(function.name) > 1 else f"{function.name}@lambda_function"
    _, _, _, _, account, path = role.split(":", 5)
    principal = f"arn:{partition_of(function.region)}:sts::{account}:assumed-role/{path.rpartition('/')[2]}/{session}"
    return {
        "Name": "lambda-" + hashlib.sha256(f"{arn}\n{role}".encode()).hexdigest()[:32],
        "GranteePrincipal": principal,
        "RetiringPrincipal": principal,
        "Operations": ["Decrypt", "RetireGrant"],
        "Constraints": {"EncryptionContextEquals": encryption_context(function)},
    }


def _at_start(error: KmsError) -> ServiceError:
    kind, reason = _AT_START.get(type(error), (None, ""))
    if kind is None:
        return InternalFailure(
            "Lambda was unable to decrypt the environment variables due to an internal service error."
        )
    text = f"Lambda was unable to decrypt the environment variables {reason}. "
    text += "Please check the function's KMS key settings."
    if kind is VariablesKeyAccessDenied:
        text += f" KMS Exception: {error.code} KMS Message: {error.message}"
    return kind(text)
