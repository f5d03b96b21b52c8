"""The operations on functions: create, read, list, update code and configuration, delete.

Each validates in AWS's order, refuses by name what Ingle does not have, commits, and answers. What makes a function
ready to run happens afterwards, in `control.activation`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from ingle.control import code_source, function_settings, function_view, pages, unsupported
from ingle.control.code_quota import CodeQuota
from ingle.control.function_records import FunctionRecords
from ingle.control.package_references import PackageReferences, packages_of
from ingle.control.ports import Handler, Links
from ingle.domain import lifecycle, runtimes
from ingle.domain.arn import FunctionReference, refer
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock, Ids, milliseconds, today
from ingle.domain.errors import InvalidParameterValue, PreconditionFailed, ResourceConflict, ResourceNotFound
from ingle.domain.function import LATEST, Configuration, Function

Params = dict[str, Any]


class Functions:
    """Handlers of Lambda's function operations, by the names of the service model."""

    def __init__(
        self,
        records: FunctionRecords,
        packages: PackageReferences,
        clock: Clock,
        ids: Ids,
        links: Links,
        quota: CodeQuota,
    ) -> None:
        self._records = records
        self._packages = packages
        self._clock = clock
        self._ids = ids
        self._links = links
        self._quota = quota

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "CreateFunction": self.create_function,
            "DeleteFunction": self.delete_function,
            "GetFunction": self.get_function,
            "GetFunctionConfiguration": self.get_function_configuration,
            "ListFunctions": self.list_functions,
            "UpdateFunctionCode": self.update_function_code,
            "UpdateFunctionConfiguration": self.update_function_configuration,
        }

    async def create_function(self, caller: Caller, params: Params) -> Params:
        reference = refer(caller.account, caller.region, params["FunctionName"], None, None)
        code = params["Code"]
        code_source.validate_size(code)
        function_settings.validate_name(reference.key.name)
        if reference.qualifier is not None:
            raise InvalidParameterValue("A function name with a version or an alias cannot be created.")
        function_settings.validate_new(params, self._today())
        if params.get("PackageType", "Zip") == "Zip":
            code_source.validate_source(code, "creating")
        async with self._records.exclusive(reference.key):
            if self._records.get(reference.key) is not None:
                raise ResourceConflict(f"Function already exist: {reference.key.name}")
            unsupported.refuse_members("CreateFunction", {**params, **code})
            function = await self._create(reference, params)
        return function_view.configuration_of(function.latest)

    async def _create(self, reference: FunctionReference, params: Params) -> Function:
        zip_bytes = code_source.zip_file("CreateFunction", params["Code"])
        draft = function_settings.new(reference.key.name, params, code_source.NO_PACKAGE)
        unsupported.refuse_logging("CreateFunction", draft.logging)
        self._quota.require_room(reference.key, len(zip_bytes))
        async with code_source.kept(self._packages, zip_bytes) as package:
            function = lifecycle.created(
                reference.key,
                LATEST,
                replace(draft, package=package),
                revision_id=self._ids.uuid(),
                now_ms=milliseconds(self._clock),
            )
            await self._records.insert(function)
        return function

    async def get_function(self, caller: Caller, params: Params) -> Params:
        reference, function = self._find(caller, params, "GetFunction")
        package = function.latest.configuration.package
        return {
            "Configuration": function_view.configuration_of(function.latest, reference.qualifier),
            "Code": {"RepositoryType": "S3", "Location": self._links.package_url(caller, package)},
        }

    async def get_function_configuration(self, caller: Caller, params: Params) -> Params:
        reference, function = self._find(caller, params, "GetFunctionConfiguration")
        return function_view.configuration_of(function.latest, reference.qualifier)

    async def list_functions(self, caller: Caller, params: Params) -> Params:
        every_version = params.get("FunctionVersion") == "ALL"
        master = params.get("MasterRegion")
        if master is not None and not every_version:
            raise InvalidParameterValue("FunctionVersion must be ALL when MasterRegion is specified.")
        # Functions here are never replicas, so none has a master in a particular region.
        replicas_only = master is not None and master != "ALL"
        functions = [] if replicas_only else self._records.catalog.functions(caller.account, caller.region)
        page, marker = pages.page_of(functions, lambda function: function.key.name, params, "functions")
        qualifier = LATEST if every_version else None
        answer: Params = {"Functions": [function_view.list_entry(function.latest, qualifier) for function in page]}
        if marker is not None:
            answer["NextMarker"] = marker
        return answer

    async def update_function_code(self, caller: Caller, params: Params) -> Params:
        reference = self._refer(caller, params, "UpdateFunctionCode")
        code_source.validate_size(params)
        async with self._records.exclusive(reference.key):
            function = self._changeable(reference, params)
            current = function.latest.configuration
            code_source.validate_source(params, "updating")
            runtimes.require_updatable(current.runtime, self._today())
            unsupported.refuse_members("UpdateFunctionCode", params)
            zip_bytes = code_source.zip_file("UpdateFunctionCode", params)
            draft = replace(current, architecture=function_settings.architecture_of(params, current))
            self._quota.require_room(reference.key, len(zip_bytes), replacing=current.package.size)
            if params.get("DryRun"):
                package = await code_source.inspected(self._packages, zip_bytes)
                would_be = replace(function.latest, configuration=replace(draft, package=package))
                return function_view.configuration_of(would_be)
            async with code_source.kept(self._packages, zip_bytes) as package:
                updated = await self._update(function, replace(draft, package=package))
        return function_view.configuration_of(updated.latest)

    async def update_function_configuration(self, caller: Caller, params: Params) -> Params:
        operation = "UpdateFunctionConfiguration"
        reference = self._refer(caller, params, operation)
        async with self._records.exclusive(reference.key):
            function = self._changeable(reference, params)
            current = function.latest.configuration
            function_settings.validate_change(params, current, self._today())
            draft = function_settings.changed(current, params)
            unsupported.refuse_members(operation, params)
            unsupported.refuse_logging(operation, draft.logging)
            updated = await self._update(function, draft)
        return function_view.configuration_of(updated.latest)

    async def delete_function(self, caller: Caller, params: Params) -> Params:
        reference = self._refer(caller, params, "DeleteFunction")
        _require_deletable(reference)
        async with self._records.exclusive(reference.key):
            function = self._records.get(reference.key)
            if function is None or _names_nothing(reference):
                raise _not_found(reference.unqualified_arn)
            if reference.qualifier is None:
                await self._records.delete(reference.key)
                await self._packages.release(packages_of(function))
        return {"StatusCode": 204}

    def _refer(self, caller: Caller, params: Params, action: str) -> FunctionReference:
        return refer(caller.account, caller.region, params["FunctionName"], params.get("Qualifier"), action)

    def _find(self, caller: Caller, params: Params, action: str) -> tuple[FunctionReference, Function]:
        """The function that a read means. `$LATEST` is its only version; any other qualifier is not found."""
        reference = self._refer(caller, params, action)
        function = self._records.get(reference.key)
        if function is None or not reference.is_latest:
            raise _not_found(reference.arn)
        return reference, function

    def _changeable(self, reference: FunctionReference, params: Params) -> Function:
        """The function that an update means: it exists, is as the caller last saw it, and takes a change now."""
        function = self._records.get(reference.key)
        if function is None or not reference.is_latest:
            raise _not_found(reference.arn)
        revision = params.get("RevisionId")
        if revision is not None and revision != function.latest.revision_id:
            raise PreconditionFailed(
                "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
                "retrieve the latest Revision Id"
            )
        lifecycle.require_settled(function)
        return function

    async def _update(self, function: Function, configuration: Configuration) -> Function:
        updated = lifecycle.updating(
            function, configuration, revision_id=self._ids.uuid(), now_ms=milliseconds(self._clock)
        )
        await self._records.save(updated)
        await self._packages.release(packages_of(function) - packages_of(updated))
        return updated

    def _today(self) -> date:
        return today(self._clock)


def _require_deletable(reference: FunctionReference) -> None:
    """Only whole functions and numbered versions can be deleted. Asked before the function is looked for."""
    if reference.qualifier == LATEST:
        raise InvalidParameterValue("$LATEST version cannot be deleted without deleting the function.")
    if reference.qualifier is not None and not _is_number(reference.qualifier) and "$" not in reference.qualifier:
        raise InvalidParameterValue("Deletion of aliases is not currently supported.")


def _names_nothing(reference: FunctionReference) -> bool:
    """The qualifier can be neither a version nor an alias (`$latest`)."""
    return reference.qualifier is not None and not _is_number(reference.qualifier)


def _is_number(qualifier: str) -> bool:
    return qualifier.isascii() and qualifier.isdecimal()


def _not_found(arn: str) -> ResourceNotFound:
    return ResourceNotFound(f"Function not found: {arn}")
