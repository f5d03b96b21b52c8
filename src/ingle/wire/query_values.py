"""Form parameters to the API's members, compiled from shapes. Shared by the query protocol and EC2's dialect of it.

A request is a flat list of names such as `MetricData.member.1.MetricName`. `read_form` makes a tree of it; a parser for
a shape takes its part of the tree and raises SerializationFailure for what has no place or the wrong form.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from ingle.wire import timestamps
from ingle.wire.messages import SerializationFailure
from ingle.wire.model import Member, Shape

#: A leaf is a text, everything else a table by the next part of the name.
Tree = dict[str, Any]
FromTree = Callable[[Any], Any]

_RANGES = {"integer": 2**31, "long": 2**63, "short": 2**15, "byte": 2**7}
_BOOLEANS = {"true": True, "false": False}
#: Parts that a name may have: shapes may be recursive, and a request shall not choose how deep we go.
_DEEPEST = 64
_MOST_PARAMETERS = 100_000


def read_form(query: str, body: bytes) -> Tree:
    """The parameters of the query string and of a form. Raises SerializationFailure."""
    tree: Tree = {}
    try:
        text = body.decode("utf-8")
        pairs = [
            pair
            for part in (query, text)
            for pair in parse_qsl(part, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
        ]
    except ValueError as error:
        raise SerializationFailure(f"The query string is malformed: {error}") from None
    for name, value in pairs:
        _place(tree, name, value)
    return tree


def _place(tree: Tree, name: str, value: str) -> None:
    *path, last = name.split(".", _DEEPEST)
    for part in path:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise SerializationFailure(f"The parameter {name} is within one that has a value.")
    if isinstance(tree.get(last), dict):
        raise SerializationFailure(f"The parameter {name} has a value and parts.")
    tree[last] = value


def is_flat(member: Member) -> bool:
    """Whether the elements of a list or map stand in the place of the list itself."""
    return bool(member.raw.get("flattened") or member.shape.raw.get("flattened"))


def text_of(value: Any) -> str:
    if not isinstance(value, str):
        raise SerializationFailure("A structure was found where a value is expected.")
    return value


def _table(value: Any) -> Tree:
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise SerializationFailure("A value was found where a structure is expected.")
    return value


def numbered(value: Any) -> list[Any]:
    """What stands under the numbers 1, 2, 3, ... in their order; a number may be left out."""
    table = _table(value)
    if not all(name.isascii() and name.isdigit() and len(name) < 10 for name in table):
        raise SerializationFailure("The elements of a list are numbered.")
    return [table[name] for name in sorted(table, key=int)]


def _boolean(value: Any) -> bool:
    try:
        return _BOOLEANS[text_of(value).lower()]
    except KeyError:
        raise SerializationFailure(f"{value} is not a boolean.") from None


def _float(value: Any) -> float:
    try:
        return float(text_of(value))
    except ValueError:
        raise SerializationFailure(f"{value} is not a number.") from None


def _blob(value: Any) -> bytes:
    try:
        return binascii.a2b_base64(text_of(value), strict_mode=True)
    except ValueError:
        raise SerializationFailure("A blob is not base64.") from None


def _integer(bound: int) -> FromTree:
    def parse(value: Any) -> int:
        try:
            number = int(text_of(value))
        except ValueError:
            raise SerializationFailure(f"{value} is not an integer.") from None
        if not -bound <= number < bound:
            raise SerializationFailure(f"{value} is out of range.")
        return number

    return parse


def _timestamp(style: str) -> FromTree:
    def parse(value: Any) -> Any:
        try:
            return timestamps.parse_text(text_of(value), style)
        except ValueError:
            raise SerializationFailure(f"{value} is not a timestamp.") from None

    return parse


_SCALARS: Mapping[str, FromTree] = {
    "string": text_of,
    "character": text_of,
    "boolean": _boolean,
    "float": _float,
    "double": _float,
    "blob": _blob,
} | {name: _integer(bound) for name, bound in _RANGES.items()}


class QueryParsers:
    """Compiles parsers for the shapes of one service."""

    def __init__(self) -> None:
        self._compiled: dict[str, FromTree] = {}

    def name(self, member: Member) -> str:
        """What a member is called in a form."""
        if member.shape.type == "list" and is_flat(member):
            name: str = member.shape.part("member").raw.get("locationName", member.wire_name)
            return name
        return member.wire_name

    def member(self, member: Member) -> FromTree:
        shape = member.shape
        if shape.type == "timestamp":
            return _timestamp(member.timestamp_format or timestamps.ISO8601)
        if shape.type == "list":
            return self.list_of(shape, flat=is_flat(member))
        if shape.type == "map":
            return self._map(shape, flat=is_flat(member))
        return self.shape(shape)

    def shape(self, shape: Shape) -> FromTree:
        if shape.type in _SCALARS:
            return _SCALARS[shape.type]
        name = shape.name
        if name not in self._compiled:
            self._compiled[name] = lambda value: self._compiled[name](value)
            self._compiled[name] = self._structure(list(shape.members.values()))
        return self._compiled[name]

    def structure(self, members: list[Member]) -> FromTree:
        return self._structure(members)

    def _structure(self, members: list[Member]) -> FromTree:
        table = [(member.name, self.name(member), self.member(member)) for member in members]

        def parse(value: Any) -> dict[str, Any]:
            given = _table(value)
            return {name: convert(given[wire_name]) for name, wire_name, convert in table if wire_name in given}

        return parse

    def list_of(self, shape: Shape, *, flat: bool) -> FromTree:
        element = shape.part("member")
        name = element.raw.get("locationName", "member")
        convert: FromTree | None = None

        def parse(value: Any) -> list[Any]:
            nonlocal convert
            # Late: a list may hold structures that hold the list.
            convert = convert or self.member(element)
            items = numbered(value if flat else _table(value).get(name, ""))
            return [convert(item) for item in items]

        return parse

    def _map(self, shape: Shape, *, flat: bool) -> FromTree:
        key, element = shape.part("key"), shape.part("value")
        key_name, value_name = key.raw.get("locationName", "key"), element.raw.get("locationName", "value")
        convert: FromTree | None = None

        def parse(value: Any) -> dict[str, Any]:
            nonlocal convert
            convert = convert or self.member(element)
            entries = [_table(entry) for entry in numbered(value if flat else _table(value).get("entry", ""))]
            if not all(key_name in entry and value_name in entry for entry in entries):
                raise SerializationFailure("An entry of a map has a key and a value.")
            return {text_of(entry[key_name]): convert(entry[value_name]) for entry in entries}

        return parse
