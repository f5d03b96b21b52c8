"""Who asks, and the Principal element of resource policies and trust policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import Any


class Kind(Enum):
    """What somebody is that asks."""

    ROOT = auto()  # an account itself
    USER = auto()
    ASSUMED_ROLE = auto()
    SERVICE = auto()  # a service of AWS, by its own right
    ANONYMOUS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who asks.

    `arn`: of the root, the user or the session; the name of a service. `role_arn`: of the role that a session is of.
    `unique_id`: what `aws:userid` says.
    """

    kind: Kind
    arn: str
    account: str
    role_arn: str | None = None
    unique_id: str = ""
    name: str = ""

    @property
    def identities(self) -> tuple[str, ...]:
        """The ARNs that policies may name it by, besides its account."""
        return (self.arn,) if self.role_arn is None else (self.arn, self.role_arn)

    @property
    def names(self) -> tuple[str, ...]:
        """All that policies may name it by, besides its account: ARNs and unique ids."""
        return (*self.identities, *(name for name in (self.unique_id, self.role_id) if name))

    @property
    def role_id(self) -> str:
        """The unique id of the role that a session is of; empty for others."""
        return "" if self.role_arn is None else self.unique_id.partition(":")[0]


ANONYMOUS = Principal(kind=Kind.ANONYMOUS, arn="anonymous", account="")


def service(name: str) -> Principal:
    return Principal(kind=Kind.SERVICE, arn=name, account="")


class Reach(IntEnum):
    """How directly a Principal element means somebody, which says what else has to allow the request.

    Source: the table of "how permissions of resource-based policies are evaluated" in the user guide.
    """

    NOT = 0
    #: Through the account: its own policies decide who of it may.
    ACCOUNT = 1
    #: By the role, or as one of everybody: boundaries and session policies still limit it.
    ROLE = 2
    #: By the ARN of the user or of the session itself: nothing limits it but an explicit deny.
    DIRECT = 3


class Principals:
    """A Principal element, or a NotPrincipal element if `opposite`."""

    __slots__ = ("_accounts", "_arns", "_everybody", "_opposite", "_services")

    def __init__(self, element: Any, *, opposite: bool = False) -> None:
        named = {"AWS": ["*"]} if element == "*" else {kind: _list(value) for kind, value in element.items()}
        self._opposite = opposite
        aws = named.get("AWS", [])
        self._everybody = "*" in aws
        self._accounts = frozenset(account for name in aws if (account := account_of(name)) is not None)
        self._arns: frozenset[str | None] = frozenset(name for name in aws if account_of(name) is None)
        self._services = frozenset(named.get("Service", []))

    def reach(self, principal: Principal, *, deny: bool) -> Reach:
        """How directly `principal` is meant by the statement; `deny` says what kind of statement it is."""
        if self._opposite:
            return Reach.NOT if self._excepted(principal, deny) else Reach.ROLE
        return self._named(principal)

    def _named(self, principal: Principal) -> Reach:
        if principal.kind is Kind.SERVICE:
            return Reach.DIRECT if principal.arn in self._services or "*" in self._services else Reach.NOT
        if principal.arn in self._arns or principal.unique_id in self._arns:
            return Reach.DIRECT
        if self._everybody or principal.role_arn in self._arns or principal.role_id in self._arns:
            return Reach.ROLE
        if principal.kind is not Kind.ANONYMOUS and principal.account in self._accounts:
            return Reach.ACCOUNT
        return Reach.NOT

    def _excepted(self, principal: Principal, deny: bool) -> bool:
        """Whether a NotPrincipal element leaves `principal` out.

        A deny spares only those whose account, role and own ARN are all named, as the user guide warns; an allow, to
        stay on the safe side, leaves out whoever is named in any way.
        """
        if self._everybody:
            return True
        if principal.kind in (Kind.SERVICE, Kind.ANONYMOUS):
            return self._named(principal) is not Reach.NOT
        ways = [principal.account in self._accounts]
        if principal.kind is not Kind.ROOT:
            ways.append(principal.arn in self._arns or principal.unique_id in self._arns)
        if principal.role_arn is not None:
            ways.append(principal.role_arn in self._arns or principal.role_id in self._arns)
        return all(ways) if deny else any(ways)


def account_of(name: str) -> str | None:
    """The account that an AWS principal means as a whole: its number, or the ARN of its root."""
    if len(name) == 12 and name.isascii() and name.isdigit():
        return name
    parts = name.split(":")
    if len(parts) == 6 and parts[0] == "arn" and parts[2] == "iam" and parts[5] == "root":
        return parts[4]
    return None


def _list(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def is_principal_element(value: Any, kinds: Mapping[str, object]) -> bool:
    """Whether a value has the form of a Principal element with these kinds."""
    if not isinstance(value, dict):
        return bool(value == "*")
    return bool(value) and all(
        kind in kinds
        and named
        and isinstance(named, str | list)
        and all(isinstance(item, str) for item in _list(named))
        for kind, named in value.items()
    )
