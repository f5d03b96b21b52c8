"""Which function of the caller's account and region a FunctionName means, and what functions themselves may ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingle.catalog import Catalog
from ingle.domain.arn import FunctionArn, FunctionName
from ingle.domain.caller import Caller
from ingle.domain.errors import AccessDenied
from ingle.domain.function import Function, FunctionKey
from ingle.own.errors import OwnNotFound


def key_meant(caller: Caller, operation: str, params: Mapping[str, Any]) -> FunctionKey:
    """Raises OwnNotFound for another region, and AccessDenied for another account: nobody sees into that one here."""
    parsed = FunctionName.parse(params["FunctionName"])
    if parsed.region not in (None, caller.region):
        raise OwnNotFound(f"Functions from '{parsed.region}' are not reachable in this region ('{caller.region}')")
    key = FunctionKey(account=parsed.account or caller.account, region=caller.region, name=parsed.name)
    if key.account != caller.account:
        raise AccessDenied(
            f"User: {caller.principal.arn} is not authorized to perform: ingle:{operation} on resource: "
            f"{FunctionArn.of(key)} because it is in another account"
        )
    return key


def refuse_unknown_functions(caller: Caller) -> None:
    """Raise AccessDenied to code in an execution environment of which nobody has verified whose role it has."""
    if caller.environment_id is not None and caller.authority is None:
        raise AccessDenied("Functions may ask this only where their execution role is asked, too: --function-api role.")


def existing(catalog: Catalog, key: FunctionKey) -> Function:
    """Raises OwnNotFound."""
    function = catalog.get(key)
    if function is None:
        raise OwnNotFound(f"Function not found: {FunctionArn.of(key)}")
    return function
