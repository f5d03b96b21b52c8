"""Bounded memory of outcomes that depend on nothing but a short text, for what every request repeats."""

from __future__ import annotations

from typing import Any

_ENTRIES = 4096
#: Characters of a key that is remembered, about: hostile requests shall not fill the memory with theirs.
_LONGEST = 1024


def remember(table: dict[Any, Any], key: tuple[Any, ...], value: Any) -> None:
    """Put `value` into `table`, which is emptied first when it is full; a key that is too long is left out."""
    if sum(len(part) for part in key if part is not None) > _LONGEST:
        return
    if len(table) >= _ENTRIES:
        table.clear()
    table[key] = value
