"""A load generator: raw HTTP with SigV4 headers, timed per request in nanoseconds.

Runs in the benchmark's process, on the same machine as the server. Answers are checked to be successes, invocations
without a function error; their bodies are returned for those who want them.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import Self
from urllib.parse import quote, urlsplit

import httptools
import uvloop
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_JSON = {"Content-Type": "application/json"}


def request(
    url: str,
    method: str,
    target: str,
    body: bytes = b"",
    *,
    service: str = "lambda",
    headers: Mapping[str, str] = _JSON,
    keys: tuple[str, str] = ("test", "test"),
) -> bytes:
    """A signed request as the bytes of HTTP. `target`: path and query, encoded."""
    signed = AWSRequest(method, url + target, data=body, headers=dict(headers))
    SigV4Auth(Credentials(*keys), service, "us-east-1").add_auth(signed)
    every = {"Host": urlsplit(url).netloc, "Content-Length": str(len(body)), **dict(signed.headers.items())}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in every.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def invocation(
    url: str, function: str, payload: bytes = b"{}", qualifier: str | None = None,
    keys: tuple[str, str] = ("test", "test"),
) -> bytes:  # fmt: skip
    """One signed invocation of `function`."""
    target = f"/2015-03-31/functions/{quote(function)}/invocations"
    if qualifier is not None:
        target += f"?Qualifier={quote(qualifier)}"
    return request(url, "POST", target, payload, keys=keys)


def reading(url: str, function: str) -> bytes:
    """One signed GetFunction."""
    return request(url, "GET", f"/2015-03-31/functions/{quote(function)}", headers={})


class Client:
    """One connection. `with Client(url) as client: took, body = client.send(request)`, `took` in milliseconds."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, request: bytes) -> tuple[float, bytes]:
        started = time.perf_counter_ns()
        self._connection.sendall(request)
        body = _read_answer(self._connection)
        return (time.perf_counter_ns() - started) / 1e6, body


def one_by_one(url: str, requests: Iterable[bytes], pause: float = 0.0) -> list[float]:
    """Send `requests` over one connection, each after the answer to the one before; milliseconds of each.

    `pause`: seconds before each of them, which do not count.
    """
    times = []
    with Client(url) as client:
        for request in requests:
            if pause:
                time.sleep(pause)
            times.append(client.send(request)[0])
    return times


def _read_answer(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lowered = head.lower()
    if not head.startswith(b"HTTP/1.1 2") or b"x-amz-function-error" in lowered:
        raise RuntimeError(data.decode("utf-8", "replace"))
    size = int(lowered.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    while len(body) < size:
        body += _more(connection)
    return body


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    if not piece:
        raise RuntimeError("the server closed the connection")
    return piece


class _Connection(asyncio.Protocol):
    """Sends one of `requests` after the other, until they, the time or `left` of them are over."""

    def __init__(self, requests: Iterator[bytes], until: float, left: int) -> None:
        self.times: list[float] = []
        self.bodies: list[bytes] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._until = until
        self._left = left
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
            return
        self._started = time.perf_counter_ns()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(f"the server closed the connection: {error}"))

    def on_message_begin(self) -> None:
        self._failed = False
        self._body = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        self._failed = self._failed or name.lower() == b"x-amz-function-error"

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.times.append((time.perf_counter_ns() - self._started) / 1e6)
        self.bodies.append(self._body)
        self._left -= 1
        if self._failed or self._parser.get_status_code() // 100 != 2:
            self.done.set_exception(RuntimeError(self._body.decode("utf-8", "replace")))
        elif self._left > 0 and time.perf_counter() < self._until:
            self.send()
        else:
            self.done.set_result(None)


def at_once(
    url: str, requests: bytes | Iterable[bytes], connections: int, seconds: float, each: int = 1_000_000
) -> tuple[list[float], float, list[bytes]]:
    """`connections` of them, each back to back: (milliseconds of every request, seconds in all, the last bodies).

    They share `requests`, or all send the same one. No more than `each` are sent over one connection.
    """
    shared = repeat(requests) if isinstance(requests, bytes) else iter(requests)

    async def run() -> tuple[list[float], float, list[bytes]]:
        loop = asyncio.get_running_loop()
        parts = urlsplit(url)
        until = time.perf_counter() + seconds
        made = []
        for _ in range(connections):
            _, protocol = await loop.create_connection(
                lambda: _Connection(shared, until, each), parts.hostname, parts.port
            )
            made.append(protocol)
        started = time.perf_counter()
        for connection in made:
            connection.send()
        await asyncio.gather(*(connection.done for connection in made))
        elapsed = time.perf_counter() - started
        times = [value for connection in made for value in connection.times]
        for connection in made:
            connection._transport.close()
        return times, elapsed, [connection.bodies[-1] for connection in made if connection.bodies]

    return uvloop.run(run())
