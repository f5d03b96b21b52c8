"""Lines of one function's log, and what they cost the others."""

from __future__ import annotations

import json
import statistics
import threading
import time

from benchmarks import load
from benchmarks.bench import HELLO, Bench

_FLOOD = """import sys
def handler(event, context):
    block = ("x" * 99 + "\\n") * 100
    for _ in range(event["lines"] // 100):
        sys.stdout.write(block)
    sys.stdout.flush()
    return context.log_stream_name
"""


def logs(bench: Bench) -> None:
    """Lines of 100 bytes that one function writes, until the last one is stored; another function's calls beside."""
    lines, rounds = 100_000, 2 if bench.quick else 5
    flooding, other = bench.function(_FLOOD), load.invocation(bench.url, bench.function(HELLO))
    load.one_by_one(bench.url, [other] * 200)
    alone = load.one_by_one(bench.url, [other] * 2000)
    beside: list[float] = []
    flood = load.invocation(bench.url, flooding, json.dumps({"lines": lines}).encode())
    load.one_by_one(bench.url, [load.invocation(bench.url, flooding, b'{"lines": 100}')])
    done = threading.Event()
    elapsed: list[float] = []

    def write() -> None:
        try:
            for _ in range(rounds):
                started = time.perf_counter()
                load.one_by_one(bench.url, [flood])
                _until_written(bench, flooding)
                elapsed.append(time.perf_counter() - started)
        finally:
            done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        beside += load.one_by_one(bench.url, [other] * 50)
    writer.join()
    stored = _stored_lines(bench, flooding) - 100
    bench.add_value("log lines of one function, stored", stored / sum(elapsed), "1/s", ">= 50000")
    bench.add_value("log lines of one function, lost", rounds * lines - stored, "", "0")
    bench.add("warm, 1 connection, nobody writes logs", alone)
    slower = 1.25 * statistics.median(alone)
    bench.add("warm, 1 connection, beside that function", beside, f"p50 <= {slower:.2f} (a quarter more)")


def _until_written(bench: Bench, function: str) -> None:
    """Until everything that the function wrote so far is stored: the Logs API answers with nothing less."""
    bench.logs.describe_log_streams(logGroupName=f"/aws/lambda/{function}")


def _stored_lines(bench: Bench, function: str) -> int:
    pages = bench.logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
    return sum(event["message"].startswith("xxx") for page in pages for event in page["events"])
