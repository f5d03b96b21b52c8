"""Checks of the model's constraints, and AWS's text for what fails: required, length, range, pattern, value set.

Each shape is compiled once into a closure `check(value, path, violations)`; shapes without a constraint anywhere below
compile to None and cost nothing. All violations of a request are collected, as AWS does. Works on parsed values
(API member names), after the protocol has established their types. Called by the protocol modules.

Orders that answers of the service show: length before pattern, upper bound before lower, query before label.
"""

from __future__ import annotations

import re
import sys
import unicodedata
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from itertools import groupby
from typing import Any

from ingle.wire.messages import ConstraintViolation
from ingle.wire.model import Member, ServiceModel, Shape
from ingle.wire.overrides import for_shape

Check = Callable[[Any, str, list[str]], None]
Rule = tuple[Callable[[Any], bool], str]

NOT_NULL = "Member must not be null"
#: Longer values have broken a length already, and matching them costs time that an attacker would choose.
MAX_MATCHED_LENGTH = 16_384
_LOCATION_ORDER = {"querystring": 0, "header": 1, "headers": 1, None: 2, "uri": 3}
#: `re` has no Unicode properties. In AWS's patterns a class with \p{L} always has \p{N} and `_` too, so \w is exact.
_PROPERTIES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\w",
    r"\p{Z}": "\\x20\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000",
}

#: Escapes, classes, and dots outside both.
_TOKENS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\.", re.DOTALL)
#: What a dot is in Java: no end of a line of any kind, while to `re` only a line feed is one.
_ANY = "[^\\n\\r\\x85\\u2028\\u2029]"


def path_label(name: str) -> str:
    """A member's name as messages print it: `FunctionName` is `functionName`."""
    return name[:1].lower() + name[1:]


def printed(value: Any) -> str:
    """A value as AWS prints it inside a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(printed, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={printed(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bytes):
        return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    return str(value)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A model's pattern (Java syntax) for `fullmatch`: AWS prints patterns unanchored and matches the whole value."""
    flags = re.ASCII
    for java, python in _PROPERTIES.items():
        if java in pattern:
            flags = re.UNICODE
            pattern = pattern.replace(java, python)
    if r"\p{" in pattern:
        flags = re.UNICODE
        pattern = re.sub(r"\\p\{(\w+)\}", lambda found: _category(found[1]), pattern)
    pattern = _TOKENS.sub(lambda found: _ANY if found[0] == "." else found[0], pattern)
    # Java takes a hyphen behind a class escape for itself, `re` for a bad range.
    pattern = re.sub(r"(\\[wdsWDS])-", r"\1\\-", pattern)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(pattern, flags)


@cache
def _category(name: str) -> str:
    """The inside of a character class for a Unicode category, for example M or Zs. Takes a moment, once."""
    codes = [code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)).startswith(name)]
    runs = [[number for _, number in run] for _, run in groupby(enumerate(codes), lambda item: item[1] - item[0])]
    return "".join(f"\\U{run[0]:08x}-\\U{run[-1]:08x}" for run in runs)


def enforce(check: Check | None, params: dict[str, Any]) -> dict[str, Any]:
    """`params`, if `check` finds nothing wrong with them. Raises ConstraintViolation with everything that is."""
    violations: list[str] = []
    if check is not None:
        check(params, "", violations)
    if violations:
        raise_violations(violations)
    return params


def raise_violations(violations: list[str]) -> None:
    """Raise ConstraintViolation with AWS's summary. `violations` is not empty."""
    count = len(violations)
    plural = "" if count == 1 else "s"
    raise ConstraintViolation(f"{count} validation error{plural} detected: " + "; ".join(violations))


def _violation(value: Any, path: str, constraint: str, sensitive: bool = False) -> str:
    """`sensitive`: the model says that the value is nobody's to read, and AWS prints none."""
    shown = "" if sensitive else "null " if value is None else f"'{printed(value)}' "
    return f"Value {shown}at '{path}' failed to satisfy constraint: {constraint}"


