"""The operations on keys themselves: making them, looking at them, and whether they can be used.

Which operation which state allows: the KMS developer guide, "Key states of KMS keys".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingle.domain.caller import Caller
from ingle.domain.kms import KeyState, KmsKey
from ingle.supporting.kms import access, names, pages, policies, tags
from ingle.supporting.kms.access import KeyRequest
from ingle.supporting.kms.cryptographic import SYMMETRIC
from ingle.supporting.kms.errors import KeyInvalidState, KmsAccessDenied, KmsValidation, MalformedPolicy
from ingle.supporting.kms.grant_tokens import check_tokens
from ingle.supporting.kms.operations import Answer, Handler, not_implemented, own_key
from ingle.supporting.kms.records import DAY
from ingle.supporting.kms.use import KeyUse, require_not_deleted

USAGE = "ENCRYPT_DECRYPT"
ORIGIN = "AWS_KMS"
#: Days that a key waits for its deletion.
SHORTEST_WAIT, USUAL_WAIT, LONGEST_WAIT = 7, 30, 30
#: Services whose keys are managed for an account.
_MANAGED_ALIASES = {"alias/aws/lambda": "lambda"}


class Keys:
    def __init__(self, use: KeyUse) -> None:
        self._use = use
        self._records = use.records

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        return {
            "CancelKeyDeletion": self.cancel_key_deletion,
            "CreateKey": self.create_key,
            "DescribeKey": self.describe_key,
            "DisableKey": self.disable_key,
            "EnableKey": self.enable_key,
            "ListKeys": self.list_keys,
            "ScheduleKeyDeletion": self.schedule_key_deletion,
            "UpdateKeyDescription": self.update_key_description,
        }

    async def create_key(self, caller: Caller, params: Answer) -> Answer:
        _require_symmetric(params)
        policy = policies.bound(policies.validate(params["Policy"]), self._use.names) if "Policy" in params else None
        tagged = tags.with_tags({}, params.get("Tags", []))
        access.require(self._use.authority, KeyRequest(caller=caller, action="kms:CreateKey"))
        async with self._records.exclusive:
            key = self._records.new_key(caller.account, caller.region)
            key = replace(key, description=params.get("Description", ""), tags=tagged)
            key = replace(key, policy=key.policy if policy is None else policy)
            if not params.get("BypassPolicyLockoutSafetyCheck"):
                require_control(self._use, caller, key)
            await self._records.save(key)
        return {"KeyMetadata": metadata(key)}

    async def describe_key(self, caller: Caller, params: Answer) -> Answer:
        check_tokens(params)
        name = names.parse(caller, params["KeyId"])
        service = _MANAGED_ALIASES.get(name.alias or "")
        if service is not None and name.account == caller.account:
            # Naming an AWS-managed key that is not there yet brings it about, as on AWS.
            key = await self._records.managed(caller.account, caller.region, service)
        else:
            key = names.find(self._records, caller, params["KeyId"])
        self._use.allow(KeyRequest(caller=caller, action="kms:DescribeKey"), key)
        return {"KeyMetadata": metadata(key)}

    async def list_keys(self, caller: Caller, params: Answer) -> Answer:
        start = pages.start_of(params, "keys")
        access.require(self._use.authority, KeyRequest(caller=caller, action="kms:ListKeys"))
        # Nothing is shared through RAM here.
        own = "SELF" in params.get("ResourceOwners", ("SELF",))
        found = self._records.keys(caller.account, caller.region, start) if own else ()
        return pages.answer(
            "Keys", "keys", found, lambda key: {"KeyId": key.id, "KeyArn": key.arn}, lambda key: key.id, params,
            usual=100, most=1000,
        )  # fmt: skip

    async def enable_key(self, caller: Caller, params: Answer) -> Answer:
        return await self._set_state(caller, params, "EnableKey", KeyState.ENABLED)

    async def disable_key(self, caller: Caller, params: Answer) -> Answer:
        return await self._set_state(caller, params, "DisableKey", KeyState.DISABLED)

    async def _set_state(self, caller: Caller, params: Answer, operation: str, state: KeyState) -> Answer:
        async with self._records.exclusive:
            key = own_key(self._use, caller, operation, params["KeyId"])
            require_not_deleted(key)
            await self._records.save(replace(key, state=state))
        return {}

    async def schedule_key_deletion(self, caller: Caller, params: Answer) -> Answer:
        days = params.get("PendingWindowInDays", USUAL_WAIT)
        if not SHORTEST_WAIT <= days <= LONGEST_WAIT:
            raise KmsValidation(f"PendingWindowInDays must be between {SHORTEST_WAIT} and {LONGEST_WAIT} days.")
        async with self._records.exclusive:
            key = own_key(self._use, caller, "ScheduleKeyDeletion", params["KeyId"])
            require_not_deleted(key)
            due = self._records.clock.now() + days * DAY
            key = replace(key, state=KeyState.PENDING_DELETION, deletion=due)
            await self._records.save(key)
        return {"KeyId": key.arn, "DeletionDate": due, "KeyState": key.state.value, "PendingWindowInDays": days}

    async def cancel_key_deletion(self, caller: Caller, params: Answer) -> Answer:
        async with self._records.exclusive:
            key = own_key(self._use, caller, "CancelKeyDeletion", params["KeyId"])
            if key.state is not KeyState.PENDING_DELETION:
                raise KeyInvalidState(f"{key.arn} is not pending deletion.")
            await self._records.save(replace(key, state=KeyState.DISABLED, deletion=None))
        return {"KeyId": key.arn}

    async def update_key_description(self, caller: Caller, params: Answer) -> Answer:
        async with self._records.exclusive:
            key = own_key(self._use, caller, "UpdateKeyDescription", params["KeyId"])
            require_not_deleted(key)
            await self._records.save(replace(key, description=params["Description"]))
        return {}


def metadata(key: KmsKey) -> Answer:
    """A KeyMetadata."""
    shown: Answer = {
        "AWSAccountId": key.account,
        "KeyId": key.id,
        "Arn": key.arn,
        "CreationDate": key.created,
        "Enabled": key.state is KeyState.ENABLED,
        "Description": key.description,
        "KeyUsage": USAGE,
        "KeyState": key.state.value,
        "Origin": ORIGIN,
        "KeyManager": "AWS" if key.managed else "CUSTOMER",
        "CustomerMasterKeySpec": SYMMETRIC,
        "KeySpec": SYMMETRIC,
        "EncryptionAlgorithms": [SYMMETRIC],
        "MultiRegion": False,
        "CurrentKeyMaterialId": key.material.id,
    }
    if key.deletion is not None:
        shown["DeletionDate"] = key.deletion
    return shown


def require_control(use: KeyUse, caller: Caller, key: KmsKey) -> None:
    """Raise MalformedPolicy if the caller could not change the policy any more that the key is to have."""
    try:
        use.allow(KeyRequest(caller=caller, action="kms:PutKeyPolicy"), key)
    except KmsAccessDenied:
        raise MalformedPolicy("The new key policy will not allow you to update the key policy in the future.") from None


def _require_symmetric(params: Mapping[str, Any]) -> None:
    """Raise for every kind of key but a symmetric one with material of KMS, by name."""
    if "KeySpec" in params and "CustomerMasterKeySpec" in params:
        raise KmsValidation(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is "
            "deprecated."
        )
    spec = params.get("KeySpec", params.get("CustomerMasterKeySpec", SYMMETRIC))
    if spec != SYMMETRIC:
        raise not_implemented("CreateKey", f"KeySpec {spec}")
    usage = params.get("KeyUsage", USAGE)
    if usage != USAGE:
        raise KmsValidation(f"KeyUsage {usage} is not compatible with KeySpec {SYMMETRIC}")
    if params.get("Origin", ORIGIN) != ORIGIN:
        raise not_implemented("CreateKey", f"Origin {params['Origin']}")
    for member in ("CustomKeyStoreId", "XksKeyId"):
        if member in params:
            raise not_implemented("CreateKey", member)
    if params.get("MultiRegion"):
        raise not_implemented("CreateKey", "MultiRegion")
