"""A resource policy: the statements that say who may do what with a function, a version or an alias. Pure.

`control` changes it; the text that callers get is `Policy.text`. Statements are JSON objects as IAM spells them: those
that AddPermission makes, and those of a whole document that was put, which may say more.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ingle.domain.access.conditions import UnknownOperator, compile_conditions
from ingle.domain.access.document import CURRENT_VERSION, MEMBERS, PRINCIPAL_KINDS, VERSIONS, Document
from ingle.domain.errors import InvalidParameterValue

Statement = Mapping[str, Any]

_ACTION = re.compile(r"\*|lambda:[a-zA-Z*?]+", re.ASCII)
_PAIRS = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Statements in the order in which they came. No two have the same Sid. `id` is None where a document has none."""

    statements: tuple[Statement, ...]
    id: str | None = "default"
    version: str = CURRENT_VERSION

    @property
    def text(self) -> str:
        """The document as JSON without spaces."""
        members = {"Version": self.version, "Id": self.id, "Statement": list(self.statements)}
        return compact({name: value for name, value in members.items() if value is not None})

    @cached_property
    def document(self) -> Document:
        """What requests are held against. A policy is replaced when it changes, so it is compiled once."""
        return Document.of(self.statements, self.version, "resource policy")

    @property
    def size(self) -> int:
        """Bytes of the document."""
        return len(self.text.encode())

    def has(self, sid: str) -> bool:
        return any(statement.get("Sid") == sid for statement in self.statements)

    def having(self, statement: Statement) -> Policy:
        """With one statement more, behind the others."""
        return replace(self, statements=(*self.statements, statement))

    def without(self, sid: str) -> Policy | None:
        """None if that was the last statement: a policy has one at least."""
        left = tuple(statement for statement in self.statements if statement.get("Sid") != sid)
        return replace(self, statements=left) if left else None

    @staticmethod
    def parse(text: str) -> Policy:
        """The policy that a whole document is. Raises InvalidParameterValue for what is none."""
        document = _loaded(text)
        if not set(document) <= {"Version", "Id", "Statement"}:
            raise _malformed("it has members besides Version, Id and Statement")
        version, identity, statements = document.get("Version"), document.get("Id"), document.get("Statement")
        if version not in VERSIONS:
            raise _malformed(f"Version is not {CURRENT_VERSION}")
        if identity is not None and not isinstance(identity, str):
            raise _malformed("Id is not a string")
        found = [statements] if isinstance(statements, dict) else statements
        if not isinstance(found, list) or not found:
            raise _malformed("it has no statements")
        for statement in found:
            _validate(statement)
        sids = [statement["Sid"] for statement in found if "Sid" in statement]
        if len(set(sids)) < len(sids):
            raise _malformed("two statements have the same Sid")
        return Policy(statements=tuple(found), id=identity, version=version)


def compact(document: Any) -> str:
    """JSON as AWS writes policies and statements: without spaces."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _loaded(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
        compact(document).encode()  # neither numbers that JSON does not have nor halves of characters
    except (ValueError, RecursionError):
        raise _malformed("it is not JSON") from None
    if not isinstance(document, dict):
        raise _malformed("it is not an object")
    return document


def _validate(statement: Any) -> None:
    if not isinstance(statement, dict):
        raise _malformed("a statement is not an object")
    if not set(statement) <= MEMBERS:
        raise _malformed("a statement has members that the language does not know")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed("the Effect of a statement is neither Allow nor Deny")
    if not isinstance(statement.get("Sid", ""), str):
        raise _malformed("the Sid of a statement is not a string")
    for member, opposite in _PAIRS:
        if (member in statement) == (opposite in statement):
            raise _malformed(f"a statement has not exactly one of {member} and {opposite}")
    if not _is_principal(statement.get("Principal", statement.get("NotPrincipal"))):
        raise _malformed("a statement has an invalid principal")
    actions = _texts(statement.get("Action", statement.get("NotAction")))
    if not actions or not all(_ACTION.fullmatch(action) for action in actions):
        raise _malformed("a statement has an action that is not one of Lambda's")
    if not _texts(statement.get("Resource", statement.get("NotResource"))):
        raise _malformed("a statement has an invalid resource")
    if not _is_condition(statement.get("Condition", {})):
        raise _malformed("a statement has an invalid condition")
    try:
        compile_conditions(statement.get("Condition", {}), variables=True)
    except UnknownOperator as operator:
        raise _malformed(f"{operator} is no operator of conditions") from None


def _is_principal(value: Any) -> bool:
    if not isinstance(value, dict):
        return bool(value == "*")
    return bool(value) and all(kind in PRINCIPAL_KINDS and _texts(named) for kind, named in value.items())


def _is_condition(value: Any) -> bool:
    """Operators with keys with values."""
    return isinstance(value, dict) and all(
        isinstance(keys, dict) and keys and all(_is_condition_value(wanted) for wanted in keys.values())
        for keys in value.values()
    )


def _is_condition_value(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return all(
        isinstance(item, str | bool | int) or (isinstance(item, float) and math.isfinite(item)) for item in items
    )


def _texts(value: Any) -> list[str]:
    """One text or several; none if it is neither."""
    items = value if isinstance(value, list) else [value]
    return items if all(isinstance(item, str) and item for item in items) else []


def _malformed(reason: str) -> InvalidParameterValue:
    return InvalidParameterValue(f"The policy document is malformed: {reason}.")
