"""The operations on aliases: create, read, update, delete, list. What an invocation of one runs is `invoke`'s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingle.control import function_lookup, pages, provisioning_rules
from ingle.control.function_records import FunctionRecords
from ingle.control.ports import Handler
from ingle.domain import lifecycle
from ingle.domain.alias import Alias
from ingle.domain.arn import FunctionArn, FunctionReference, refer
from ingle.domain.caller import Caller
from ingle.domain.clock import Ids
from ingle.domain.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from ingle.domain.function import LATEST, Function, Version

Params = dict[str, Any]

#: Versions beside the main one.
MAX_ADDITIONAL = 1


class Aliases:
    """Handlers of Lambda's alias operations, by the names of the service model.

    A qualifier in FunctionName has no meaning for them, and is not looked at.
    """

    def __init__(self, records: FunctionRecords, ids: Ids) -> None:
        self._records = records
        self._ids = ids

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "CreateAlias": self.create_alias,
            "DeleteAlias": self.delete_alias,
            "GetAlias": self.get_alias,
            "ListAliases": self.list_aliases,
            "UpdateAlias": self.update_alias,
        }

    async def create_alias(self, caller: Caller, params: Params) -> Params:
        reference = _refer(caller, params, "CreateAlias")
        name, version = params["Name"], params["FunctionVersion"]
        async with self._records.exclusive(reference.key):
            function = self._records.get(reference.key)
            if function is None:
                raise function_lookup.not_found(reference.arn_of(version))
            _require_version(function, version)
            if name in function.aliases:
                raise ResourceConflict(f"Alias already exists: {reference.arn_of(name)}")
            alias = Alias(
                name=name,
                version=version,
                revision_id=self._ids.uuid(),
                description=params.get("Description", ""),
                weights=_weights(params, {}),
            )
            await self._save(function, alias)
        return _shown(function, alias)

    async def get_alias(self, caller: Caller, params: Params) -> Params:
        reference = _refer(caller, params, "GetAlias")
        function = function_lookup.existing(self._records, reference)
        alias = function.aliases.get(params["Name"])
        if alias is None:
            raise ResourceNotFound(f"Cannot find alias arn: {reference.arn_of(params['Name'])}")
        return _shown(function, alias)

    async def update_alias(self, caller: Caller, params: Params) -> Params:
        reference = _refer(caller, params, "UpdateAlias")
        async with self._records.exclusive(reference.key):
            function = function_lookup.existing(self._records, reference)
            current = function.aliases.get(params["Name"])
            if current is None:
                raise ResourceNotFound(f"Alias not found: {reference.arn_of(params['Name'])}")
            function_lookup.require_revision(params, current.revision_id)
            alias = replace(
                current,
                version=params.get("FunctionVersion", current.version),
                revision_id=self._ids.uuid(),
                description=params.get("Description", current.description),
                weights=_weights(params, current.weights),
            )
            _require_version(function, alias.version)
            if alias.version != current.version and alias.name in function.provisioned:
                provisioning_rules.require_provisionable(function, alias.name, alias.version)
            await self._save(function, alias)
        return _shown(function, alias)

    async def delete_alias(self, caller: Caller, params: Params) -> Params:
        reference = _refer(caller, params, "DeleteAlias")
        async with self._records.exclusive(reference.key):
            function = function_lookup.existing(self._records, reference)
            if params["Name"] in function.aliases:
                await self._records.save(lifecycle.without_alias(function, params["Name"]))
        return {}

    async def list_aliases(self, caller: Caller, params: Params) -> Params:
        reference = _refer(caller, params, "ListAliases")
        function = function_lookup.existing(self._records, reference)
        start, version = pages.start_of(params, "aliases"), params.get("FunctionVersion")
        names = sorted(name for name in function.aliases if start is None or name > start)
        aliases = (function.aliases[name] for name in names)
        matching = (alias for alias in aliases if version in (None, alias.version))
        page, marker = pages.page_of(matching, lambda alias: alias.name, params, "aliases")
        return pages.answer("Aliases", [_shown(function, alias) for alias in page], marker)

    async def _save(self, function: Function, alias: Alias) -> None:
        _validate_routing(function, alias)
        await self._records.save(replace(function, aliases={**function.aliases, alias.name: alias}))


def _refer(caller: Caller, params: Params, action: str) -> FunctionReference:
    return refer(caller.account, caller.region, params["FunctionName"], None, action)


def _weights(params: Mapping[str, Any], current: Mapping[str, float]) -> Mapping[str, float]:
    """What a request says of routing; `current` if it says nothing. An empty RoutingConfig ends routing."""
    if "RoutingConfig" not in params:
        return current
    return dict(params["RoutingConfig"].get("AdditionalVersionWeights", {}))


def _require_version(function: Function, version: str) -> Version:
    """The version that an alias names. Raises ResourceNotFound."""
    found = function.version(version)
    if found is None:
        raise function_lookup.not_found(str(FunctionArn.of(function.key, version)))
    return found


def _validate_routing(function: Function, alias: Alias) -> None:
    """Raise InvalidParameterValue or ResourceNotFound unless the versions of `alias` may share its invocations."""
    if not alias.weights:
        return
    if len(alias.weights) > MAX_ADDITIONAL:
        raise InvalidParameterValue(
            f"Number of items in AdditionalVersionWeights cannot be greater than {MAX_ADDITIONAL}"
        )
    if alias.version == LATEST:
        raise InvalidParameterValue("$LATEST is not supported for an alias pointing to more than 1 version")
    if alias.version in alias.weights:
        raise InvalidParameterValue(
            f"Invalid function version {alias.version}. Function version {alias.version} is already included in "
            "routing configuration."
        )
    configurations = [_require_version(function, version).configuration for version in alias.versions]
    for member, values in (
        ("execution role", {configuration.role for configuration in configurations}),
        ("dead-letter queue configuration", {configuration.dead_letter_target for configuration in configurations}),
    ):
        if len(values) > 1:
            raise InvalidParameterValue(
                f"The function versions of an alias with routing configuration must have the same {member}."
            )


def _shown(function: Function, alias: Alias) -> Params:
    """An AliasConfiguration."""
    shown: Params = {
        "AliasArn": str(FunctionArn.of(function.key, alias.name)),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision_id,
    }
    if alias.weights:
        shown["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.weights)}
    return shown
