"""The part of IAM that functions and those who work with them need: users, keys, groups, roles and policies.

Owns the list of operations; what they do is in the modules named `iam_*`. Sessions are `sts`'s. IAM has no regions:
what is made through one is there in all.
"""

from __future__ import annotations

from typing import Protocol

from ingle.domain.caller import Caller
from ingle.domain.identity import Group, Role, User
from ingle.storage.errors import StorageFull, StorageUnavailable
from ingle.supporting.iam_attachments import Attachments
from ingle.supporting.iam_errors import IamUnavailable
from ingle.supporting.iam_policies import ManagedPolicies
from ingle.supporting.iam_records import IamRecords
from ingle.supporting.iam_roles import Roles
from ingle.supporting.iam_users import AccessKeys, Groups, Users
from ingle.supporting.ports import Handler


class _Part(Protocol):
    def handlers(self) -> dict[str, Handler]: ...


class Iam:
    """Errors: those of `iam_errors`."""

    def __init__(self, records: IamRecords) -> None:
        self._parts: tuple[_Part, ...] = (
            Users(records), AccessKeys(records), Groups(records), Roles(records), ManagedPolicies(records),
            *(Attachments(records, kind) for kind in (User, Group, Role)),
        )  # fmt: skip

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        return {name: _translating(handler) for part in self._parts for name, handler in part.handlers().items()}


def _translating(handler: Handler) -> Handler:
    """The handler with the store's errors told in the API's words."""

    async def handle(caller: Caller, params: dict[str, object]) -> dict[str, object]:
        try:
            return await handler(caller, params)
        except (StorageFull, StorageUnavailable) as problem:
            raise IamUnavailable("The service cannot complete the request.") from problem

    return handle
