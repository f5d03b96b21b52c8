"""Users and roles in policies: kept by their unique ids, shown by their ARNs.

Somebody who is made again under the same name is somebody else, so a policy that was written for the first does not
mean the second. Where the first is gone, policies show the id. Source: "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ingle.catalog.identities import Identities

_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:user|role)/.+", re.ASCII)
_ID = re.compile(r"A(?:ID|RO)A[A-Z0-9]+", re.ASCII)
_ELEMENTS = ("Principal", "NotPrincipal")


class UnknownPrincipal(Exception):
    """A policy names a user or a role that there is not. The text is the ARN."""


class PrincipalNames:
    """Without `identities`, as without authentication, names are what they are."""

    def __init__(self, identities: Identities | None = None) -> None:
        self._identities = identities

    def bound(self, name: str) -> str:
        """What is kept of an AWS principal. Raises UnknownPrincipal."""
        if self._identities is None or not _ARN.fullmatch(name):
            return name
        found = self._identities.entity(name)
        if found is None:
            raise UnknownPrincipal(name)
        return found.id

    def shown(self, name: str) -> str:
        """What is told of what is kept."""
        if self._identities is None or not _ID.fullmatch(name):
            return name
        found = self._identities.by_id(name)
        return name if found is None else found.arn

    def bound_statement(self, statement: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises UnknownPrincipal."""
        return _renamed(statement, self.bound)

    def shown_statement(self, statement: Mapping[str, Any]) -> Mapping[str, Any]:
        return _renamed(statement, self.shown)

    def bound_text(self, text: str) -> str:
        """A policy as JSON that was checked. Raises UnknownPrincipal."""
        return _rewritten(text, self.bound_statement)

    def shown_text(self, text: str) -> str:
        return _rewritten(text, self.shown_statement)


def _rewritten(text: str, rename: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> str:
    """The text itself where nothing changes in it."""
    document = json.loads(text)
    statements = document["Statement"]
    changed = [rename(item) for item in statements] if isinstance(statements, list) else rename(statements)
    if changed == statements:
        return text
    return json.dumps({**document, "Statement": changed}, separators=(",", ":"))


def _renamed(statement: Mapping[str, Any], rename: Callable[[str], str]) -> Mapping[str, Any]:
    changed = dict(statement)
    for element in _ELEMENTS:
        named = statement.get(element)
        if isinstance(named, dict) and "AWS" in named:
            aws = named["AWS"]
            changed[element] = {
                **named,
                "AWS": [rename(name) for name in aws] if isinstance(aws, list) else rename(aws),
            }
    return changed
