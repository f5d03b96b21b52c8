"""The operations that bind functions to code signing configurations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ingle.control import function_lookup
from ingle.control.code_signing_records import CodeSigningRecords, binding_of
from ingle.control.function_records import FunctionRecords
from ingle.control.ports import Handler
from ingle.domain.caller import Caller
from ingle.domain.code_signing import CodeSigningBinding
from ingle.domain.function import LATEST

Params = dict[str, Any]


class FunctionCodeSigning:
    """Handlers of Lambda's function code signing config operations. Code that a function has is not checked again."""

    def __init__(self, records: FunctionRecords, signing: CodeSigningRecords) -> None:
        self._records = records
        self._signing = signing

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "DeleteFunctionCodeSigningConfig": self.delete_function_code_signing_config,
            "GetFunctionCodeSigningConfig": self.get_function_code_signing_config,
            "PutFunctionCodeSigningConfig": self.put_function_code_signing_config,
        }

    async def put_function_code_signing_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "PutFunctionCodeSigningConfig")
        async with self._signing.exclusive():
            config = self._signing.bindable(caller, params["CodeSigningConfigArn"])
            async with self._records.exclusive(reference.key):
                function = function_lookup.existing(self._records, reference)
                attached = function.attachments.having(LATEST, CodeSigningBinding(arn=config.key.arn))
                await self._records.save(replace(function, attachments=attached))
        return {"CodeSigningConfigArn": config.key.arn, "FunctionName": reference.key.name}

    async def get_function_code_signing_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "GetFunctionCodeSigningConfig")
        arn = binding_of(function_lookup.existing(self._records, reference))
        return {} if arn is None else {"CodeSigningConfigArn": arn, "FunctionName": reference.key.name}

    async def delete_function_code_signing_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "DeleteFunctionCodeSigningConfig")
        async with self._records.exclusive(reference.key):
            function = function_lookup.existing(self._records, reference)
            if binding_of(function) is not None:
                left = function.attachments.without(CodeSigningBinding, LATEST)
                await self._records.save(replace(function, attachments=left))
        return {}
