"""The operations on runtime management: when the runtime of a version changes.

Ingle has exactly one version of each runtime, which never changes under a function. So every mode holds, and the only
version that can be asked for is the one that the function's configuration shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingle.control import function_lookup
from ingle.control.function_records import FunctionRecords
from ingle.control.ports import Handler
from ingle.domain import lifecycle
from ingle.domain.arn import FunctionArn, FunctionReference
from ingle.domain.caller import Caller
from ingle.domain.errors import InvalidParameterValue
from ingle.domain.function import LATEST, Function, Version
from ingle.domain.runtime_management import MANUAL, RuntimeManagement
from ingle.domain.runtimes import runtime_version_arn

Params = dict[str, Any]


class RuntimeManagements:
    """Handlers of Lambda's runtime management operations. Aliases have none: their versions have."""

    def __init__(self, records: FunctionRecords) -> None:
        self._records = records

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "GetRuntimeManagementConfig": self.get_runtime_management_config,
            "PutRuntimeManagementConfig": self.put_runtime_management_config,
        }

    async def put_runtime_management_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "PutRuntimeManagementConfig")
        _require_consistent(params)
        async with self._records.exclusive(reference.key):
            function, version = self._found(reference)
            if version.version == LATEST:
                lifecycle.require_settled(function)
            wanted = params.get("RuntimeVersionArn")
            current = runtime_version_arn(version.configuration.runtime, version.key.region)
            if wanted not in (None, current):
                raise InvalidParameterValue(f"Runtime version {wanted} does not exist.")
            management = RuntimeManagement(update_on=params["UpdateRuntimeOn"], runtime_version_arn=wanted)
            attached = function.attachments.having(version.version, management)
            await self._records.save(replace(function, attachments=attached))
        return _shown(version, management)

    async def get_runtime_management_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "GetRuntimeManagementConfig")
        function, version = self._found(reference)
        return _shown(version, function.attachments.get(RuntimeManagement, version.version) or RuntimeManagement())

    def _found(self, reference: FunctionReference) -> tuple[Function, Version]:
        function = self._records.get(reference.key)
        version = None if function is None else function.version(reference.qualifier or LATEST)
        if function is None or version is None:
            raise function_lookup.not_found(reference.arn)
        return function, version


def _require_consistent(params: Mapping[str, Any]) -> None:
    """Raise InvalidParameterValue unless a runtime version is named exactly for Manual."""
    manual = params["UpdateRuntimeOn"] == MANUAL
    if manual and "RuntimeVersionArn" not in params:
        raise InvalidParameterValue("RuntimeVersionArn is required when UpdateRuntimeOn is Manual.")
    if not manual and "RuntimeVersionArn" in params:
        raise InvalidParameterValue("RuntimeVersionArn is allowed only when UpdateRuntimeOn is Manual.")


def _shown(version: Version, management: RuntimeManagement) -> Params:
    return {
        "UpdateRuntimeOn": management.update_on,
        "FunctionArn": str(FunctionArn.of(version.key, version.version)),
        "RuntimeVersionArn": management.runtime_version_arn,
    }
