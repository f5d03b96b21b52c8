"""The users, groups, roles, keys and managed policies of this server in memory, and what their policies come to.

Written by `supporting.iam_records` in the step that commits, read by the frontend for every request that is verified.
Policies are compiled when they are first needed and forgotten with the next change of anything here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ingle.domain.access.document import Document, MalformedPolicy, Use
from ingle.domain.access.evaluation import Policies
from ingle.domain.identity import AccessKey, Group, Holder, ManagedPolicy, Record, Role, User
from ingle.domain.managed_policies import AWS_MANAGED

Kind = TypeVar("Kind", User, Group, Role, ManagedPolicy, AccessKey)
_Entity = TypeVar("_Entity", User, Role)


class Identities:
    """`generation` counts the changes: what was derived from another one is out of date."""

    def __init__(self) -> None:
        self._records: dict[type[Any], dict[tuple[str, str], Any]] = {}
        self._keys: dict[str, AccessKey] = {}
        self._policies: dict[str, Policies] = {}
        self._listeners: list[Callable[[], None]] = []
        self.generation = 0

    # --- records ----------------------------------------------------------------------------------------------------

    def get(self, kind: type[Kind], account: str, name: str) -> Kind | None:
        """Names are unique whatever their case."""
        found: Kind | None = self._records.get(kind, {}).get((account, name.lower()))
        return found

    def of(self, kind: type[Kind], account: str) -> list[Kind]:
        """Those of an account by name."""
        found = [item for (owner, _), item in self._records.get(kind, {}).items() if owner == account]
        return sorted(found, key=lambda item: item.name)

    def every(self, kind: type[Kind]) -> Iterator[Kind]:
        return iter(self._records.get(kind, {}).values())

    def key(self, access_key_id: str) -> AccessKey | None:
        return self._keys.get(access_key_id)

    def put(self, record: Record) -> None:
        self._records.setdefault(type(record), {})[record.account, record.name.lower()] = record
        if isinstance(record, AccessKey):
            self._keys[record.id] = record
        self._changed()

    def remove(self, record: Record) -> None:
        self._records.get(type(record), {}).pop((record.account, record.name.lower()), None)
        if isinstance(record, AccessKey):
            self._keys.pop(record.id, None)
        self._changed()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each change."""
        self._listeners.append(listener)

    def _changed(self) -> None:
        self.generation += 1
        self._policies.clear()
        for listener in self._listeners:
            listener()

    # --- what ARNs mean ---------------------------------------------------------------------------------------------

    def role(self, arn: str) -> Role | None:
        """The role that an ARN means; its path counts."""
        return self._named(Role, "role", arn)

    def entity(self, arn: str) -> User | Role | None:
        """The user or role that an ARN means."""
        return self._named(User, "user", arn) or self.role(arn)

    def _named(self, kind: type[_Entity], word: str, arn: str) -> _Entity | None:
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith(f"{word}/"):
            return None
        path, _, name = parts[5].removeprefix(word).rpartition("/")
        found = self.get(kind, parts[4], name)
        return found if found is not None and found.path == f"{path}/" and found.name == name else None

    def by_id(self, unique_id: str) -> User | Role | None:
        everybody: list[User | Role] = [*self.every(User), *self.every(Role)]
        return next((item for item in everybody if item.id == unique_id), None)

    def managed(self, arn: str) -> ManagedPolicy | None:
        """The managed policy that an ARN means: one of AWS's, or of a customer."""
        if arn in AWS_MANAGED:
            return AWS_MANAGED[arn]
        parts = arn.split(":", 5)
        if len(parts) != 6 or not parts[5].startswith("policy/"):
            return None
        policy = self.get(ManagedPolicy, parts[4], parts[5].rpartition("/")[2])
        return policy if policy is not None and policy.arn == arn else None

    def groups_of(self, user: User) -> list[Group]:
        return [group for group in self.of(Group, user.account) if user.name in group.members]

    # --- what policies come to --------------------------------------------------------------------------------------

    def policies_of_user(self, user: User) -> Policies:
        found = self._policies.get(user.id)
        if found is None:
            holders = [user, *self.groups_of(user)]
            found = self._policies[user.id] = Policies(
                identity=tuple(document for holder in holders for document in self._documents(holder)),
                boundary=self._boundary(user.boundary),
            )
        return found

    def policies_of_role(self, role: Role) -> Policies:
        found = self._policies.get(role.id)
        if found is None:
            found = self._policies[role.id] = Policies(
                identity=tuple(self._documents(role)), boundary=self._boundary(role.boundary)
            )
        return found

    def _documents(self, holder: Holder) -> Iterator[Document]:
        for name, text in holder.inline.items():
            yield compiled(text, name=f"{holder.arn}/{name}")
        for arn in holder.attached:
            policy = self.managed(arn)
            if policy is not None:
                yield compiled(policy.text, name=arn)

    def _boundary(self, arn: str | None) -> Document | None:
        if arn is None:
            return None
        policy = self.managed(arn)
        return NOTHING if policy is None else compiled(policy.text, name=arn)


#: A boundary whose policy is gone lets nothing through.
NOTHING = Document(denies=(), allows=())


def compiled(text: str, use: Use = Use.IDENTITY, name: str = "") -> Document:
    """A policy that was checked when it was stored."""
    try:
        return Document.parse(text, use, name)
    except MalformedPolicy as error:  # pragma: no cover - a database that was altered
        raise ValueError(f"a stored policy cannot be read: {error}") from error
