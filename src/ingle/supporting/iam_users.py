"""IAM's operations on users, their access keys, and groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ingle.domain.access.principals import Kind
from ingle.domain.caller import Caller
from ingle.domain.identity import AccessKey, Group, User
from ingle.supporting import iam_input, iam_view
from ingle.supporting.iam_errors import DeleteConflict, EntityAlreadyExists, IamValidation, NoSuchEntity
from ingle.supporting.iam_pages import page
from ingle.supporting.iam_records import IamRecords, new_id
from ingle.supporting.ports import Handler

Params = dict[str, Any]


def _path(params: Params) -> str:
    return str(params.get("PathPrefix", "/"))


class Users:
    """Users. Without a UserName, reads mean the caller's own."""

    def __init__(self, records: IamRecords) -> None:
        self._records = records

    def handlers(self) -> dict[str, Handler]:
        return {
            "CreateUser": self.create_user,
            "GetUser": self.get_user,
            "UpdateUser": self.update_user,
            "DeleteUser": self.delete_user,
            "ListUsers": self.list_users,
        }

    async def create_user(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            user = User(
                account=caller.account, name=params["UserName"], id=new_id("AIDA"), created=self._records.now(),
                path=params.get("Path", "/"), tags=iam_input.with_tags({}, params.get("Tags", ())),
                boundary=iam_input.boundary_of(self._records.identities, params, caller.account),
            )  # fmt: skip
            self._require_new(user)
            await self._records.change([user])
        return {"User": iam_view.user_of(user)}

    def _require_new(self, user: User) -> None:
        if self._records.identities.get(User, user.account, user.name) is not None:
            raise EntityAlreadyExists(f"User with name {user.name} already exists.")

    async def get_user(self, caller: Caller, params: Params) -> Params:
        name = params.get("UserName") or own_name(caller)
        if name is None:
            root = {"Path": "/", "UserId": caller.account, "Arn": caller.principal.arn, "CreateDate": 0}
            return {"User": root}
        return {"User": iam_view.user_of(self._records.user(caller.account, name))}

    async def update_user(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            user = self._records.user(caller.account, params["UserName"])
            name = params.get("NewUserName", user.name)
            changed = replace(user, name=name, path=params.get("NewPath", user.path))
            if name.lower() != user.name.lower():
                self._require_new(changed)
            groups = [
                replace(group, members=tuple(name if member == user.name else member for member in group.members))
                for group in self._records.identities.groups_of(user)
            ]
            keys = [replace(key, user=name) for key in self._records.keys_of(user.account, user.name)]
            await self._records.change([changed, *groups, *keys], [user])
        return {}

    async def delete_user(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            user = self._records.user(caller.account, params["UserName"])
            if self._records.keys_of(user.account, user.name):
                raise DeleteConflict("Cannot delete entity, must delete access keys first.")
            require_bare(user)
            if self._records.identities.groups_of(user):
                raise DeleteConflict("Cannot delete entity, must remove users from group first.")
            await self._records.change(removed=[user])
        return {}

    async def list_users(self, caller: Caller, params: Params) -> Params:
        found = [
            user for user in self._records.identities.of(User, caller.account) if user.path.startswith(_path(params))
        ]
        return page("Users", found, params, lambda user: user.name, lambda user: iam_view.user_of(user, whole=False))


def require_bare(holder: Any) -> None:
    """Raise DeleteConflict for what still has policies."""
    if holder.attached:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if holder.inline:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")


def own_name(caller: Caller) -> str | None:
    """The user that calls; None for the root of an account. Raises IamValidation for sessions, which are no users."""
    principal = caller.principal
    if principal.kind is Kind.USER:
        return principal.name
    if principal.kind is Kind.ROOT:
        return None
    raise IamValidation("Must specify userName when calling with non-User credentials")


class AccessKeys:
    """Access keys, of users and of the root of the account: without a UserName, the caller's own."""

    def __init__(self, records: IamRecords) -> None:
        self._records = records

    def handlers(self) -> dict[str, Handler]:
        return {
            "CreateAccessKey": self.create_access_key,
            "UpdateAccessKey": self.update_access_key,
            "DeleteAccessKey": self.delete_access_key,
            "ListAccessKeys": self.list_access_keys,
        }

    def _owner(self, caller: Caller, params: Params) -> str | None:
        name: str | None = params.get("UserName")
        return own_name(caller) if name is None else self._records.user(caller.account, name).name

    async def create_access_key(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            made = await self._records.add_key(caller.account, self._owner(caller, params))
        return {"AccessKey": {**iam_view.key_of(made.key), "SecretAccessKey": made.secret}}

    def _key(self, caller: Caller, params: Params) -> AccessKey:
        key = self._records.identities.key(params["AccessKeyId"])
        if key is None or key.account != caller.account or key.user != self._owner(caller, params):
            raise NoSuchEntity(f"The Access Key with id {params['AccessKeyId']} cannot be found.")
        return key

    async def update_access_key(self, caller: Caller, params: Params) -> Params:
        if params["Status"] not in ("Active", "Inactive"):
            raise IamValidation("Status must be Active or Inactive.")
        async with self._records.exclusive:
            await self._records.change([replace(self._key(caller, params), active=params["Status"] == "Active")])
        return {}

    async def delete_access_key(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            await self._records.change(removed=[self._key(caller, params)])
        return {}

    async def list_access_keys(self, caller: Caller, params: Params) -> Params:
        owner = self._owner(caller, params)
        keys = self._records.keys_of(caller.account, owner)
        return page("AccessKeyMetadata", keys, params, lambda key: key.id, iam_view.key_of)


class Groups:
    def __init__(self, records: IamRecords) -> None:
        self._records = records

    def handlers(self) -> dict[str, Handler]:
        return {
            "CreateGroup": self.create_group,
            "GetGroup": self.get_group,
            "DeleteGroup": self.delete_group,
            "ListGroups": self.list_groups,
            "ListGroupsForUser": self.list_groups_for_user,
            "AddUserToGroup": self.add_user_to_group,
            "RemoveUserFromGroup": self.remove_user_from_group,
        }

    async def create_group(self, caller: Caller, params: Params) -> Params:
        name = params["GroupName"]
        async with self._records.exclusive:
            if self._records.identities.get(Group, caller.account, name) is not None:
                raise EntityAlreadyExists(f"Group with name {name} already exists.")
            group = Group(
                account=caller.account, name=name, id=new_id("AGPA"), created=self._records.now(),
                path=params.get("Path", "/"),
            )  # fmt: skip
            await self._records.change([group])
        return {"Group": iam_view.group_of(group)}

    async def get_group(self, caller: Caller, params: Params) -> Params:
        group = self._records.group(caller.account, params["GroupName"])
        users = [self._records.user(group.account, name) for name in sorted(group.members)]
        shown = page("Users", users, params, lambda user: user.name, lambda user: iam_view.user_of(user, whole=False))
        return {"Group": iam_view.group_of(group), **shown}

    async def delete_group(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            group = self._records.group(caller.account, params["GroupName"])
            require_bare(group)
            if group.members:
                raise DeleteConflict("Cannot delete entity, must remove users from group first.")
            await self._records.change(removed=[group])
        return {}

    async def list_groups(self, caller: Caller, params: Params) -> Params:
        found = [
            group
            for group in self._records.identities.of(Group, caller.account)
            if group.path.startswith(_path(params))
        ]
        return page("Groups", found, params, lambda group: group.name, iam_view.group_of)

    async def list_groups_for_user(self, caller: Caller, params: Params) -> Params:
        found = self._records.identities.groups_of(self._records.user(caller.account, params["UserName"]))
        return page("Groups", found, params, lambda group: group.name, iam_view.group_of)

    async def add_user_to_group(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            group = self._records.group(caller.account, params["GroupName"])
            user = self._records.user(caller.account, params["UserName"])
            if user.name not in group.members:
                await self._records.change([replace(group, members=(*group.members, user.name))])
        return {}

    async def remove_user_from_group(self, caller: Caller, params: Params) -> Params:
        async with self._records.exclusive:
            group = self._records.group(caller.account, params["GroupName"])
            user = self._records.user(caller.account, params["UserName"])
            left = tuple(member for member in group.members if member != user.name)
            await self._records.change([replace(group, members=left)])
        return {}
