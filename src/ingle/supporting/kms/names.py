"""How callers name keys: id, key ARN, alias, alias ARN. Which of them an operation takes is in the API reference."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingle.domain.caller import Caller
from ingle.domain.kms import KmsKey
from ingle.supporting.kms.errors import InvalidKeyArn, KeyNotFound, KmsError, no_alias, no_key
from ingle.supporting.kms.records import KeyRecords

ALIAS = "alias/"
_HEX = "[0-9a-f]"
_KEY_ID = re.compile(rf"(?:{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}|mrk-{_HEX}{{32}})", re.ASCII)
_ARN = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<resource>(?:key|alias)/.+)", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyName:
    """`resource` is `key/` and an id, or an alias with its prefix."""

    account: str
    region: str
    resource: str

    @property
    def alias(self) -> str | None:
        return self.resource if self.resource.startswith(ALIAS) else None


def parse(caller: Caller, text: str) -> KeyName:
    """Raises KeyNotFound for what is no name of a key, or of one in another region."""
    if text.startswith("arn:"):
        match = _ARN.fullmatch(text)
        if match is None:
            raise KeyNotFound(f"Invalid arn {text}")
        if match["region"] != caller.region:
            raise KeyNotFound(f"Invalid arn {match['region']}")
        name = KeyName(account=match["account"], region=match["region"], resource=match["resource"])
    else:
        resource = text if text.startswith(ALIAS) else f"key/{text}"
        name = KeyName(account=caller.account, region=caller.region, resource=resource)
    if name.alias is None and not _KEY_ID.fullmatch(name.resource.removeprefix("key/")):
        raise KeyNotFound(f"Invalid keyId '{text}'")
    return name


def find(keys: KeyRecords, caller: Caller, text: str) -> KmsKey:
    """The key that an id, a key ARN, an alias or an alias ARN names. Raises KeyNotFound."""
    return _found(keys, parse(caller, text))


def find_by_id(keys: KeyRecords, caller: Caller, text: str) -> KmsKey:
    """The key that an id or a key ARN names. Raises KeyNotFound, and InvalidKeyArn for the ARN of an alias."""
    name = parse(caller, text)
    if name.alias is not None:
        raise aliases_refused(text)
    return _found(keys, name)


def aliases_refused(text: str) -> KmsError:
    if text.startswith("arn:"):
        return InvalidKeyArn("Key Aliases are not supported for this operation.")
    return KeyNotFound(f"Invalid keyId '{text}'")


def _found(keys: KeyRecords, name: KeyName) -> KmsKey:
    key_id = name.resource.removeprefix("key/")
    if name.alias is not None:
        alias = keys.catalog.alias(name.account, name.region, name.alias)
        if alias is None:
            raise no_alias(name.account, name.region, name.alias)
        key_id = alias.key_id
    key = keys.get(key_id)
    if key is None or (key.account, key.region) != (name.account, name.region):
        raise no_key(name.account, name.region, key_id)
    return key
