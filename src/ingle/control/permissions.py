"""The operations on the statements of resource policies: add one, remove one, read them all."""

from __future__ import annotations

from typing import Any

from ingle.control import function_lookup, permission_statements, policy_records
from ingle.control.policy_records import PolicyRecords
from ingle.control.ports import Handler
from ingle.domain.caller import Caller
from ingle.domain.errors import ResourceConflict, ResourceNotFound
from ingle.domain.policy import Policy, compact

Params = dict[str, Any]


class Permissions:
    """Handlers of Lambda's permission operations, by the names of the service model."""

    def __init__(self, policies: PolicyRecords) -> None:
        self._policies = policies

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "AddPermission": self.add_permission,
            "GetPolicy": self.get_policy,
            "RemovePermission": self.remove_permission,
        }

    async def add_permission(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "AddPermission")
        policy_records.require_policies(reference)
        records = self._policies.functions
        async with records.exclusive(reference.key):
            function = function_lookup.existing(records, reference)
            policy_records.require_qualifier(function, reference)
            permission_statements.validate(params, caller.region)
            statement = permission_statements.statement_of(params, caller.region, reference.arn)
            qualifier = policy_records.qualifier_of(reference)
            policy = function.attachments.get(Policy, qualifier)
            if policy is not None and policy.has(params["StatementId"]):
                raise ResourceConflict(
                    f"The statement id ({params['StatementId']}) provided already exists. Please provide a new "
                    "statement id, or remove the existing statement."
                )
            policy_records.require_revision(function, reference, params.get("RevisionId"), "GetPolicy")
            changed = Policy(statements=(statement,)) if policy is None else policy.having(statement)
            await self._policies.put(function, qualifier, changed)
        return {"Statement": compact(statement)}

    async def get_policy(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "GetPolicy")
        found = self._policies.get(reference)
        if found is None:
            raise ResourceNotFound("The resource you requested does not exist.")
        policy, revision = found
        return {"Policy": policy.text, "RevisionId": revision}

    async def remove_permission(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "RemovePermission")
        records, sid = self._policies.functions, params["StatementId"]
        async with records.exclusive(reference.key):
            function = records.get(reference.key)
            if function is None:
                raise ResourceNotFound(f"No policy found for: {reference.unqualified_arn}")
            policy_records.require_qualifier(function, reference)
            found = self._policies.get(reference)
            if found is None:
                raise ResourceNotFound("No policy is associated with the given resource.")
            policy, _ = found
            if not policy.has(sid):
                raise ResourceNotFound(f"Statement {sid} is not found in resource policy.")
            policy_records.require_revision(function, reference, params.get("RevisionId"), "GetFunction/GetAlias")
            await self._policies.put(function, policy_records.qualifier_of(reference), policy.without(sid))
        return {}
