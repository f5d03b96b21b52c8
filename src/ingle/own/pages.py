"""Pages of what is sorted by a key. A token is the key of a page's last item: pages stay right while things change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

from ingle.own.errors import OwnInvalidParameter
from ingle.supporting import page_tokens

Item = TypeVar("Item")


def start_of(params: dict[str, Any], *kinds: type) -> tuple[Any, ...] | None:
    """The key behind which the page begins; None: at the beginning. Raises OwnInvalidParameter."""
    token = params.get("NextToken")
    if token is None:
        return None
    key = page_tokens.decode(token, *kinds)
    if key is None:
        raise OwnInvalidParameter("The NextToken is invalid.")
    return key


def page_of(items: Iterable[Item], size: int, key: Callable[[Item], tuple[Any, ...]]) -> tuple[list[Item], str | None]:
    """The first `size` of `items`, and the token of what comes behind them; None at the end."""
    found = list(islice(items, size + 1))
    page = found[:size]
    return page, page_tokens.encode(*key(page[-1])) if len(found) > size else None
