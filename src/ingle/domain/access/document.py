"""One policy: checked as IAM checks it, and compiled into statements that requests are held against.

`Document.parse` takes a text of a caller and raises MalformedPolicy; `Document.of` takes statements that were checked
before, such as those of a function's own policy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from ingle.domain.access.conditions import Condition, UnknownOperator, compile_conditions
from ingle.domain.access.patterns import Lookup, Pattern
from ingle.domain.access.principals import Principal, Principals, Reach, is_principal_element

#: The language's current version, and the one before.
CURRENT_VERSION = "2012-10-17"
VERSIONS = (CURRENT_VERSION, "2008-10-17")
#: What a statement may have, whatever its policy is for.
MEMBERS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
_ACTION = re.compile(r"\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?_-]+", re.ASCII)
_SID = re.compile(r"[0-9A-Za-z]*", re.ASCII)
PRINCIPAL_KINDS = dict.fromkeys(("AWS", "Service", "Federated", "CanonicalUser"))
_TRUST_ACTION = re.compile(r"sts:[a-zA-Z*?]+|\*", re.ASCII | re.IGNORECASE)
_MOST_NESTED = 12


class MalformedPolicy(Exception):
    """The text is no policy of its kind; the message is IAM's."""


class Use(Enum):
    """What a policy is for, which says what its statements may have."""

    IDENTITY = auto()  # attached to a user, a group or a role; boundaries and session policies too
    TRUST = auto()  # who may assume a role
    RESOURCE = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement, compiled. `principals` is None in policies of identities, which mean whoever has them.

    `label`: its Sid, or which of the statements it is, from 1.
    """

    label: str
    deny: bool
    actions: tuple[Pattern, ...]
    not_actions: bool
    resources: tuple[Pattern, ...] | None
    not_resources: bool
    conditions: tuple[Condition, ...]
    principals: Principals | None

    def applies(self, action: str, resource: str | None, lookup: Lookup) -> bool:
        """Whether it is about such a request; `action` is in lower case. Who asks is `reach`'s.

        A resource that is not known is taken to be one that the statement means.
        """
        if any(pattern.matches(action, lookup) for pattern in self.actions) is self.not_actions:
            return False
        if self.resources is not None and resource is not None:
            named = any(pattern.matches(resource, lookup) for pattern in self.resources)
            if named is self.not_resources:
                return False
        return all(condition.holds(lookup) for condition in self.conditions)

    def reach(self, principal: Principal) -> Reach:
        return Reach.DIRECT if self.principals is None else self.principals.reach(principal, deny=self.deny)


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A policy. Denies come first: they decide. Compared by identity, since decisions are remembered by it.

    `name`: what the policy is called where decisions are told.
    """

    denies: tuple[Statement, ...]
    allows: tuple[Statement, ...]
    name: str = ""

    @staticmethod
    def parse(text: str, use: Use = Use.IDENTITY, name: str = "") -> Document:
        """Raises MalformedPolicy."""
        document = _loaded(text)
        _require_members(document)
        version = document.get("Version", "2008-10-17")
        if version not in VERSIONS:
            raise MalformedPolicy("The policy must contain a valid version string")
        if use is Use.IDENTITY and version != CURRENT_VERSION:
            raise MalformedPolicy("Policy document must be version 2012-10-17 or greater.")
        statements = document.get("Statement")
        found = [statements] if isinstance(statements, dict) else statements
        if not isinstance(found, list) or (not found and use is not Use.IDENTITY):
            raise MalformedPolicy("Syntax errors in policy.")
        for statement in found:
            _check(statement, use)
        sids = [statement["Sid"] for statement in found if statement.get("Sid")]
        if len(set(sids)) < len(sids):
            raise MalformedPolicy("Statement IDs (SID) in a single policy must be unique.")
        try:
            return _ordered((_compile(item, version, number) for number, item in enumerate(found, 1)), name)
        except UnknownOperator as unknown:
            raise MalformedPolicy(f"Invalid Condition type : {unknown}.") from None

    @staticmethod
    def of(statements: Iterable[Mapping[str, Any]], version: str = CURRENT_VERSION, name: str = "") -> Document:
        """Statements whose form is known to be right, but for the operators of their conditions.

        A condition that nobody knows never holds for what allows, and always for what denies.
        """
        compiled = (_compile_cautiously(item, version, number) for number, item in enumerate(statements, 1))
        return _ordered((statement for statement in compiled if statement is not None), name)


def _ordered(statements: Iterable[Statement], name: str) -> Document:
    compiled = list(statements)
    return Document(
        name=name,
        denies=tuple(statement for statement in compiled if statement.deny),
        allows=tuple(statement for statement in compiled if not statement.deny),
    )


def _compile_cautiously(statement: Mapping[str, Any], version: str, number: int) -> Statement | None:
    try:
        return _compile(statement, version, number)
    except UnknownOperator:
        if statement["Effect"] == "Allow":
            return None
        bare = {name: value for name, value in statement.items() if name != "Condition"}
        return _compile(bare, version, number)


