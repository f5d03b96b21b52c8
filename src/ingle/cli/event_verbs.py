"""`ingle events`: the queue of asynchronous events of the server that uses a data directory."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ingle.cli.output import Failure, note, say, table
from ingle.master_key import channel
from ingle.settings import Settings

_COLUMNS = ("ID", "FUNCTION", "STATE", "ACCEPTED", "DUE", "ATTEMPTS", "CONDITION")


def list_events(function: str | None, limit: int, as_json: bool, settings: Settings) -> None:
    """Those of one function or of all, the oldest first."""
    count = _ask(settings, "list", function=function)["count"]
    found = list(islice(_events(settings, function), limit))
    if as_json:
        say(json.dumps({"count": count, "events": found}, indent=2))
        return
    table(_COLUMNS, (_row(event) for event in found))
    note(f"{len(found)} shown, {count} in the queue")


def show(event_id: str, settings: Settings) -> None:
    """One event as JSON, payloads as text."""
    event = _ask(settings, "show", id=event_id)
    event["payload"] = _text(event["payload"])
    if "response" in event:
        event["response"]["payload"] = _text(event["response"]["payload"])
    say(json.dumps(event, indent=2, ensure_ascii=False))


def retry(event_id: str | None, function: str | None, every: bool, settings: Settings) -> None:
    """Those that wait are due at once."""
    say(f"{_ask(settings, 'retry', **_which(event_id, function, every))['count']} due now")


def purge(event_id: str | None, function: str | None, every: bool, settings: Settings) -> None:
    """Events end without a result."""
    say(f"{_ask(settings, 'purge', **_which(event_id, function, every))['count']} purged")


def _which(event_id: str | None, function: str | None, every: bool) -> dict[str, Any]:
    if sum((event_id is not None, function is not None, every)) != 1:
        raise Failure("say which events: an ID, --function NAME, or --all", 2)
    return {"id": event_id, "function": function, "all": every}


def _events(settings: Settings, function: str | None) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        page = _ask(settings, "list", function=function, after=after)
        yield from page["events"]
        if "after" not in page:
            return
        after = page["after"]


def _ask(settings: Settings, what: str, **members: Any) -> dict[str, Any]:
    try:
        answer = channel.ask(settings.data_dir, {"do": f"events-{what}", **members})
    except channel.NoServer:
        raise Failure(f"no server uses {settings.data_dir}; start it with `ingle serve`") from None
    except channel.ChannelError as problem:
        raise Failure(str(problem)) from None
    if "error" in answer:
        raise Failure(str(answer["error"]))
    return answer


def _row(event: dict[str, Any]) -> tuple[str, ...]:
    name = event["function"].split(":", 6)[6]
    return (
        event["id"], name, event["state"], event["accepted"], event["due"], str(event["attempts"]),
        event.get("condition", ""),
    )  # fmt: skip


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode("utf-8", "replace")
