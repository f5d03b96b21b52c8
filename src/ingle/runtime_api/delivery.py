"""Batches of telemetry on their way to one subscriber, inside the execution environment's own network.

The destination is function code's neighbour and not trusted: what it answers is bounded, what it does not take is
dropped and counted, and it is never reached through the host's network. Nothing is delivered while the environment is
frozen, and no limit runs then. Called by `runtime_api.telemetry`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httptools
import orjson

from ingle.domain.clock import iso_time
from ingle.runtime_api.subscriptions import Subscription

#: An unconnected TCP socket in the environment's network namespace. Raises OSError.
Dial = Callable[[], Awaitable[socket.socket]]
#: Seconds of the environment's running time that one delivery may take.
_DELIVERY_SECONDS = 5.0
_TURN_SECONDS = 0.25
#: Seconds between attempts: doubled each time.
_FIRST_RETRY, _LAST_RETRY = 0.05, 5.0
#: Batches that wait behind one that is not taken.
_PATIENCE = 4
_LARGEST_ANSWER = 65536


class Channel:
    """One subscriber's events. `run` delivers until `close`."""

    def __init__(self, subscription: Subscription, dial: Dial) -> None:
        self.subscription = subscription
        self._transport = _Http(subscription, dial) if subscription.destination.path is not None else _Tcp(
            subscription, dial
        )  # fmt: skip
        self._pending: list[bytes] = []
        self._bytes = 0
        self._oldest = 0.0
        self._dropped_records = 0
        self._dropped_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._running = asyncio.Event()
        self._running.set()
        self._hurried = False
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def put(self, document: bytes) -> None:
        limits = self.subscription.buffering
        if self._bytes + len(document) > limits.bytes * _PATIENCE or len(self._pending) >= limits.items * _PATIENCE:
            self._dropped_records += 1
            self._dropped_bytes += len(document)
            return
        self._append(document)

    def _append(self, document: bytes) -> None:
        if not self._pending:
            self._oldest = self._loop.time()
            self._wake.set()
        self._pending.append(document)
        self._bytes += len(document)
        if self._full:
            self._wake.set()

    @property
    def _full(self) -> bool:
        limits = self.subscription.buffering
        return len(self._pending) >= limits.items or self._bytes >= limits.bytes

    def pause(self) -> None:
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    def hurry(self) -> None:
        self._hurried = True
        self._running.set()
        self._wake.set()

    def close(self) -> None:
        self._closed = True
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        """Deliver batch after batch. Ends when the channel is closed."""
        self._task = asyncio.current_task()
        if self._closed:
            return
        try:
            while True:
                await self._gather()
                await self._deliver(self._take())
        finally:
            self._transport.close()

    async def _gather(self) -> None:
        """Until a batch is due: it is full, old enough, or the environment ends."""
        while not self._pending:
            self._wake.clear()
            await self._wake.wait()
        due = self._oldest + self.subscription.buffering.milliseconds / 1000
        while not (self._full or self._hurried) and (left := due - self._loop.time()) > 0:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._wake.wait()
        await self._running.wait()

    def _take(self) -> list[bytes]:
        limits = self.subscription.buffering
        size = count = 0
        for document in self._pending[: limits.items]:
            if count and size + len(document) > limits.bytes:
                break
            size += len(document)
            count += 1
        batch, self._pending = self._pending[:count], self._pending[count:]
        self._bytes -= size
        self._oldest = self._loop.time()
        return batch

    async def _deliver(self, batch: list[bytes]) -> None:
        """Until it has been taken. Dropping happens at the other end, in `put`."""
        pause = _FIRST_RETRY
        while True:
            try:
                await self._patiently(self._transport.send(batch))
            except (OSError, TimeoutError, httptools.HttpParserError, EOFError):
                self._transport.close()
            else:
                break
            await asyncio.sleep(pause)
            await self._running.wait()
            pause = min(pause * 2, _LAST_RETRY)
        if self._dropped_records:
            self._tell_dropped()

    def _tell_dropped(self) -> None:
        record = {
            "droppedBytes": self._dropped_bytes, "droppedRecords": self._dropped_records,
            "reason": "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.",
        }  # fmt: skip
        self._dropped_records = self._dropped_bytes = 0
        if "platform" in self.subscription.kinds:
            stamp = iso_time(int(time.time() * 1000))
            self._append(orjson.dumps({"time": stamp, "type": "platform.logsDropped", "record": record}))

    async def _patiently(self, work: Coroutine[Any, Any, None]) -> None:
        """Raises TimeoutError once `work` has had its seconds of the environment's running time."""
        task = asyncio.ensure_future(work)
        left = _DELIVERY_SECONDS
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_TURN_SECONDS)
                if self._running.is_set():
                    left -= _TURN_SECONDS
                if left <= 0 and not task.done():
                    raise TimeoutError
            task.result()
        finally:
            task.cancel()


class _Stream:
    """A connection that is made when it is needed."""

    def __init__(self, subscription: Subscription, dial: Dial) -> None:
        self.destination = subscription.destination
        self._dial = dial
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.StreamReader | None = None

    async def connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._writer is None or self._reader is None or self._reader.at_eof():
            self.close()
            sock = await self._dial()
            try:
                sock.setblocking(False)
                await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.destination.port))
                self._reader, self._writer = await asyncio.open_connection(sock=sock, limit=_LARGEST_ANSWER)
            except BaseException:  # the socket has no other owner yet; raised again
                sock.close()
                raise
        return self._reader, self._writer

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


class _Tcp(_Stream):
    """One JSON document a line, over one connection."""

    async def send(self, batch: list[bytes]) -> None:
        _, writer = await self.connected()
        writer.write(b"\n".join(batch) + b"\n")
        await writer.drain()


class _Http(_Stream):
    """A POST of a JSON array for each batch; anything but a 2xx answer is a failure."""

    async def send(self, batch: list[bytes]) -> None:
        reader, writer = await self.connected()
        body = b"[" + b",".join(batch) + b"]"
        destination = self.destination
        head = (
            f"POST {destination.path} HTTP/1.1\r\nHost: {destination.host}:{destination.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode("ascii") + body)
        await writer.drain()
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        received = 0
        while not answer.complete:
            data = await reader.read(4096)
            if not data:
                break  # an answer without a length ends with its connection
            received += len(data)
            if received > _LARGEST_ANSWER:
                raise EOFError
            parser.feed_data(data)
        status = parser.get_status_code() if answer.head_complete else 0
        if not answer.complete or not parser.should_keep_alive():
            self.close()
        if not 200 <= status < 300:
            raise EOFError


class _Answer:
    def __init__(self) -> None:
        self.head_complete = False
        self.complete = False

    def on_headers_complete(self) -> None:
        self.head_complete = True

    def on_message_complete(self) -> None:
        self.complete = True
