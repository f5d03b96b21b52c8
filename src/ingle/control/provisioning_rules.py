"""Which versions can have provisioned concurrency, and through which name. Pure.

Shared by the operations on provisioned concurrency and those on aliases, which may move it to another version.
"""

from __future__ import annotations

from ingle.domain import lifecycle
from ingle.domain.errors import InvalidParameterValue, ResourceConflict
from ingle.domain.function import LATEST, Function


def require_provisionable(function: Function, qualifier: str, number: str) -> None:
    """Raise InvalidParameterValue or ResourceConflict unless `qualifier` may provision the version `number`.

    The version exists. Environments of one version are provisioned through one name: its own, or that of one alias.
    """
    if number == LATEST:
        raise unpublished()
    if lifecycle.starts_from_snapshot(function.versions[number]):
        raise InvalidParameterValue("Provisioned concurrency is not supported for SnapStart enabled functions.")
    if function.versions[number].configuration.tenant_isolation is not None:
        raise InvalidParameterValue("Provisioned concurrency is not supported for functions with tenant isolation.")
    if qualifier != number:
        rivals = {number, *_aliases_of(function, number)} - {qualifier}
        if rivals & function.provisioned.keys():
            raise ResourceConflict(
                "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
            )
    elif _aliases_of(function, number) & function.provisioned.keys():
        raise ResourceConflict("Version is pointed by a Provisioned Concurrency alias")


def unpublished() -> InvalidParameterValue:
    return InvalidParameterValue("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")


def _aliases_of(function: Function, number: str) -> set[str]:
    return {alias.name for alias in function.aliases.values() if alias.version == number}
