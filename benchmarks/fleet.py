"""A server with 10,000 functions: pages of its lists, its start and its memory.

The functions are written into the data directory as a server would leave them, before one is started: as many requests
would take minutes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import load, memory
from benchmarks.bench import HELLO, ROLE, Bench, Server, data_directory, served, zipped
from benchmarks.management import FUNCTIONS
from ingle.domain import lifecycle
from ingle.domain.clock import RandomIds
from ingle.domain.function import LATEST, Configuration, Function, FunctionKey, LoggingConfig, Package
from ingle.storage.blobs import blob_path
from ingle.storage.data_directory import DataDirectory
from ingle.storage.sql import SqlStore

COUNT = 10_000
VERSIONS = 3
PAGE = 50
#: One tag of every function has as many values.
TEAMS = 10
LABEL = f"{COUNT} functions"


def fleet(bench: Bench) -> None:
    with data_directory() as directory:
        fill(directory, bench.runtime)
        _starts(bench, directory)
        with served(directory) as server:
            _gets(bench, server)
            _pages(bench, server)


def fill(directory: Path, runtime: str) -> None:
    """Active functions with published versions, each of which has a package of its own, and tags."""
    with DataDirectory.open(directory) as data:
        for number in range(256):
            (data.blobs / f"{number:02x}").mkdir(parents=True)
        made = [_function(data.blobs, number, runtime) for number in range(COUNT)]
        asyncio.run(_insert(data.database_url, made))


async def _insert(url: str, functions: list[Function]) -> None:
    async with SqlStore(url) as store, asyncio.TaskGroup() as group:
        for function in functions:
            group.create_task(store.insert(function))


def _function(blobs: Path, number: int, runtime: str) -> Function:
    """Created, and then published and updated in turn."""
    ids, now = RandomIds(), int(time.time() * 1000)
    key = FunctionKey(account="000000000000", region="us-east-1", name=f"function-{number:05}")
    first, *others = (_configuration(blobs, key, version, runtime) for version in range(VERSIONS))
    function = lifecycle.created(key, LATEST, first, revision_id=ids.uuid(), now_ms=now)
    function = _published(function, ids, now)
    for configuration in others:
        function = lifecycle.updating(function, configuration, revision_id=ids.uuid(), now_ms=now)
        function = _published(function, ids, now)
    return replace(function, tags={"stage": "production", "team": f"team-{number % TEAMS}"})


def _published(function: Function, ids: RandomIds, now: int) -> Function:
    ready = lifecycle.prepared(function, revision_id=ids.uuid())
    return lifecycle.publishing(ready, description=None, revision_id=ids.uuid(), now_ms=now)


def _configuration(blobs: Path, key: FunctionKey, version: int, runtime: str) -> Configuration:
    content = zipped({"app.py": HELLO, "name": f"{key.name} {version}"})
    package = Package(digest=hashlib.sha256(content).hexdigest(), size=len(content), unzipped=len(HELLO))
    blob_path(blobs, package.digest).write_bytes(content)
    return Configuration(
        runtime=runtime,
        handler="app.handler",
        role=ROLE,
        package=package,
        environment={"STAGE": "production", "TABLE": f"table-of-{key.name}"},
        logging=LoggingConfig(group=f"/aws/lambda/{key.name}"),
    )


def _starts(bench: Bench, directory: Path) -> None:
    times, sizes = [], []
    for _ in bench.times(3, 10):
        started = time.perf_counter()
        with served(directory) as server:
            times.append((time.perf_counter() - started) * 1000)
            sizes.append(memory.pss_mb(server.process.pid))
    bench.add(f"{LABEL}: server ready after start", times, "<= 2000")
    bench.add_value(f"{LABEL}: server without zygotes (PSS)", statistics.median(sizes), "MB")


def _gets(bench: Bench, server: Server) -> None:
    """Of functions in no order: nothing that is remembered of one request helps the next."""
    numbers = list(range(COUNT))
    random.shuffle(numbers)
    requests = [load.request(server.url, "GET", f"{FUNCTIONS}/function-{number:05}") for number in numbers]
    one, many = requests[: len(bench.times(500, 2000))], requests[len(bench.times(500, 2000)) :]
    bench.add(f"{LABEL}: GetFunction, 1 connection", load.one_by_one(server.url, one))
    times, elapsed, _ = load.at_once(server.url, many, 16, 600)
    bench.add_value(f"{LABEL}: GetFunction, 16 connections, throughput", len(times) / elapsed, "1/s", ">= 1500")


def _pages(bench: Bench, server: Server) -> None:
    for label, members in (("ListFunctions", {}), ("ListFunctions, ALL", {"FunctionVersion": "ALL"})):
        first = _list(server, members)
        _time(bench, server, f"{label}, a page of {PAGE}", first)
        _time(bench, server, f"{label}, the last page", _last(server, members))
    for label, key, value in ((f"a {TEAMS}th of them", "team", "team-3"), ("all of them", "stage", "production")):
        wanted = {"TagFilters": [{"Key": key, "Values": [value]}], "ResourcesPerPage": PAGE}
        _time(bench, server, f"GetResources, a page of {PAGE}, a tag of {label}", _search(server, wanted))


def _time(bench: Bench, server: Server, label: str, request: bytes) -> None:
    times = load.one_by_one(server.url, [request for _ in bench.times(50, 300)])
    bench.add(f"{LABEL}: {label}", times, "p50 <= 10")


def _list(server: Server, members: Mapping[str, str]) -> bytes:
    return load.request(server.url, "GET", f"{FUNCTIONS}/?{urlencode(members)}")


def _last(server: Server, members: Mapping[str, str]) -> bytes:
    """The request of the last page."""
    request = _list(server, members)
    with load.Client(server.url) as client:
        while marker := json.loads(client.send(request)[1]).get("NextMarker"):
            request = _list(server, {**members, "Marker": marker})
    return request


def _search(server: Server, members: Mapping[str, Any]) -> bytes:
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "ResourceGroupsTaggingAPI_20170126.GetResources",
    }
    return load.request(
        server.url, "POST", "/", json.dumps(members).encode(), service="tagging", headers=headers
    )  # fmt: skip
