"""The verbs that call Ingle's own service: environments; and service-model, which tells how others can call it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ingle.cli.client import Api
from ingle.cli.output import say, table
from ingle.models import DIRECTORY, FILE
from ingle.settings import Client

_COLUMNS = ("ID", "FUNCTION", "VERSION", "STATE", "AGE", "INVOCATIONS", "MEMORY", "PEAK", "OF", "STARTED AS")
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


def _age(seconds: int) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _megabytes(count: int | None) -> str:
    return "-" if count is None else f"{count >> 20} MB"
