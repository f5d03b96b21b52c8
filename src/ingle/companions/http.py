"""One HTTP/1.1 request and its answer, on a connection of its own. Bounded in time and in bytes.

`exchange` reads the whole answer. `opened` hands it on piece by piece, and takes a request the same way: nothing more
is read of either side than the other has taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import httptools

from ingle.companions.endpoint import Endpoint
from ingle.companions.errors import TooLarge, Unconnected, Unreachable

_CHUNK = 256 * 1024
_MAX_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds: to connect, between two pieces of an answer or of a request, and for the whole exchange."""

    connect: float = 5.0
    silence: float = 15.0
    total: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Names of headers are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer whose head is there. `headers` are in their order, names in lower case.

    `pieces` is the body, as it comes. Reading it raises Unreachable, and what the request's own body raises.
    """

    status: int
    headers: list[tuple[str, str]]
    pieces: AsyncIterator[bytes]


async def exchange(
    endpoint: Endpoint, method: str, target: str, headers: Mapping[str, str], body: bytes = b"", *, limit: int,
    times: Times,
) -> Answer:  # fmt: skip
    """`headers` tell what `body` is, but for its length.

    Raises Unreachable, and TooLarge for an answer whose body has more than `limit` bytes.
    """
    sent = [*headers.items(), ("content-length", str(len(body)))] if body else headers.items()
    async with opened(endpoint, method, target, sent, body, times=times) as incoming:
        found = dict(incoming.headers)
        declared = found.get("content-length", "")
        gathered = io.BytesIO()
        if method != "HEAD" and declared.isdecimal() and int(declared) > limit:
            raise TooLarge(f"The answer has more than {limit} bytes.")
        async for piece in incoming.pieces:
            gathered.write(piece)
            if gathered.tell() > limit:
                raise TooLarge(f"The answer has more than {limit} bytes.")
        return Answer(status=incoming.status, headers=found, body=gathered.getvalue())


@contextlib.asynccontextmanager
async def opened(
    endpoint: Endpoint, method: str, target: str, headers: Iterable[tuple[str, str]],
    body: bytes | AsyncIterator[bytes] = b"", *, times: Times,
) -> AsyncIterator[Incoming]:  # fmt: skip
    """Send a request and wait for the head of its answer; leaving ends the connection.

    `headers` say how long the body is. Raises Unreachable, which is Unconnected before anything was sent, and what
    reading `body` raises: the request is cut off then.
    """
    try:
        async with asyncio.timeout(times.total):
            reader, writer = await _connected(endpoint, times)
            try:
                async with _Exchange(reader, writer, times, bodiless=method == "HEAD") as running:
                    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
                    writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1"))
                    running.send(body)
                    yield await running.head()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except TimeoutError:
        raise Unreachable("it does not answer in time") from None
    except OSError as error:
        raise Unreachable(_reason(error)) from error
    except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
        raise Unreachable(f"its answer is not HTTP: {error}") from error


async def _connected(endpoint: Endpoint, times: Times) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Raises Unconnected."""
    try:
        async with asyncio.timeout(times.connect):
            return await asyncio.open_connection(endpoint.host, endpoint.port, ssl=endpoint.tls)
    except TimeoutError:
        raise Unconnected("it does not answer in time") from None
    except OSError as error:
        raise Unconnected(_reason(error)) from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()


class _Exchange:
    """A body on its way out, beside an answer on its way in."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, times: Times, *, bodiless: bool
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._times = times
        self._reading = _Reading(bodiless=bodiless)
        self._parser = httptools.HttpResponseParser(self._reading)
        self._sending: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._sent = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        sending = self._sending
        if sending is not None and not sending.done():
            sending.cancel()
            await asyncio.wait([sending])

    def send(self, body: bytes | AsyncIterator[bytes]) -> None:
        if isinstance(body, bytes):
            self._writer.write(body)
        else:
            self._sending = asyncio.create_task(self._send(body))

    async def _send(self, body: AsyncIterator[bytes]) -> None:
        try:
            async for piece in body:
                self._writer.write(piece)
                self._sent += len(piece)
                async with asyncio.timeout(self._times.silence):
                    await self._writer.drain()
        except (OSError, TimeoutError):
            # A companion may answer before it has taken everything. If it does not, reading tells.
            return
        except Exception as error:  # told to whoever waits for the answer
            self._failure = error
            self._writer.transport.abort()

    async def head(self) -> Incoming:
        while not self._reading.head_complete or self._parser.get_status_code() < 200:
            if not await self._read():
                raise Unreachable("it ends the connection in the middle of its answer")
        return Incoming(self._parser.get_status_code(), self._reading.headers, self._pieces())

    async def _pieces(self) -> AsyncIterator[bytes]:
        reading = self._reading
        while True:
            if piece := reading.taken():
                yield piece
            if reading.complete:
                return
            if not await self._read():
                if reading.ends_with_connection:
                    return
                raise Unreachable("it ends the connection in the middle of its answer")

    async def _read(self) -> bool:
        """Take what comes next; False at the end of the connection."""
        try:
            data = await self._received()
        except OSError:
            if self._failure is not None:
                raise self._failure from None
            raise
        if self._failure is not None:
            raise self._failure
        if data:
            self._reading.take(self._parser, data)
        return bool(data)

    async def _received(self) -> bytes:
        """Raises TimeoutError once nothing has moved in either direction for too long."""
        while True:
            before = self._sent
            try:
                async with asyncio.timeout(self._times.silence):
                    return await self._reader.read(_CHUNK)
            except TimeoutError:
                if self._sent == before:
                    raise


class _Reading:
    """What httptools tells while it reads one answer."""

    def __init__(self, *, bodiless: bool) -> None:
        self.headers: list[tuple[str, str]] = []
        self.complete = False
        self.head_complete = False
        self._body: list[bytes] = []
        self._bodiless = bodiless
        self._head_size = 0

    @property
    def ends_with_connection(self) -> bool:
        """The answer says of its body neither how long it is nor that it comes in chunks."""
        return not any(name in ("content-length", "transfer-encoding") for name, _ in self.headers)

    def take(self, parser: httptools.HttpResponseParser, data: bytes) -> None:
        if not self.head_complete:
            self._head_size += len(data)
        parser.feed_data(data)
        if not self.head_complete and self._head_size > _MAX_HEAD:
            raise Unreachable("the head of its answer has no end")

    def taken(self) -> bytes:
        """What there is of the body since the last time."""
        found, self._body = self._body, []
        return found[0] if len(found) == 1 else b"".join(found)

    def on_message_begin(self) -> None:
        # An interim answer, such as 100 Continue, is followed by another.
        self.headers = []
        self.head_complete = self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.head_complete = True
        self.complete = self._bodiless

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        self.complete = True
