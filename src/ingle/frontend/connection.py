"""One HTTP/1.1 connection: uvicorn's httptools protocol with bounds on size and time, and errors in AWS's shape.

A connection always has a deadline unless its request is being worked on; `server` looks at deadlines in turn, so that
no timer is made for a request. Called by `server`.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Any, cast

import httptools
import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

#: Bytes that are no longer worth gathering.
_LARGE = 16 * 1024
#: For SO_LINGER: what was not sent is thrown away, and the peer sees that.
_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Bounds of one connection, in bytes and seconds.

    `head`: request line and headers together, 1 MB as on AWS. `discard`: how much of a refused body is read and thrown
    away, so that its sender gets to see the answer. `linger`: how long a refused client may go on sending.
    `stream_stall`: how long a client may take nothing of an answer that is sent while it is made. The function's time
    limit comes before that, and large socket buffers hide for long that a slow client reads.
    """

    head_bytes: int = 1 << 20
    discard_bytes: int = 128 << 20
    head_seconds: float = 30.0
    body_stall_seconds: float = 30.0
    write_stall_seconds: float = 60.0
    stream_stall_seconds: float = 960.0
    idle_seconds: float = 75.0
    linger_seconds: float = 2.0
    #: Connections that one listener holds at a time; a further one is closed at once.
    connections: int = 8192


