"""The operations on layers: publish, read, list, delete. Who else may use a version is `control.layer_permissions`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ingle.control import code_source, constraints, layer_lookup, layer_view, pages, unsupported
from ingle.control.code_quota import CodeQuota
from ingle.control.layer_records import LayerRecords
from ingle.control.package_references import PackageReferences
from ingle.control.ports import Handler, Links, Objects, Signatures
from ingle.domain import runtimes
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock, milliseconds
from ingle.domain.errors import InvalidParameterValue
from ingle.domain.function import Package
from ingle.domain.layer import Layer, LayerKey, LayerName, LayerVersion

Params = dict[str, Any]


class Layers:
    """Handlers of Lambda's layer operations, by the names of the service model."""

    def __init__(
        self,
        records: LayerRecords,
        packages: PackageReferences,
        clock: Clock,
        links: Links,
        quota: CodeQuota,
        objects: Objects | None,
        signatures: Signatures,
    ) -> None:
        self._records = records
        self._packages = packages
        self._clock = clock
        self._links = links
        self._quota = quota
        self._objects = objects
        self._signatures = signatures

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "DeleteLayerVersion": self.delete_layer_version,
            "GetLayerVersion": self.get_layer_version,
            "GetLayerVersionByArn": self.get_layer_version_by_arn,
            "ListLayerVersions": self.list_layer_versions,
            "ListLayers": self.list_layers,
            "PublishLayerVersion": self.publish_layer_version,
        }

    async def publish_layer_version(self, caller: Caller, params: Params) -> Params:
        operation = "PublishLayerVersion"
        key = layer_lookup.own_key_of(caller, params["LayerName"], operation)
        _validate_runtimes(params.get("CompatibleRuntimes", []))
        content = params["Content"]
        code_source.validate_size(content)
        code_source.validate_source(content, "publishing")
        unsupported.refuse_members(operation, content)
        zip_bytes = await code_source.zip_file(self._objects, caller, operation, content)
        self._quota.require_room(key, len(zip_bytes))
        upload = await code_source.upload(self._signatures, zip_bytes, key.arn)
        async with code_source.kept(self._packages, upload) as package, self._records.exclusive(key):
            layer = self._records.get(key)
            version = _new(layer, package, params, milliseconds(self._clock))
            await self._records.save(layer.with_version(version), version.number)
        return self._shown(caller, version)

    async def get_layer_version(self, caller: Caller, params: Params) -> Params:
        key = layer_lookup.key_of(caller, params["LayerName"])
        layer_lookup.require_number(params["VersionNumber"])
        return self._shown(caller, self._version(caller, key, params["VersionNumber"]))

    async def get_layer_version_by_arn(self, caller: Caller, params: Params) -> Params:
        name = LayerName.parse(params["Arn"])
        number = None if name is None else name.version
        if number is None:
            raise InvalidParameterValue(f"Layer version {params['Arn']} does not exist.")
        return self._shown(caller, self._version(caller, layer_lookup.key_of(caller, params["Arn"]), number))

    async def list_layers(self, caller: Caller, params: Params) -> Params:
        _validate_filter(params)
        start = pages.start_of(params, "layers")
        found = self._matching(caller, params, start)
        page, marker = pages.page_of(found, lambda match: match[0].key.name, params, "layers")
        return pages.answer("Layers", [layer_view.layer_entry(layer, newest) for layer, newest in page], marker)

    def _matching(self, caller: Caller, params: Params, start: str | None) -> Iterator[tuple[Layer, LayerVersion]]:
        """Layers with the newest version that the filters let through; those without one are left out."""
        for layer in self._records.catalog.layers(caller.account, caller.region, after=start):
            newest = next(_newest_first(layer, params), None)
            if newest is not None:
                yield layer, newest

    async def list_layer_versions(self, caller: Caller, params: Params) -> Params:
        key = layer_lookup.own_key_of(caller, params["LayerName"], "ListLayerVersions")
        _validate_filter(params)
        start = pages.start_of(params, "layer versions")
        found = _newest_first(self._records.get(key), params)
        if start is not None:
            before = pages.number_of(start, params)
            found = (version for version in found if version.number < before)
        page, marker = pages.page_of(found, lambda version: str(version.number), params, "layer versions")
        return pages.answer("LayerVersions", [layer_view.list_entry(version) for version in page], marker)

    async def delete_layer_version(self, caller: Caller, params: Params) -> Params:
        key = layer_lookup.own_key_of(caller, params["LayerName"], "DeleteLayerVersion")
        layer_lookup.require_number(params["VersionNumber"])
        async with self._records.exclusive(key):
            layer = self._records.get(key)
            version = layer.versions.get(params["VersionNumber"])
            if version is not None:
                await self._records.save(layer.without_version(version.number), version.number)
                await self._packages.release({version.package})
        return {}

    def _version(self, caller: Caller, key: LayerKey, number: int) -> LayerVersion:
        return layer_lookup.version_for(caller, self._records.catalog, key, number)

    def _shown(self, caller: Caller, version: LayerVersion) -> Params:
        return layer_view.version_of(version, self._links.package_url(caller, version.package))


def _new(layer: Layer, package: Package, params: Mapping[str, Any], now_ms: int) -> LayerVersion:
    suited = params.get("CompatibleRuntimes")
    architectures = params.get("CompatibleArchitectures")
    return LayerVersion(
        key=layer.key,
        number=layer.next_version,
        package=package,
        created=now_ms,
        description=params.get("Description", ""),
        runtimes=None if suited is None else tuple(suited),
        architectures=None if architectures is None else tuple(architectures),
        license=params.get("LicenseInfo"),
    )


def _newest_first(layer: Layer, params: Mapping[str, Any]) -> Iterator[LayerVersion]:
    runtime, architecture = params.get("CompatibleRuntime"), params.get("CompatibleArchitecture")
    versions = (layer.versions[number] for number in sorted(layer.versions, reverse=True))
    return (version for version in versions if version.suits(runtime, architecture))


def _validate_runtimes(named: list[str]) -> None:
    if not all(runtime in runtimes.RUNTIMES for runtime in named):
        within = f"[{runtimes.ENUM_CONSTRAINT}, Member must not be null]"
        constraints.require(
            constraints.violation(
                f"[{', '.join(named)}]", "compatibleRuntimes", f"Member must satisfy constraint: {within}"
            )
        )


def _validate_filter(params: Mapping[str, Any]) -> None:
    runtime = params.get("CompatibleRuntime")
    if runtime is not None and runtime not in runtimes.RUNTIMES:
        constraints.require(constraints.violation(runtime, "compatibleRuntime", runtimes.ENUM_CONSTRAINT))
