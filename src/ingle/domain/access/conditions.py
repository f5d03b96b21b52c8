"""The Condition element: one test for each operator and key, all of which have to hold.

The operators are a table. An operator compares one value of the request with one of the policy; `...IfExists`, `Null`,
`ForAllValues:` and `ForAnyValue:` say what happens to several values and to none. Source: "IAM JSON policy elements:
Condition operators" and "Conditions with multiple context keys or values".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from ingle.domain.access.patterns import Lookup, Pattern, arn_matches, has_variable, substituted, wildcard

#: (value of the request, value of the policy, lookup of variables or None where they mean nothing) -> equal
Compare = Callable[[str, str, Lookup | None], bool]

_NUMBER = re.compile(r"[+-]?(\d{1,300}(\.\d{0,300})?|\.\d{1,300})([eE][+-]?\d{1,3})?", re.ASCII)
_REMEMBERED = 1024


def _literal(text: str, lookup: Lookup | None) -> str | None:
    return text if lookup is None or "${" not in text else substituted(text, lookup)


def _string_equals(given: str, wanted: str, lookup: Lookup | None) -> bool:
    return _literal(wanted, lookup) == given


def _string_equals_ignore_case(given: str, wanted: str, lookup: Lookup | None) -> bool:
    text = _literal(wanted, lookup)
    return text is not None and text.casefold() == given.casefold()


def _string_like(given: str, wanted: str, lookup: Lookup | None) -> bool:
    return wildcard(wanted)(given) if lookup is None else Pattern(wanted).matches(given, lookup)


def _bool(given: str, wanted: str, lookup: Lookup | None) -> bool:
    text = _literal(wanted, lookup)
    return text is not None and text.lower() == given.lower() and text.lower() in ("true", "false")


def _arn_like(given: str, wanted: str, lookup: Lookup | None) -> bool:
    return arn_matches(wanted, given, lookup)


def _binary_equals(given: str, wanted: str, lookup: Lookup | None) -> bool:
    try:
        return base64.b64decode(given, validate=True) == base64.b64decode(wanted, validate=True)
    except (binascii.Error, ValueError):
        return False


def _in_network(given: str, wanted: str, lookup: Lookup | None) -> bool:
    try:
        return ip_address(given) in ip_network(wanted, strict=False)
    except ValueError:
        return False


@lru_cache(maxsize=_REMEMBERED)
def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


@lru_cache(maxsize=_REMEMBERED)
def _moment(text: str) -> float | None:
    """Seconds since the epoch: of an ISO 8601 date or time, or of such a number itself."""
    number = _number(text)
    if number is not None:
        return number
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _ordered(read: Callable[[str], float | None], holds: Callable[[float, float], bool]) -> Compare:
    def compare(given: str, wanted: str, lookup: Lookup | None) -> bool:
        left, right = read(given), read(wanted)
        return left is not None and right is not None and holds(left, right)

    return compare


@dataclass(frozen=True, slots=True)
class _Operator:
    """`negated`: the condition holds for a value that equals none of the policy's. `variables`: whether they count."""

    compare: Compare
    negated: bool = False
    variables: bool = False


def _family(name: str, read: Callable[[str], float | None]) -> dict[str, _Operator]:
    """The six comparisons of numbers or of dates."""
    equals = _ordered(read, lambda left, right: left == right)
    return {
        f"{name}Equals": _Operator(equals),
        f"{name}NotEquals": _Operator(equals, negated=True),
        f"{name}LessThan": _Operator(_ordered(read, lambda left, right: left < right)),
        f"{name}LessThanEquals": _Operator(_ordered(read, lambda left, right: left <= right)),
        f"{name}GreaterThan": _Operator(_ordered(read, lambda left, right: left > right)),
        f"{name}GreaterThanEquals": _Operator(_ordered(read, lambda left, right: left >= right)),
    }


_OPERATORS: Mapping[str, _Operator] = {
    "StringEquals": _Operator(_string_equals, variables=True),
    "StringNotEquals": _Operator(_string_equals, negated=True, variables=True),
    "StringEqualsIgnoreCase": _Operator(_string_equals_ignore_case, variables=True),
    "StringNotEqualsIgnoreCase": _Operator(_string_equals_ignore_case, negated=True, variables=True),
    "StringLike": _Operator(_string_like, variables=True),
    "StringNotLike": _Operator(_string_like, negated=True, variables=True),
    "Bool": _Operator(_bool, variables=True),
    "BinaryEquals": _Operator(_binary_equals),
    "IpAddress": _Operator(_in_network),
    "NotIpAddress": _Operator(_in_network, negated=True),
    "ArnEquals": _Operator(_arn_like, variables=True),
    "ArnLike": _Operator(_arn_like, variables=True),
    "ArnNotEquals": _Operator(_arn_like, negated=True, variables=True),
    "ArnNotLike": _Operator(_arn_like, negated=True, variables=True),
    **_family("Numeric", _number),
    **_family("Date", _moment),
}
_SETS = ("ForAllValues", "ForAnyValue")
_IF_EXISTS = "IfExists"


class UnknownOperator(Exception):
    """A condition has an operator that the language does not know; the text is its name."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator with one key. `key` is in lower case."""

    operator: _Operator | None
    key: str
    wanted: tuple[str, ...]
    quantifier: str = ""
    if_exists: bool = False
    variables: bool = True

    def holds(self, lookup: Lookup) -> bool:
        given = lookup(self.key)
        if self.operator is None:  # Null
            return any((given is None) == (text.lower() == "true") for text in self.wanted)
        if given is None and self.if_exists:
            return True
        if not given:
            return self._holds_for_nothing()
        resolve = lookup if self.variables and self.operator.variables else None
        results = (self._holds_for(value, self.operator, resolve) for value in given)
        # A negated operator must hold for every value even where no set is named: that one differs says nothing.
        every = self.quantifier == "ForAllValues" or (not self.quantifier and self.operator.negated)
        return all(results) if every else any(results)

    def _holds_for_nothing(self) -> bool:
        """The request has no value for the key."""
        assert self.operator is not None
        if self.quantifier:
            return self.quantifier == "ForAllValues"
        return self.operator.negated

    def _holds_for(self, value: str, operator: _Operator, lookup: Lookup | None) -> bool:
        return any(operator.compare(value, text, lookup) for text in self.wanted) != operator.negated


def compile_conditions(element: Mapping[str, Mapping[str, Any]], *, variables: bool) -> tuple[Condition, ...]:
    """The tests of a Condition element whose form has been checked. Raises UnknownOperator."""
    return tuple(
        _condition(name, key, wanted, variables) for name, keys in element.items() for key, wanted in keys.items()
    )


def _condition(name: str, key: str, wanted: Any, variables: bool) -> Condition:
    quantifier, _, bare = name.rpartition(":")
    values = tuple(text_of(value) for value in (wanted if isinstance(wanted, list) else [wanted]))
    if name == "Null":
        return Condition(None, key.lower(), values)
    if_exists = bare.endswith(_IF_EXISTS)
    operator = _OPERATORS.get(bare.removesuffix(_IF_EXISTS))
    if operator is None or quantifier not in ("", *_SETS):
        raise UnknownOperator(name)
    uses = variables and any(has_variable(value) for value in values)
    return Condition(operator, key.lower(), values, quantifier, if_exists, uses)


def text_of(value: Any) -> str:
    """A value of a policy as the text that it is compared as."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
