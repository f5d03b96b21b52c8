"""The operations on concurrency: what functions reserve of their account's pool, and what versions have provisioned.

A change is checked and committed while nothing else claims of the same pool. Placement provisions afterwards, from the
catalog, and reports there what it has.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from ingle.control import function_lookup, pages, provisioning_rules
from ingle.control.function_records import FunctionRecords
from ingle.control.ports import Handler
from ingle.domain import lifecycle
from ingle.domain.arn import FunctionArn, FunctionReference, refer
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock, Ids, milliseconds
from ingle.domain.concurrency import AllocationStatus, Provisioned, claim, total_provisioned
from ingle.domain.errors import (
    ConcurrencyUnavailable,
    InvalidParameterValue,
    ProvisionedConcurrencyNotFound,
    ResourceNotFound,
)
from ingle.domain.function import LATEST, Function, FunctionKey

Params = dict[str, Any]


class Concurrency:
    """Handlers of Lambda's concurrency operations, by the names of the service model."""

    def __init__(self, records: FunctionRecords, clock: Clock, ids: Ids) -> None:
        self._records = records
        self._clock = clock
        self._ids = ids
        self._pools: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "DeleteFunctionConcurrency": self.delete_function_concurrency,
            "DeleteProvisionedConcurrencyConfig": self.delete_provisioned_concurrency_config,
            "GetFunctionConcurrency": self.get_function_concurrency,
            "GetProvisionedConcurrencyConfig": self.get_provisioned_concurrency_config,
            "ListProvisionedConcurrencyConfigs": self.list_provisioned_concurrency_configs,
            "PutFunctionConcurrency": self.put_function_concurrency,
            "PutProvisionedConcurrencyConfig": self.put_provisioned_concurrency_config,
        }

    def _pool(self, key: FunctionKey) -> asyncio.Lock:
        """Held while something is claimed of an account's pool, always after the function's own lock."""
        return self._pools.setdefault((key.account, key.region), asyncio.Lock())

    # --- reserved ---------------------------------------------------------------------------------------------------

    async def put_function_concurrency(self, caller: Caller, params: Params) -> Params:
        reference = _function(caller, params, "PutFunctionConcurrency")
        wanted: int = params["ReservedConcurrentExecutions"]
        async with self._records.exclusive(reference.key), self._pool(reference.key):
            function = _existing_latest(self._records, reference)
            self._require_room_for_reserve(function, wanted)
            await self._records.save(replace(function, reserved=wanted))
        return {"ReservedConcurrentExecutions": wanted}

    async def get_function_concurrency(self, caller: Caller, params: Params) -> Params:
        reference = _function(caller, params, "GetFunctionConcurrency")
        reserved = _existing_latest(self._records, reference).reserved
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    async def delete_function_concurrency(self, caller: Caller, params: Params) -> Params:
        reference = _function(caller, params, "DeleteFunctionConcurrency")
        async with self._records.exclusive(reference.key), self._pool(reference.key):
            function = _existing_latest(self._records, reference)
            if function.reserved is not None:
                await self._records.save(replace(function, reserved=None))
        return {}

    def _require_room_for_reserve(self, function: Function, wanted: int) -> None:
        pools, key = self._records.catalog.concurrency, function.key
        left = pools.limit - pools.claimed(key.account, key.region) + claim(function) - wanted
        if wanted > claim(function) and left < pools.minimum:
            raise ConcurrencyUnavailable(
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{pools.minimum}]."
            )
        provisioned = total_provisioned(function)
        if wanted < provisioned:
            raise ConcurrencyUnavailable(
                f" ReservedConcurrentExecutions  {wanted} should not be lower than function's total provisioned "
                f"concurrency [{provisioned}]."
            )

    # --- provisioned ------------------------------------------------------------------------------------------------

    async def put_provisioned_concurrency_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "PutProvisionedConcurrencyConfig")
        qualifier = _qualifier(reference)
        if qualifier == LATEST:
            raise provisioning_rules.unpublished()
        config = Provisioned(
            requested=params["ProvisionedConcurrentExecutions"], last_modified=milliseconds(self._clock)
        )
        async with self._records.exclusive(reference.key), self._pool(reference.key):
            function, number = _qualified(self._records, reference, qualifier)
            alias = function.aliases.get(qualifier)
            if alias is not None and alias.weights:
                raise InvalidParameterValue("Alias with weights can not be used with Provisioned Concurrency")
            provisioning_rules.require_provisionable(function, qualifier, number)
            self._require_room(function, qualifier, config.requested)
            changed = replace(function, provisioned={**function.provisioned, qualifier: config})
            await self._records.save(lifecycle.renewed(changed, number, self._ids.uuid()))
        return _shown(config, self._state(changed, qualifier, config))

    async def get_provisioned_concurrency_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "GetProvisionedConcurrencyConfig")
        qualifier = _published(reference)
        function, _ = _qualified(self._records, reference, qualifier)
        config = function.provisioned.get(qualifier)
        if config is None:
            raise ProvisionedConcurrencyNotFound("No Provisioned Concurrency Config found for this function")
        return _shown(config, self._state(function, qualifier, config))

    async def delete_provisioned_concurrency_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "DeleteProvisionedConcurrencyConfig")
        qualifier = _published(reference)
        async with self._records.exclusive(reference.key), self._pool(reference.key):
            function, number = _qualified(self._records, reference, qualifier)
            if qualifier in function.provisioned:
                changed = lifecycle.without_provisioned(function, qualifier)
                await self._records.save(lifecycle.renewed(changed, number, self._ids.uuid()))
        return {}

    async def list_provisioned_concurrency_configs(self, caller: Caller, params: Params) -> Params:
        reference = refer(
            caller.account, caller.region, params["FunctionName"], None, "ListProvisionedConcurrencyConfigs"
        )
        function = function_lookup.existing(self._records, reference)
        start = pages.start_of(params, "provisioned concurrency")
        names = sorted(name for name in function.provisioned if start is None or name > start)
        page, marker = pages.page_of(names, lambda name: name, params, "provisioned concurrency")
        shown = [self._entry(function, name) for name in page]
        return pages.answer("ProvisionedConcurrencyConfigs", shown, marker)

    def _entry(self, function: Function, qualifier: str) -> Params:
        config = function.provisioned[qualifier]
        arn = str(FunctionArn.of(function.key, qualifier))
        return {"FunctionArn": arn, **_shown(config, self._state(function, qualifier, config))}

    def _state(self, function: Function, qualifier: str, config: Provisioned) -> Params:
        """What placement has reported of the version that is provisioned."""
        alias = function.aliases.get(qualifier)
        version = qualifier if alias is None else alias.version
        found = self._records.catalog.concurrency.allocation(function.key, version)
        # Placement has not looked at a change that was committed just now.
        stale = found.status is AllocationStatus.READY and found.allocated != config.requested
        state: Params = {"Status": (AllocationStatus.IN_PROGRESS if stale else found.status).value}
        if found.reason is not None:
            state["StatusReason"] = found.reason
        return {
            **state,
            "AllocatedProvisionedConcurrentExecutions": found.allocated,
            "AvailableProvisionedConcurrentExecutions": found.available,
        }

    def _require_room(self, function: Function, qualifier: str, wanted: int) -> None:
        """Raise InvalidParameterValue unless the function's reserve, or without one its account's pool, has room."""
        own = function.provisioned[qualifier].requested if qualifier in function.provisioned else 0
        if function.reserved is not None:
            if total_provisioned(function) - own + wanted > function.reserved:
                raise InvalidParameterValue(
                    "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
                    "function"
                )
            return
        pools, key = self._records.catalog.concurrency, function.key
        unreserved = pools.limit - pools.claimed(key.account, key.region) + own
        if wanted > own and wanted > unreserved:
            raise ConcurrencyUnavailable(
                "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
                f"[{max(unreserved, 0)}]."
            )
        if wanted > own and unreserved - wanted < pools.minimum:
            raise ConcurrencyUnavailable(
                "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
                f"its minimum value of [{pools.minimum}]."
            )


