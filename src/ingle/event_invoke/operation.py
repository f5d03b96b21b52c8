"""What the operator of a server may ask of the queue, as JSON objects, for `ingle events`. AWS has no operation for it.

    {"do": "events-list", function?, after?, limit?}      -> {"count", "events": [...], "after"?}
    {"do": "events-show", "id"}                           -> one event, with its payloads
    {"do": "events-retry", id | function | all}           -> {"count"}: what waits is due at once
    {"do": "events-purge", id | function | all}           -> {"count"}: events are no more

Answers have `error` alone where a request cannot be served. They travel on the socket in the data directory
(`master_key.channel`): events are data of functions, so whoever sees them has to be allowed to read that.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any

from ingle.domain.clock import iso_time
from ingle.event_invoke.lanes import Entry
from ingle.event_invoke.queue import EventQueue
from ingle.storage.errors import StorageError

#: Requests that are for the queue begin so.
PREFIX = "events-"
#: Events in one answer: a hundred fit a line of the channel.
PAGE = 100

Document = dict[str, Any]
Wanted = Callable[[Entry], bool]


def event_operator(queue: EventQueue) -> Callable[[Document], Awaitable[Document]]:
    async def answer(request: Document) -> Document:
        try:
            match str(request.get("do", "")).removeprefix(PREFIX):
                case "list":
                    return _listing(queue, request)
                case "show":
                    return await _shown(queue, str(request.get("id")))
                case "retry" if (wanted := _wanted(request)) is not None:
                    return {"count": queue.retry(wanted)}
                case "purge" if (wanted := _wanted(request)) is not None:
                    return {"count": await queue.purge(wanted)}
        except StorageError as error:
            return {"error": str(error)}
        return {"error": "The request is not known to this server."}

    return answer


def _listing(queue: EventQueue, request: Document) -> Document:
    """The oldest first; `after` is what the answer before had, and is absent at the end."""
    function, after = request.get("function"), int(request.get("after") or 0)
    found = (
        entry for entry in queue.entries() if entry.number > after and function in (None, entry.event.key.name)
    )  # fmt: skip
    page = list(islice(found, PAGE + 1))
    document = {"count": len(queue), "events": [_summary(entry) for entry in page[:PAGE]]}
    return {**document, "after": page[PAGE - 1].number} if len(page) > PAGE else document


async def _shown(queue: EventQueue, event_id: str) -> Document:
    entry = next((entry for entry in queue.entries() if entry.event.id == event_id), None)
    bodies = None if entry is None else await queue.bodies(entry)
    if entry is None or bodies is None:
        return {"error": f"There is no event {event_id}; it may be over."}
    return {**_summary(entry), **_contents(entry, *bodies)}


def _wanted(request: Document) -> Wanted | None:
    """Which events are meant; None if the request does not say so in exactly one way."""
    number, function, every = request.get("id"), request.get("function"), request.get("all") is True
    if sum((number is not None, function is not None, every)) != 1:
        return None
    return lambda entry: every or entry.event.id == number or entry.event.key.name == function


def _summary(entry: Entry) -> Document:
    event, progress = entry.event, entry.progress
    document: Document = {
        "id": event.id,
        "function": event.arn,
        "state": state_of(entry),
        "accepted": iso_time(event.accepted),
        "due": iso_time(progress.due),
        "attempts": progress.attempts,
        "refusals": progress.refusals,
    }
    if progress.condition is not None:
        document["condition"] = progress.condition.value
        document["destinations"] = [delivery.arn for delivery in progress.deliveries]
    return document


def state_of(entry: Entry) -> str:
    """running, or what it waits for: its turn, a retry, or a destination."""
    if entry.progress.condition is not None:
        return "delivering"
    if entry.running:
        return "running"
    return "retrying" if entry.progress.attempts or entry.progress.refusals else "waiting"


def _contents(entry: Entry, payload: bytes, answer: bytes | None) -> Document:
    """Bytes in base64: what a function answered may be anything."""
    document: Document = {"payload": base64.b64encode(payload).decode()}
    response = entry.progress.response
    if response is not None:
        document["response"] = {
            "version": response.version,
            "error": response.error,
            "payload": base64.b64encode(answer or b"").decode(),
        }
    return document
