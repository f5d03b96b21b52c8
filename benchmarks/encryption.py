"""What encrypted environment variables cost: at a cold start under a customer key, and in answers that show them."""

from __future__ import annotations

import time

from benchmarks import load
from benchmarks.bench import HELLO, Bench

#: About 3 KB of variables, of the 4 KB that there may be.
_VARIABLES = {f"NAME_{number}": "x" * 80 for number in range(30)}


def encryption(bench: Bench) -> None:
    key = bench.server.client("kms").create_key()["KeyMetadata"]["Arn"]
    # One is decrypted like thirty; handing thirty on to a process is another matter.
    _cold(bench, {"Environment": {"Variables": {"NAME": "x" * 80}}, "KMSKeyArn": key})
    settings = {"Environment": {"Variables": _VARIABLES}, "KMSKeyArn": key}
    for label, made in (("without variables", {}), ("with 3 KB of variables", settings)):
        request = load.reading(bench.url, bench.function(HELLO, **made))
        times, elapsed, _ = load.at_once(bench.url, request, 4, 1.0 if bench.quick else 5.0)
        bench.add_value(f"GetFunction {label}", len(times) / elapsed, "1/s", "" if not made else ">= 1500")


def _cold(bench: Bench, settings: dict[str, object]) -> None:
    """Alternately with and without, so that what else the machine does meets both alike."""
    found: dict[str, list[float]] = {"cold start, no variables": [], "cold start, a variable under a customer key": []}
    for _ in range(10 if bench.quick else 60):
        for times, made in zip(found.values(), ({}, settings), strict=True):
            request = load.invocation(bench.url, bench.function(HELLO, **made))
            time.sleep(0.1)  # what prepares the next environment is not part of this cold start
            times += load.one_by_one(bench.url, [request])
    for label, times in found.items():
        bench.add(label, times)
