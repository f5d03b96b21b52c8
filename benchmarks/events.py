"""Asynchronous invocations: how fast they are acknowledged while they run, and how fast a backlog is worked off."""

from __future__ import annotations

import asyncio
import re
import time
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import quote

from benchmarks import load
from benchmarks.bench import HELLO, Bench, data_directory, served
from ingle.domain.event import Event
from ingle.domain.function import FunctionKey
from ingle.storage.event_store import EventStore

CONNECTIONS = 16
BACKLOG = 20_000
KEY = {"account": "000000000000", "region": "us-east-1"}
_QUEUED = re.compile(r"^ingle_events_queued\{.*\} (\S+)$", re.MULTILINE)
_RAN = re.compile(r"^ingle_function_invocations_total\{.*\} (\S+)$", re.MULTILINE)


def acknowledgements(bench: Bench) -> None:
    """Durable acknowledgements over 16 connections. The events run meanwhile, on the same processors."""
    function = bench.function(HELLO)
    load.one_by_one(bench.url, [load.invocation(bench.url, function)] * 50)
    headers = {"Content-Type": "application/json", "X-Amz-Invocation-Type": "Event"}
    target = f"/2015-03-31/functions/{quote(function)}/invocations"
    request = load.request(bench.url, "POST", target, b"{}", headers=headers)
    load.at_once(bench.url, request, CONNECTIONS, 1)
    times, elapsed, _ = load.at_once(bench.url, request, CONNECTIONS, 2 if bench.quick else 10)
    left = _sum(_QUEUED, bench.url)
    bench.add(f"event acknowledged, {CONNECTIONS} connections", times, "p99 <= 25")
    bench.add_value("events acknowledged", len(times) / elapsed, "1/s", ">= 1500")
    bench.add_value("events run meanwhile", (len(times) - left) / elapsed, "1/s")
    _until_empty(bench.url)


def drain(bench: Bench) -> None:
    """A backlog that an earlier server left, from the moment the server is ready, its first cold start included."""
    count = 5000 if bench.quick else BACKLOG
    with data_directory() as directory:
        with served(directory) as server:
            function = Bench(server, bench.runtime, bench.quick).function(HELLO)
        asyncio.run(_fill(directory, FunctionKey(name=function, **KEY), count))
        with served(directory) as server:
            started = time.perf_counter()
            while _sum(_RAN, server.url) + _sum(_QUEUED, server.url) < count:
                time.sleep(0.02)
            _until_empty(server.url)
            elapsed = time.perf_counter() - started
    bench.add_value(f"backlog of {count} hello events, worked off", count / elapsed, "1/s", ">= 1000")


async def _fill(directory: Path, key: FunctionKey, count: int) -> None:
    arn = f"arn:aws:lambda:{key.region}:{key.account}:function:{key.name}"
    now = int(time.time() * 1000)
    async with EventStore(f"sqlite:///{directory / 'events.db'}") as store:
        events = (
            Event(id=str(uuid.uuid4()), key=key, qualifier=None, arn=arn, payload=b"{}", accepted=now)
            for _ in range(count)
        )
        await asyncio.gather(*(store.add(event) for event in events))


def _until_empty(url: str) -> None:
    while _sum(_QUEUED, url):
        time.sleep(0.05)


def _sum(samples: re.Pattern[str], url: str) -> int:
    with urllib.request.urlopen(url + "/_ingle/metrics", timeout=30) as answer:
        page = answer.read().decode()
    return sum(int(float(value)) for value in samples.findall(page))
