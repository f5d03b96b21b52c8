"""Answers of AWS that were recorded (`unit/control/recorded`), and how ours are compared with them: by member."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ingle.domain.errors import ServiceError

#: Members whose values differ each time: only their presence is compared.
VOLATILE = {"CodeSha256", "CodeSize", "LastModified", "RevisionId", "Location", "RuntimeVersionArn", "CreatedDate"}
NAMES = {
    "<partition>": "aws",
    "<region>": "us-east-1",
    "<wrong-region>": "eu-west-1",
    "<fn-name>": "F",
    "<resource-name>": "F",
}


def scenarios(topic: str) -> dict[str, Any]:
    """The scenarios of one file, by name; each is its steps by name."""
    path = Path(__file__).parent / "unit/control/recorded" / f"{topic}.json"
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def normal(value: Any, member: str = "") -> Any:
    """A recorded answer, or one of ours, in a form that can be compared."""
    if member in VOLATILE:
        return "*"
    if isinstance(value, dict):
        return {key: normal(inner, key) for key, inner in value.items() if key != "ResponseMetadata"}
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    if isinstance(value, str):
        for placeholder, name in NAMES.items():
            value = value.replace(placeholder, name)
        value = re.sub(r"<function-name:\d>", "F", value)
        return re.sub(r"<resource:1>", "lambda-role", value)
    return value


def assert_recorded(answer: dict[str, Any], recorded: dict[str, Any]) -> None:
    assert normal(answer) == normal(recorded.get("CreateFunctionResponse", recorded))


def steps(topic: str, *, without: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Every scenario of one file with each of its steps, but for the scenarios whose names begin with `without`."""
    return [
        (scenario, step)
        for scenario, found in scenarios(topic).items()
        if scenario != "_origin" and not scenario.startswith(without)
        for step in found
    ]


def assert_recorded_error(error: ServiceError, recorded: dict[str, Any]) -> None:
    assert (error.code, error.message) == (recorded["Error"]["Code"], normal(recorded["Error"]["Message"]))
    assert error.type == recorded.get("Type")
    if error.type is not None:
        assert error.message_member in recorded


class Revisions:
    """Which RevisionId of ours stands for which of the recording's: always the same one for the same."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}

    def assert_recorded(self, answer: dict[str, Any], recorded: dict[str, Any]) -> None:
        assert_recorded(answer, recorded)
        for ours, theirs in zip(_revisions(answer), _revisions(recorded), strict=True):
            assert self._ours.setdefault(theirs, ours) == ours
        assert len(set(self._ours.values())) == len(self._ours)


def _revisions(value: Any) -> list[str]:
    """In the order of the member names that lead to them."""
    if isinstance(value, list):
        return [revision for inner in value for revision in _revisions(inner)]
    if not isinstance(value, dict):
        return []
    found = [value["RevisionId"]] if "RevisionId" in value else []
    return found + [revision for key in sorted(value) for revision in _revisions(value[key])]
