"""Code signing configurations as something with tags. LastModified stays as it is when tags change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ingle.control.code_signing_records import CodeSigningRecords
from ingle.control.tags import Change, TagSet, not_found
from ingle.domain.caller import Caller
from ingle.domain.code_signing import CodeSigningConfig


@dataclass(frozen=True, slots=True)
class CodeSigningTags:
    """See `control.tags.Taggable`. One of another account or region is not found, as by its own operations."""

    records: CodeSigningRecords

    def tags(self, caller: Caller, arn: str, action: str) -> TagSet:
        return self._found(caller, arn).tags or {}

    async def change_tags(self, caller: Caller, arn: str, action: str, change: Change) -> None:
        async with self.records.exclusive():
            config = self._found(caller, arn)
            tags: Mapping[str, str] = change(config.tags or {})
            if tags != (config.tags or {}):
                await self.records.save(replace(config, tags=dict(tags)))

    def _found(self, caller: Caller, arn: str) -> CodeSigningConfig:
        config = self.records.configs.get(arn)
        if config is None or (config.key.account, config.key.region) != (caller.account, caller.region):
            raise not_found("code-signing-config", arn)
        return config
