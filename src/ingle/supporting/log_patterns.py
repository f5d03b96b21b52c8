"""CloudWatch Logs filter patterns: a text becomes a test that a message passes or does not.

Covers terms, quoted phrases, exclusions (`-term`), alternatives (`?term`) and JSON patterns (`{ $.field = value }` with
`&&`, `||`, comparisons, IS and NOT EXISTS). Patterns for space-delimited events (`[...]`) and regular expressions
(`%...%`) are refused by name. Source of the rules: the CloudWatch Logs user guide, "Filter pattern syntax". Pure;
called by `supporting.logs`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

Test = Callable[[str], bool]

#: Parentheses within parentheses: a bound that no real pattern comes near.
_MOST_NESTED = 20
_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))')
_TOKEN = re.compile(
    r"""\s*(?:(?P<path>\$(?:\.[\w\-]+|\[\d+\]|\[?['"][^'"]+['"]\]?)*)"""
    r"""|"(?P<text>(?:[^"\\]|\\.)*)"|(?P<sign>&&|\|\||!=|<=|>=|[=<>()])|(?P<word>[^\s()=<>!&|"]+))"""
)
_STEP = re.compile(r"\.([\w\-]+)|\[(\d+)\]|\[?['\"]([^'\"]+)['\"]\]?")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_ABSENT = object()


class PatternError(ValueError):
    """The pattern is wrong. The text is for the caller."""


class PatternUnsupported(PatternError):
    """The pattern is right, and of a kind that is not implemented."""


def compile_pattern(pattern: str) -> Test | None:
    """The test for a pattern, None for one that every event passes. Raises PatternError."""
    pattern = pattern.strip()
    if not pattern:
        return None
    if pattern.startswith("{"):
        return _compile_json(pattern)
    if pattern.startswith("["):
        raise PatternUnsupported("Filter patterns for space-delimited log events are not implemented.")
    if pattern.startswith("%"):
        raise PatternUnsupported("Filter patterns with regular expressions are not implemented.")
    return _compile_terms(pattern)


def _compile_terms(pattern: str) -> Test:
    required: list[str] = []
    excluded: list[str] = []
    optional: list[str] = []
    place = 0
    while place < len(pattern):
        match = _TERM.match(pattern, place)
        if match is None:
            raise PatternError("Invalid filter pattern: a quotation mark is not closed.")
        place = match.end()
        kind, quoted, word = match.groups()
        if word is not None and not all(character.isalnum() or character in "_.*" for character in word):
            raise PatternError(f"Invalid character(s) in term '{word}'")
        term = word if quoted is None else _unescape(quoted)
        {"": required, "-": excluded, "?": optional}[kind].append(term)
    # Alternatives count only where there are no other terms.
    if required or excluded:
        return lambda message: all(t in message for t in required) and not any(t in message for t in excluded)
    return lambda message: any(t in message for t in optional)


def _unescape(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted)


def _compile_json(pattern: str) -> Test:
    if not pattern.endswith("}"):
        raise PatternError("Invalid filter pattern: the brace is not closed.")
    reader = _Reader(_tokens(pattern[1:-1]))
    test = reader.alternatives(0)
    reader.expect_end()

    def passes(message: str) -> bool:
        try:
            content = orjson.loads(message)
        except ValueError:
            return False
        return test(content)

    return passes


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # path, text, sign, word or end
    value: str


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise PatternError(f"Invalid filter pattern near '{text[place:].strip()[:20]}'")
        value = match[match.lastgroup]
        found.append(_Token(match.lastgroup, _unescape(value) if match.lastgroup == "text" else value))
        place = match.end()
    return [*found, _Token("end", "")]


class _Reader:
    """Recursive descent: alternatives of conjunctions of conditions. Each method returns a test of decoded JSON."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._place = 0

    def alternatives(self, depth: int) -> Callable[[Any], bool]:
        tests = [self._conjunction(depth)]
        while self._accept("||"):
            tests.append(self._conjunction(depth))
        return tests[0] if len(tests) == 1 else lambda content: any(test(content) for test in tests)

    def expect_end(self) -> None:
        if self._tokens[self._place].kind != "end":
            raise self._wrong()

    def _conjunction(self, depth: int) -> Callable[[Any], bool]:
        tests = [self._condition(depth)]
        while self._accept("&&"):
            tests.append(self._condition(depth))
        return tests[0] if len(tests) == 1 else lambda content: all(test(content) for test in tests)

    def _condition(self, depth: int) -> Callable[[Any], bool]:
        if self._accept("("):
            if depth == _MOST_NESTED:
                raise PatternError("Invalid filter pattern: too many nested parentheses.")
            test = self.alternatives(depth + 1)
            if not self._accept(")"):
                raise self._wrong()
            return test
        path = self._take("path")
        steps = _steps(path.value)
        if self._accept("NOT"):
            self._require("EXISTS")
            return lambda content: _select(content, steps) is _ABSENT
        if self._accept("IS"):
            return _is(steps, self._take("word").value)
        sign = self._take("sign").value
        if sign not in _COMPARISONS:
            raise self._wrong()
        value = self._tokens[self._place]
        if value.kind not in ("text", "word"):
            raise self._wrong()
        self._place += 1
        return _compare(steps, sign, value)

    def _accept(self, value: str) -> bool:
        token = self._tokens[self._place]
        if token.kind not in ("sign", "word") or token.value.upper() != value:
            return False
        self._place += 1
        return True

    def _require(self, value: str) -> None:
        if not self._accept(value):
            raise self._wrong()

    def _take(self, kind: str) -> _Token:
        token = self._tokens[self._place]
        if token.kind != kind:
            raise self._wrong()
        self._place += 1
        return token

    def _wrong(self) -> PatternError:
        token = self._tokens[self._place]
        return PatternError(f"Invalid filter pattern near '{token.value}'" if token.value else "Invalid filter pattern")


