"""Pages of a list: `MaxItems` and `Marker` in, one page and `NextMarker` out.

A marker names the last item of the page before, so pages stay right while items come and go. Callers get it opaque.
A handler reads where the page starts (`start_of`), and hands the items behind that place to `page_of`, lazily if
there are many.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

from ingle.domain.errors import InvalidParameterValue

Item = TypeVar("Item")

#: The largest page, however many items are asked for.
MAX_PAGE = 50


def start_of(params: Mapping[str, Any], kind: str) -> str | None:
    """The position behind which the page begins; None: at the first item.

    A marker of another `kind` of list, or of no list, is an InvalidParameterValue.
    """
    marker = params.get("Marker")
    return _opened(marker, kind) if marker else None


def number_of(position: str | None, params: Mapping[str, Any]) -> int:
    """A position that is a number; -1 for None. Raises InvalidParameterValue for any other text."""
    if position is None:
        return -1
    if not (position.isascii() and position.isdecimal()):
        raise _invalid(params["Marker"])
    return int(position)


def page_of(
    items: Iterable[Item], position_of: Callable[[Item], str], params: Mapping[str, Any], kind: str
) -> tuple[list[Item], str | None]:
    """The first of `items`, as many as `params` asks for, and the marker of the next page or None on the last.

    `items` are those behind `start_of`, in the order of the list. No more of them are taken than the page needs.
    """
    size = min(params.get("MaxItems", MAX_PAGE), MAX_PAGE)
    taken = list(islice(items, size + 1))
    if len(taken) <= size:
        return taken, None
    return taken[:size], _sealed(position_of(taken[size - 1]), kind)


def answer(member: str, shown: list[dict[str, Any]], marker: str | None) -> dict[str, Any]:
    """The answer of a list operation."""
    return {member: shown} if marker is None else {member: shown, "NextMarker": marker}


def _sealed(position: str, kind: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([kind, position]).encode()).decode("ascii")


def _opened(marker: str, kind: str) -> str:
    try:
        opened = json.loads(base64.b64decode(marker.encode("ascii"), altchars=b"-_", validate=True))
    except (UnicodeError, binascii.Error, json.JSONDecodeError, RecursionError):
        opened = None
    match opened:
        case [str(found), str(position)] if found == kind:
            return position
        case _:
            raise _invalid(marker)


def _invalid(marker: str) -> InvalidParameterValue:
    return InvalidParameterValue(f"Invalid pagination token: {marker}")
