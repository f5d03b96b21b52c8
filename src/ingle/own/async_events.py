"""ListAsyncEvents: what waits of a function's asynchronous events, the oldest first, without payloads.

One call looks at a bounded piece of the queue, which is one for all functions: a page may be short, or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from ingle.catalog import Catalog
from ingle.domain.caller import Caller
from ingle.domain.function import FunctionKey
from ingle.event_invoke.lanes import Entry
from ingle.event_invoke.operation import state_of
from ingle.own.functions import existing, key_meant
from ingle.own.pages import start_of
from ingle.supporting import page_tokens
from ingle.supporting.ports import Handler

Params = dict[str, Any]

PAGE = 100
#: Events that one call looks at.
LOOKED_AT = 20_000


class AsyncEvents:
    """`entries`: the queue's events in the order in which they were accepted."""

    def __init__(self, entries: Callable[[], Iterator[Entry]], catalog: Catalog) -> None:
        self._entries = entries
        self._catalog = catalog

    def handlers(self) -> dict[str, Handler]:
        return {"ListAsyncEvents": self.list_async_events}

    async def list_async_events(self, caller: Caller, params: Params) -> Params:
        start = start_of(params, int)
        key = key_meant(caller, "ListAsyncEvents", params)
        existing(self._catalog, key)
        after = 0 if start is None else start[0]
        page, last = self._page(key, after, params.get("MaxResults", PAGE))
        return {
            "AsyncEvents": [_shown(entry) for entry in page],
            "NextToken": None if last is None else page_tokens.encode(last),
        }

    def _page(self, key: FunctionKey, after: int, size: int) -> tuple[list[Entry], int | None]:
        """Events, and the number of the last one that was looked at; None at the end."""
        page: list[Entry] = []
        looked, last = 0, after
        for entry in self._entries():
            if entry.number <= after:
                continue
            if looked == LOOKED_AT or len(page) == size:
                return page, last
            looked, last = looked + 1, entry.number
            if entry.event.key == key:
                page.append(entry)
        return page, None


def _shown(entry: Entry) -> Params:
    event, progress = entry.event, entry.progress
    return {
        "EventId": event.id,
        "FunctionArn": event.arn,
        "State": state_of(entry),
        "AcceptedAt": _time(event.accepted),
        "DueAt": _time(progress.due),
        "Attempts": progress.attempts,
        "Refusals": progress.refusals,
        "Condition": None if progress.condition is None else progress.condition.value,
        "Destinations": [delivery.arn for delivery in progress.deliveries],
    }


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
