"""Tags of keys. Source of the rules: the KMS API reference, TagResource; the texts are those that AWS gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ingle.domain.caller import Caller
from ingle.supporting.kms import pages
from ingle.supporting.kms.errors import InvalidTag, KmsLimitExceeded
from ingle.supporting.kms.operations import Answer, Handler, own_key
from ingle.supporting.kms.use import KeyUse, require_not_deleted

MOST_TAGS = 50


class KeyTags:
    def __init__(self, use: KeyUse) -> None:
        self._use = use
        self._records = use.records

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        return {
            "ListResourceTags": self.list_resource_tags,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
        }

    async def tag_resource(self, caller: Caller, params: Answer) -> Answer:
        async with self._records.exclusive:
            key = own_key(self._use, caller, "TagResource", params["KeyId"])
            require_not_deleted(key)
            await self._records.save(replace(key, tags=with_tags(key.tags, params["Tags"])))
        return {}

    async def untag_resource(self, caller: Caller, params: Answer) -> Answer:
        async with self._records.exclusive:
            key = own_key(self._use, caller, "UntagResource", params["KeyId"])
            require_not_deleted(key)
            dropped = set(params["TagKeys"])
            left = {name: value for name, value in key.tags.items() if name not in dropped}
            await self._records.save(replace(key, tags=left))
        return {}

    async def list_resource_tags(self, caller: Caller, params: Answer) -> Answer:
        start = pages.start_of(params, "tags")
        key = own_key(self._use, caller, "ListResourceTags", params["KeyId"])
        found = [name for name in sorted(key.tags) if start is None or name > start]
        return pages.answer(
            "Tags", "tags", found, lambda name: {"TagKey": name, "TagValue": key.tags[name]}, lambda name: name, params,
            usual=50, most=50,
        )  # fmt: skip


def with_tags(current: Mapping[str, str], added: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """`current` with more tags; one of the same key is replaced. Raises InvalidTag, KmsLimitExceeded."""
    wanted: dict[str, str] = {}
    for tag in added:
        if tag["TagKey"] in wanted:
            raise InvalidTag("Duplicate tag keys")
        if tag["TagKey"].lower().startswith("aws:"):
            raise InvalidTag("Tags beginning with aws: are reserved")
        wanted[tag["TagKey"]] = tag["TagValue"]
    after = {**current, **wanted}
    if len(after) > MOST_TAGS:
        raise KmsLimitExceeded("Too many tags")
    return after
