"""IAM's operations on managed policies and their versions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ingle.domain.caller import Caller
from ingle.domain.identity import ManagedPolicy, PolicyVersion, Role, User
from ingle.domain.managed_policies import AWS_MANAGED
from ingle.supporting import iam_input, iam_view
from ingle.supporting.iam_errors import (
    DeleteConflict,
    EntityAlreadyExists,
    IamAccessDenied,
    LimitExceeded,
    NoSuchEntity,
)
from ingle.supporting.iam_pages import page
from ingle.supporting.iam_records import IamRecords, new_id
from ingle.supporting.ports import Handler

Params = dict[str, Any]

#: Characters without white space.
MAX_POLICY = 6144
MOST_VERSIONS = 5


class ManagedPolicies:
    def __init__(self, records: IamRecords) -> None:
        self._records = records

    def handlers(self) -> dict[str, Handler]:
        return {
            "CreatePolicy": self.create_policy,
            "GetPolicy": self.get_policy,
            "DeletePolicy": self.delete_policy,
            "ListPolicies": self.list_policies,
            "CreatePolicyVersion": self.create_policy_version,
            "GetPolicyVersion": self.get_policy_version,
            "ListPolicyVersions": self.list_policy_versions,
            "DeletePolicyVersion": self.delete_policy_version,
            "SetDefaultPolicyVersion": self.set_default_policy_version,
            "ListEntitiesForPolicy": self.list_entities_for_policy,
            "TagPolicy": self.tag_policy,
            "UntagPolicy": self.untag_policy,
            "ListPolicyTags": self.list_policy_tags,
        }

    def _policy(self, caller: Caller, params: Params) -> ManagedPolicy:
        """Raises NoSuchEntity."""
        arn = params["PolicyArn"]
        policy = self._records.identities.managed(arn)
        if policy is None or policy.account not in ("aws", caller.account):
            raise NoSuchEntity(f"Policy {arn} was not found.")
        return policy

    def _own(self, caller: Caller, params: Params, operation: str) -> ManagedPolicy:
        """As `_policy`, for changes. Raises IamAccessDenied for AWS's own."""
        policy = self._policy(caller, params)
        if policy.account == "aws":
            raise IamAccessDenied(
                f"User: {caller.principal.arn} is not authorized to perform: iam:{operation} on resource: policy "
                f"{policy.arn}"
            )
        return policy

    def _show(self, caller: Caller, policy: ManagedPolicy, *, whole: bool) -> Params:
        identities = self._records.identities
        limited: list[User | Role] = [*identities.of(User, caller.account), *identities.of(Role, caller.account)]
        boundaries = sum(holder.boundary == policy.arn for holder in limited)
        attachments = len(self._records.attachments_of(policy, caller.account))
        return iam_view.policy_of(policy, attachments, boundaries, whole=whole)

    async def create_policy(self, caller: Caller, params: Params) -> Params:
        name, now = params["PolicyName"], self._records.now()
        text = _checked(params["PolicyDocument"])
        async with self._records.exclusive:
            if self._records.identities.get(ManagedPolicy, caller.account, name) is not None:
                raise EntityAlreadyExists(f"A policy called {name} already exists. Duplicate names are not allowed.")
            policy = ManagedPolicy(
                account=caller.account, name=name, id=new_id("ANPA"), created=now, updated=now,
                path=params.get("Path", "/"), description=params.get("Description"),
                versions={"v1": PolicyVersion(text=text, created=now)},
                tags=iam_input.with_tags({}, params.get("Tags", ())),
            )  # fmt: skip
            await self._records.change([policy])
        return {"Policy": self._show(caller, policy, whole=True)}

    async def get_policy(self, caller: Caller, params: Params) -> Params:
        return {"Policy": self._show(caller, self._policy(caller, params), whole=True)}

    async def delete_policy(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            policy = self._own(caller, params, "DeletePolicy")
            shown = self._show(caller, policy, whole=False)
            if shown["AttachmentCount"] or shown["PermissionsBoundaryUsageCount"]:
                raise DeleteConflict("Cannot delete a policy attached to entities.")
            if len(policy.versions) > 1:
                raise DeleteConflict(
                    "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                    "versions. The default version is deleted with the policy."
                )
            await self._records.change(removed=[policy])
        return {}

    async def list_policies(self, caller: Caller, params: Params) -> Params:
        scope, prefix = params.get("Scope", "All"), params.get("PathPrefix", "/")
        found: list[ManagedPolicy] = []
        if scope in ("All", "AWS"):
            found += AWS_MANAGED.values()
        if scope in ("All", "Local"):
            found += self._records.identities.of(ManagedPolicy, caller.account)
        shown = [self._show(caller, policy, whole=False) for policy in found if policy.path.startswith(prefix)]
        usage, only = params.get("PolicyUsageFilter"), params.get("OnlyAttached", False)
        count = "PermissionsBoundaryUsageCount" if usage == "PermissionsBoundary" else "AttachmentCount"
        listed = sorted((item for item in shown if item[count] or not (only or usage)), key=lambda item: item["Arn"])
        return page("Policies", listed, params, lambda item: item["Arn"], lambda item: item)

    # --- versions ---------------------------------------------------------------------------------------------------

    async def create_policy_version(self, caller: Caller, params: Params) -> Params:
        text, now = _checked(params["PolicyDocument"]), self._records.now()
        async with self._records.exclusive:
            policy = self._own(caller, params, "CreatePolicyVersion")
            if len(policy.versions) >= MOST_VERSIONS:
                raise LimitExceeded(
                    f"A managed policy can have up to {MOST_VERSIONS} versions. Before you create a new version, you "
                    "must delete an existing version."
                )
            number = f"v{policy.next_version}"
            version = PolicyVersion(text=text, created=now)
            changed = replace(
                policy, versions={**policy.versions, number: version}, next_version=policy.next_version + 1,
                default=number if params.get("SetAsDefault") else policy.default, updated=now,
            )  # fmt: skip
            await self._records.change([changed])
        return {"PolicyVersion": iam_view.version_of(changed, number, version)}

    def _version(self, policy: ManagedPolicy, number: str) -> PolicyVersion:
        version = policy.versions.get(number)
        if version is None:
            raise NoSuchEntity(f"Policy {policy.arn} version {number} does not exist or is not attachable.")
        return version

    async def get_policy_version(self, caller: Caller, params: Params) -> Params:
        policy, number = self._policy(caller, params), params["VersionId"]
        shown = iam_view.version_of(policy, number, self._version(policy, number), whole=True)
        return {"PolicyVersion": shown}

    async def list_policy_versions(self, caller: Caller, params: Params) -> Params:
        policy = self._policy(caller, params)
        numbers = sorted(policy.versions, key=_order)
        return page(
            "Versions", numbers, params, lambda number: f"{_order(number):09d}",
            lambda number: iam_view.version_of(policy, number, policy.versions[number]),
        )  # fmt: skip

    async def delete_policy_version(self, caller: Caller, params: Params) -> Params:
        number = params["VersionId"]
        async with self._records.exclusive:
            policy = self._own(caller, params, "DeletePolicyVersion")
            self._version(policy, number)
            if number == policy.default:
                raise DeleteConflict("Cannot delete the default version of a policy.")
            left = {key: value for key, value in policy.versions.items() if key != number}
            await self._records.change([replace(policy, versions=left)])
        return {}

    async def set_default_policy_version(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            policy = self._own(caller, params, "SetDefaultPolicyVersion")
            self._version(policy, params["VersionId"])
            await self._records.change([replace(policy, default=params["VersionId"], updated=self._records.now())])
        return {}

    async def list_entities_for_policy(self, caller: Caller, params: Params) -> Params:
        policy = self._policy(caller, params)
        wanted = params.get("EntityFilter")
        answer: Params = {"PolicyUsers": [], "PolicyGroups": [], "PolicyRoles": [], "IsTruncated": False}
        for holder in self._records.attachments_of(policy, caller.account):
            kind = type(holder).__name__
            if wanted in (None, kind) and holder.path.startswith(params.get("PathPrefix", "/")):
                answer[f"Policy{kind}s"].append({f"{kind}Name": holder.name, f"{kind}Id": holder.id})
        return answer

    # --- tags -------------------------------------------------------------------------------------------------------

    async def tag_policy(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            policy = self._own(caller, params, "TagPolicy")
            await self._records.change([replace(policy, tags=iam_input.with_tags(policy.tags, params["Tags"]))])
        return {}

    async def untag_policy(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            policy = self._own(caller, params, "UntagPolicy")
            await self._records.change([replace(policy, tags=iam_input.without_tags(policy.tags, params["TagKeys"]))])
        return {}

    async def list_policy_tags(self, caller: Caller, params: Params) -> Params:
        tags = self._policy(caller, params).tags
        return page("Tags", sorted(tags), params, lambda key: key, lambda key: {"Key": key, "Value": tags[key]})


def _order(number: str) -> int:
    return int(number.removeprefix("v"))


def _checked(text: str) -> str:
    if iam_input.size_of(text) > MAX_POLICY:
        raise LimitExceeded(f"Cannot exceed quota for PolicySize: {MAX_POLICY}")
    return iam_input.checked_policy(text)
