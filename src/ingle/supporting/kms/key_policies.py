"""The operations on key policies. Every key has one, and its name is `default`."""

from __future__ import annotations

from dataclasses import replace

from ingle.domain.caller import Caller
from ingle.supporting.kms import pages, policies
from ingle.supporting.kms.errors import KeyNotFound, KmsUnsupported, KmsValidation
from ingle.supporting.kms.keys import require_control
from ingle.supporting.kms.operations import Answer, Handler, own_key
from ingle.supporting.kms.policies import POLICY_NAME
from ingle.supporting.kms.use import KeyUse

_OF_RAM = "AWS_RAM"


class KeyPolicies:
    def __init__(self, use: KeyUse) -> None:
        self._use = use
        self._records = use.records

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        return {
            "GetKeyPolicy": self.get_key_policy,
            "ListKeyPolicies": self.list_key_policies,
            "PutKeyPolicy": self.put_key_policy,
        }

    async def get_key_policy(self, caller: Caller, params: Answer) -> Answer:
        key = own_key(self._use, caller, "GetKeyPolicy", params["KeyId"])
        name = params.get("PolicyName", POLICY_NAME)
        if name != POLICY_NAME:
            raise KeyNotFound(f"No such policy exists: {name}")
        return {"Policy": self._use.names.shown_text(key.policy), "PolicyName": POLICY_NAME}

    async def list_key_policies(self, caller: Caller, params: Answer) -> Answer:
        start = pages.start_of(params, "policies")
        own_key(self._use, caller, "ListKeyPolicies", params["KeyId"])
        found = [POLICY_NAME] if start is None else []
        return pages.answer(
            "PolicyNames", "policies", found, lambda name: name, lambda name: name, params, usual=100, most=1000
        )  # fmt: skip

    async def put_key_policy(self, caller: Caller, params: Answer) -> Answer:
        name = params.get("PolicyName", POLICY_NAME)
        if name == _OF_RAM:
            raise KmsValidation("The AWS_RAM policy can only be managed by the RAM service.")
        policy = policies.bound(policies.validate(params["Policy"]), self._use.names)
        async with self._records.exclusive:
            key = own_key(self._use, caller, "PutKeyPolicy", params["KeyId"])
            if name != POLICY_NAME:
                raise KmsUnsupported(f"A key policy has the name {POLICY_NAME}.")
            changed = replace(key, policy=policy)
            if not params.get("BypassPolicyLockoutSafetyCheck"):
                require_control(self._use, caller, changed)
            await self._records.save(changed)
        return {}
