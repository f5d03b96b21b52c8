"""A load generator for invocations: raw HTTP with SigV4 headers, timed per request in nanoseconds.

Runs in the benchmark's process, on the same machine as the server. Answers are checked to be 200 without a function
error; their bodies are returned for those who want them.
"""

from __future__ import annotations

import asyncio
import socket
import time
from urllib.parse import quote, urlsplit

import httptools
import uvloop
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def invocation(
    url: str, function: str, payload: bytes = b"{}", qualifier: str | None = None,
    keys: tuple[str, str] = ("test", "test"),
) -> bytes:  # fmt: skip
    """One signed invocation of `function` as the bytes of an HTTP request."""
    address = f"{url}/2015-03-31/functions/{quote(function)}/invocations"
    if qualifier is not None:
        address += f"?Qualifier={quote(qualifier)}"
    request = AWSRequest("POST", address, data=payload, headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials(*keys), "lambda", "us-east-1").add_auth(request)
    parts = urlsplit(address)
    headers = {"Host": parts.netloc, "Content-Length": str(len(payload)), **dict(request.headers.items())}
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


def reading(url: str, function: str) -> bytes:
    """One signed GetFunction as the bytes of an HTTP request."""
    address = f"{url}/2015-03-31/functions/{quote(function)}"
    request = AWSRequest("GET", address)
    SigV4Auth(Credentials("test", "test"), "lambda", "us-east-1").add_auth(request)
    parts = urlsplit(address)
    headers = {"Host": parts.netloc, **dict(request.headers.items())}
    lines = [f"GET {parts.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def one_by_one(url: str, requests: list[bytes], pause: float = 0.0) -> list[float]:
    """Send `requests` over one connection, each after the answer to the one before; milliseconds of each.

    `pause`: seconds before each of them, which do not count.
    """
    times = []
    with _connect(url) as connection:
        for request in requests:
            if pause:
                time.sleep(pause)
            started = time.perf_counter_ns()
            connection.sendall(request)
            _read_answer(connection)
            times.append((time.perf_counter_ns() - started) / 1e6)
    return times


def _connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _read_answer(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lowered = head.lower()
    if not head.startswith(b"HTTP/1.1 200") or b"x-amz-function-error" in lowered:
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
    """Sends its request again as soon as it is answered, until `until` or `left` requests are done."""

    def __init__(self, request: bytes, until: float, left: int) -> None:
        self.times: list[float] = []
        self.bodies: list[bytes] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._until = until
        self._left = left
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def send(self) -> None:
        self._started = time.perf_counter_ns()
        self._transport.write(self._request)

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
        if self._failed or self._parser.get_status_code() != 200:
            self.done.set_exception(RuntimeError(self._body.decode("utf-8", "replace")))
        elif self._left > 0 and time.perf_counter() < self._until:
            self.send()
        else:
            self.done.set_result(None)


def at_once(
    url: str, request: bytes, connections: int, seconds: float, each: int = 1_000_000
) -> tuple[list[float], float, list[bytes]]:
    """`connections` of them, each back to back: (milliseconds of every request, seconds in all, the last bodies)."""

    async def run() -> tuple[list[float], float, list[bytes]]:
        loop = asyncio.get_running_loop()
        parts = urlsplit(url)
        until = time.perf_counter() + seconds
        made = []
        for _ in range(connections):
            _, protocol = await loop.create_connection(
                lambda: _Connection(request, until, each), parts.hostname, parts.port
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
        return times, elapsed, [connection.bodies[-1] for connection in made]

    return uvloop.run(run())
