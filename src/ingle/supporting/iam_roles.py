"""IAM's operations on roles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ingle.catalog.principal_names import UnknownPrincipal
from ingle.domain.access.document import Use
from ingle.domain.caller import Caller
from ingle.domain.identity import Role
from ingle.supporting import iam_input, iam_view
from ingle.supporting.iam_errors import EntityAlreadyExists, LimitExceeded, MalformedPolicyDocument
from ingle.supporting.iam_pages import page
from ingle.supporting.iam_records import IamRecords, new_id
from ingle.supporting.iam_users import require_bare
from ingle.supporting.ports import Handler

Params = dict[str, Any]

#: Characters without white space.
MAX_TRUST = 2048


class Roles:
    def __init__(self, records: IamRecords) -> None:
        self._records = records

    def handlers(self) -> dict[str, Handler]:
        return {
            "CreateRole": self.create_role,
            "GetRole": self.get_role,
            "UpdateRole": self.update_role,
            "UpdateRoleDescription": self.update_role_description,
            "UpdateAssumeRolePolicy": self.update_assume_role_policy,
            "DeleteRole": self.delete_role,
            "ListRoles": self.list_roles,
            "ListInstanceProfilesForRole": self.list_instance_profiles_for_role,
        }

    async def create_role(self, caller: Caller, params: Params) -> Params:
        name = params["RoleName"]
        async with self._records.exclusive:
            if self._records.identities.get(Role, caller.account, name) is not None:
                raise EntityAlreadyExists(f"Role with name {name} already exists.")
            role = Role(
                account=caller.account, name=name, id=new_id("AROA"), created=self._records.now(),
                path=params.get("Path", "/"), trust=self._trust(params["AssumeRolePolicyDocument"]),
                description=params.get("Description"), max_session=params.get("MaxSessionDuration", 3600),
                tags=iam_input.with_tags({}, params.get("Tags", ())),
                boundary=iam_input.boundary_of(self._records.identities, params, caller.account),
            )  # fmt: skip
            await self._records.change([role])
        return {"Role": self._view(role)}

    async def get_role(self, caller: Caller, params: Params) -> Params:
        return {"Role": self._view(self._records.role(caller.account, params["RoleName"]))}

    async def update_role(self, caller: Caller, params: Params) -> Params:
        await self._update(caller, params)
        return {}

    async def update_role_description(self, caller: Caller, params: Params) -> Params:
        return {"Role": self._view(await self._update(caller, params))}

    async def _update(self, caller: Caller, params: Params) -> Role:
        async with self._records.exclusive:
            role = self._records.role(caller.account, params["RoleName"])
            changed = replace(
                role,
                description=params.get("Description", role.description),
                max_session=params.get("MaxSessionDuration", role.max_session),
            )
            await self._records.change([changed])
        return changed

    async def update_assume_role_policy(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            role = self._records.role(caller.account, params["RoleName"])
            await self._records.change([replace(role, trust=self._trust(params["PolicyDocument"]))])
        return {}

    async def delete_role(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            role = self._records.role(caller.account, params["RoleName"])
            require_bare(role)
            await self._records.change(removed=[role])
        return {}

    async def list_roles(self, caller: Caller, params: Params) -> Params:
        prefix = params.get("PathPrefix", "/")
        found = [role for role in self._records.identities.of(Role, caller.account) if role.path.startswith(prefix)]
        return page("Roles", found, params, lambda role: role.name, lambda role: self._view(role, whole=False))

    async def list_instance_profiles_for_role(self, caller: Caller, params: Params) -> Params:
        """There are no instances here, so no role has a profile; tools ask before they delete a role."""
        self._records.role(caller.account, params["RoleName"])
        return {"InstanceProfiles": [], "IsTruncated": False}

    def _trust(self, text: str) -> str:
        """The policy as it is kept. Raises LimitExceeded, MalformedPolicyDocument."""
        if iam_input.size_of(text) > MAX_TRUST:
            raise LimitExceeded(f"Cannot exceed quota for ACLSizePerRole: {MAX_TRUST}")
        try:
            return self._records.names.bound_text(iam_input.checked_policy(text, Use.TRUST))
        except UnknownPrincipal as unknown:
            raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{unknown}"') from None

    def _view(self, role: Role, *, whole: bool = True) -> Params:
        shown = replace(role, trust=self._records.names.shown_text(role.trust))
        return iam_view.role_of(shown, whole=whole)
