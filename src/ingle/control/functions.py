"""The operations on functions: create, read, list, update code and configuration, delete.

Each validates in AWS's order, refuses by name what Ingle does not have, commits, and answers. What makes a function
ready to run happens afterwards, in `control.activation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from typing import Any

from ingle.control import (
    code_source,
    function_lookup,
    function_settings,
    layer_lookup,
    pages,
    unsupported,
)
from ingle.control.code_quota import CodeQuota
from ingle.control.code_source import Upload
from ingle.control.code_verification import CodeVerification
from ingle.control.function_lookup import not_found
from ingle.control.function_records import FunctionRecords
from ingle.control.function_view import FunctionView
from ingle.control.package_references import PackageReferences, packages_of
from ingle.control.ports import Handler, Links, Objects, Roles
from ingle.control.private_networks import PrivateNetworks
from ingle.control.publishing import Publishing
from ingle.control.variable_encryption import VariableEncryption
from ingle.domain import lifecycle, runtimes
from ingle.domain.arn import FunctionReference, refer
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock, Ids, milliseconds, today
from ingle.domain.code_signing import CodeSigningBinding, CodeSigningConfig
from ingle.domain.errors import InvalidParameterValue, ResourceConflict
from ingle.domain.function import LATEST, Configuration, Function, FunctionKey, Version
from ingle.domain.tags import with_tags

Params = dict[str, Any]
Tags = dict[str, str]


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
        objects: Objects | None,
        verification: CodeVerification,
        encryption: VariableEncryption,
        roles: Roles,
        networks: PrivateNetworks,
    ) -> None:
        self._records = records
        self._packages = packages
        self._clock = clock
        self._ids = ids
        self._links = links
        self._quota = quota
        self._objects = objects
        self._verification = verification
        self._encryption = encryption
        self._view = FunctionView(encryption)
        self._roles = roles
        self._networks = networks
        self._publishing = Publishing(clock, ids, quota)

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
        function_settings.validate_new(params, caller.region, self._today())
        tags = with_tags({}, params.get("Tags", {}))
        if params.get("PackageType", "Zip") == "Zip":
            code_source.validate_source(code, "creating")
        self._require_new(reference)
        unsupported.refuse_members("CreateFunction", {**params, **code})
        signing = params.get("CodeSigningConfigArn")
        self._verification.require_bindable(caller, signing)
        self._roles.require_assumable(reference.key, params["Role"])
        self._networks.require(reference.key, params["Role"], params)
        zip_bytes = await code_source.zip_file(self._objects, caller, "CreateFunction", code)
        upload = await self._verification.upload(zip_bytes, reference.key.name)
        async with self._verification.binding(caller, signing) as config, self._records.exclusive(reference.key):
            self._require_new(reference)
            created = await self._create(caller, reference, params, tags, upload, config)
        return self._view.configuration_of(caller, created)

    def _require_new(self, reference: FunctionReference) -> None:
        """Raise ResourceConflict if the name is taken."""
        if self._records.get(reference.key) is not None:
            raise ResourceConflict(f"Function already exist: {reference.key.name}")

    async def _create(
        self, caller: Caller, reference: FunctionReference, params: Params, tags: Tags, upload: Upload,
        config: CodeSigningConfig | None,
    ) -> Version:  # fmt: skip
        """The version to show: `$LATEST`, or the first one where that is published at once."""
        draft = function_settings.new(reference.key.name, params, code_source.NO_PACKAGE)
        draft = self._attached(reference.key, draft, params)
        draft = self._with_layers(caller, draft, params)
        draft = await self._encryption.applied(caller, reference.key, draft, None, params)
        versions = 2 if params.get("Publish") else 1
        key = reference.key
        self._quota.require_room(key, len(upload.zip_bytes) * versions)
        with self._layers_kept(draft):
            verdict = await self._verification.require(key, config, upload=upload, layers=draft.layers)
            async with code_source.kept(self._packages, upload) as package:
                await code_source.require_size(self._packages, package, draft.layers)
                draft = replace(draft, package=package)
                created = await self._insert(key, draft, tags, config, publish=bool(params.get("Publish")))
        self._verification.warn(verdict)
        return created

    async def _insert(
        self, key: FunctionKey, configuration: Configuration, tags: Tags, config: CodeSigningConfig | None, *,
        publish: bool,
    ) -> Version:  # fmt: skip
        function = lifecycle.created(
            key, LATEST, configuration, revision_id=self._ids.uuid(), now_ms=milliseconds(self._clock)
        )
        if config is not None:
            bound = function.attachments.having(LATEST, CodeSigningBinding(arn=config.key.arn))
            function = replace(function, attachments=bound)
        created = function.latest
        if publish:
            function, created = self._publishing.publish(function)
        await self._records.insert(replace(function, tags=tags or None))
        return created

    async def get_function(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "GetFunction")
        version = function_lookup.version_meant(self._records, reference)
        shown: Params = {
            "Configuration": self._view.configuration_of(caller, version, reference.qualifier),
            "Code": {
                "RepositoryType": "S3",
                "Location": self._links.package_url(caller, version.configuration.package),
            },
        }
        function = function_lookup.existing(self._records, reference)
        if function.reserved is not None:
            shown["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
        # Tags are the function's as a whole: an answer about one of its versions has none.
        if function.tags and reference.qualifier is None:
            shown["Tags"] = dict(function.tags)
        return shown

    async def get_function_configuration(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "GetFunctionConfiguration")
        version = function_lookup.version_meant(self._records, reference)
        return self._view.configuration_of(caller, version, reference.qualifier)

    async def list_functions(self, caller: Caller, params: Params) -> Params:
        every_version = params.get("FunctionVersion") == "ALL"
        master = params.get("MasterRegion")
        if master is not None and not every_version:
            raise InvalidParameterValue("FunctionVersion must be ALL when MasterRegion is specified.")
        # Functions here are never replicas, so none has a master in a particular region.
        if master is not None and master != "ALL":
            return pages.answer("Functions", [], None)
        return self._list_versions(caller, params) if every_version else self._list_latest(caller, params)

    def _list_latest(self, caller: Caller, params: Params) -> Params:
        start = pages.start_of(params, "functions")
        functions = self._records.catalog.functions(caller.account, caller.region, after=start)
        page, marker = pages.page_of(functions, lambda function: function.key.name, params, "functions")
        return pages.answer("Functions", [self._view.list_entry(caller, function.latest) for function in page], marker)

    def _list_versions(self, caller: Caller, params: Params) -> Params:
        versions = self._versions_after(caller, pages.start_of(params, "versions of functions"), params)
        page, marker = pages.page_of(
            versions, lambda version: f"{version.key.name}:{version.number}", params, "versions of functions"
        )
        shown = [self._view.list_entry(caller, version, version.version) for version in page]
        return pages.answer("Functions", shown, marker)

    def _versions_after(self, caller: Caller, start: str | None, params: Params) -> Iterator[Version]:
        """The versions of all functions by name and number, those behind the position `name:number` only."""
        name, number = None, 0
        if start is not None:
            name, _, text = start.rpartition(":")
            number = pages.number_of(text, params)
            function = self._records.get(FunctionKey(account=caller.account, region=caller.region, name=name))
            if function is not None:
                yield from (version for version in function.every_version if version.number > number)
        for function in self._records.catalog.functions(caller.account, caller.region, after=name):
            yield from function.every_version

    async def update_function_code(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "UpdateFunctionCode")
        code_source.validate_size(params)
        upload = await self._new_code(caller, reference, params)
        async with self._records.exclusive(reference.key):
            function = function_lookup.changeable(self._records, reference, params)
            current = function.latest.configuration
            draft = replace(current, architecture=function_settings.architecture_of(params, current))
            self._quota.require_room(reference.key, len(upload.zip_bytes), replacing=current.package.size)
            dry_run, config = bool(params.get("DryRun")), self._verification.config_of(function)
            verdict = await self._verification.require(reference.key, config, upload=upload, dry_run=dry_run)
            if dry_run:
                package = await code_source.inspected(self._packages, upload)
                await code_source.require_size(self._packages, package, draft.layers)
                would_be = replace(function.latest, configuration=replace(draft, package=package))
                return self._view.configuration_of(caller, would_be)
            async with code_source.kept(self._packages, upload) as package:
                await code_source.require_size(self._packages, package, draft.layers)
                updated = self._updated(function, replace(draft, package=package))
                version: Version | None = None
                if params.get("Publish"):
                    updated, version = self._publishing.publish(updated)
                await self._save(function, updated)
        self._verification.warn(verdict)
        if version is not None:
            return self._view.configuration_of(caller, version, version.version)
        return self._view.configuration_of(caller, updated.latest)

    async def _new_code(self, caller: Caller, reference: FunctionReference, params: Params) -> Upload:
        """The package that a function is to have, if it can have one now."""
        operation = "UpdateFunctionCode"
        function = function_lookup.changeable(self._records, reference, params)
        code_source.validate_source(params, "updating")
        runtimes.require_updatable(function.latest.configuration.runtime, self._today())
        unsupported.refuse_members(operation, params)
        zip_bytes = await code_source.zip_file(self._objects, caller, operation, params)
        return await self._verification.upload(zip_bytes, reference.unqualified_arn)

    async def update_function_configuration(self, caller: Caller, params: Params) -> Params:
        operation = "UpdateFunctionConfiguration"
        reference = function_lookup.reference_to(caller, params, operation)
        async with self._records.exclusive(reference.key):
            function = function_lookup.changeable(self._records, reference, params)
            current = function.latest.configuration
            function_settings.validate_change(params, current, caller.region, self._today())
            draft = function_settings.changed(current, params)
            unsupported.refuse_members(operation, params)
            if "Role" in params:
                self._roles.require_assumable(reference.key, params["Role"])
            self._networks.require(reference.key, draft.role, params)
            draft = self._attached(reference.key, draft, params)
            draft = self._with_layers(caller, draft, params)
            with self._layers_kept(draft):
                draft = await self._encryption.applied(caller, reference.key, draft, current, params)
                await code_source.require_size(self._packages, draft.package, draft.layers)
                verdict = await self._verification.require(
                    reference.key,
                    self._verification.config_of(function),
                    layers=draft.layers if "Layers" in params else (),
                )
                updated = self._updated(function, draft)
                await self._save(function, updated)
        self._verification.warn(verdict)
        return self._view.configuration_of(caller, updated.latest)

    async def delete_function(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "DeleteFunction")
        _require_deletable(reference)
        async with self._records.exclusive(reference.key):
            function = function_lookup.existing(self._records, reference)
            if _names_nothing(reference):
                raise not_found(reference.unqualified_arn)
            if reference.qualifier is None:
                await self._records.delete(reference.key)
                await self._packages.release(packages_of(function))
            elif reference.qualifier in function.versions:
                _require_unreferenced(function, reference.qualifier)
                await self._save(function, lifecycle.without_version(function, reference.qualifier))
        return {"StatusCode": 204}

    def _attached(self, key: FunctionKey, draft: Configuration, params: Params) -> Configuration:
        """`draft` with the VPC of the subnets that a request names; as it is if the request says nothing of them."""
        vpc = draft.attached_vpc
        if "VpcConfig" not in params or vpc is None:
            return draft
        return replace(draft, vpc=self._networks.resolved(key, vpc))

    def _with_layers(self, caller: Caller, draft: Configuration, params: Params) -> Configuration:
        """`draft` with the layers that a request names; as it is if the request says nothing of layers."""
        if "Layers" not in params:
            return draft
        return replace(
            draft, layers=layer_lookup.references_for(caller, self._records.catalog.layers, params["Layers"])
        )

    def _layers_kept(self, draft: Configuration) -> AbstractContextManager[None]:
        """Until the function names its layers itself: their versions may be deleted at any moment."""
        return self._packages.keeping([layer.package for layer in draft.layers])

    def _updated(self, function: Function, configuration: Configuration) -> Function:
        return lifecycle.updating(
            function, configuration, revision_id=self._ids.uuid(), now_ms=milliseconds(self._clock)
        )

    async def _save(self, before: Function, after: Function) -> None:
        await self._records.save(after)
        await self._packages.release(packages_of(before) - packages_of(after))

    def _today(self) -> date:
        return today(self._clock)


def _require_deletable(reference: FunctionReference) -> None:
    """Only whole functions and numbered versions can be deleted. Asked before the function is looked for."""
    if reference.qualifier == LATEST:
        raise InvalidParameterValue("$LATEST version cannot be deleted without deleting the function.")
    if reference.qualifier is not None and not _is_number(reference.qualifier) and "$" not in reference.qualifier:
        raise InvalidParameterValue("Deletion of aliases is not currently supported.")


def _require_unreferenced(function: Function, number: str) -> None:
    """Raise ResourceConflict for a version that aliases name."""
    names = sorted(alias.name for alias in function.aliases.values() if number in alias.versions)
    if names:
        raise ResourceConflict(
            f"Unable to delete version because the following aliases reference it: [{', '.join(names)}]"
        )


def _names_nothing(reference: FunctionReference) -> bool:
    """The qualifier can be neither a version nor an alias (`$latest`)."""
    return reference.qualifier is not None and not _is_number(reference.qualifier)


def _is_number(qualifier: str) -> bool:
    return qualifier.isascii() and qualifier.isdecimal()
