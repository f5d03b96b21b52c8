"""What a request needs: the actions and resources that all have to be allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ingle.domain.access.document import Document
from ingle.domain.caller import Caller

#: Condition keys with their values, in any case.
Values = Mapping[str, str | tuple[str, ...]]


def _nothing() -> Values:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One action on one resource; None: nobody here knows on which. `account` is the resource's owner.

    `policy`: the resource's own, which decides alone if it `governs`. `values`: condition keys that are this need's.
    `denied`: what the caller is told in place of the usual text, if not "".
    """

    action: str
    resource: str | None
    account: str
    policy: Document | None = None
    governs: bool = False
    values: Callable[[], Values] = field(default=_nothing)
    denied: str = ""


#: What an operation with these parameters needs. May raise what the operation itself would raise for bad names.
NeedsOf = Callable[[Caller, str, Mapping[str, Any]], list[Need]]
