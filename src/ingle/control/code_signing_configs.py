"""The operations on code signing configurations. Binding functions to them is `control.function_code_signing`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingle.control import pages
from ingle.control.code_signing_records import CodeSigningRecords
from ingle.control.function_view import last_modified
from ingle.control.ports import Handler
from ingle.domain.arn import FunctionArn
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock, Ids, milliseconds
from ingle.domain.code_signing import CodeSigningConfig, CodeSigningKey
from ingle.domain.errors import CodeSigningConfigMissing, ResourceConflict
from ingle.domain.tags import with_tags

Params = dict[str, Any]

_ID_LENGTH = 17


class CodeSigningConfigs:
    """Handlers of Lambda's code signing config operations, by the names of the service model."""

    def __init__(self, records: CodeSigningRecords, clock: Clock, ids: Ids) -> None:
        self._records = records
        self._clock = clock
        self._ids = ids

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "CreateCodeSigningConfig": self.create_code_signing_config,
            "DeleteCodeSigningConfig": self.delete_code_signing_config,
            "GetCodeSigningConfig": self.get_code_signing_config,
            "ListCodeSigningConfigs": self.list_code_signing_configs,
            "ListFunctionsByCodeSigningConfig": self.list_functions_by_code_signing_config,
            "UpdateCodeSigningConfig": self.update_code_signing_config,
        }

    async def create_code_signing_config(self, caller: Caller, params: Params) -> Params:
        tags = with_tags({}, params.get("Tags", {}))
        identity = f"csc-{self._ids.uuid().replace('-', '')[-_ID_LENGTH:]}"
        blank = CodeSigningConfig(
            key=CodeSigningKey(account=caller.account, region=caller.region, id=identity),
            publishers=(),
            last_modified=milliseconds(self._clock),
            tags=tags or None,
        )
        async with self._records.exclusive():
            config = _changed(blank, params)
            await self._records.save(config)
        return {"CodeSigningConfig": _shown(config)}

    async def get_code_signing_config(self, caller: Caller, params: Params) -> Params:
        return {"CodeSigningConfig": _shown(self._found(caller, params))}

    async def update_code_signing_config(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive():
            current = self._found(caller, params)
            config = _changed(current, params)
            if config != current:
                config = replace(config, last_modified=milliseconds(self._clock))
                await self._records.save(config)
        return {"CodeSigningConfig": _shown(config)}

    async def delete_code_signing_config(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive():
            config = self._found(caller, params)
            if any(True for _ in self._records.bound(config)):
                raise ResourceConflict(f"The code signing configuration {config.key.arn} is in use by functions.")
            await self._records.delete(config)
        return {}

    async def list_code_signing_configs(self, caller: Caller, params: Params) -> Params:
        start = pages.start_of(params, "code signing configs")
        configs = self._records.configs.configs(caller.account, caller.region, after=start)
        page, marker = pages.page_of(configs, lambda config: config.key.id, params, "code signing configs")
        return pages.answer("CodeSigningConfigs", [_shown(config) for config in page], marker)

    async def list_functions_by_code_signing_config(self, caller: Caller, params: Params) -> Params:
        config = self._found(caller, params)
        start = pages.start_of(params, "signed functions")
        bound = self._records.bound(config, after=start)
        page, marker = pages.page_of(bound, lambda function: function.key.name, params, "signed functions")
        arns = [str(FunctionArn.of(function.key)) for function in page]
        return {"FunctionArns": arns} if marker is None else {"FunctionArns": arns, "NextMarker": marker}

    def _found(self, caller: Caller, params: Params) -> CodeSigningConfig:
        arn = params["CodeSigningConfigArn"]
        config = self._records.configs.get(arn)
        if config is None or (config.key.account, config.key.region) != (caller.account, caller.region):
            raise CodeSigningConfigMissing(f"The Lambda code signing configuration {arn} can not be found.")
        return config


def _changed(current: CodeSigningConfig, params: Mapping[str, Any]) -> CodeSigningConfig:
    """`current` with the members of a request; absent ones stay."""
    publishers = params.get("AllowedPublishers", {}).get("SigningProfileVersionArns", current.publishers)
    return replace(
        current,
        publishers=tuple(publishers),
        policy=params.get("CodeSigningPolicies", {}).get("UntrustedArtifactOnDeployment", current.policy),
        description=params.get("Description", current.description),
    )


def _shown(config: CodeSigningConfig) -> Params:
    """A CodeSigningConfig of the service model."""
    return {
        "CodeSigningConfigId": config.key.id,
        "CodeSigningConfigArn": config.key.arn,
        "Description": config.description,
        "AllowedPublishers": {"SigningProfileVersionArns": list(config.publishers)},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config.policy},
        "LastModified": last_modified(config.last_modified),
    }
