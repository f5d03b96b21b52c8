"""Invocations of Python functions: cold and warm, frozen and restored, one and many at once."""

from __future__ import annotations

import json
import statistics
import time
from urllib.parse import urlsplit

from benchmarks import load
from benchmarks.bench import HELLO, Bench

CLIENT = "import boto3\nclient = boto3.client('s3')\ndef handler(event, context):\n    return 'hello'\n"
PAGE = """def handler(event, context):
    return {'statusCode': 200, 'headers': {'content-type': 'text/plain'}, 'body': event['rawPath']}
"""
WHO = """import os, time
def handler(event, context):
    time.sleep(event['seconds'])
    return os.environ['AWS_LAMBDA_LOG_STREAM_NAME']
"""
#: Initialises for a second.
SLOW = """import os, time
time.sleep(1)
def handler(event, context):
    if event.get('end'):
        os._exit(0)
    time.sleep(event.get('seconds', 0))
    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']
"""
#: The oldest Python that SnapStart is for.
SNAPSTART_RUNTIME = "python3.12"


def cold_starts(bench: Bench) -> None:
    """The first invocation of functions that never ran, one after another."""
    for memory_mb, source, label, budget in (
        (1769, HELLO, "cold start, hello, 1769 MB", "p50 <= 10, p99 <= 40"),
        (128, HELLO, "cold start, hello, 128 MB", ""),
        (1769, CLIENT, "cold start, boto3 and a client, 1769 MB", "p50 <= 50"),
        (128, CLIENT, "cold start, boto3 and a client, 128 MB", ""),
    ):
        times = []
        for _ in bench.times(10, 60):
            request = load.invocation(bench.url, bench.function(source, memory_mb))
            time.sleep(0.1)  # what prepares the next environment is not part of this cold start
            times += load.one_by_one(bench.url, [request])
        bench.add(label, times, budget)


def warm(bench: Bench) -> None:
    seconds = 1 if bench.quick else 5
    for memory_mb, one, many in ((1769, "p50 <= 0.3, p99 <= 2", ">= 7000"), (128, "", "")):
        function = bench.function(HELLO, memory_mb)
        request = load.invocation(bench.url, function)
        load.one_by_one(bench.url, [request] * 200)
        bench.add(
            f"warm, 1 connection, {memory_mb} MB",
            load.one_by_one(bench.url, [request for _ in bench.times(1000, 5000)]),
            one,
        )
        load.at_once(bench.url, request, 16, 1)
        times, elapsed, _ = load.at_once(bench.url, request, 16, seconds)
        bench.add(f"warm, 16 connections, {memory_mb} MB", times)
        bench.add_value(f"warm, 16 connections, {memory_mb} MB, throughput", len(times) / elapsed, "1/s", many)


def function_url(bench: Bench) -> None:
    """Requests at a function URL that is open to everybody, answered with a status, headers and a body."""
    function = bench.function(PAGE)
    host = urlsplit(bench.public_url(function)).netloc
    request = f"GET /a/b?c=d HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode()
    load.one_by_one(bench.url, [request] * 200)
    times = load.one_by_one(bench.url, [request for _ in bench.times(1000, 5000)])
    bench.add("function URL, warm, 1 connection", times, "p50 <= 0.8")


def thaw(bench: Bench) -> None:
    """Invocations of an environment that was frozen meanwhile, beside those after a pause too short for freezing.

    The difference is what thawing adds, and a little more: processors that slept for longer take longer to wake up.
    """
    request = load.invocation(bench.url, bench.function(HELLO))
    load.one_by_one(bench.url, [request] * 200)
    requests = [request for _ in bench.times(100, 500)]
    paused = load.one_by_one(bench.url, requests, 0.003)
    thawed = load.one_by_one(bench.url, requests, 0.02)
    bench.add("warm, 3 ms after the one before, not frozen", paused)
    bench.add("warm, 20 ms after the one before, thawed", thawed, f"p50 <= {statistics.median(paused) + 0.3:.2f}")


def burst(bench: Bench) -> None:
    """100 invocations at once of a function without environments: as they come, then with a sleep of 2 s in the handler
    (not counted), which keeps them from sharing environments."""
    for seconds in (0.0, 2.0):
        totals, environments = [], []
        for _ in bench.times(2, 5):
            function = bench.function(WHO)
            time.sleep(0.5)
            request = load.invocation(bench.url, function, json.dumps({"seconds": seconds}).encode())
            _, elapsed, bodies = load.at_once(bench.url, request, 100, 60, each=1)
            totals.append((elapsed - seconds) * 1000)
            environments.append(len(set(bodies)))
            bench.client.delete_function(FunctionName=function)
            time.sleep(2)
        label = "100 at once from zero" + (", none waits for another" if seconds else "") + ", all answered"
        bench.add_value(label, statistics.median(totals), "ms", "<= 1000")
        bench.add_value(label + ", environments", statistics.median(environments), "")


def snapstart(bench: Bench) -> None:
    """Restores of a version whose initialisation takes a second: one by one, then more at once than are ready."""
    function = bench.function(SLOW, runtime=SNAPSTART_RUNTIME, SnapStart={"ApplyOn": "PublishedVersions"})
    bench.client.publish_version(FunctionName=function)
    bench.wait("published_version_active", function, Qualifier="1")
    restore = load.invocation(bench.url, function, b"{}", "1")
    times = []
    for _ in bench.times(10, 60):
        times += load.one_by_one(bench.url, [restore])
        bench.client.invoke(FunctionName=function, Qualifier="1", Payload=b'{"end": true}')
        time.sleep(0.2)  # what makes the next clone is not part of the next restore
    bench.add("restore of a version with 1 s of initialisation", times, "p50 <= 15")
    busy = load.invocation(bench.url, function, b'{"seconds": 0.5}', "1")
    times, _elapsed, bodies = load.at_once(bench.url, busy, 10, 60, each=1)
    if set(bodies) != {b'"snap-start"'}:
        raise RuntimeError(f"not restored: {set(bodies)}")
    bench.add("restores, 10 at once, one of them ready", [took - 500 for took in times])
