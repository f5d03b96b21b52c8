"""The settings that Ingle does not have yet: asked for, they are refused by name, never stored and ignored.

A value that asks for nothing (an empty list, ...) is accepted. Called after the request has been validated and before
anything changes, so that a bad value gets AWS's error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingle.domain.errors import NotImplementedByIngle

Asks = Callable[[Any], bool]


def _anything(value: Any) -> bool:
    return value is not None


def _not(*harmless: Any) -> Asks:
    return lambda value: value not in harmless


def _any_of(*members: str) -> Asks:
    return lambda value: any(value.get(member) for member in members)


#: What of a member asks for something. Members that are absent here work.
_ASKS: dict[str, Asks] = {
    "AcceleratorConfig": _anything,
    "CapacityProviderConfig": _anything,
    "DurableConfig": _anything,
    "ImageConfig": _any_of("EntryPoint", "Command", "WorkingDirectory"),
    "PackageType": _not("Zip"),
    "PublishTo": _anything,
    "RuntimeConfig": _anything,
    "S3ObjectStorageMode": _not("COPY"),
    "SourceKMSKeyArn": bool,
}


def refuse_members(operation: str, params: Mapping[str, Any]) -> None:
    """Raise NotImplementedByIngle for the first member of a request that asks for what Ingle does not do yet."""
    for member, value in params.items():
        asks = _ASKS.get(member)
        if asks is not None and asks(value):
            raise not_implemented(operation, member)
    if params.get("Runtime") == "custom":
        raise not_implemented(operation, "Runtime custom")


def not_implemented(operation: str, what: str) -> NotImplementedByIngle:
    return NotImplementedByIngle(f"Ingle does not implement {operation} with {what} yet.")
