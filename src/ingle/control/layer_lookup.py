"""From the names in a request to the layer version that it means, and whether the caller may have it.

Shared by the operations on layers and on functions, which use layers.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingle.catalog.layers import LayerCatalog
from ingle.domain.arn import partition_of
from ingle.domain.caller import Caller
from ingle.domain.errors import AccessDenied, InvalidParameterValue, ResourceNotFound
from ingle.domain.function import LayerReference
from ingle.domain.layer import LayerKey, LayerName, LayerVersion

_USE = "GetLayerVersion"


def key_of(caller: Caller, name: str) -> LayerKey:
    """The layer that a name or an ARN means. Raises ResourceNotFound for another region."""
    parsed = LayerName.parse(name)
    if parsed is None:
        raise ResourceNotFound("The resource you requested does not exist.")
    if parsed.region not in (None, caller.region):
        raise ResourceNotFound(f"Layers from '{parsed.region}' are not reachable in this region ('{caller.region}')")
    return LayerKey(account=parsed.account or caller.account, region=caller.region, name=parsed.name)


def own_key_of(caller: Caller, name: str, action: str) -> LayerKey:
    """As `key_of`, for what only the owner may do. Raises AccessDenied for a layer of another account."""
    key = key_of(caller, name)
    if key.account != caller.account:
        raise access_denied(caller, key.arn, action)
    return key


def require_number(number: int) -> None:
    if number < 1:
        raise InvalidParameterValue("Layer Version Cannot be less than 1")


def version_for(caller: Caller, catalog: LayerCatalog, key: LayerKey, number: int) -> LayerVersion:
    """A layer version that the caller may read.

    Raises ResourceNotFound; AccessDenied for one of another account that is absent or not granted.
    """
    version = _find(catalog, key, number)
    if key.account != caller.account and (version is None or not version.usable_by(caller.account)):
        raise access_denied(caller, f"{key.arn}:{number}", _USE)
    if version is None:
        raise ResourceNotFound("The resource you requested does not exist.")
    return version


def references_for(caller: Caller, catalog: LayerCatalog, arns: Sequence[str]) -> tuple[LayerReference, ...]:
    """What a function of the caller has of the layer versions with these ARNs, in their order.

    Raises InvalidParameterValue for absent ones and those of another region, AccessDenied for what is not granted.
    """
    named = [LayerName.parse(arn) for arn in arns]
    if any(name is not None and name.region != caller.region for name in named):
        raise InvalidParameterValue(
            f"Layers are not in the same region as the function. Layers are expected to be in region {caller.region}."
        )
    return tuple(_reference(caller, catalog, arn, name) for arn, name in zip(arns, named, strict=True))


def _reference(caller: Caller, catalog: LayerCatalog, arn: str, name: LayerName | None) -> LayerReference:
    version = None
    if name is not None and name.account is not None and name.version is not None:
        key = LayerKey(account=name.account, region=caller.region, name=name.name)
        version = _find(catalog, key, name.version)
        if name.account != caller.account and (version is None or not version.usable_by(caller.account)):
            raise access_denied(caller, arn, _USE)
    if version is None:
        raise InvalidParameterValue(f"Layer version {arn} does not exist.")
    return LayerReference(arn=version.arn, package=version.package)


def _find(catalog: LayerCatalog, key: LayerKey, number: int) -> LayerVersion | None:
    layer = catalog.get(key)
    return None if layer is None else layer.versions.get(number)


def access_denied(caller: Caller, resource: str, action: str) -> AccessDenied:
    return AccessDenied(
        f"User: arn:{partition_of(caller.region)}:iam::{caller.account}:root is not authorized to perform: "
        f"lambda:{action} on resource: {resource} because no resource-based policy allows the lambda:{action} action"
    )
