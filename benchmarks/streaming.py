"""Streamed responses: from the write to the client's read, how much in a second, and what a slow client costs.

The functions are custom runtimes in Python over a raw connection, and Node.js where it is there: the figures contain as
little as possible that is not the server's. Times are compared across processes by the machine's monotonic clock.
"""

from __future__ import annotations

import json
import re
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

from benchmarks import load
from benchmarks.bench import Bench, Files
from benchmarks.executed import found
from benchmarks.memory import rss_mb

_MB = 1 << 20
#: What a streamed response may have.
_LARGEST = 200 * _MB
_BOOTSTRAP = """#!/bin/sh
for python in /var/lang/bin/python3 /var/lang/bin/python3.* /usr/bin/python3; do
  [ -x "$python" ] && exec "$python" "$LAMBDA_TASK_ROOT/runtime.py"
done
"""
#: `{"stamps": n}`: so many writes of the time, each a moment after the one before. `{"bytes": n, "piece": m}`: filling.
_RUNTIME = r"""import json, os, socket, time

host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
api = socket.create_connection((host, int(port)))
api.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
answers = api.makefile("rb")
PATH = "/2018-06-01/runtime/invocation/"

def answer():
    answers.readline()
    headers = {}
    while (line := answers.readline().strip()):
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    return headers, answers.read(int(headers["content-length"]))

while True:
    api.sendall(("GET %snext HTTP/1.1\r\nHost: api\r\n\r\n" % PATH).encode())
    headers, body = answer()
    event = json.loads(body)
    event = json.loads(event["body"]) if "rawPath" in event else event
    head = ("POST %s%s/response HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: chunked\r\nContent-Type: a/b\r\n"
            "Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n"
            % (PATH, headers["lambda-runtime-aws-request-id"])).encode()
    for number in range(event.get("stamps", 0)):
        time.sleep(0.002)
        api.sendall(head + b"14\r\n@%18d@\r\n" % time.monotonic_ns())
        head = b""
    api.sendall(head)
    size = event.get("piece", 1)
    piece = b"%x\r\n%s\r\n" % (size, b"." * size)
    for _ in range(event.get("bytes", 0) // size):
        api.sendall(piece)
    api.sendall(b"0\r\n\r\n")
    answer()
"""
_NODE = """const tick = () => new Promise((done) => setTimeout(done, 2));
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  event = event.rawPath ? JSON.parse(event.body) : event;
  for (let n = 0; n < (event.stamps ?? 0); n++) {
    await tick();
    stream.write(`@${String(process.hrtime.bigint()).padStart(18)}@`);
  }
  const piece = Buffer.alloc(event.piece ?? 1, 46);
  for (let n = 0; n < (event.bytes ?? 0) / piece.length; n++) {
    if (!stream.write(piece)) await new Promise((done) => stream.once("drain", done));
  }
  stream.end();
});
"""
_STAMP = re.compile(rb"@ *([0-9]+)@")

#: Makes the request for an event.
Ask = Callable[[object], bytes]


def streaming(bench: Bench) -> None:
    files: dict[str, str | bytes] = {"bootstrap": _BOOTSTRAP, "runtime.py": _RUNTIME}
    python = _function(bench, files, "provided.al2023", "any")
    for label, ask in _ways(bench, python):
        # Before anything made the server's memory grow.
        _slow_client(bench, f"streaming, slow client, {label}", ask)
    for label, ask in _ways(bench, python):
        _latency(bench, f"streaming, {label}", ask, "p50 <= 1")
        for piece in (65536, 4096):
            _throughput(bench, f"streaming, {label}, chunks of {piece // 1024} KB", ask, piece, ">= 150")
    node = found("nodejs")
    if node:
        for label, ask in _ways(bench, _function(bench, {"app.js": _NODE}, node[-1].runtime, "app.handler")):
            _latency(bench, f"streaming, {node[-1].runtime}, {label}", ask, "p50 <= 1")
            _throughput(bench, f"streaming, {node[-1].runtime}, {label}, chunks of 64 KB", ask, 65536, "")