def _function(caller: Caller, params: Params, action: str) -> FunctionReference:
    """A whole function. Raises InvalidParameterValue for a name with a qualifier."""
    reference = refer(caller.account, caller.region, params["FunctionName"], None, action)
    if reference.qualifier is not None:
        raise InvalidParameterValue(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN."
        )
    return reference


def _existing_latest(records: FunctionRecords, reference: FunctionReference) -> Function:
    function = records.get(reference.key)
    if function is None:
        raise function_lookup.not_found(reference.arn_of(LATEST))
    return function


def _qualifier(reference: FunctionReference) -> str:
    """No qualifier means `$LATEST`."""
    return LATEST if not reference.qualifier else reference.qualifier


def _published(reference: FunctionReference) -> str:
    qualifier = _qualifier(reference)
    if qualifier == LATEST:
        raise InvalidParameterValue("The function resource provided must be an alias or a published version.")
    return qualifier


def _qualified(records: FunctionRecords, reference: FunctionReference, qualifier: str) -> tuple[Function, str]:
    """The function, and the number of the version that `qualifier` means. Raises ResourceNotFound."""
    function = records.get(reference.key)
    version = None if function is None else function.qualified(qualifier)
    if function is None or version is None:
        if qualifier.isascii() and qualifier.isdecimal():
            raise function_lookup.not_found(reference.arn_of(qualifier))
        raise ResourceNotFound(f"Cannot find alias arn: {reference.arn_of(qualifier)}")
    return function, version.version


def _shown(config: Provisioned, state: Params) -> Params:
    moment = datetime.fromtimestamp(config.last_modified // 1000, UTC)
    return {
        "RequestedProvisionedConcurrentExecutions": config.requested,
        "AvailableProvisionedConcurrentExecutions": 0,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "LastModified": f"{moment:%Y-%m-%dT%H:%M:%S}+0000",
        **state,
    }
