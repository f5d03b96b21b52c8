"""Tags of log groups: by the group's name (the older operations) and by its ARN.

Source of the rules: the Logs API reference, TagResource.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from ingle.domain.caller import Caller
from ingle.storage.logs import LogStore
from ingle.supporting.log_errors import LogsError, LogsInvalidParameter, LogsTooManyTags
from ingle.supporting.log_names import name_of

Answer = dict[str, Any]

MOST_TAGS = 50
_RESERVED = "aws:"


def check_tags(tags: Mapping[str, str], too_many: type[LogsError]) -> None:
    """Raises LogsInvalidParameter for a reserved key, `too_many` for more tags than a group may have."""
    if any(key.lower().startswith(_RESERVED) for key in tags):
        raise LogsInvalidParameter("Tag keys starting with 'aws:' are reserved for system use.")
    if len(tags) > MOST_TAGS:
        raise too_many(f"A log group can have at most {MOST_TAGS} tags.")


class LogTags:
    """Handlers of the operations on tags. Errors: those of `log_errors`, and the store's, which `logs` translates."""

    def __init__(self, store: LogStore) -> None:
        self._store = store

    def handlers(self) -> dict[str, Callable[[Caller, dict[str, Any]], Awaitable[Answer]]]:
        """By operation name."""
        return {
            "ListTagsForResource": self.list_tags_for_resource,
            "ListTagsLogGroup": self.list_tags_log_group,
            "TagLogGroup": self.tag_log_group,
            "TagResource": self.tag_resource,
            "UntagLogGroup": self.untag_log_group,
            "UntagResource": self.untag_resource,
        }

    async def tag_log_group(self, caller: Caller, params: dict[str, Any]) -> Answer:
        return await self._add(caller, params["logGroupName"], params["tags"], LogsInvalidParameter)

    async def tag_resource(self, caller: Caller, params: dict[str, Any]) -> Answer:
        return await self._add(caller, _named(caller, params), params["tags"], LogsTooManyTags)

    async def untag_log_group(self, caller: Caller, params: dict[str, Any]) -> Answer:
        return await self._remove(caller, params["logGroupName"], params["tags"])

    async def untag_resource(self, caller: Caller, params: dict[str, Any]) -> Answer:
        return await self._remove(caller, _named(caller, params), params["tagKeys"])

    async def list_tags_log_group(self, caller: Caller, params: dict[str, Any]) -> Answer:
        return {"tags": await self._store.tags(caller.account, caller.region, params["logGroupName"])}

    async def list_tags_for_resource(self, caller: Caller, params: dict[str, Any]) -> Answer:
        return {"tags": await self._store.tags(caller.account, caller.region, _named(caller, params))}

    async def _add(self, caller: Caller, group: str, tags: Mapping[str, str], too_many: type[LogsError]) -> Answer:
        def add(found: dict[str, str]) -> None:
            found.update(tags)
            check_tags(found, too_many)

        await self._store.change_tags(caller.account, caller.region, group, add)
        return {}

    async def _remove(self, caller: Caller, group: str, keys: Iterable[str]) -> Answer:
        def remove(found: dict[str, str]) -> None:
            for key in keys:
                found.pop(key, None)

        await self._store.change_tags(caller.account, caller.region, group, remove)
        return {}


def _named(caller: Caller, params: dict[str, Any]) -> str:
    arn: str = params["resourceArn"]
    if not arn.startswith("arn:"):
        raise LogsInvalidParameter("Invalid resource ARN.")
    return name_of(caller, arn)
