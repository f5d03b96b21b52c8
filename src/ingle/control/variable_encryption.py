"""Environment variables between requests and configurations: encrypted on the way in, readable again in answers.

Which key, when it is asked, and what callers are told when it does not work. KMS itself is behind `ports.Variables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingle.control.ports import Variables
from ingle.domain.caller import Caller
from ingle.domain.errors import InvalidParameterValue
from ingle.domain.function import Configuration, FunctionKey
from ingle.domain.sealed import SealedVariables
from ingle.supporting.kms.errors import KeyDisabled, KeyInvalidState, KeyNotFound, KmsAccessDenied, KmsError

Params = Mapping[str, Any]

#: Members of a request that have the key asked: the role, since it gets a grant.
_ASKING = frozenset({"Environment", "KMSKeyArn", "Role"})
_REASONS: Mapping[type[KmsError], str] = {
    KmsAccessDenied: "because the KMS access was denied. Please check your KMS permissions.",
    KeyDisabled: "because the KMS key used is disabled. Please check your KMS key settings.",
    KeyInvalidState: "because the KMS key used is in an invalid state for Decrypt. Please check your KMS key settings.",
    KeyNotFound: "because the KMS key was not found. Please check your KMS key settings.",
}
_OTHERWISE = "due to an internal service error."


class VariableEncryption:
    def __init__(self, variables: Variables) -> None:
        self._variables = variables

    async def applied(
        self, caller: Caller, function: FunctionKey, draft: Configuration, current: Configuration | None, params: Params
    ) -> Configuration:
        """`draft` with the variables of a request encrypted, and those that it had under the key that it is to have.

        `current` is the configuration that is changed. Raises InvalidParameterValue for a key that cannot be used.
        """
        if _ASKING.isdisjoint(params):
            return draft
        try:
            if draft.kms_key_arn is not None:
                await self._variables.grant(caller, function, draft.role, draft.kms_key_arn)
            environment = await self._sealed(caller, function, draft, current, params)
        except KmsError as error:
            raise InvalidParameterValue(
                "Lambda was unable to configure access to your environment variables because the KMS key is invalid "
                "for CreateGrant. Please check your KMS key settings. "
                f"KMS Exception: {error.code} KMS Message: {error.message}"
            ) from None
        return replace(draft, environment=environment)

    async def _sealed(
        self, caller: Caller, function: FunctionKey, draft: Configuration, current: Configuration | None, params: Params
    ) -> SealedVariables | None:
        before = draft.environment
        same_key = current is not None and current.kms_key_arn == draft.kms_key_arn
        if "Environment" in params:
            wanted = dict(params["Environment"].get("Variables", {}))
            # What does not change stays as it is: else every such update would be one worth a new version.
            if before is not None and same_key and self._found(caller, function, before) == list(wanted.items()):
                return before
        elif before is None or same_key:
            return before
        else:
            wanted = self._variables.open(caller, function, before)
        return await self._variables.seal(caller, function, draft.kms_key_arn, wanted)

    def _found(self, caller: Caller, function: FunctionKey, sealed: SealedVariables) -> list[tuple[str, str]] | None:
        try:
            return list(self._variables.open(caller, function, sealed).items())
        except KmsError:
            return None

    def shown(self, caller: Caller, function: FunctionKey, sealed: SealedVariables) -> dict[str, Any]:
        """An EnvironmentResponse: the variables, or why this caller does not see them."""
        try:
            return {"Variables": self._variables.open(caller, function, sealed)}
        except KmsError as error:
            text = f"Lambda was unable to decrypt your environment variables {_REASONS.get(type(error), _OTHERWISE)}"
            if type(error) in _REASONS:
                text += f" KMS Exception: {error.code} KMS Message: {error.message}"
            return {"Error": {"ErrorCode": error.code, "Message": text}}
