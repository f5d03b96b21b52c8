"""Pages of lists: `Marker`, `Limit` and `Truncated`, the same for every list of KMS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

from ingle.supporting import page_tokens
from ingle.supporting.kms.errors import InvalidMarker

Item = TypeVar("Item")


def start_of(params: Mapping[str, Any], kind: str) -> str | None:
    """The key behind which the page begins. Raises InvalidMarker for a marker of another list, or of nobody."""
    marker = params.get("Marker")
    found = page_tokens.decode(marker, str, str)
    if marker is not None and (found is None or found[0] != kind):
        raise InvalidMarker("The marker is not valid.")
    return None if found is None else found[1]


def answer(
    member: str, kind: str, items: Iterable[Item], show: Callable[[Item], Any], key: Callable[[Item], str],
    params: Mapping[str, Any], *, usual: int, most: int,
) -> dict[str, Any]:  # fmt: skip
    """A page of `items`, which begin where the page does. `usual` without a limit, and never more than `most`."""
    size = min(params.get("Limit", usual), most)
    found = list(islice(items, size + 1))
    page = found[:size]
    shown: dict[str, Any] = {member: [show(item) for item in page], "Truncated": len(found) > size}
    if len(found) > size:
        shown["NextMarker"] = page_tokens.encode(kind, key(page[-1]))
    return shown
