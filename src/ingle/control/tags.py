"""The operations on tags of resources, by the kind that an ARN names. Only full ARNs mean a resource here.

A kind is taggable once it is in the table that the composition root supplies; what the model admits beyond it cannot
exist here and is not found. `supporting.tagging` tags through `Tags` too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ingle.control import function_lookup
from ingle.control.function_records import FunctionRecords
from ingle.control.ports import Handler
from ingle.domain.arn import FunctionReference, refer
from ingle.domain.caller import Caller
from ingle.domain.errors import InvalidParameterValue, ResourceNotFound
from ingle.domain.function import Function
from ingle.domain.tags import with_tags, without_tags

Params = dict[str, Any]
TagSet = Mapping[str, str]
#: From the tags that a resource has to those that it is to have.
Change = Callable[[TagSet], TagSet]

#: What "not found" calls a resource, by the kind in its ARN.
_TITLES = {
    "capacity-provider": "Capacity provider",
    "code-signing-config": "Code signing config",
    "event-source-mapping": "Event source mapping",
    "function": "Function",
    "network-connector": "Network connector",
}


class Taggable(Protocol):
    """Resources of one kind. `action` is the IAM action that a refusal names.

    Both raise what is wrong with the ARN, and ResourceNotFound.
    """

    def tags(self, caller: Caller, arn: str, action: str) -> TagSet: ...

    async def change_tags(self, caller: Caller, arn: str, action: str, change: Change) -> None:
        """Durable when it returns. What `change` raises changes nothing."""
        ...


class Tags:
    """Handlers of Lambda's tag operations, by the names of the service model."""

    def __init__(self, kinds: Mapping[str, Taggable]) -> None:
        self._kinds = kinds

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {"ListTags": self.list_tags, "TagResource": self.tag_resource, "UntagResource": self.untag_resource}

    async def tag_resource(self, caller: Caller, params: Params) -> Params:
        if not params["Tags"]:
            raise InvalidParameterValue("An error occurred and the request cannot be processed.")
        await self._change(caller, params["Resource"], "TagResource", lambda tags: with_tags(tags, params["Tags"]))
        return {}

    async def untag_resource(self, caller: Caller, params: Params) -> Params:
        keys = params["TagKeys"]
        await self._change(caller, params["Resource"], "UntagResource", lambda tags: without_tags(tags, keys))
        return {}

    async def list_tags(self, caller: Caller, params: Params) -> Params:
        return {"Tags": dict(self._kind(params["Resource"]).tags(caller, params["Resource"], "ListTags"))}

    async def _change(self, caller: Caller, arn: str, action: str, change: Change) -> None:
        await self._kind(arn).change_tags(caller, arn, action, change)

    def _kind(self, arn: str) -> Taggable:
        kind = arn.split(":", 6)[5] if arn.count(":") > 5 else ""
        if kind not in _TITLES:
            raise InvalidParameterValue(f"The ARN names no resource that can have tags: {arn}")
        found = self._kinds.get(kind)
        if found is None:
            raise not_found(kind, arn)
        return found


def not_found(kind: str, arn: str) -> ResourceNotFound:
    return ResourceNotFound(f"{_TITLES[kind]} not found: {arn}")


@dataclass(frozen=True, slots=True)
class FunctionTags:
    """Functions as something with tags. Their RevisionId and states stay as they are when tags change."""

    records: FunctionRecords

    def tags(self, caller: Caller, arn: str, action: str) -> TagSet:
        return function_lookup.existing(self.records, _refer(caller, arn, action)).tags or {}

    async def change_tags(self, caller: Caller, arn: str, action: str, change: Change) -> None:
        reference = _refer(caller, arn, action)
        async with self.records.exclusive(reference.key):
            function = function_lookup.existing(self.records, reference)
            tagged = _tagged(function, change(function.tags or {}))
            if tagged != function:
                await self.records.save(tagged)


def _tagged(function: Function, tags: TagSet) -> Function:
    """A function that never had a tag stays one where there is none to add: searches tell the difference."""
    return function if function.tags is None and not tags else replace(function, tags=dict(tags))


def _refer(caller: Caller, arn: str, action: str) -> FunctionReference:
    reference = refer(caller.account, caller.region, arn, None, action)
    if reference.qualifier is not None:
        raise InvalidParameterValue(
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    return reference
