"""The operations on grants: permissions that callers and services give each other for one key.

Grants are kept and shown; whether one permits something is for `access.Authority` to say.
Source of the rules: the KMS API reference, CreateGrant, and the developer guide, "Grants in KMS".
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ingle.catalog.principal_names import UnknownPrincipal
from ingle.domain.caller import Caller
from ingle.domain.kms import Grant, KmsKey
from ingle.supporting.kms import access, names, pages
from ingle.supporting.kms.access import KeyRequest
from ingle.supporting.kms.errors import (
    InvalidGrantId,
    InvalidKeyArn,
    KeyNotFound,
    KmsValidation,
)
from ingle.supporting.kms.grant_tokens import check_tokens, named, new_token
from ingle.supporting.kms.operations import Answer, Handler, any_key, end_dry_run
from ingle.supporting.kms.use import KeyUse, require_enabled

#: What a grant of a symmetric key may permit.
OPERATIONS = frozenset(
    ("CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair",
     "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
     "RetireGrant")
)  # fmt: skip
#: Pairs and characters of a constraint on the encryption context.
MOST_PAIRS, MOST_CHARACTERS = 8, 384
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::\d{12}:.+", re.ASCII)
_CONTEXTS = ("EncryptionContextEquals", "EncryptionContextSubset")


class Grants:
    def __init__(self, use: KeyUse) -> None:
        self._use = use
        self._records = use.records

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        return {
            "CreateGrant": self.create_grant,
            "ListGrants": self.list_grants,
            "ListRetirableGrants": self.list_retirable_grants,
            "RetireGrant": self.retire_grant,
            "RevokeGrant": self.revoke_grant,
        }

    async def create_grant(self, caller: Caller, params: Answer) -> Answer:
        _validate(params)
        check_tokens(params)
        async with self._records.exclusive:
            key = any_key(self._use, caller, "CreateGrant", params["KeyId"])
            require_enabled(key)
            end_dry_run(params)
            grant = await self.put(caller, key, params)
        return {"GrantToken": new_token(key.id, grant.id), "GrantId": grant.id}

    async def put(self, caller: Caller, key: KmsKey, params: Mapping[str, Any]) -> Grant:
        """The grant that a request asks for: one that is there already, if it has the same name and says the same."""
        wanted = self._bound(_grant(caller, key, params, secrets.token_hex(32), self._records.clock.now()))
        for grant in self._records.catalog.grants(key.id).values():
            if wanted.name is not None and _said(grant) == _said(wanted):
                return grant
        await self._records.save_grant(wanted)
        return wanted

    def _bound(self, grant: Grant) -> Grant:
        """With users and roles by their unique ids. Raises InvalidKeyArn for those that there are not."""
        try:
            return replace(
                grant,
                grantee=None if grant.grantee is None else self._use.names.bound(grant.grantee),
                retiring=None if grant.retiring is None else self._use.names.bound(grant.retiring),
            )
        except UnknownPrincipal as unknown:
            raise InvalidKeyArn(f"ARN does not refer to a valid principal: {unknown}") from None

    def _name(self, kept: str | None) -> str | None:
        return None if kept is None else self._use.names.shown(kept)

    async def list_grants(self, caller: Caller, params: Answer) -> Answer:
        start = pages.start_of(params, "grants")
        key = any_key(self._use, caller, "ListGrants", params["KeyId"])
        found: Iterable[Grant] = self._records.catalog.grants(key.id).values()
        if "GrantId" in params:
            found = [_existing(key, params["GrantId"], self._use)]
        for member, attribute in (("GranteePrincipal", "grantee"), ("GranteeServicePrincipal", "grantee_service")):
            if member in params:
                found = [grant for grant in found if self._name(getattr(grant, attribute)) == params[member]]
        return self._page(found, start, params)

    async def list_retirable_grants(self, caller: Caller, params: Answer) -> Answer:
        start = pages.start_of(params, "grants")
        access.require(self._use.authority, KeyRequest(caller=caller, action="kms:ListRetirableGrants"))
        given = [member for member in ("RetiringPrincipal", "RetiringServicePrincipal") if member in params]
        if len(given) != 1:
            raise KmsValidation("Specify either RetiringPrincipal or RetiringServicePrincipal, but not both.")
        attribute = "retiring" if given == ["RetiringPrincipal"] else "retiring_service"
        found = [
            grant
            for key in self._records.catalog
            if key.region == caller.region and self._records.get(key.id) is not None
            for grant in self._records.catalog.grants(key.id).values()
            if self._name(getattr(grant, attribute)) == params[given[0]]
        ]
        return self._page(found, start, params)

    async def revoke_grant(self, caller: Caller, params: Answer) -> Answer:
        async with self._records.exclusive:
            key = any_key(self._use, caller, "RevokeGrant", params["KeyId"])
            grant = _existing(key, params["GrantId"], self._use)
            end_dry_run(params)
            await self._records.delete_grant(grant)
        return {}

    async def retire_grant(self, caller: Caller, params: Answer) -> Answer:
        async with self._records.exclusive:
            key, grant_id = self._retired(caller, params)
            grant = _existing(key, grant_id, self._use)
            self._use.allow(KeyRequest(caller=caller, action="kms:RetireGrant"), key)
            end_dry_run(params)
            await self._records.delete_grant(grant)
        return {}

    def _retired(self, caller: Caller, params: Answer) -> tuple[KmsKey, str]:
        by_token, by_id = "GrantToken" in params, "GrantId" in params and "KeyId" in params
        if by_token == by_id:
            raise KmsValidation("Specify either a grant token, or a grant ID and a key ARN.")
        if by_id:
            return names.find_by_id(self._records, caller, params["KeyId"]), params["GrantId"]
        key_id, grant_id = named(params["GrantToken"])
        key = self._records.get(key_id)
        if key is None or key.region != caller.region:
            raise KeyNotFound("The grant token names a key that does not exist.")
        return key, grant_id

    def _page(self, found: Iterable[Grant], start: str | None, params: Answer) -> Answer:
        ordered = sorted(found, key=_place)
        left = [grant for grant in ordered if start is None or _place(grant) > start]
        return pages.answer("Grants", "grants", left, self._shown, _place, params, usual=50, most=100)

    def _shown(self, grant: Grant) -> Answer:
        key = self._records.get(grant.key_id)
        shown = {
            "KeyId": None if key is None else key.arn,
            "GrantId": grant.id,
            "Name": grant.name or "",
            "CreationDate": grant.created,
            "GranteePrincipal": self._name(grant.grantee) or grant.grantee_service,
            "GranteeServicePrincipal": grant.grantee_service,
            "RetiringPrincipal": self._name(grant.retiring) or grant.retiring_service,
            "RetiringServicePrincipal": grant.retiring_service,
            "IssuingAccount": f"arn:aws:iam::{grant.issuing_account}:root",
            "Operations": list(grant.operations),
            "Constraints": dict(grant.constraints) or None,
        }
        return {member: value for member, value in shown.items() if value is not None}


def _place(grant: Grant) -> str:
    """What grants are sorted by: the moment at which they were made."""
    return f"{grant.created:020.6f}:{grant.id}"


def _existing(key: KmsKey, grant_id: str, use: KeyUse) -> Grant:
    if not re.fullmatch(r"[0-9a-f]{64}", grant_id):
        raise InvalidGrantId(f"Invalid grant ID {grant_id}")
    grant = use.records.catalog.grants(key.id).get(grant_id)
    if grant is None:
        raise KeyNotFound(f"Grant {grant_id} was not found for key {key.arn}")
    return grant


def _grant(caller: Caller, key: KmsKey, params: Mapping[str, Any], grant_id: str, now: float) -> Grant:
    return Grant(
        id=grant_id,
        key_id=key.id,
        created=now,
        issuing_account=caller.account,
        operations=tuple(dict.fromkeys(params["Operations"])),
        name=params.get("Name"),
        grantee=params.get("GranteePrincipal"),
        grantee_service=params.get("GranteeServicePrincipal"),
        retiring=params.get("RetiringPrincipal"),
        retiring_service=params.get("RetiringServicePrincipal"),
        constraints=params.get("Constraints", {}),
    )


def _said(grant: Grant) -> tuple[object, ...]:
    """What two requests have to have in common for the second to be a repetition."""
    return (
        grant.name, grant.grantee, grant.grantee_service, grant.retiring, grant.retiring_service,
        frozenset(grant.operations), dict(grant.constraints),
    )  # fmt: skip


def _validate(params: Mapping[str, Any]) -> None:
    """Raise what is wrong with a grant, as far as that needs no stored state."""
    if ("GranteePrincipal" in params) == ("GranteeServicePrincipal" in params):
        raise KmsValidation("Specify either GranteePrincipal or GranteeServicePrincipal, but not both.")
    if "RetiringPrincipal" in params and "RetiringServicePrincipal" in params:
        raise KmsValidation("Specify either RetiringPrincipal or RetiringServicePrincipal, but not both.")
    if not params["Operations"]:
        raise KmsValidation("A grant permits one operation at least.")
    unfit = [operation for operation in params["Operations"] if operation not in OPERATIONS]
    if unfit:
        raise KmsValidation(f"The operation {unfit[0]} is not one of a symmetric key's.")
    for member in ("GranteePrincipal", "RetiringPrincipal"):
        if member in params and not _PRINCIPAL.fullmatch(params[member]):
            raise InvalidKeyArn(f"ARN does not refer to a valid principal: {params[member]}")
    _validate_constraints(params.get("Constraints", {}))
    if "GranteeServicePrincipal" in params:
        retiring = "RetiringPrincipal" in params or "RetiringServicePrincipal" in params
        if "SourceArn" not in params.get("Constraints", {}) or not retiring:
            raise KmsValidation("A grant for a service needs a SourceArn constraint and a retiring principal.")


def _validate_constraints(constraints: Mapping[str, Any]) -> None:
    for member in _CONTEXTS:
        pairs: Mapping[str, str] = constraints.get(member, {})
        if len(pairs) > MOST_PAIRS or any(len(text) > MOST_CHARACTERS for pair in pairs.items() for text in pair):
            raise KmsValidation(
                f"{member} has more than {MOST_PAIRS} pairs, or one of more than {MOST_CHARACTERS} characters."
            )
