"""Answers that are sent while they are made, spoken to in bytes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ingle.domain.errors import InternalFailure, TooManyRequests
from ingle.frontend.asgi import Application
from ingle.frontend.connection import ConnectionLimits
from ingle.frontend.server import HttpServer, Listener

from .conftest import bound_socket

TARGET = "/2021-11-15/functions/f/response-streaming-invocations"
PIECE = b"." * 262_144


class Streaming:
    """A handler whose events are made as a test says."""

    def __init__(self):
        self.queue = asyncio.Queue()
        self.closed = asyncio.Event()
        self.refusal = None

    async def __call__(self, caller, params):
        if self.refusal is not None:
            raise self.refusal
        return {"StatusCode": 200, "ExecutedVersion": "1", "EventStream": self.events()}

    async def events(self):
        try:
            while (event := await self.queue.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield {"PayloadChunk": {"Payload": event}}
        finally:
            self.closed.set()


@asynccontextmanager
async def served(handler: Streaming, **limits: float) -> AsyncIterator[Listener]:
    app = Application({("lambda", "InvokeWithResponseStream"): handler}, {})
    async with HttpServer(app, limits=ConnectionLimits(**limits), tick_seconds=0.02, drain_seconds=1) as http:
        yield await http.listen(bound_socket())


async def ask(listener: Listener, version: str = "1.1", receive: int | None = None):
    """A connection on which the request was sent. `receive`: how much its socket takes before it is read."""
    sock = socket.socket()
    if receive is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, listener.addresses[0])
    reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
    writer.write(f"POST {TARGET} HTTP/{version}\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    return reader, writer


async def test_each_event_is_sent_before_the_next_is_there():
    handler = Streaming()
    async with served(handler) as listener:
        reader, writer = await ask(listener)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert b"transfer-encoding: chunked" in head
        for number in range(3):
            handler.queue.put_nowait(b"event %d" % number)
            await asyncio.wait_for(reader.readuntil(b"event %d" % number), 5)
        handler.queue.put_nowait(None)
        assert (await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 5)).endswith(b"\r\n0\r\n\r\n")
        # The connection serves on.
        writer.write(b"GET /_ingle/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 404")
        writer.close()


async def test_a_refusal_before_the_stream_is_an_answer_of_its_own():
    handler = Streaming()
    handler.refusal = TooManyRequests("Rate Exceeded.")
    async with served(handler) as listener:
        reader, writer = await ask(listener)
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 429")
        writer.close()


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_a_failure_in_the_middle_can_be_told_from_an_end(version):
    handler = Streaming()
    async with served(handler) as listener:
        reader, writer = await ask(listener, version)
        handler.queue.put_nowait(b"half")
        await asyncio.wait_for(reader.readuntil(b"half"), 5)
        handler.queue.put_nowait(InternalFailure("The server is stopping."))
        if version == "1.0":
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(reader.read(), 5)
        else:
            assert not (await asyncio.wait_for(reader.read(), 5)).endswith(b"0\r\n\r\n")
        writer.close()


async def test_a_client_that_leaves_lets_the_stream_go_on_to_its_end():
    handler = Streaming()
    async with served(handler) as listener:
        reader, writer = await ask(listener)
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        writer.transport.abort()
        for _ in range(50):
            handler.queue.put_nowait(PIECE)
        handler.queue.put_nowait(None)
        await asyncio.wait_for(handler.closed.wait(), 5)
        assert handler.queue.empty()


async def test_a_slow_client_holds_up_the_stream_and_is_not_cut_off():
    """Its answer ends with the connection, which may take as long as the answer itself might."""
    handler = Streaming()
    async with served(handler, linger_seconds=0.01, write_stall_seconds=0.01) as listener:
        reader, writer = await ask(listener, "1.0", receive=65_536)
        for _ in range(64):
            handler.queue.put_nowait(PIECE)
        handler.queue.put_nowait(None)
        (connection,) = listener.connections
        for _ in range(100_000):
            if connection.flow.write_paused:
                break
            await asyncio.sleep(0)
        assert not handler.queue.empty()
        now = asyncio.get_running_loop().time()
        assert connection.deadline > now + 900
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        size = 0
        while data := await asyncio.wait_for(reader.read(1 << 20), 5):
            size += data.count(b".")
            if handler.closed.is_set():
                assert connection.deadline > now + 900
        assert size == 64 * len(PIECE)
        writer.close()


async def test_a_client_that_never_reads_is_cut_off_in_the_end():
    handler = Streaming()
    async with served(handler, stream_stall_seconds=0.05) as listener:
        _, writer = await ask(listener, receive=65_536)
        for _ in range(64):
            handler.queue.put_nowait(PIECE)
        handler.queue.put_nowait(None)
        await asyncio.wait_for(handler.closed.wait(), 5)
        assert not listener.connections
        writer.close()


async def test_a_client_whose_half_has_ended_gets_its_answer():
    handler = Streaming()
    async with served(handler) as listener:
        reader, writer = await ask(listener)
        writer.write_eof()
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        handler.queue.put_nowait(b"late")
        handler.queue.put_nowait(None)
        assert (await asyncio.wait_for(reader.read(), 5)).endswith(b"0\r\n\r\n")
        writer.close()
