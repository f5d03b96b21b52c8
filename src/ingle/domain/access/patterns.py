"""Wildcards and policy variables in the texts of a policy, compiled once.

`*` stands for any characters, colons and slashes included, and `?` for one. A variable such as `${aws:username}` stands
for the value that the request has for this key, taken literally; a text whose variable has no value matches nothing.
Matching takes time linear in the text for each part of a pattern: there is no backtracking to be provoked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

#: What a request says for a condition key, by the key in lower case; None: it says nothing.
Lookup = Callable[[str], tuple[str, ...] | None]
Match = Callable[[str], bool]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_WITH_DEFAULT = re.compile(r"\s*([^,]+?)\s*,\s*'(.*)'\s*")
_ESCAPES: Mapping[str, str] = {"*": "*", "?": "?", "$": "$"}
_REMEMBERED = 4096


class _Any:
    """One wildcard of a pattern: as many characters as it likes, or exactly one."""

    __slots__ = ()


STAR, ONE = _Any(), _Any()
Part = str | _Any


def _parts(text: str, lookup: Lookup | None) -> list[Part] | None:
    """Literal texts and wildcards. `lookup`: what variables stand for; None takes them for literal text.

    None: a variable has no value.
    """
    found: list[Part] = []
    position = 0
    for match in _VARIABLE.finditer(text) if lookup is not None else ():
        assert lookup is not None
        found += _wild(text[position : match.start()])
        value = _value(match[1], lookup)
        if value is None:
            return None
        found.append(value)
        position = match.end()
    return [*found, *_wild(text[position:])]


def _wild(text: str) -> list[Part]:
    wildcards: Mapping[str, Part] = {"*": STAR, "?": ONE}
    return [wildcards.get(piece, piece) for piece in re.split(r"([*?])", text) if piece]


def _value(variable: str, lookup: Lookup) -> str | None:
    """What one variable stands for: the key's only value, or the default that the policy gives."""
    if variable in _ESCAPES:
        return _ESCAPES[variable]
    named = _WITH_DEFAULT.fullmatch(variable)
    key, default = (named[1], named[2]) if named else (variable.strip(), None)
    values = lookup(key.lower())
    return values[0] if values is not None and len(values) == 1 else default


def _segments(parts: list[Part]) -> list[list[Part]]:
    """What stands between the stars."""
    segments: list[list[Part]] = [[]]
    for part in parts:
        if part is STAR:
            segments.append([])
        else:
            segments[-1].append(part)
    return segments


def _segment(parts: list[Part]) -> re.Pattern[str]:
    return re.compile("".join(re.escape(part) if isinstance(part, str) else "." for part in parts), re.DOTALL)


def _matcher(parts: list[Part]) -> Match:
    if not any(isinstance(part, _Any) for part in parts):
        wanted = "".join(part for part in parts if isinstance(part, str))
        return lambda text: text == wanted
    segments = _segments(parts)
    if len(segments) == 1:
        whole = _segment(segments[0])
        return lambda text: whole.fullmatch(text) is not None
    return _starred(segments)


def _starred(segments: list[list[Part]]) -> Match:
    """The first segment begins the text, the last ends it, and those between follow as early as they can."""
    first, last = _segment(segments[0]), _segment(segments[-1])
    first_size, last_size = _size(segments[0]), _size(segments[-1])
    between = [_segment(segment) for segment in segments[1:-1] if segment]

    def match(text: str) -> bool:
        end = len(text) - last_size
        if end < first_size or first.match(text) is None or last.fullmatch(text, end) is None:
            return False
        position = first_size
        for segment in between:
            found = segment.search(text, position, end)
            if found is None:
                return False
            position = found.end()
        return True

    return match


def _size(parts: list[Part]) -> int:
    return sum(len(part) if isinstance(part, str) else 1 for part in parts)


@lru_cache(maxsize=_REMEMBERED)
def wildcard(pattern: str) -> Match:
    """Whether a text fits a pattern in which variables mean nothing."""
    parts = _parts(pattern, None)
    assert parts is not None
    return _matcher(parts)


@lru_cache(maxsize=_REMEMBERED)
def escaped_wildcard(pattern: str) -> Match:
    """The same, where a backslash takes the meaning of what follows it away."""
    pieces = re.findall(r"\\.|[*?]|[^*?\\]+|\\", pattern, re.DOTALL)
    wildcards: Mapping[str, Part] = {"*": STAR, "?": ONE}
    return _matcher([wildcards.get(piece, re.sub(r"\\(.)", r"\1", piece, flags=re.DOTALL)) for piece in pieces])


def has_variable(text: str) -> bool:
    return "${" in text and _VARIABLE.search(text) is not None


class Pattern:
    """A text of a policy that may have wildcards and, unless `variables` is False, policy variables."""

    __slots__ = ("_fixed", "_text", "dynamic")

    def __init__(self, text: str, *, variables: bool = True) -> None:
        self._text = text
        #: Whether what it matches depends on the request.
        self.dynamic = variables and has_variable(text)
        self._fixed = None if self.dynamic else wildcard(text)

    def matches(self, text: str, lookup: Lookup) -> bool:
        if self._fixed is not None:
            return self._fixed(text)
        parts = _parts(self._text, lookup)
        return parts is not None and _matcher(parts)(text)


def substituted(text: str, lookup: Lookup) -> str | None:
    """`text` with its variables replaced, for comparisons without wildcards; None: one has no value."""
    failed = False

    def replacement(match: re.Match[str]) -> str:
        nonlocal failed
        value = _value(match[1], lookup)
        failed = failed or value is None
        return value or ""

    result = _VARIABLE.sub(replacement, text)
    return None if failed else result


def arn_matches(pattern: str, text: str, lookup: Lookup | None) -> bool:
    """ArnLike: each of the six parts of an ARN fits its own pattern. What is no ARN fits nothing."""
    wanted, given = pattern.split(":", 5), text.split(":", 5)
    if len(wanted) != 6 or len(given) != 6:
        return False
    return all(_fits(part, value, lookup) for part, value in zip(wanted, given, strict=True))


def _fits(part: str, value: str, lookup: Lookup | None) -> bool:
    if lookup is None or "${" not in part:
        return wildcard(part)(value)
    parts = _parts(part, lookup)
    return parts is not None and _matcher(parts)(value)
