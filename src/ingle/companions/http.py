"""One HTTP/1.1 request and its answer, on a connection of its own. Bounded in time and in bytes."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass

import httptools

from ingle.companions.endpoint import Endpoint
from ingle.companions.errors import TooLarge, Unreachable

_CHUNK = 256 * 1024
_MAX_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds: to connect, between two pieces of an answer, and for the whole of it."""

    connect: float = 5.0
    silence: float = 15.0
    total: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Names of headers are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def exchange(
    endpoint: Endpoint, method: str, target: str, headers: Mapping[str, str], body: bytes = b"", *, limit: int,
    times: Times,
) -> Answer:  # fmt: skip
    """`headers` tell what `body` is, but for its length.

    Raises Unreachable, and TooLarge for an answer whose body has more than `limit` bytes.
    """
    try:
        async with asyncio.timeout(times.total):
            return await _exchange(endpoint, method, target, headers, body, limit, times)
    except TimeoutError:
        raise Unreachable("it does not answer in time") from None
    except OSError as error:
        raise Unreachable((error.strerror or str(error) or type(error).__name__).lower()) from error
    except httptools.HttpParserError as error:
        raise Unreachable(f"its answer is not HTTP: {error}") from error


async def _exchange(
    endpoint: Endpoint, method: str, target: str, headers: Mapping[str, str], body: bytes, limit: int, times: Times
) -> Answer:
    async with asyncio.timeout(times.connect):
        reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=endpoint.tls)
    try:
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if body:
            lines.append(f"content-length: {len(body)}")
        writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1") + body)
        reading = _Reading(limit, bodiless=method == "HEAD")
        parser = httptools.HttpResponseParser(reading)
        while not reading.complete:
            async with asyncio.timeout(times.silence):
                data = await reader.read(_CHUNK)
            if data:
                reading.take(parser, data)
            elif reading.ends_with_connection:
                break
            else:
                raise Unreachable("it ends the connection in the middle of its answer")
        return Answer(status=parser.get_status_code(), headers=reading.headers, body=reading.body.getvalue())
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class _Reading:
    """What httptools tells while it reads one answer."""

    def __init__(self, limit: int, *, bodiless: bool) -> None:
        self.headers: dict[str, str] = {}
        self.body = io.BytesIO()
        self.complete = False
        self._limit = limit
        self._bodiless = bodiless
        self._head_complete = False
        self._head_size = 0

    @property
    def ends_with_connection(self) -> bool:
        """The answer says of its body neither how long it is nor that it comes in chunks."""
        return self._head_complete and not self.headers.keys() & {"content-length", "transfer-encoding"}

    def take(self, parser: httptools.HttpResponseParser, data: bytes) -> None:
        if not self._head_complete:
            self._head_size += len(data)
        parser.feed_data(data)
        if not self._head_complete and self._head_size > _MAX_HEAD:
            raise Unreachable("the head of its answer has no end")
        declared = self.headers.get("content-length", "")
        too_large = declared.isdecimal() and int(declared) > self._limit and not self._bodiless
        if too_large or self.body.tell() > self._limit:
            raise TooLarge(f"The answer has more than {self._limit} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._head_complete = True
        self.complete = self._bodiless

    def on_body(self, data: bytes) -> None:
        self.body.write(data)

    def on_message_complete(self) -> None:
        self.complete = True
