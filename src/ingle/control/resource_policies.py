"""The operations on resource policies as whole documents, by the ARN of what has them."""

from __future__ import annotations

from typing import Any

from ingle.control import function_lookup, policy_records
from ingle.control.policy_records import PolicyRecords
from ingle.control.ports import Handler
from ingle.domain.arn import FunctionReference, refer
from ingle.domain.caller import Caller
from ingle.domain.errors import ResourceNotFound
from ingle.domain.policy import Policy

Params = dict[str, Any]


class ResourcePolicies:
    """Handlers of Lambda's resource policy operations, by the names of the service model.

    There are no customer-managed runtimes, which could have policies besides functions.
    """

    def __init__(self, policies: PolicyRecords) -> None:
        self._policies = policies

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "DeleteResourcePolicy": self.delete_resource_policy,
            "GetResourcePolicy": self.get_resource_policy,
            "PutResourcePolicy": self.put_resource_policy,
        }

    async def put_resource_policy(self, caller: Caller, params: Params) -> Params:
        reference = _addressed(caller, params, "PutResourcePolicy")
        policy_records.require_policies(reference)
        policy = Policy.parse(params["Policy"])
        records = self._policies.functions
        async with records.exclusive(reference.key):
            function = function_lookup.existing(records, reference)
            policy_records.require_qualifier(function, reference)
            policy_records.require_revision(function, reference, params.get("RevisionId"), "GetResourcePolicy")
            revision = await self._policies.put(function, policy_records.qualifier_of(reference), policy)
        return {"Policy": policy.text, "RevisionId": revision}

    async def get_resource_policy(self, caller: Caller, params: Params) -> Params:
        policy, revision = self._found(_addressed(caller, params, "GetResourcePolicy"))
        return {"Policy": policy.text, "RevisionId": revision}

    async def delete_resource_policy(self, caller: Caller, params: Params) -> Params:
        reference = _addressed(caller, params, "DeleteResourcePolicy")
        records = self._policies.functions
        async with records.exclusive(reference.key):
            self._found(reference)
            function = function_lookup.existing(records, reference)
            policy_records.require_revision(function, reference, params.get("RevisionId"), "GetResourcePolicy")
            await self._policies.put(function, policy_records.qualifier_of(reference), None)
        return {}

    def _found(self, reference: FunctionReference) -> tuple[Policy, str]:
        found = self._policies.get(reference)
        if found is None:
            raise _absent()
        return found


def _addressed(caller: Caller, params: Params, action: str) -> FunctionReference:
    arn: str = params["ResourceArn"]
    if ":function:" not in arn:
        raise _absent()
    return refer(caller.account, caller.region, arn, None, action)


def _absent() -> ResourceNotFound:
    return ResourceNotFound("The resource you requested does not exist.")
