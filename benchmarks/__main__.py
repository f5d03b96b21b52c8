"""`make bench`: the figures that SPECIFICATION.md promises, as a table and as JSON.

    python -m benchmarks [--only NAME ...] [--json FILE] [--quick]

Starts a server of its own on a free port, with a data directory that is removed afterwards. Prints p50, p90 and p99 in
milliseconds unless the row says otherwise. Nothing here fails when a figure is bad: tests assert behaviour, not times.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks import (
    access,
    encryption,
    events,
    executed,
    fleet,
    invocations,
    logs,
    management,
    networks,
    server,
    streaming,
)
from benchmarks.bench import Bench, data_directory, served

MEASUREMENTS: dict[str, Callable[[Bench], None]] = {
    "reference": server.machine,
    "cold": invocations.cold_starts,
    "nodejs": executed.nodejs,
    "ruby": executed.ruby,
    "java": executed.java,
    "warm": invocations.warm,
    "function_url": invocations.function_url,
    "thaw": invocations.thaw,
    "burst": invocations.burst,
    "footprint": server.footprint,
    "zygotes": server.zygotes,
    "logs": logs.logs,
    "snapstart": invocations.snapstart,
    "streaming": streaming.streaming,
    "network": networks.networks,
    "events": events.acknowledgements,
    "backlog": events.drain,
    "encryption": encryption.encryption,
    "access": access.access,
    "start": server.start,
    "create": management.create,
    "publish": management.publish,
    "layer": management.layer,
    "alias": management.alias,
    "fleet": fleet.fleet,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=MEASUREMENTS, default=list(MEASUREMENTS))
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/latest.json"))
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--runtime", default=f"python3.{sys.version_info[1]}")
    given = parser.parse_args()
    with data_directory() as directory, served(directory) as running:
        bench = Bench(running, given.runtime, given.quick)
        print(f"runtime {given.runtime}, {os.cpu_count()} processors, load generator on the same machine")
        for name in given.only:
            MEASUREMENTS[name](bench)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps([asdict(figure) for figure in bench.figures], indent=2) + "\n")


if __name__ == "__main__":
    main()
