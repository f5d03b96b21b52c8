"""What users, groups and roles have alike: inline policies, attached ones, boundaries and tags.

Each operation exists once for each kind, with the kind in its name and in the names of members.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ingle.domain.caller import Caller
from ingle.domain.identity import Group, Role, User
from ingle.supporting import iam_input, iam_view
from ingle.supporting.iam_errors import LimitExceeded, NoSuchEntity, missing
from ingle.supporting.iam_pages import page
from ingle.supporting.iam_records import IamRecords
from ingle.supporting.ports import Handler

Params = dict[str, Any]
Kind = type[User] | type[Group] | type[Role]

#: Characters of all inline policies together, without white space.
_INLINE_QUOTA = {"User": 2048, "Group": 5120, "Role": 10_240}
ATTACHED_QUOTA = 10


class Attachments:
    """The operations for one kind: `User`, `Group` or `Role`."""

    def __init__(self, records: IamRecords, kind: Kind) -> None:
        self._records = records
        self._kind = kind
        self._name = kind.__name__

    def handlers(self) -> dict[str, Handler]:
        name = self._name
        found: dict[str, Handler] = {
            f"Put{name}Policy": self.put_policy,
            f"Get{name}Policy": self.get_policy,
            f"Delete{name}Policy": self.delete_policy,
            f"List{name}Policies": self.list_policies,
            f"Attach{name}Policy": self.attach,
            f"Detach{name}Policy": self.detach,
            f"ListAttached{name}Policies": self.list_attached,
        }
        if self._kind is not Group:
            found |= {
                f"Put{name}PermissionsBoundary": self.put_boundary,
                f"Delete{name}PermissionsBoundary": self.delete_boundary,
                f"Tag{name}": self.tag,
                f"Untag{name}": self.untag,
                f"List{name}Tags": self.list_tags,
            }
        return found

    def _holder(self, caller: Caller, params: Params) -> Any:
        name = params[f"{self._name}Name"]
        found: Any = self._records.identities.get(self._kind, caller.account, name)
        if found is None:
            raise missing(self._name.lower(), name)
        return found

    # --- inline -----------------------------------------------------------------------------------------------------

    async def put_policy(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            holder = self._holder(caller, params)
            text = iam_input.checked_policy(params["PolicyDocument"])
            inline = {**holder.inline, params["PolicyName"]: text}
            quota = _INLINE_QUOTA[self._name]
            if sum(iam_input.size_of(item) for item in inline.values()) > quota:
                kind = self._name.lower()
                raise LimitExceeded(f"Maximum policy size of {quota} bytes exceeded for {kind} {holder.name}")
            await self._records.change([replace(holder, inline=inline)])
        return {}

    def _inline(self, holder: Any, name: str) -> str:
        text: str | None = holder.inline.get(name)
        if text is None:
            raise missing(f"{self._name.lower()} policy", name)
        return text

    async def get_policy(self, caller: Caller, params: Params) -> Params:
        holder, name = self._holder(caller, params), params["PolicyName"]
        text = self._inline(holder, name)
        return {
            f"{self._name}Name": holder.name, "PolicyName": name, "PolicyDocument": iam_view.document_of(text)
        }  # fmt: skip

    async def delete_policy(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            holder, name = self._holder(caller, params), params["PolicyName"]
            self._inline(holder, name)
            left = {key: value for key, value in holder.inline.items() if key != name}
            await self._records.change([replace(holder, inline=left)])
        return {}

    async def list_policies(self, caller: Caller, params: Params) -> Params:
        names = sorted(self._holder(caller, params).inline)
        return page("PolicyNames", names, params, lambda name: name, lambda name: name)

    # --- attached ---------------------------------------------------------------------------------------------------

    async def attach(self, caller: Caller, params: Params) -> Params:
        arn = params["PolicyArn"]
        async with self._records.exclusive:
            holder = self._holder(caller, params)
            iam_input.require_attachable(self._records.identities, arn, caller.account)
            if arn not in holder.attached:
                if len(holder.attached) >= ATTACHED_QUOTA:
                    raise LimitExceeded(f"Cannot exceed quota for PoliciesPer{self._name}: {ATTACHED_QUOTA}")
                await self._records.change([replace(holder, attached=(*holder.attached, arn))])
        return {}

    async def detach(self, caller: Caller, params: Params) -> Params:
        arn = params["PolicyArn"]
        async with self._records.exclusive:
            holder = self._holder(caller, params)
            if arn not in holder.attached:
                raise NoSuchEntity(f"Policy {arn} was not found.")
            left = tuple(item for item in holder.attached if item != arn)
            await self._records.change([replace(holder, attached=left)])
        return {}

    async def list_attached(self, caller: Caller, params: Params) -> Params:
        prefix = params.get("PathPrefix", "/")
        arns = [arn for arn in sorted(self._holder(caller, params).attached) if _path_of(arn).startswith(prefix)]
        return page("AttachedPolicies", arns, params, lambda arn: arn, _attached)

    # --- boundaries -------------------------------------------------------------------------------------------------

    async def put_boundary(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            boundary = iam_input.boundary_of(self._records.identities, params, caller.account)
            await self._records.change([replace(self._holder(caller, params), boundary=boundary)])
        return {}

    async def delete_boundary(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            holder = self._holder(caller, params)
            if holder.boundary is None:
                kind = self._name.lower()
                raise NoSuchEntity(f"Permissions boundary for {kind} {holder.name} cannot be found.")
            await self._records.change([replace(holder, boundary=None)])
        return {}

    # --- tags -------------------------------------------------------------------------------------------------------

    async def tag(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            holder = self._holder(caller, params)
            await self._records.change([replace(holder, tags=iam_input.with_tags(holder.tags, params["Tags"]))])
        return {}

    async def untag(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            holder = self._holder(caller, params)
            await self._records.change([replace(holder, tags=iam_input.without_tags(holder.tags, params["TagKeys"]))])
        return {}

    async def list_tags(self, caller: Caller, params: Params) -> Params:
        tags = self._holder(caller, params).tags
        return page("Tags", sorted(tags), params, lambda key: key, lambda key: {"Key": key, "Value": tags[key]})


def _path_of(arn: str) -> str:
    return arn.split(":", 5)[5].removeprefix("policy")


def _attached(arn: str) -> dict[str, str]:
    return {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn}
