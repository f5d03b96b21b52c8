"""A server with 10,000 functions: pages of its lists, its start and its memory."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import load, memory, population
from benchmarks.bench import Bench, Server, data_directory, served
from benchmarks.management import FUNCTIONS
from benchmarks.population import COUNT, TEAMS

PAGE = 50
LABEL = f"{COUNT} functions"


def fleet(bench: Bench) -> None:
    with data_directory() as directory:
        population.fill(directory, bench.runtime)
        _starts(bench, directory)
        with served(directory) as server:
            _gets(bench, server)
            _pages(bench, server)


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
    requests = [load.request(server.url, "GET", f"{FUNCTIONS}/{population.name_of(number)}") for number in numbers]
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