class ConstraintCompiler:
    """Compiles the shapes of one service. Compiled shapes are kept; cycles are broken by looking them up later."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._compiled: dict[str, Check | None] = {}

    def compile_input(self, shape: Shape) -> Check | None:
        """The check of an operation's whole input, with members in the order in which AWS reports them."""
        members = sorted(shape.members.values(), key=lambda member: _LOCATION_ORDER.get(member.location, 2))
        return self._structure(shape, members)

    def compile(self, shape: Shape) -> Check | None:
        if shape.name not in self._compiled:
            self._compiled[shape.name] = lambda value, path, out: self._late(shape.name, value, path, out)
            self._compiled[shape.name] = self._compile(shape)
        return self._compiled[shape.name]

    def _late(self, name: str, value: Any, path: str, out: list[str]) -> None:
        check = self._compiled[name]
        if check is not None:
            check(value, path, out)

    def _compile(self, shape: Shape) -> Check | None:
        if shape.type == "structure":
            return self._structure(shape, list(shape.members.values()))
        if shape.type == "list":
            return self._list(shape)
        if shape.type == "map":
            return self._map(shape)
        return _rules_check(self._rules(shape), _is_sensitive(shape))

    def _rules(self, shape: Shape) -> list[Rule]:
        """What the shape demands of one value, in the order of AWS's element constraints."""
        if shape.type in ("string", "blob", "list", "map"):
            rules = _length_rules(shape.raw)
        elif shape.type in ("integer", "long", "float", "double", "short", "byte"):
            rules = _range_rules(shape.raw)
        else:
            return []
        if shape.type == "string":
            rules += self._string_rules(shape)
        return rules

    def _string_rules(self, shape: Shape) -> list[Rule]:
        override = for_shape(self._model.name, shape.name)
        rules: list[Rule] = []
        if "pattern" in shape.raw:
            shown = override.printed_pattern or shape.raw["pattern"]
            rules.append(_pattern_rule(shape.raw["pattern"], shown, shape.raw.get("max")))
        if "enum" in shape.raw and not override.skip_enum:
            rules.append(_enum_rule(shape.raw["enum"], override.enum))
        return rules

    def _structure(self, shape: Shape, members: list[Member]) -> Check | None:
        table = []
        for member in members:
            check = self.compile(member.shape)
            required = member.name in shape.required
            if check is not None or required:
                sensitive = _is_sensitive(member.shape)
                table.append((member.name, path_label(member.name), required, check, sensitive))
        if not table:
            return None

        def check_structure(value: Mapping[str, Any], path: str, out: list[str]) -> None:
            prefix = path + "." if path else ""
            for name, label, required, check, sensitive in table:
                item = value.get(name)
                if item is None:
                    if required:
                        out.append(_violation(None, prefix + label, NOT_NULL, sensitive))
                elif check is not None:
                    check(item, prefix + label, out)

        return check_structure

    def _list(self, shape: Shape) -> Check:
        element = shape.part("member").shape
        sensitive = _is_sensitive(shape) or _is_sensitive(element)
        own = _rules_check(self._rules(shape), sensitive)
        rules = self._rules(element)
        text = self._element_text("Member must", shape, rules)
        nested = self.compile(element) if element.type in ("structure", "list", "map") else None

        def check_list(value: list[Any], path: str, out: list[str]) -> None:
            if own is not None:
                own(value, path, out)
            if any(_breaks(item, rules) for item in value):
                out.append(_violation(value, path, text, sensitive))
            if nested is not None:
                for number, item in enumerate(value, 1):
                    if item is not None:
                        nested(item, f"{path}.{number}.member", out)

        return check_list

    def _map(self, shape: Shape) -> Check:
        element = shape.part("value").shape
        sensitive = _is_sensitive(shape) or _is_sensitive(element)
        own = _rules_check(self._rules(shape), sensitive)
        key_rules = self._rules(shape.part("key").shape)
        value_rules = self._rules(element)
        key_text = self._element_text("Map keys must", shape, key_rules)
        value_text = self._element_text("Map value must", shape, value_rules)
        nested = self.compile(element) if element.type in ("structure", "list", "map") else None

        def check_map(value: dict[str, Any], path: str, out: list[str]) -> None:
            if own is not None:
                own(value, path, out)
            if any(_breaks(key, key_rules) for key in value):
                out.append(_violation(value, path, key_text, sensitive))
            if any(_breaks(item, value_rules) for item in value.values()):
                out.append(_violation(value, path, value_text, sensitive))
            if nested is not None:
                for key, item in value.items():
                    if item is not None:
                        nested(item, f"{path}.{key}.member", out)

        return check_map

    def _element_text(self, subject: str, shape: Shape, rules: list[Rule]) -> str:
        texts = [text for _, text in rules]
        if not texts or not for_shape(self._model.name, shape.name).omit_not_null:
            texts.append(NOT_NULL)
        return f"{subject} satisfy constraint: [{', '.join(texts)}]"


def _breaks(value: Any, rules: list[Rule]) -> bool:
    return value is None or any(not holds(value) for holds, _ in rules)


def _is_sensitive(shape: Shape) -> bool:
    return bool(shape.raw.get("sensitive"))


def _rules_check(rules: list[Rule], sensitive: bool) -> Check | None:
    if not rules:
        return None

    def check(value: Any, path: str, out: list[str]) -> None:
        for holds, text in rules:
            if not holds(value):
                out.append(_violation(value, path, text, sensitive))

    return check


def _length_rules(raw: Mapping[str, Any]) -> list[Rule]:
    rules: list[Rule] = []
    if "max" in raw:
        upper: int = raw["max"]
        rules.append((lambda value: len(value) <= upper, f"Member must have length less than or equal to {upper}"))
    if "min" in raw:
        lower: int = raw["min"]
        rules.append((lambda value: len(value) >= lower, f"Member must have length greater than or equal to {lower}"))
    return rules


def _range_rules(raw: Mapping[str, Any]) -> list[Rule]:
    rules: list[Rule] = []
    if "max" in raw:
        upper = raw["max"]
        rules.append((lambda value: bool(value <= upper), f"Member must have value less than or equal to {upper}"))
    if "min" in raw:
        lower = raw["min"]
        rules.append((lambda value: bool(value >= lower), f"Member must have value greater than or equal to {lower}"))
    return rules


def _pattern_rule(pattern: str, shown: str, longest: int | None) -> Rule:
    # Compiling a regular expression costs more than all the rest of a shape: it waits for the first value.
    fullmatch: Callable[[str], re.Match[str] | None] | None = None
    matched_length = None if longest is None else max(longest, MAX_MATCHED_LENGTH)

    def holds(value: str) -> bool:
        nonlocal fullmatch
        if fullmatch is None:
            fullmatch = compile_pattern(pattern).fullmatch
        if matched_length is not None and len(value) > matched_length:
            return True
        return fullmatch(value) is not None

    return holds, f"Member must satisfy regular expression pattern: {shown}"


def _enum_rule(values: list[str], order: tuple[str, ...]) -> Rule:
    allowed = frozenset(values)
    shown = [value for value in order if value in allowed] + [value for value in values if value not in order]
    return allowed.__contains__, f"Member must satisfy enum value set: [{', '.join(shown)}]"
