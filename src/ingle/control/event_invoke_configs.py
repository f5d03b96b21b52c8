"""The operations on the settings of asynchronous invocation. What follows them is `event_invoke`'s business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingle.control import destinations, function_lookup, pages
from ingle.control.function_records import FunctionRecords
from ingle.control.ports import Handler
from ingle.domain import lifecycle
from ingle.domain.arn import FunctionArn, FunctionReference
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock, milliseconds
from ingle.domain.errors import InvalidParameterValue, ResourceNotFound
from ingle.domain.event_invoke_config import EventInvokeConfig
from ingle.domain.function import LATEST, Function

Params = dict[str, Any]

_SETTINGS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


class EventInvokeConfigs:
    """Handlers of Lambda's event invoke config operations, by the names of the service model."""

    def __init__(self, records: FunctionRecords, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "DeleteFunctionEventInvokeConfig": self.delete_function_event_invoke_config,
            "GetFunctionEventInvokeConfig": self.get_function_event_invoke_config,
            "ListFunctionEventInvokeConfigs": self.list_function_event_invoke_configs,
            "PutFunctionEventInvokeConfig": self.put_function_event_invoke_config,
            "UpdateFunctionEventInvokeConfig": self.update_function_event_invoke_config,
        }

    async def put_function_event_invoke_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "PutFunctionEventInvokeConfig")
        _require_settings(params)
        async with self._records.exclusive(reference.key):
            function = self._records.get(reference.key)
            if function is None or lifecycle.revision_of(function, _qualifier(reference)) is None:
                raise ResourceNotFound(f"The function {_arn(reference)} doesn't exist.")
            return await self._save(function, reference, EventInvokeConfig(last_modified=0), params)

    async def update_function_event_invoke_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "UpdateFunctionEventInvokeConfig")
        _require_settings(params)
        async with self._records.exclusive(reference.key):
            function, current = self._found(reference)
            return await self._save(function, reference, current, params)

    async def get_function_event_invoke_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "GetFunctionEventInvokeConfig")
        function, config = self._found(reference)
        return _shown(function, _qualifier(reference), config)

    async def list_function_event_invoke_configs(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "ListFunctionEventInvokeConfigs")
        function = self._records.get(reference.key)
        if function is None:
            raise ResourceNotFound(f"The function {reference.unqualified_arn} doesn't exist.")
        start = pages.start_of(params, "event invoke configs")
        configs = function.attachments.of(EventInvokeConfig)
        behind = (found for found in configs if start is None or found[0] > start)
        page, marker = pages.page_of(behind, lambda found: found[0], params, "event invoke configs")
        return pages.answer("FunctionEventInvokeConfigs", [_shown(function, *found) for found in page], marker)

    async def delete_function_event_invoke_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "DeleteFunctionEventInvokeConfig")
        async with self._records.exclusive(reference.key):
            function, _ = self._found(reference)
            left = function.attachments.without(EventInvokeConfig, _qualifier(reference))
            await self._records.save(replace(function, attachments=left))
        return {}

    def _found(self, reference: FunctionReference) -> tuple[Function, EventInvokeConfig]:
        function = self._records.get(reference.key)
        if function is not None:
            config = function.attachments.get(EventInvokeConfig, _qualifier(reference))
            if config is not None:
                return function, config
        raise ResourceNotFound(f"The function {_arn(reference)} doesn't have an EventInvokeConfig")

    async def _save(
        self, function: Function, reference: FunctionReference, current: EventInvokeConfig, params: Params
    ) -> Params:
        """`current` with the settings of a request, committed and shown."""
        qualifier = _qualifier(reference)
        config = replace(
            current,
            last_modified=milliseconds(self._clock),
            maximum_retries=params.get("MaximumRetryAttempts", current.maximum_retries),
            maximum_age_seconds=params.get("MaximumEventAgeInSeconds", current.maximum_age_seconds),
        )
        if "DestinationConfig" in params:
            success, failure = destinations.of(params["DestinationConfig"])
            destinations.validate(success, failure, function, qualifier, self._records)
            config = replace(config, on_success=success, on_failure=failure)
        await self._records.save(replace(function, attachments=function.attachments.having(qualifier, config)))
        return _shown(function, qualifier, config)


def _require_settings(params: Mapping[str, Any]) -> None:
    if not any(member in params for member in _SETTINGS):
        raise InvalidParameterValue("You must specify at least one of error handling or destination setting.")


def _qualifier(reference: FunctionReference) -> str:
    return reference.qualifier or LATEST


def _arn(reference: FunctionReference) -> str:
    return reference.arn_of(_qualifier(reference))


def _shown(function: Function, qualifier: str, config: EventInvokeConfig) -> Params:
    """A FunctionEventInvokeConfig. Numbers that were never set are absent."""
    return {
        "LastModified": config.last_modified / 1000,
        "FunctionArn": str(FunctionArn.of(function.key, qualifier)),
        "MaximumRetryAttempts": config.maximum_retries,
        "MaximumEventAgeInSeconds": config.maximum_age_seconds,
        "DestinationConfig": {
            "OnSuccess": {"Destination": config.on_success} if config.on_success else {},
            "OnFailure": {"Destination": config.on_failure} if config.on_failure else {},
        },
    }