class ListenerState:
    """What uvicorn's protocol shares between connections; one for each listener. Headers come from the server."""

    def __init__(self, server_headers: list[list[tuple[bytes, bytes]]]) -> None:
        self.total_requests = 0
        self.connections: set[Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._server_headers = server_headers

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        return self._server_headers[0]


class CorkedTransport:
    """A transport that sends what one turn of the event loop writes in one system call.

    uvicorn writes head and body of a response apart; each write wakes the client up, which costs more than the rest of
    answering a small request. Everything else is the transport's own.
    """

    __slots__ = ("_call_soon", "_held", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._call_soon = loop.call_soon
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        held = self._held
        held.append(data)
        if len(data) > _LARGE:
            # Whoever writes so much has to learn at once that the peer does not take it.
            self.flush()
        elif len(held) == 1:
            self._call_soon(self.flush)

    def flush(self) -> None:
        held, self._held = self._held, []
        # The peer may have left in between.
        if held and not self._transport.is_closing():
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def write_eof(self) -> None:
        self.flush()
        self._transport.write_eof()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Connection(HttpToolsProtocol):
    """See the module. `deadline` is in the loop's time; `expire` is called once it has passed."""

    cycle: RequestResponseCycle | None  # type: ignore[assignment]

    def __init__(
        self, config: Config, state: ListenerState, app_state: dict[str, Any], limits: ConnectionLimits
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(config, cast("ServerState", state), {**app_state, "connection": self}, loop)
        self.deadline = math.inf
        self._limits = limits
        self._now = loop.time
        self._head_open = False
        self._head_bytes = 0
        self._discarded = 0
        self._refused = False
        self._streaming = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        corked = CorkedTransport(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", corked))
        self.deadline = self._now() + self._limits.idle_seconds
        if len(self.server_state.connections) > self._limits.connections:
            self._refused = True
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if not self._head_open and self._receiving_body():
            self.deadline = self._now() + self._limits.body_stall_seconds
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.refuse(400, "BadRequestException", "The request is not valid HTTP.")
        except httptools.HttpParserUpgrade:
            # An Upgrade is answered as an ordinary request; nothing can follow it on the connection.
            if self.cycle is not None:
                self.cycle.keep_alive = False
        if self._head_open and not self._refused:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes:
                self.refuse(431, "RequestHeaderSectionTooLarge", "The request line and headers are too large.")

    def _receiving_body(self) -> bool:
        return self.cycle is not None and self.cycle.more_body

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """A client that has asked everything may still read: it gets its answers, and then the connection ends."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body or not self.transport.can_write_eof():
            return None
        cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_open = True
        self._head_bytes = 0
        self._discarded = 0
        self.deadline = self._now() + self._limits.head_seconds

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head_open = False
        self.deadline = self._now() + self._limits.body_stall_seconds

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self.cycle is not None and self.cycle.response_complete:
            self._discarded += len(body)
            if self._discarded > self._limits.discard_bytes:
                self._close_refused()

    def on_message_complete(self) -> None:
        cycle = self.cycle
        if cycle is None or not cycle.response_complete:
            self.deadline = math.inf
            super().on_message_complete()
        else:
            cycle.more_body = False
            self.deadline = self._now() + self._limits.idle_seconds

    def on_response_complete(self) -> None:
        """As uvicorn's, but with a deadline in place of a timer for each response."""
        self.server_state.total_requests += 1
        self._streaming = False
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        limits = self._limits
        seconds = limits.body_stall_seconds if self._receiving_body() else limits.idle_seconds
        self.deadline = self._now() + seconds

    def pause_writing(self) -> None:
        super().pause_writing()
        limits = self._limits
        self.deadline = self._now() + (limits.stream_stall_seconds if self._streaming else limits.write_stall_seconds)

    def resume_writing(self) -> None:
        super().resume_writing()
        answered = self.cycle is None or self.cycle.response_complete
        self.deadline = self._now() + self._limits.idle_seconds if answered else math.inf

    # --- answers that are sent while they are made (`streaming.Streaming`) --------------------------------------------

    def begin_streaming(self) -> bool:
        cycle = self.cycle
        self._streaming = True
        if cycle is None or cycle.scope["http_version"] != "1.0":
            return True
        # These clients know no chunks: the answer ends with the connection.
        cycle.chunked_encoding = False
        cycle.expected_content_length = sys.maxsize
        return cycle.scope["method"] == "HEAD"

    def end_unframed(self) -> None:
        self._end_answer()
        self.transport.close()

    def break_off(self) -> None:
        self._end_answer()
        if self.cycle is None or self.cycle.scope["http_version"] != "1.0":
            # What was sent arrives, and the end of its last chunk does not.
            self.transport.close()
        else:
            self._reset()

    def _reset(self) -> None:
        """An end that cannot be taken for that of a body."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()

    def _end_answer(self) -> None:
        """Nothing follows. What is on its way may take its time: the client reads as slowly as it did before."""
        if self.cycle is not None:
            self.cycle.response_complete = True
        self.deadline = self._now() + self._limits.stream_stall_seconds

    def expire(self) -> None:
        """The deadline has passed: answer 408 where a request was on its way in, else close."""
        if self._refused or self.transport.is_closing() or self.flow.write_paused:
            self.transport.abort()
        elif self.flow.read_paused:
            # It is this side that does not read: the client is not late.
            self.deadline = self._now() + self._limits.body_stall_seconds
        elif self._head_open or (self._receiving_body() and not self._answered()):
            self.refuse(408, "RequestTimeoutException", "The request was not received in time.")
        else:
            self._close()

    def refuse(self, status: int, code: str, message: str) -> None:
        """Answer an error that belongs to no operation, and close. Answers that are under way are not disturbed."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete and not cycle.more_body and not cycle.response_started:
            # A complete request is being worked on and has the next answer: this connection ends behind that one.
            cycle.keep_alive = False
            self.pipeline.clear()
            self._refused = True
            self.deadline = math.inf
            return
        if cycle is None or not cycle.response_started or cycle.response_complete:
            self.transport.write(self._error_bytes(status, code, message))
        self._close_refused()

    def _error_bytes(self, status: int, code: str, message: str) -> bytes:
        body = orjson.dumps({"message": message})
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"x-amzn-errortype", code.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        return STATUS_LINE[status] + lines + b"\r\n" + body

    def _close_refused(self) -> None:
        """End our half, and read on for a moment: closing with unread input would reset the answer away."""
        self._refused = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.flow.resume_reading()
        self.deadline = self._now() + self._limits.linger_seconds
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _answered(self) -> bool:
        return self.cycle is not None and self.cycle.response_complete

    def _close(self) -> None:
        self.deadline = self._now() + self._limits.linger_seconds
        self.transport.close()
