"""The OpenTelemetry collector that traces are sent to: one POST, bounded in time and in what is read of the answer.

The endpoint is the operator's choice and its answers are not trusted with more than that. A connection of its own for
each request: there is one a second at the most. No proxy is used. Called by `observability.traces`.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httptools

from ingle.certificates import authorities

#: Seconds that one request may take.
_SECONDS = 10.0
_LARGEST_ANSWER = 65_536
_PATH = "/v1/traces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`retry_after`: seconds that the collector asks to wait, 0 if it asks for nothing."""

    status: int
    body: bytes = b""
    retry_after: float = 0.0


def certificates(endpoint: str | None) -> list[Path]:
    """Where the authorities are that a collector's certificate is checked against; nothing without TLS."""
    if endpoint is None or urlsplit(endpoint).scheme != "https":
        return []
    return authorities()


class Collector:
    """`endpoint` is the base URL that OTEL_EXPORTER_OTLP_ENDPOINT has elsewhere: `http://127.0.0.1:4318`."""

    def __init__(self, endpoint: str, *, seconds: float = _SECONDS) -> None:
        parts = urlsplit(endpoint)
        self.endpoint = endpoint
        self._host = parts.hostname or ""
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._head = f"POST {parts.path.rstrip('/')}{_PATH} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        self._seconds = seconds
        self._context: ssl.SSLContext | None = None

    async def post(self, body: bytes) -> Answer:
        """Raises OSError (TimeoutError among it) if there is no answer."""
        async with asyncio.timeout(self._seconds):
            if self._tls and self._context is None:
                self._context = await asyncio.to_thread(ssl.create_default_context)
            reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._context)
            try:
                head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                writer.write((self._head + head).encode("ascii") + body)
                await writer.drain()
                return await _read(reader)
            finally:
                writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Answer:
    received = _Received()
    parser = httptools.HttpResponseParser(received)
    size = 0
    try:
        while not received.complete and size <= _LARGEST_ANSWER and (data := await reader.read(16_384)):
            size += len(data)
            parser.feed_data(data)
    except httptools.HttpParserError as error:
        raise ConnectionError("the answer is not HTTP") from error
    if not received.head_complete:
        raise ConnectionError("the connection closed before there was an answer")
    return Answer(status=parser.get_status_code(), body=bytes(received.body), retry_after=received.retry_after)


class _Received:
    def __init__(self) -> None:
        self.head_complete = False
        self.complete = False
        self.body = bytearray()
        self.retry_after = 0.0

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after" and value.isdigit():
            self.retry_after = float(value[:6])

    def on_headers_complete(self) -> None:
        self.head_complete = True

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete = True
