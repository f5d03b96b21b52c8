"""What Describe operations have in common: ids, filters and pages. Pure.

Lists are in the order of ids. A token holds the last id of its page, so pages hold together beside changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from ingle.domain.vpc import Resource
from ingle.supporting import page_tokens
from ingle.supporting.ec2.errors import Ec2Error, not_found
from ingle.supporting.ec2.filters import Table, selected
from ingle.supporting.ec2.scene import Kind, Outcome, Params, Scene, require_form

Item = TypeVar("Item")
MOST = 1000


def described(
    scene: Scene, params: Params, kind: type[Kind], member: str, show: Callable[[Kind], Any], table: Table[Any],
    *, ids: str, filters: str = "Filters", records: Sequence[Kind] | None = None,
) -> Outcome:  # fmt: skip
    """The answer of a Describe operation: `member` lists what is asked for. `ids` and `filters` name parameters.

    `records`: those to choose from, if not all of the caller's.
    """
    found = scene.mine(kind) if records is None else list(records)
    if params.get(ids):
        found = chosen(kind, found, params[ids])
    return page(member, selected(found, params, table, filters), params, lambda record: record.id, show)


def chosen(kind: type[Kind], records: Iterable[Kind], identifiers: Sequence[str]) -> list[Kind]:
    """The records with these ids, each once. Raises unless there are all."""
    by_id = {record.id: record for record in records}
    for identifier in identifiers:
        require_form(kind, identifier)
    absent = [identifier for identifier in identifiers if identifier not in by_id]
    if absent:
        raise not_found(kind, *absent)
    return [by_id[identifier] for identifier in dict.fromkeys(identifiers)]


def page(
    member: str, items: Sequence[Item], params: Params, key: Callable[[Item], str], show: Callable[[Item], Any]
) -> Outcome:
    """One page of `items` in the order of their keys. Raises Ec2Error for a token that is not ours."""
    token = params.get("NextToken") or None
    after = page_tokens.decode(token, str)
    if token is not None and after is None:
        raise Ec2Error("InvalidNextToken", f"The token '{token}' is invalid")
    ordered = sorted(items, key=key)
    left = ordered if after is None else [item for item in ordered if key(item) > after[0]]
    size = params.get("MaxResults") or (MOST if token is None else len(left))
    shown = left[:size]
    answer: dict[str, Any] = {member: [show(item) for item in shown]}
    if len(left) > size:
        answer["NextToken"] = page_tokens.encode(key(shown[-1]))
    return Outcome(answer)


def tags_of(record: Resource) -> list[dict[str, str]] | None:
    """As answers have them; None, which leaves the member out, if there are none."""
    return [{"Key": key, "Value": value} for key, value in record.tags.items()] or None
