"""A second evaluator, written for the tests: it reads the JSON of policies as it stands and shares no code.

It knows the part of the language that `test_evaluation` generates, and takes the user guide's flow chart literally.
"""

from __future__ import annotations

import re
from typing import Any

Json = Any


def many(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def glob(pattern: str, text: str) -> bool:
    """By trying every split, which is slow and plain."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(glob(pattern[1:], text[index:]) for index in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and glob(pattern[1:], text[1:])


def fill(pattern: str, context: dict[str, list[str]]) -> str | None:
    """Variables replaced; None when one is missing. The values of the tests have no wildcards."""
    for name in re.findall(r"\$\{(.*?)\}", pattern):
        values = context.get(name.lower())
        if not values or len(values) > 1:
            return None
        pattern = pattern.replace("${" + name + "}", values[0])
    return pattern


def hits(patterns: Json, text: str, context: dict[str, list[str]]) -> bool:
    filled = [fill(pattern, context) for pattern in many(patterns)]
    return any(pattern is not None and glob(pattern, text) for pattern in filled)


def compare(operator: str, wanted: Json, given: str, context: dict[str, list[str]]) -> bool:
    if operator == "StringEquals":
        return fill(wanted, context) == given
    if operator == "StringLike":
        return hits(wanted, given, context)
    if operator == "NumericLessThan":
        return float(given) < float(wanted)
    if operator == "Bool":
        return str(wanted).lower() == given.lower()
    raise AssertionError(operator)


def condition(operator: str, key: str, wanted: Json, context: dict[str, list[str]]) -> bool:
    given = context.get(key.lower())
    if operator == "Null":
        return (given is None) == (str(wanted).lower() == "true")
    quantifier, _, rest = operator.rpartition(":")
    optional, rest = rest.endswith("IfExists"), rest.removesuffix("IfExists")
    negated, rest = "Not" in rest, rest.replace("Not", "")
    if given is None:
        return optional or (quantifier == "ForAllValues" if quantifier else negated)
    outcomes = []
    for value in given:
        equal = [compare(rest, item, value, context) for item in many(wanted)]
        outcomes.append(not any(equal) if negated else any(equal))
    if quantifier == "ForAllValues" or (not quantifier and negated):
        return all(outcomes)
    return any(outcomes)


def applies(statement: Json, action: str, resource: str, context: dict[str, list[str]]) -> bool:
    if "Action" in statement:
        if not hits([item.lower() for item in many(statement["Action"])], action.lower(), {}):
            return False
    elif hits([item.lower() for item in many(statement["NotAction"])], action.lower(), {}):
        return False
    if "Resource" in statement:
        if not hits(statement["Resource"], resource, context):
            return False
    elif hits(statement["NotResource"], resource, context):
        return False
    return all(
        condition(operator, key, wanted, context)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def names(statement: Json, who: Json) -> str:
    """How a statement of a resource policy means `who`: "", "account", "role" or "direct"."""
    element = statement["Principal"]
    listed = ["*"] if element == "*" else many(element.get("AWS", []))
    if who["arn"] in listed:
        return "direct"
    if "*" in listed or who.get("role") in listed:
        return "role"
    if who["account"] in listed or f"arn:aws:iam::{who['account']}:root" in listed:
        return "account"
    return ""


def verdict(case: Json) -> bool:
    """Whether the request of a case is allowed."""
    who, action, resource, context = case["who"], case["action"], case["resource"], case["context"]

    def found(policies: list[Json], effect: str) -> bool:
        return any(
            statement["Effect"] == effect and applies(statement, action, resource, context)
            for policy in policies
            for statement in policy
        )

    limits = [case[name] for name in ("boundary", "session") if case[name] is not None]
    on_resource = [
        (statement["Effect"], names(statement, who))
        for statement in case["resource_policy"] or []
        if names(statement, who) and applies(statement, action, resource, context)
    ]
    if found([*case["identity"], *limits], "Deny") or any(effect == "Deny" for effect, _ in on_resource):
        return False
    granted = {how for effect, how in on_resource if effect == "Allow"}
    within_limits = all(found([limit], "Allow") for limit in limits)
    by_identity = found(case["identity"], "Allow") and within_limits
    if case["owner"] != who["account"]:
        return bool(granted) and by_identity
    return "direct" in granted or ("role" in granted and within_limits) or by_identity