def _function(bench: Bench, files: Files, runtime: str, handler: str) -> str:
    name = bench.function(files, runtime=runtime, handler=handler)
    bench.public_url(name, "RESPONSE_STREAM")
    return name


def _ways(bench: Bench, name: str) -> Iterator[tuple[str, Ask]]:
    """The function's URL, and InvokeWithResponseStream."""
    host = urlsplit(bench.client.get_function_url_config(FunctionName=name)["FunctionUrl"]).netloc

    def by_url(event: object) -> bytes:
        body = json.dumps(event)
        head = f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"{head}\r\n{body}".encode()

    def by_operation(event: object) -> bytes:
        target = f"/2021-11-15/functions/{quote(name)}/response-streaming-invocations"
        return load.request(bench.url, "POST", target, json.dumps(event).encode(), keys=bench.server.keys)

    yield "URL", by_url
    yield "InvokeWithResponseStream", by_operation


@contextmanager
def _asked(bench: Bench, request: bytes) -> Iterator[socket.socket]:
    parts = urlsplit(bench.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=120) as connection:
        connection.sendall(request)
        yield connection


def _latency(bench: Bench, label: str, ask: Ask, budget: str) -> None:
    """The first write of each of many responses, and the ones after it."""
    first: list[float] = []
    later: list[float] = []
    for _ in bench.times(20, 200):
        with _asked(bench, ask({"stamps": 5})) as connection:
            times = list(_stamps(connection, 5))
        first.append(times[0])
        later += times[1:]
    bench.add(f"{label}: first byte after its write", first[5:], budget)
    bench.add(f"{label}: later bytes", later)


def _stamps(connection: socket.socket, count: int) -> Iterator[float]:
    """Milliseconds between each write and its arrival."""
    seen = b""
    for _ in range(count):
        while (stamp := _STAMP.search(seen)) is None:
            data = connection.recv(65536)
            now = time.monotonic_ns()
            if not data:
                raise RuntimeError(seen.decode("latin-1"))
            seen += data
        seen = seen[stamp.end() :]
        yield (now - int(stamp[1])) / 1e6


def _throughput(bench: Bench, label: str, ask: Ask, piece: int, budget: str) -> None:
    rates = []
    for _ in bench.times(2, 5):
        started = time.perf_counter()
        with _asked(bench, ask({"bytes": _LARGEST, "piece": piece})) as connection:
            received = _read(connection)
        rates.append(received / 1e6 / (time.perf_counter() - started))
    bench.add_value(label, statistics.median(rates), "MB/s", budget)


def _read(connection: socket.socket, rate: float = 0.0, look: Callable[[], None] = lambda: None) -> int:
    """The bytes of an answer of the largest size. `rate`: MB that are read in a second; `look` is called meanwhile."""
    buffer, received, end = bytearray(_MB // 4 if rate else _MB), 0, b""
    while received < _LARGEST or end != b"0\r\n\r\n":
        size = connection.recv_into(buffer)
        if not size:
            raise RuntimeError(f"the answer ended after {received} bytes")
        received += size
        end = (end + buffer[max(size - 5, 0) : size])[-5:]
        if rate:
            time.sleep(size / _MB / rate)
            look()
    return received


def _slow_client(bench: Bench, label: str, ask: Ask) -> None:
    """How much the server's memory grows, at the most, while a client takes the largest response slowly."""
    pid = bench.server.process.pid
    seen = [rss_mb(pid)]
    with _asked(bench, ask({"bytes": _LARGEST, "piece": 65536})) as connection:
        _read(connection, 80 if bench.quick else 20, lambda: seen.append(rss_mb(pid)))
    bench.add_value(f"{label}: growth of the server (RSS)", max(seen) - seen[0], "MB", "<= 4")
