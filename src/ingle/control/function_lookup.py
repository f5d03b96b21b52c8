"""From the names in a request to the function and version that it means, and what a change of it presupposes.

Shared by the operations on functions, versions and aliases, which refuse alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingle.control.function_records import FunctionRecords
from ingle.domain import lifecycle
from ingle.domain.arn import FunctionReference, refer
from ingle.domain.caller import Caller
from ingle.domain.errors import PreconditionFailed, ResourceNotFound
from ingle.domain.function import LATEST, Function, Version


def reference_to(caller: Caller, params: Mapping[str, Any], action: str) -> FunctionReference:
    """What FunctionName and Qualifier mean. Raises what `domain.arn.refer` raises."""
    return refer(caller.account, caller.region, params["FunctionName"], params.get("Qualifier"), action)


def existing(records: FunctionRecords, reference: FunctionReference) -> Function:
    """The function, whatever the qualifier. Raises ResourceNotFound with the unqualified ARN."""
    function = records.get(reference.key)
    if function is None:
        raise not_found(reference.unqualified_arn)
    return function


def version_meant(records: FunctionRecords, reference: FunctionReference) -> Version:
    """The version that a read means. Raises ResourceNotFound with the ARN as the caller used it."""
    function = records.get(reference.key)
    version = None if function is None else function.qualified(reference.qualifier or LATEST)
    if version is None:
        raise not_found(reference.arn)
    return version


def changeable(records: FunctionRecords, reference: FunctionReference, params: Mapping[str, Any]) -> Function:
    """The function that a change of `$LATEST` means: it exists, is as the caller last saw it, and takes a change now.

    Raises ResourceNotFound, PreconditionFailed, ResourceConflict.
    """
    function = records.get(reference.key)
    if function is None or not reference.is_latest:
        raise not_found(reference.arn)
    require_revision(params, function.latest.revision_id)
    lifecycle.require_settled(function)
    return function


def require_revision(params: Mapping[str, Any], current: str) -> None:
    """Raise PreconditionFailed if the request names another RevisionId than the current one."""
    if params.get("RevisionId") not in (None, current):
        raise PreconditionFailed(
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
            "retrieve the latest Revision Id"
        )


def not_found(arn: str) -> ResourceNotFound:
    return ResourceNotFound(f"Function not found: {arn}")