def _steps(path: str) -> tuple[str | int, ...]:
    matches = _STEP.finditer(path[1:])
    return tuple(int(match[2]) if match[2] is not None else match[1] or match[3] for match in matches)


def _select(content: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        here = (
            step < len(content)
            if isinstance(step, int) and isinstance(content, list)
            else (isinstance(step, str) and isinstance(content, dict) and step in content)
        )
        if not here:
            return _ABSENT
        content = content[step]
    return content


def _is(steps: tuple[str | int, ...], word: str) -> Callable[[Any], bool]:
    constants = {"TRUE": True, "FALSE": False, "NULL": None}
    if word.upper() not in constants:
        raise PatternError(f"Invalid filter pattern near '{word}'")
    wanted = constants[word.upper()]
    return lambda content: _select(content, steps) is wanted


def _compare(steps: tuple[str | int, ...], sign: str, value: _Token) -> Callable[[Any], bool]:
    number = _number(value.value) if value.kind == "word" else None
    compare = _COMPARISONS[sign]
    if number is not None:

        def numeric(content: Any) -> bool:
            found = _select(content, steps)
            return isinstance(found, int | float) and not isinstance(found, bool) and compare(found, number)

        return numeric
    if sign not in ("=", "!="):
        raise PatternError(f"Invalid filter pattern: {sign} needs a number")
    parts = value.value.split("*")

    def textual(content: Any) -> bool:
        found = _select(content, steps)
        return isinstance(found, str) and (_matches(found, parts) == (sign == "="))

    return textual


def _number(text: str) -> float | None:
    # Not float(): that also takes "inf", "nan" and "1_000".
    return float(text) if re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", text) else None


def _matches(text: str, parts: list[str]) -> bool:
    """Whether `text` is the parts with anything between them. Linear in the length of `text` for each part."""
    if len(parts) == 1:
        return text == parts[0]
    first, *middle, last = parts
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True
