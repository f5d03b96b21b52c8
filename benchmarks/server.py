"""The server itself: its start, its memory and that of what it keeps, and the machine it is on."""

from __future__ import annotations

import statistics
import time

from benchmarks import load, memory, reference
from benchmarks.bench import Bench, data_directory, served
from benchmarks.invocations import WHO


def start(bench: Bench) -> None:
    """Time until a server is ready, and its size before any function exists."""
    times, sizes, supervisors = [], [], []
    for _ in bench.times(3, 10):
        with data_directory() as directory:
            started = time.perf_counter()
            with served(directory) as server:
                times.append((time.perf_counter() - started) * 1000)
                pid = server.process.pid
                sizes.append(memory.pss_mb(pid))
                supervisors.append(sum(memory.pss_mb(child) for child in memory.descendants(pid)))
    bench.add("server ready after start", times, "<= 1000")
    bench.add_value("server without zygotes (PSS)", statistics.median(sizes), "MB", "<= 120 with supervisor")
    bench.add_value("sandbox supervisor (PSS)", statistics.median(supervisors), "MB")


def zygotes(bench: Bench) -> None:
    for name, megabytes in memory.zygotes(bench.server.process.pid):
        bench.add_value(f"zygote {name} (RSS)", megabytes, "MB")


def machine(bench: Bench) -> None:
    """A bare protocol that answers at once: what the figures of this run are to be compared with."""
    times, throughput = reference.measure(1 if bench.quick else 5)
    bench.add("reference: a bare protocol, 1 connection", times)
    bench.add_value("reference: a bare protocol, 16 connections", throughput, "1/s")


def footprint(bench: Bench) -> None:
    """Memory of environments that wait for their next invocation, beyond the zygote that they share pages with."""
    before = memory.tree(bench.server.process.pid)
    function = bench.function(WHO)
    count = 20 if bench.quick else 50
    request = load.invocation(bench.url, function, b'{"seconds": 1.0}')
    _, _, bodies = load.at_once(bench.url, request, count, 60, each=1)
    time.sleep(0.5)
    after = memory.tree(bench.server.process.pid)
    grown = (after.environments - before.environments) / len(set(bodies))
    bench.add_value(
        f"memory of an idle environment beyond the zygote (PSS, of {len(set(bodies))})", grown, "MB", "<= 8"
    )
