"""Managing functions: creating, publishing, pointing an alias elsewhere, and what a large layer costs."""

from __future__ import annotations

import base64
import json
import os
import statistics
import time
import uuid
import zipfile
from typing import Any

from benchmarks import load
from benchmarks.bench import HELLO, ROLE, Bench, data_directory, served, zipped

FUNCTIONS = "/2015-03-31/functions"
WHICH = "def handler(event, context):\n    return context.function_version\n"


def create(bench: Bench) -> None:
    """Functions with distinct small packages, by one client and by eight; all are there after a kill of the server."""
    with data_directory() as directory:
        with served(directory) as server:
            count = len(bench.times(100, 1000))
            names = [f"bench-{uuid.uuid4().hex[:12]}" for _ in range(2 * count)]
            requests = [_creation(server.url, name, bench.runtime) for name in names]
            started = time.perf_counter()
            times = load.one_by_one(server.url, requests[:count])
            bench.add("CreateFunction, 1 connection", times)
            bench.add_value("CreateFunction, 1 connection, throughput", 1000 * count / sum(times), "1/s", ">= 150")
            _until_active(server.client("lambda"), names[:count])
            active = count / (time.perf_counter() - started)
            bench.add_value("CreateFunction, 1 connection, until all are active", active, "1/s")
            _, elapsed, _ = load.at_once(server.url, requests[count:], 8, 600)
            server.process.kill()
        bench.add_value("CreateFunction, 8 connections, throughput", count / elapsed, "1/s", ">= 150")
        with served(directory) as server:
            pages = server.client("lambda").get_paginator("list_functions").paginate()
            found = {function["FunctionName"] for page in pages for function in page["Functions"]}
    bench.add_value("CreateFunction, acknowledged, lost by kill -9", len(set(names) - found), "", "0")


def _creation(url: str, name: str, runtime: str) -> bytes:
    package = zipped({"app.py": HELLO, "name": name})
    members = {
        "FunctionName": name,
        "Runtime": runtime,
        "Handler": "app.handler",
        "Role": ROLE,
        "Code": {"ZipFile": base64.b64encode(package).decode()},
    }
    return load.request(url, "POST", FUNCTIONS, json.dumps(members).encode())


def _until_active(client: Any, names: list[str]) -> None:
    for name in names:
        while client.get_function_configuration(FunctionName=name)["State"] == "Pending":
            time.sleep(0.01)


def publish(bench: Bench) -> None:
    """Versions of a function whose package is as large as one may be inside a request."""
    name = bench.function({"app.py": HELLO, "data": os.urandom(50_000_000)})
    request = load.request(bench.url, "POST", f"{FUNCTIONS}/{name}/versions")
    times = []
    for number in bench.times(10, 60):
        bench.client.update_function_configuration(FunctionName=name, Description=str(number))
        bench.wait("function_updated_v2", name)
        times += load.one_by_one(bench.url, [request])
    bench.add("PublishVersion, 50 MB", times, "p50 <= 20")


def layer(bench: Bench) -> None:
    """Cold starts of the same function, in turn without and with a layer."""
    files = {f"data/{number}": os.urandom(1000) * 100 for number in range(2000)}
    content = {"ZipFile": zipped(files, compression=zipfile.ZIP_DEFLATED)}
    made = bench.client.publish_layer_version(LayerName=f"bench-{uuid.uuid4().hex[:12]}", Content=content)
    without: list[float] = []
    with_layer: list[float] = []
    for _ in bench.times(10, 60):
        for times, settings in ((without, {}), (with_layer, {"Layers": [made["LayerVersionArn"]]})):
            request = load.invocation(bench.url, bench.function(HELLO, **settings))
            time.sleep(0.1)  # what prepares the next environment is not part of this cold start
            times += load.one_by_one(bench.url, [request])
    bench.add("cold start, hello, without a layer", without)
    budget = f"p50 <= {statistics.median(without) + 2:.2f} (2 ms more)"
    bench.add("cold start, hello, with a layer of 200 MB", with_layer, budget)


def alias(bench: Bench) -> None:
    """All of an alias' weight goes to another version, and back: when do invocations of the alias notice?"""
    name = bench.function(WHICH)
    for number in ("1", "2"):
        bench.client.update_function_configuration(FunctionName=name, Description=number)
        bench.wait("function_updated_v2", name)
        bench.client.publish_version(FunctionName=name)
        load.one_by_one(bench.url, [load.invocation(bench.url, name, qualifier=number)] * 20)
    bench.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    shifts = [(b'"2"', _shift(bench.url, name, {"2": 1.0})), (b'"1"', _shift(bench.url, name, {}))]
    invocation = load.invocation(bench.url, name, qualifier="live")
    updates, effects, stale = [], [], 0
    with load.Client(bench.url) as managing, load.Client(bench.url) as invoking:
        for number in bench.times(20, 200):
            expected, shift = shifts[number % 2]
            updates.append(managing.send(shift)[0])
            answered = time.perf_counter()
            while invoking.send(invocation)[1] != expected:
                stale += 1
            effects.append((time.perf_counter() - answered) * 1000)
    bench.add("UpdateAlias, all weight to another version", updates)
    bench.add("from its answer to the first answer of that version", effects)
    bench.add_value("invocations after its answer that ran the version before", stale, "", "0")


def _shift(url: str, name: str, weights: dict[str, float]) -> bytes:
    body = json.dumps({"RoutingConfig": {"AdditionalVersionWeights": weights}}).encode()
    return load.request(url, "PUT", f"{FUNCTIONS}/{name}/aliases/live", body)
