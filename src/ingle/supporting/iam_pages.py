"""Pages of IAM's lists: MaxItems, Marker and IsTruncated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ingle.supporting import page_tokens
from ingle.supporting.iam_errors import IamValidation

Item = TypeVar("Item")
DEFAULT = 100


def page(
    member: str, items: Sequence[Item], params: dict[str, Any], key: Callable[[Item], str],
    show: Callable[[Item], Any],
) -> dict[str, Any]:  # fmt: skip
    """One page of `items`, which are in the order of `key`. Raises IamValidation for a marker that is not ours."""
    after = page_tokens.decode(params.get("Marker"), str)
    if params.get("Marker") is not None and after is None:
        raise IamValidation("Invalid Marker.")
    left = items if after is None else [item for item in items if key(item) > after[0]]
    size = params.get("MaxItems", DEFAULT)
    shown = left[:size]
    answer: dict[str, Any] = {member: [show(item) for item in shown], "IsTruncated": len(left) > size}
    if answer["IsTruncated"]:
        answer["Marker"] = page_tokens.encode(key(shown[-1]))
    return answer
