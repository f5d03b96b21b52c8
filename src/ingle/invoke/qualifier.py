"""From the name in an invocation to the version that runs: memory only, about a microsecond.

Called by the invoker for every invocation.
"""

from __future__ import annotations

from collections.abc import Callable
from random import random

from ingle.catalog import Catalog
from ingle.domain.arn import FunctionReference, refer
from ingle.domain.caller import Caller
from ingle.domain.errors import ResourceConflict, ResourceNotFound
from ingle.domain.function import LATEST, Function, State, Version
from ingle.domain.lifecycle import wrong_state

_ACTION = "InvokeFunction"

Draw = Callable[[], float]


def resolve(
    catalog: Catalog, caller: Caller, function_name: str, qualifier: str | None, draw: Draw = random
) -> tuple[Version, str]:
    """The version to run, and the ARN as the caller used it: qualified exactly if a qualifier was given.

    While an update is in progress, or after it failed, `$LATEST` is what it was before. `draw` gives numbers from
    [0, 1), for aliases that stand for two versions.

    Raises what `domain.arn.refer` raises; ResourceNotFound for an absent function or qualifier; ResourceConflict for a
    function or version that never became active.
    """
    reference = refer(caller.account, caller.region, function_name, qualifier, _ACTION)
    function = catalog.get(reference.key)
    if function is None:
        raise _not_found(reference)
    if reference.is_latest:
        return _serving(catalog, function), reference.arn
    wanted = reference.qualifier or LATEST
    alias = function.aliases.get(wanted)
    if alias is not None:
        wanted = alias.choose(draw()) if alias.weights else alias.version
        if wanted == LATEST:
            return _serving(catalog, function), reference.arn
    version = function.versions.get(wanted)
    if version is None:
        raise _not_found(reference)
    if version.state is not State.ACTIVE:
        raise _not_active(catalog, version)
    return version, reference.arn


def _serving(catalog: Catalog, function: Function) -> Version:
    if function.serving is None:
        raise _not_active(catalog, function.latest)
    return function.serving


def _not_active(catalog: Catalog, version: Version) -> ResourceConflict:
    """The refusal. It wakes a version that is Inactive, so that a later invocation finds it active."""
    if version.state is State.INACTIVE:
        catalog.on_wake(version)
    return wrong_state(version.state)


def _not_found(reference: FunctionReference) -> ResourceNotFound:
    return ResourceNotFound(f"Function not found: {reference.arn_of(reference.qualifier or LATEST)}")
