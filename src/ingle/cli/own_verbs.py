"""The verbs that call Ingle's own service: environments, test-events; and service-model, by which others call it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from ingle.cli.client import Api
from ingle.cli.output import say, table
from ingle.cli.verbs import json_of
from ingle.models import DIRECTORY, FILE
from ingle.settings import Client

_COLUMNS = ("ID", "FUNCTION", "VERSION", "STATE", "AGE", "INVOCATIONS", "MEMORY", "PEAK", "OF", "STARTED AS")
_EVENT_COLUMNS = ("NAME", "BYTES", "MODIFIED")
#: Of an environment's id, what a table shows.
_SHORT = 12


def environments(function: str | None, as_json: bool, client: Client) -> None:
    """The environments that are alive, of one function or of all."""
    named = {} if function is None else {"FunctionName": function}
    found = list(_pages(Api(client), "ListEnvironments", "Environments", named))
    if as_json:
        say(json.dumps({"Environments": found}, indent=2))
    else:
        table(_COLUMNS, (_row(item) for item in found))


def list_test_events(function: str, as_json: bool, client: Client) -> None:
    """Those of a function, by name."""
    found = list(_pages(Api(client), "ListTestEvents", "TestEvents", {"FunctionName": function}))
    if as_json:
        say(json.dumps({"TestEvents": found}, indent=2))
    else:
        table(_EVENT_COLUMNS, ((item["EventName"], str(item["Size"]), _time(item["LastModifiedAt"])) for item in found))


def show_test_event(function: str, name: str, client: Client) -> None:
    say(Api(client).own("GetTestEvent", {"FunctionName": function, "EventName": name})["Event"])


def put_test_event(function: str, name: str, event: str, client: Client) -> None:
    """`event` as `verbs.json_of` reads it."""
    text = json_of(event, "the event").decode("utf-8", "replace")
    Api(client).own("PutTestEvent", {"FunctionName": function, "EventName": name, "Event": text})


def delete_test_event(function: str, name: str, client: Client) -> None:
    Api(client).own("DeleteTestEvent", {"FunctionName": function, "EventName": name})


def service_model(as_path: bool) -> None:
    """The model as JSON, or the directory that has it."""
    say(str(DIRECTORY) if as_path else FILE.read_text("utf-8").rstrip())


def _pages(api: Api, operation: str, listed: str, members: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The items in all pages of a list."""
    while True:
        page = api.own(operation, members)
        yield from page[listed]
        if "NextToken" not in page:
            return
        members = {**members, "NextToken": page["NextToken"]}


def _row(item: dict[str, Any]) -> tuple[str, ...]:
    kind = "snap-start template" if item["SnapshotTemplate"] else item["InitializationType"]
    return (
        item["EnvironmentId"][:_SHORT], item["FunctionName"], item["Version"], item["State"], _age(item["Age"]),
        str(item["Invocations"]), _megabytes(item.get("MemoryUsed")), _megabytes(item.get("MemoryPeak")),
        f"{item['MemorySize']} MB", kind,
    )  # fmt: skip


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _age(seconds: int) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _megabytes(count: int | None) -> str:
    return "-" if count is None else f"{count >> 20} MB"
