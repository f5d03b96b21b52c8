"""Pages of a list: `MaxItems` and `Marker` in, one page and `NextMarker` out.

A marker names the last item of the page before, so pages stay right while items come and go. Callers get it opaque.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ingle.domain.errors import InvalidParameterValue

Item = TypeVar("Item")

#: The largest page, however many items are asked for.
MAX_PAGE = 50


def page_of(
    items: Sequence[Item], name_of: Callable[[Item], str], params: Mapping[str, Any], kind: str
) -> tuple[Sequence[Item], str | None]:
    """The page that `params` asks for, and the marker of the next page or None on the last.

    `items` are in ascending order of `name_of`, which is unique. A marker of another `kind` of list, or of no list, is
    an InvalidParameterValue.
    """
    marker = params.get("Marker")
    if marker:
        after = _opened(marker, kind)
        items = [item for item in items if name_of(item) > after]
    size = min(params.get("MaxItems", MAX_PAGE), MAX_PAGE)
    if len(items) <= size:
        return items, None
    page = items[:size]
    return page, _sealed(name_of(page[-1]), kind)


def _sealed(name: str, kind: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([kind, name]).encode()).decode("ascii")


def _opened(marker: str, kind: str) -> str:
    try:
        opened = json.loads(base64.b64decode(marker.encode("ascii"), altchars=b"-_", validate=True))
    except (UnicodeError, binascii.Error, json.JSONDecodeError, RecursionError):
        opened = None
    match opened:
        case [str(found), str(name)] if found == kind:
            return name
        case _:
            raise InvalidParameterValue(f"Invalid pagination token: {marker}")
