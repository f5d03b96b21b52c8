"""The client verbs: invoke and logs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingle.cli.client import Api, ApiError
from ingle.cli.options import seconds
from ingle.cli.output import Failure, note, styled
from ingle.settings import Client

_POLL_SECONDS = 0.5
#: An event may be stored a moment after its timestamp: following looks this far back again and drops what it has shown.
_OVERLAP_MS = 5_000


def invoke(name: str, payload: str, qualifier: str | None, log: bool, client: Client) -> int:
    """Invoke and print the payload. The exit status: 1 when the function failed."""
    api = Api(client)
    invoked = api.invoke(name, json_of(payload, "--payload"), qualifier=qualifier)
    if log:
        sys.stderr.write(invoked.log_tail)
        sys.stderr.flush()
    sys.stdout.buffer.write(invoked.payload + b"\n")
    sys.stdout.flush()
    if invoked.error:
        note(f"ingle: the function failed ({invoked.error})")
        return 1
    return 0


def json_of(given: str, what: str) -> bytes:
    """JSON that is given itself, as @FILE, or as - for standard input. Raises Failure, which calls it `what`."""
    try:
        if given == "-":
            content = sys.stdin.buffer.read()
        elif given.startswith("@"):
            content = Path(given[1:]).read_bytes()
        else:
            content = given.encode("utf-8", "surrogateescape")
    except OSError as problem:
        raise Failure(f"{what}: {given[1:]}: {problem.strerror}", 2) from None
    try:
        json.loads(content or b"{}")
    except ValueError as problem:
        raise Failure(f"{what} is not JSON: {problem}", 2) from None
    return content


def logs(name: str, follow: bool, since: str, pattern: str | None, client: Client) -> None:
    """Print a function's log events, oldest first; with `follow` go on until interrupted."""
    api = Api(client)
    group = name if name.startswith("/") else f"/aws/lambda/{name}"
    start = int((time.time() - seconds("--since", since)) * 1000)
    shown: dict[str, int] = {}
    while True:
        for event in _events(api, group, start, pattern, missing_is_empty=follow):
            if event["eventId"] not in shown:
                shown[event["eventId"]] = event["timestamp"]
                _show(event)
        sys.stdout.flush()
        if not follow:
            return
        if shown:
            start = max(start, max(shown.values()) - _OVERLAP_MS)
            shown = {event: timestamp for event, timestamp in shown.items() if timestamp >= start}
        time.sleep(_POLL_SECONDS)


def _events(
    api: Api, group: str, start: int, pattern: str | None, *, missing_is_empty: bool
) -> Iterator[dict[str, Any]]:
    members: dict[str, Any] = {"logGroupName": group, "startTime": start}
    if pattern:
        members["filterPattern"] = pattern
    while True:
        try:
            page = api.logs("FilterLogEvents", members)
        except ApiError as problem:
            if problem.code != "ResourceNotFoundException":
                raise
            if missing_is_empty:
                return
            raise Failure(f"there is no log group {group}: the function has not been invoked yet") from None
        yield from page.get("events", [])
        if not page.get("nextToken"):
            return
        members["nextToken"] = page["nextToken"]


def _show(event: dict[str, Any]) -> None:
    when = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    print(f"{styled(when, 'dim')} {event['message'].rstrip(chr(10))}")
