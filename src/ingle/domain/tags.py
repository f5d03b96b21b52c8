"""Tags: what a resource may carry. Lengths and characters are the service model's; these rules it does not have. Pure.

Source of the rules: the developer guide, "Using tags on Lambda functions". Source of the text for too many: recorded
answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ingle.domain.errors import InvalidParameterValue

MOST_TAGS = 50
_RESERVED = "aws:"


def with_tags(current: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """`current` with more tags; one of the same key is replaced. Raises InvalidParameterValue."""
    reserved = [text for pair in added.items() for text in pair if is_reserved(text)]
    if reserved:
        raise _refusal(reserved[0])
    wanted = {**current, **added}
    if sum(not is_reserved(key) for key in wanted) > MOST_TAGS:
        raise InvalidParameterValue("Number of tags exceeds resource tag limit.")
    return wanted


def without_tags(current: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """`current` less those of `keys` that it has. Raises InvalidParameterValue."""
    dropped = set(keys)
    reserved = [key for key in dropped if is_reserved(key)]
    if reserved:
        raise _refusal(reserved[0])
    return {key: value for key, value in current.items() if key not in dropped}


def is_reserved(text: str) -> bool:
    """Keys and values with AWS's prefix, in any case, are AWS's own and do not count."""
    return text.lower().startswith(_RESERVED)


def _refusal(text: str) -> InvalidParameterValue:
    return InvalidParameterValue(f"Tag keys and values starting with 'aws:' are reserved for system use: {text}")
