"""`make bench`: the figures that SPECIFICATION.md promises, as a table and as JSON.

    python -m benchmarks [--only NAME ...] [--json FILE] [--quick]

Starts a server of its own on a free port, with a data directory that is removed afterwards. Prints p50, p90 and p99 in
milliseconds unless the row says otherwise. Nothing here fails when a figure is bad: tests assert behaviour, not times.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3

from benchmarks import access, encryption, executed, load, memory, reference
from ingle.settings import load as load_settings
from ingle.worker import families

HELLO = "def handler(event, context):\n    return 'hello'\n"
CLIENT = "import boto3\nclient = boto3.client('s3')\ndef handler(event, context):\n    return 'hello'\n"
NODE_HELLO = "exports.handler = async () => 'hello';\n"
NODE_CLIENT = """const { S3Client } = require('@aws-sdk/client-s3');
const client = new S3Client({ region: 'us-east-1' });
exports.handler = async () => 'hello';
"""
WHO = """import os, time
def handler(event, context):
    time.sleep(event['seconds'])
    return os.environ['AWS_LAMBDA_LOG_STREAM_NAME']
"""
FLOOD = """import sys
def handler(event, context):
    block = ("x" * 99 + "\\n") * 100
    for _ in range(event["lines"] // 100):
        sys.stdout.write(block)
    sys.stdout.flush()
    return context.log_stream_name
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row. `values` holds p50, p90, p99 or a single `value`, in `unit`."""

    name: str
    unit: str
    values: dict[str, float]
    budget: str = ""


class Bench:
    """A running server, and what the measurements share."""

    def __init__(self, url: str, process: subprocess.Popen[str], runtime: str, quick: bool) -> None:
        self.url = url
        self.process = process
        self.runtime = runtime
        self.quick = quick
        self.figures: list[Figure] = []
        own = {"endpoint_url": url, "region_name": "us-east-1", "aws_access_key_id": "test"}
        self.client: Any = boto3.client("lambda", aws_secret_access_key="test", **own)
        self.logs: Any = boto3.client("logs", aws_secret_access_key="test", **own)

    def function(
        self, source: str, memory_mb: int = 1769, *, runtime: str | None = None, file: str = "app.py",
        comment: str = "#", **settings: Any,
    ) -> str:  # fmt: skip
        """A new function whose package nobody has seen before, active."""
        name = f"bench-{uuid.uuid4().hex[:12]}"
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            info = zipfile.ZipInfo(file)
            info.external_attr = 0o100644 << 16
            archive.writestr(info, f"{source}{comment} {name}\n")
        self.client.create_function(
            FunctionName=name, Runtime=runtime or self.runtime, Handler="app.handler", MemorySize=memory_mb, Timeout=60,
            Role="arn:aws:iam::000000000000:role/bench", Code={"ZipFile": buffer.getvalue()}, **settings,
        )  # fmt: skip
        self.client.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 2000}
        )
        return name

    def add(self, name: str, times: list[float], budget: str = "") -> None:
        cuts = statistics.quantiles(times, n=100, method="inclusive")
        values = {"p50": statistics.median(times), "p90": cuts[89], "p99": cuts[98]}
        self.figures.append(Figure(name=name, unit="ms", values=values, budget=budget))
        self.show(self.figures[-1])

    def add_value(self, name: str, value: float, unit: str, budget: str = "") -> None:
        self.figures.append(Figure(name=name, unit=unit, values={"value": value}, budget=budget))
        self.show(self.figures[-1])

    @staticmethod
    def show(figure: Figure) -> None:
        cells = "  ".join(
            f"{name} {value:9.2f}" if name != "value" else f"{value:13.2f}" for name, value in figure.values.items()
        )
        print(f"{figure.name:58} {cells:46} {figure.unit:8} {figure.budget}", flush=True)


def cold_starts(bench: Bench) -> None:
    """The first invocation of functions that never ran, one after another."""
    count = 10 if bench.quick else 60
    for memory_mb, source, label, budget in (
        (1769, HELLO, "cold start, hello, 1769 MB", "p50 <= 10, p99 <= 40"),
        (128, HELLO, "cold start, hello, 128 MB", ""),
        (1769, CLIENT, "cold start, boto3 and a client, 1769 MB", "p50 <= 50"),
        (128, CLIENT, "cold start, boto3 and a client, 128 MB", ""),
    ):
        times = []
        for _ in range(count):
            request = load.invocation(bench.url, bench.function(source, memory_mb))
            time.sleep(0.1)  # what prepares the next environment is not part of this cold start
            times += load.one_by_one(bench.url, [request])
        bench.add(label, times, budget)


def nodejs(bench: Bench) -> None:
    """Cold starts of Node.js functions beside the interpreter's own start; and warm invocations."""
    found = [item for item in families.search(load_settings()).interpreters if item.runtime.startswith("nodejs")]
    if not found:
        print("no Node.js interpreter here: run `ingle runtimes install nodejs22.x`")
        return
    node = found[-1]
    count = 10 if bench.quick else 40
    bench.add(f"{node.runtime}: node -e 0", [_run_once(str(node.executable)) for _ in range(count)])
    executed = {"Environment": {"Variables": {"NODE_OPTIONS": "--no-warnings"}}}
    for label, source, settings, budget in (
        ("cold start, hello", NODE_HELLO, {}, "p50 <= 60"),
        ("cold start, hello, executed", NODE_HELLO, executed, ""),
        ("cold start, AWS SDK and a client", NODE_CLIENT, {}, ""),
    ):
        times = []
        for _ in range(count):
            name = bench.function(source, runtime=node.runtime, file="app.js", comment="//", **settings)
            request = load.invocation(bench.url, name)
            time.sleep(0.25)  # what prepares the next environment is not part of this cold start
            times += load.one_by_one(bench.url, [request])
        bench.add(f"{node.runtime}: {label}, 1769 MB", times, budget)
    request = load.invocation(bench.url, name)
    load.one_by_one(bench.url, [request] * 200)
    bench.add(f"{node.runtime}: warm, 1 connection", load.one_by_one(bench.url, [request] * 2000))


def _run_once(node: str) -> float:
    started = time.perf_counter()
    subprocess.run([node, "-e", "0"], check=True)
    return (time.perf_counter() - started) * 1000


def warm(bench: Bench) -> None:
    seconds = 1 if bench.quick else 5
    for memory_mb, one, many in ((1769, "p50 <= 0.3, p99 <= 2", ">= 7000"), (128, "", "")):
        function = bench.function(HELLO, memory_mb)
        request = load.invocation(bench.url, function)
        load.one_by_one(bench.url, [request] * 200)
        bench.add(
            f"warm, 1 connection, {memory_mb} MB",
            load.one_by_one(bench.url, [request] * (1000 if bench.quick else 5000)),
            one,
        )
        load.at_once(bench.url, request, 16, 1)
        times, elapsed, _ = load.at_once(bench.url, request, 16, seconds)
        bench.add(f"warm, 16 connections, {memory_mb} MB", times)
        bench.add_value(f"warm, 16 connections, {memory_mb} MB, throughput", len(times) / elapsed, "1/s", many)


def thaw(bench: Bench) -> None:
    """Invocations of an environment that was frozen meanwhile, beside those after a pause too short for freezing.

    The difference is what thawing adds, and a little more: processors that slept for longer take longer to wake up.
    """
    request = load.invocation(bench.url, bench.function(HELLO))
    load.one_by_one(bench.url, [request] * 200)
    count = 100 if bench.quick else 500
    paused = load.one_by_one(bench.url, [request] * count, 0.003)
    thawed = load.one_by_one(bench.url, [request] * count, 0.02)
    bench.add("warm, 3 ms after the one before, not frozen", paused)
    bench.add("warm, 20 ms after the one before, thawed", thawed, f"p50 <= {statistics.median(paused) + 0.3:.2f}")


def burst(bench: Bench) -> None:
    """100 invocations at once of a function without environments: as they come, then with a sleep of 2 s in the handler
    (not counted), which keeps them from sharing environments."""
    for seconds in (0.0, 2.0):
        totals, environments = [], []
        for _ in range(2 if bench.quick else 5):
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


def footprint(bench: Bench) -> None:
    """Memory of environments that wait for their next invocation, beyond the zygote that they share pages with."""
    before = memory.tree(bench.process.pid)
    function = bench.function(WHO)
    count = 20 if bench.quick else 50
    request = load.invocation(bench.url, function, b'{"seconds": 1.0}')
    _, _, bodies = load.at_once(bench.url, request, count, 60, each=1)
    time.sleep(0.5)
    after = memory.tree(bench.process.pid)
    grown = (after.environments - before.environments) / len(set(bodies))
    bench.add_value(
        f"memory of an idle environment beyond the zygote (PSS, of {len(set(bodies))})", grown, "MB", "<= 8"
    )


def logs(bench: Bench) -> None:
    """Lines of 100 bytes that one function writes, until the last one is stored; another function's calls beside."""
    lines, rounds = 100_000, 2 if bench.quick else 5
    flooding, other = bench.function(FLOOD), load.invocation(bench.url, bench.function(HELLO))
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


def snapstart(bench: Bench) -> None:
    """Restores of a version whose initialisation takes a second: one by one, then more at once than are ready."""
    function = bench.function(SLOW, runtime=SNAPSTART_RUNTIME, SnapStart={"ApplyOn": "PublishedVersions"})
    bench.client.publish_version(FunctionName=function)
    bench.client.get_waiter("published_version_active").wait(
        FunctionName=function, Qualifier="1", WaiterConfig={"Delay": 0.1, "MaxAttempts": 600}
    )
    restore = load.invocation(bench.url, function, b"{}", "1")
    times = []
    for _ in range(10 if bench.quick else 60):
        times += load.one_by_one(bench.url, [restore])
        bench.client.invoke(FunctionName=function, Qualifier="1", Payload=b'{"end": true}')
        time.sleep(0.2)  # what makes the next clone is not part of the next restore
    bench.add("restore of a version with 1 s of initialisation", times, "p50 <= 15")
    busy = load.invocation(bench.url, function, b'{"seconds": 0.5}', "1")
    times, _elapsed, bodies = load.at_once(bench.url, busy, 10, 60, each=1)
    if set(bodies) != {b'"snap-start"'}:
        raise RuntimeError(f"not restored: {set(bodies)}")
    bench.add("restores, 10 at once, one of them ready", [took - 500 for took in times])


def start(bench: Bench) -> None:
    """Time until a server is ready, and its size before any function exists."""
    times, sizes, supervisors = [], [], []
    for _ in range(3 if bench.quick else 10):
        started = time.perf_counter()
        with served() as (_url, process):
            times.append((time.perf_counter() - started) * 1000)
            sizes.append(memory.pss_mb(process.pid))
            supervisors.append(sum(memory.pss_mb(pid) for pid in memory.descendants(process.pid)))
    bench.add("server ready after start", times, "<= 1000")
    bench.add_value("server without zygotes (PSS)", statistics.median(sizes), "MB", "<= 120 with supervisor")
    bench.add_value("sandbox supervisor (PSS)", statistics.median(supervisors), "MB")


def zygotes(bench: Bench) -> None:
    for name, megabytes in memory.zygotes(bench.process.pid):
        bench.add_value(f"zygote {name} (RSS)", megabytes, "MB")


def machine(bench: Bench) -> None:
    """A bare protocol that answers at once: what the figures of this run are to be compared with."""
    times, throughput = reference.measure(1 if bench.quick else 5)
    bench.add("reference: a bare protocol, 1 connection", times)
    bench.add_value("reference: a bare protocol, 16 connections", throughput, "1/s")


MEASUREMENTS: dict[str, Callable[[Bench], None]] = {
    "reference": machine, "cold": cold_starts, "nodejs": nodejs, "ruby": executed.ruby, "java": executed.java,
    "warm": warm, "thaw": thaw, "burst": burst, "footprint": footprint, "zygotes": zygotes, "logs": logs,
    "snapstart": snapstart, "encryption": encryption.encryption, "start": start,
    "access": lambda bench: access.access(bench, served, HELLO),
}  # fmt: skip


@contextmanager
def served(**settings: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    directory = tempfile.mkdtemp(prefix="ingle-bench-")
    environment = {
        **os.environ,
        "INGLE_DATA_DIR": directory + "/data",
        "INGLE_PORT": "0",
        "INGLE_LOG_LEVEL": "warning",
        **settings,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ingle", "serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().rsplit(" at ", 1)[1].strip(), process
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=MEASUREMENTS, default=list(MEASUREMENTS))
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/latest.json"))
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--runtime", default=f"python3.{sys.version_info[1]}")
    given = parser.parse_args()
    with served() as (url, process):
        bench = Bench(url, process, given.runtime, given.quick)
        print(f"runtime {given.runtime}, {os.cpu_count()} processors, load generator on the same machine")
        for name in given.only:
            MEASUREMENTS[name](bench)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps([asdict(figure) for figure in bench.figures], indent=2) + "\n")


if __name__ == "__main__":
    main()
