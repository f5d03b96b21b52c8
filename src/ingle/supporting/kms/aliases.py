"""The operations on aliases. Names are those of the caller's account; `alias/aws/` is reserved."""

from __future__ import annotations

import re
from dataclasses import replace

from ingle.domain.caller import Caller
from ingle.domain.kms import KmsAlias, KmsKey
from ingle.supporting.kms import access, names, pages
from ingle.supporting.kms.access import KeyRequest
from ingle.supporting.kms.errors import (
    AliasExists,
    InvalidAliasName,
    KmsLimitExceeded,
    KmsNotAuthorized,
    KmsValidation,
    no_alias,
)
from ingle.supporting.kms.operations import Answer, Handler, own_key
from ingle.supporting.kms.use import KeyUse, require_not_deleted

#: Aliases of one key (KMS quotas).
MOST_ALIASES = 50
_RESERVED = "alias/aws/"
_NAME = re.compile(r"alias/[a-zA-Z0-9/_-]+", re.ASCII)


class Aliases:
    def __init__(self, use: KeyUse) -> None:
        self._use = use
        self._records = use.records

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        return {
            "CreateAlias": self.create_alias,
            "DeleteAlias": self.delete_alias,
            "ListAliases": self.list_aliases,
            "UpdateAlias": self.update_alias,
        }

    async def create_alias(self, caller: Caller, params: Answer) -> Answer:
        name = _own_name(params["AliasName"])
        async with self._records.exclusive:
            key = self._target(caller, params, "CreateAlias")
            existing = self._records.catalog.alias(caller.account, caller.region, name)
            if existing is not None:
                raise AliasExists(f"An alias with the name {existing.arn} already exists")
            require_not_deleted(key)
            self._require_room(caller, key)
            now = self._records.clock.now()
            await self._records.save_alias(
                KmsAlias(
                    account=caller.account, region=caller.region, name=name, key_id=key.id, created=now, updated=now
                )
            )
        return {}

    async def update_alias(self, caller: Caller, params: Answer) -> Answer:
        name = _own_name(params["AliasName"])
        async with self._records.exclusive:
            alias = self._existing(caller, name, "UpdateAlias")
            key = self._target(caller, params, "UpdateAlias")
            require_not_deleted(key)
            if key.id != alias.key_id:
                self._require_room(caller, key)
            await self._records.save_alias(replace(alias, key_id=key.id, updated=self._records.clock.now()))
        return {}

    async def delete_alias(self, caller: Caller, params: Answer) -> Answer:
        name = _own_name(params["AliasName"])
        async with self._records.exclusive:
            await self._records.delete_alias(self._existing(caller, name, "DeleteAlias"))
        return {}

    async def list_aliases(self, caller: Caller, params: Answer) -> Answer:
        start = pages.start_of(params, "aliases")
        access.require(self._use.authority, KeyRequest(caller=caller, action="kms:ListAliases"))
        key = names.find_by_id(self._records, caller, params["KeyId"]) if "KeyId" in params else None
        found = (
            alias
            for alias in self._records.catalog.aliases(caller.account, caller.region, start)
            if (key is None or alias.key_id == key.id) and self._records.get(alias.key_id) is not None
        )
        return pages.answer(
            "Aliases", "aliases", found, _shown, lambda alias: alias.name, params, usual=50, most=100
        )  # fmt: skip

    def _existing(self, caller: Caller, name: str, operation: str) -> KmsAlias:
        """An alias whose change is allowed for the key that it names now."""
        alias = self._records.catalog.alias(caller.account, caller.region, name)
        key = None if alias is None else self._records.get(alias.key_id)
        if alias is None or key is None:
            raise no_alias(caller.account, caller.region, name)
        self._use.allow(KeyRequest(caller=caller, action=f"kms:{operation}"), key)
        return alias

    def _target(self, caller: Caller, params: Answer, operation: str) -> KmsKey:
        target = params["TargetKeyId"]
        if names.parse(caller, target).alias is not None:
            raise KmsValidation("Aliases must refer to keys. Not aliases")
        return own_key(self._use, caller, operation, target)

    def _require_room(self, caller: Caller, key: KmsKey) -> None:
        aliases = self._records.catalog.aliases(caller.account, caller.region)
        if sum(alias.key_id == key.id for alias in aliases) >= MOST_ALIASES:
            raise KmsLimitExceeded(f"The key has {MOST_ALIASES} aliases already.")


def _own_name(name: str) -> str:
    """A name that callers may give and change. Raises KmsValidation, KmsNotAuthorized, InvalidAliasName."""
    if not name.startswith(names.ALIAS):
        raise KmsValidation(
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if name.startswith(_RESERVED):
        raise KmsNotAuthorized(None)
    if not _NAME.fullmatch(name):
        raise InvalidAliasName(f"{name} is not a valid alias name.")
    return name


def _shown(alias: KmsAlias) -> Answer:
    return {
        "AliasName": alias.name,
        "AliasArn": alias.arn,
        "TargetKeyId": alias.key_id,
        "CreationDate": alias.created,
        "LastUpdatedDate": alias.updated,
    }
