"""What requests to the Resource Groups Tagging API may hold, beyond the constraints of its model. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ingle.domain.tags import is_reserved
from ingle.supporting.tagging_errors import TaggingInvalidParameter

_MOST_TYPES = 100
_RANGES = {"ResourcesPerPage": (1, 100), "TagsPerPage": (100, 500)}
#: Members that choose by something else than ARNs.
_CHOOSING = ("ResourceTypeFilters", "TagFilters", "ResourcesPerPage", "TagsPerPage", "PaginationToken")
#: Letters, digits and spaces of any script, and `_.:/=+-@`.
_CHARACTERS = re.compile(r"[\w\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000.:/=+\-@]*")


def check_get_resources(params: Mapping[str, Any]) -> None:
    """Raises TaggingInvalidParameter."""
    if "ResourceARNList" in params:
        for member in _CHOOSING:
            if params.get(member):
                raise TaggingInvalidParameter(f"{member} cannot be specified together with ResourceARNList.")
        for arn in params["ResourceARNList"]:
            if not arn.startswith("arn:") or arn.count(":") < 5:
                raise TaggingInvalidParameter(f"{arn} is not a valid ARN.")
    for member, (low, high) in _RANGES.items():
        _check_range(member, params.get(member), low, high)
    if len(params.get("ResourceTypeFilters", ())) > _MOST_TYPES:
        raise TaggingInvalidParameter(f"ResourceTypeFilters can have at most {_MOST_TYPES} items.")
    if params.get("ExcludeCompliantResources") and not params.get("IncludeComplianceDetails"):
        raise TaggingInvalidParameter("ExcludeCompliantResources can be used only with IncludeComplianceDetails.")


def check_filters(filters: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The filters as they are, each of which has a key. Raises TaggingInvalidParameter."""
    found = list(filters)
    if not all(item.get("Key") for item in found):
        raise TaggingInvalidParameter("Each TagFilter must contain a key.")
    return found


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises TaggingInvalidParameter for what no resource can have as a tag."""
    for text in (text for pair in tags.items() for text in pair):
        if is_reserved(text):
            raise TaggingInvalidParameter(f"Tag keys and values starting with 'aws:' are reserved: {text}")
        if not _CHARACTERS.fullmatch(text):
            raise TaggingInvalidParameter(f"The tag key or value has characters that tags cannot have: {text}")


def _check_range(member: str, value: int | None, low: int, high: int) -> None:
    if value is None or low <= value <= high:
        return
    bound = f"greater than or equal to {low}" if value < low else f"less than or equal to {high}"
    raise TaggingInvalidParameter(
        f"1 validation error detected: Value '{value}' at '{member[:1].lower()}{member[1:]}' failed to satisfy "
        f"constraint: Member must have value {bound}"
    )