def _compile(statement: Mapping[str, Any], version: str, number: int) -> Statement:
    """Raises UnknownOperator."""
    variables = version == CURRENT_VERSION
    actions = _texts(statement.get("Action", statement.get("NotAction")))
    resources = statement.get("Resource", statement.get("NotResource"))
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    return Statement(
        label=str(statement.get("Sid") or number),
        deny=statement["Effect"] == "Deny",
        actions=tuple(Pattern(action.lower(), variables=False) for action in actions),
        not_actions="NotAction" in statement,
        resources=None
        if resources is None
        else tuple(Pattern(_completed(text), variables=variables) for text in _texts(resources)),
        not_resources="NotResource" in statement,
        conditions=compile_conditions(statement.get("Condition", {}), variables=variables),
        principals=None if principal is None else Principals(principal, opposite="NotPrincipal" in statement),
    )


def _completed(resource: str) -> str:
    """An ARN with fewer than six parts means everything in the missing ones, as the user guide says."""
    parts = resource.split(":")
    if parts[0] != "arn" or len(parts) >= 6:
        return resource
    return ":".join([*parts, *["*"] * (6 - len(parts))])


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _loaded(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
        depth = _depth(document)
        json.dumps(document).encode()
        text.encode()
    except (ValueError, RecursionError):
        raise MalformedPolicy("Syntax errors in policy.") from None
    if not isinstance(document, dict) or depth > _MOST_NESTED:
        raise MalformedPolicy("Syntax errors in policy.")
    return document


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _depth(value: Any) -> int:
    nested = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(item) for item in nested), default=0)


def _require_members(document: Mapping[str, Any]) -> None:
    if not set(document) <= {"Version", "Id", "Statement"} or not isinstance(document.get("Id", ""), str):
        raise MalformedPolicy("Syntax errors in policy.")


def _check(statement: Any, use: Use) -> None:
    if not isinstance(statement, dict) or not set(statement) <= MEMBERS:
        raise MalformedPolicy("Syntax errors in policy.")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicy("Missing required field Effect cannot be empty!")
    sid = statement.get("Sid", "")
    if not isinstance(sid, str):
        raise MalformedPolicy("Syntax errors in policy.")
    if use is Use.IDENTITY and not _SID.fullmatch(sid):
        raise MalformedPolicy("Statement IDs (SID) must be alpha-numeric.")
    _check_actions(statement, use)
    _check_resources(statement, use)
    _check_principal(statement, use)
    _check_condition(statement.get("Condition", {}))


def _one_of(statement: Mapping[str, Any], member: str) -> Any:
    """The value of `member` or of its opposite, of which there may be one; None without either."""
    opposite = f"Not{member}"
    if member in statement and opposite in statement:
        raise MalformedPolicy("Syntax errors in policy.")
    return statement.get(member, statement.get(opposite))


def _listed(value: Any) -> list[str]:
    """One text or several. Raises MalformedPolicy for anything else."""
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in items):
        raise MalformedPolicy("Syntax errors in policy.")
    return items


def _check_actions(statement: Mapping[str, Any], use: Use) -> None:
    value = _one_of(statement, "Action")
    actions = [] if value is None else _listed(value)
    if not actions:
        raise MalformedPolicy("Policy statement must contain actions.")
    for action in actions:
        if not _ACTION.fullmatch(action):
            raise MalformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
        if use is Use.TRUST and not _TRUST_ACTION.fullmatch(action):
            raise MalformedPolicy("AssumeRole policy may only specify STS AssumeRole actions.")


def _check_resources(statement: Mapping[str, Any], use: Use) -> None:
    value = _one_of(statement, "Resource")
    if use is Use.TRUST:
        if value is not None:
            raise MalformedPolicy("Has prohibited field Resource")
        return
    resources = [] if value is None else _listed(value)
    if not resources:
        raise MalformedPolicy("Policy statement must contain resources.")
    for resource in resources:
        # A pattern that begins with a wildcard may stand for any ARN.
        if not resource.startswith(("*", "arn:", "${")):
            raise MalformedPolicy(f'Resource {resource} must be in ARN format or "*".')


def _check_principal(statement: Mapping[str, Any], use: Use) -> None:
    value = _one_of(statement, "Principal")
    if use is Use.IDENTITY:
        if value is not None:
            raise MalformedPolicy("Policy document should not specify a principal.")
        return
    if value is None:
        raise MalformedPolicy("Missing required field Principal")
    if not is_principal_element(value, PRINCIPAL_KINDS):
        raise MalformedPolicy("Invalid principal in policy.")
    for name in _texts(value.get("AWS", [])) if isinstance(value, dict) else []:
        if not _is_aws_principal(name):
            raise MalformedPolicy(f'Invalid principal in policy: "AWS":"{name}"')


def _is_aws_principal(name: str) -> bool:
    parts = name.split(":", 5)
    arn = len(parts) == 6 and parts[0] == "arn" and parts[2] in ("iam", "sts") and "*" not in name
    unique = re.fullmatch(r"A(ID|RO|GP)A[A-Z0-9]+", name) is not None
    return name == "*" or (name.isascii() and name.isdigit() and len(name) == 12) or arn or unique


def _check_condition(element: Any) -> None:
    if not isinstance(element, dict):
        raise MalformedPolicy("Syntax errors in policy.")
    for keys in element.values():
        if not isinstance(keys, dict) or not keys:
            raise MalformedPolicy("Syntax errors in policy.")
        for key, wanted in keys.items():
            values = wanted if isinstance(wanted, list) else [wanted]
            if not all(isinstance(item, str | bool | int | float) for item in values):
                raise MalformedPolicy("Syntax errors in policy.")
            if ":" not in key:
                raise MalformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
