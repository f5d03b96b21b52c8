"""Filters of Describe operations. Pure.

Each kind has a table from a filter's name to the values that a record has for it. Filters are joined by AND, the values
of one by OR; `*` and `?` stand for any characters and for one, and a backslash takes their meaning away.
Source: "List and filter using the CLI and API" in the EC2 user guide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from ingle.domain.access.patterns import Match, escaped_wildcard
from ingle.domain.vpc import Resource
from ingle.supporting.ec2.errors import Ec2Error, invalid_value
from ingle.supporting.ec2.scene import Params

Item = TypeVar("Item")
#: The values of an item for one filter; None among them counts for nothing.
ValuesOf = Callable[[Item], Iterable[str | int | bool | None]]
Table = Mapping[str, ValuesOf[Item]]

_MOST_VALUES = 200
_MOST_FILTERS = 50


def selected(items: Sequence[Item], params: Params, table: Table[Item], member: str = "Filters") -> list[Item]:
    """Those that pass every filter. Raises Ec2Error for a filter that the table does not have."""
    filters: list[Mapping[str, Any]] = params.get(member) or []
    if len(filters) > _MOST_FILTERS:
        raise Ec2Error("FilterLimitExceeded", "The maximum number of filters has been exceeded.")
    found = list(items)
    for given in filters:
        name, values = given.get("Name"), given.get("Values") or []
        if name is None:
            raise invalid_value("The filter 'null' is invalid")
        if len(values) > _MOST_VALUES:
            raise Ec2Error("FilterLimitExceeded", "The maximum number of filter values has been exceeded.")
        values_of = _values_of(name, table)
        patterns = [escaped_wildcard(value) for value in values]
        found = [item for item in found if _matches(patterns, values_of(item))]
    return found


def _values_of(name: str, table: Table[Item]) -> ValuesOf[Item]:
    if name in table:
        return table[name]
    if name.startswith("tag:") and "tag-key" in table:
        key = name.removeprefix("tag:")
        return lambda item: [_tags(item)[key]] if key in _tags(item) else []
    raise invalid_value(f"The filter '{name}' is invalid")


def _matches(patterns: Sequence[Match], values: Iterable[str | int | bool | None]) -> bool:
    texts = [_text(value) for value in values if value is not None]
    return any(pattern(text) for pattern in patterns for text in texts)


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tags(item: Any) -> Mapping[str, str]:
    tags: Mapping[str, str] = item.tags
    return tags


#: What every kind has that can be tagged.
TAGGED: Table[Resource] = {
    "tag": lambda record: [f"{key}={value}" for key, value in record.tags.items()],
    "tag-key": lambda record: record.tags,
    "tag-value": lambda record: record.tags.values(),
    "owner-id": lambda record: [record.account],
}
