"""Streamed responses as they arrive at the Runtime API: bytes in, pieces out."""

from __future__ import annotations

import base64
import itertools
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.domain.invocation import Flow
from ingle.runtime_api import streaming
from ingle.runtime_api.calls import Interfaces
from ingle.runtime_api.extensions import Extensions, FunctionFacts
from ingle.runtime_api.http import RuntimeConnection
from ingle.runtime_api.session import Reply, RuntimeSession, State

API = "/2018-06-01/runtime/invocation"
NEXT = f"GET {API}/next HTTP/1.1\r\nHost: x\r\n\r\n".encode()
HEAD = (
    f"POST {API}/id/response HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
    "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n"
).encode()
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Sink:
    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.kind: str | None = "nothing begun"
        self.source: Flow

    @property
    def size(self) -> int:
        return sum(map(len, self.pieces))

    def begin(self, content_type: str | None, source: Flow) -> None:
        self.kind = content_type
        self.source = source

    def write(self, data: bytes) -> None:
        self.pieces.append(data)


class Transport:
    def __init__(self) -> None:
        self.written = b""
        self.paused = self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def pause_reading(self) -> None:
        assert not self.closed
        self.paused = True

    def resume_reading(self) -> None:
        assert not self.closed
        self.paused = False

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


class Runtime:
    """A runtime that has an invocation whose caller wants a stream."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.broken: list[Reply] = []
        self.sink, self.transport = Sink(), Transport()
        self.session = RuntimeSession(self)
        nothing: Any = None
        facts = FunctionFacts(name="f", version="$LATEST", handler="app.handler", account="1")
        interfaces = Interfaces(
            runtime=self.session, extensions=Extensions(nothing, facts), telemetry=nothing, identity=nothing
        )
        self.connection = RuntimeConnection(interfaces)
        self.connection.connection_made(cast("Any", self.transport))
        self.send(NEXT)
        self.session.invoke("id", b"", b"", self.sink)

    def runtime_ready(self) -> None: ...
    def runtime_restorable(self) -> None: ...
    def runtime_failed_to_initialise(self, reply: Reply) -> None: ...

    def runtime_replied(self, reply: Reply) -> None:
        self.replies.append(reply)

    def runtime_broke_off(self, reply: Reply) -> None:
        self.broken.append(reply)

    def send(self, data: bytes, size: int = 0) -> None:
        for start in range(0, len(data), size or len(data)):
            self.connection.data_received(data[start : start + (size or len(data))])


@pytest.fixture
def runtime() -> Runtime:
    return Runtime()


def test_pieces_go_on_as_they_come(runtime: Runtime) -> None:
    runtime.send(HEAD)
    assert (runtime.sink.kind, runtime.sink.pieces) == ("text/plain", [])
    for number in range(3):
        runtime.send(chunk(b"%d" % number))
        assert runtime.sink.pieces[-1] == b"%d" % number
    assert (runtime.replies, runtime.transport.written) == ([], b"")
    runtime.send(END)
    assert runtime.replies == [Reply(body=b"", failed=False, streamed=3)]
    assert runtime.transport.written.startswith(b"HTTP/1.1 202")
    runtime.send(NEXT)
    assert runtime.session.state is State.READY


def test_what_arrives_together_goes_on_together(runtime: Runtime) -> None:
    runtime.send(HEAD + chunk(b"one") + chunk(b"two") + END + NEXT)
    assert runtime.sink.pieces == [b"onetwo"]
    assert runtime.session.polling


@pytest.mark.parametrize("size", [1, 2, 7])
def test_no_cut_matters(runtime: Runtime, size: int) -> None:
    runtime.send(HEAD + chunk(b"one") + chunk(b"two" * 100) + END, size)
    assert b"".join(runtime.sink.pieces) == b"one" + b"two" * 100
    assert len(runtime.replies) == 1


def test_a_body_of_known_length_is_streamed_too(runtime: Runtime) -> None:
    runtime.send(HEAD.replace(b"Transfer-Encoding: chunked", b"Content-Length: 4") + b"ab")
    assert runtime.sink.pieces == [b"ab"]
    runtime.send(b"cd")
    assert (runtime.sink.pieces, len(runtime.replies)) == ([b"ab", b"cd"], 1)


@pytest.mark.parametrize(
    ("trailers", "kind", "body"),
    [
        (b"Lambda-Runtime-Function-Error-Type: E.F\r\nLambda-Runtime-Function-Error-Body: " + base64.b64encode(b"{}"),
         "E.F", b"{}"),
        (b"Lambda-Runtime-Function-Error-Type: E.F", "E.F", b""),
        (b"Lambda-Runtime-Function-Error-Body: e30=", None, b"{}"),
        (b"Lambda-Runtime-Function-Error-Body: no base64!", None, b"no base64!"),
    ],
)  # fmt: skip
def test_trailers_tell_of_an_error(runtime: Runtime, trailers: bytes, kind: str | None, body: bytes) -> None:
    runtime.send(HEAD + chunk(b"half") + b"0\r\n" + trailers + b"\r\n\r\n")
    assert runtime.replies == [Reply(body=body, failed=True, error_type=kind, streamed=4)]


def test_a_reader_who_waits_lets_the_runtime_wait(runtime: Runtime) -> None:
    runtime.send(HEAD)
    runtime.sink.source.pause()
    assert runtime.transport.paused
    runtime.sink.source.resume()
    assert not runtime.transport.paused
    runtime.sink.source.pause()
    runtime.send(chunk(b"last") + END)
    # The poll comes on this connection: it is not held up by who reads the response.
    assert not runtime.transport.paused
    runtime.sink.source.pause()
    assert not runtime.transport.paused


def test_more_than_the_limit_ends_the_response(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_STREAMED", 10)
    runtime.send(HEAD + chunk(b"123456789"))
    runtime.send(chunk(b"0123"))
    assert runtime.sink.size == 10
    (reply,) = runtime.replies
    assert (reply.failed, reply.error_type, reply.streamed) == (True, "Function.ResponseSizeTooLarge", 10)
    runtime.send(chunk(b"more") * 10)
    assert (runtime.sink.size, runtime.transport.written) == (10, b"")
    runtime.send(END)
    assert runtime.transport.written.startswith(b"HTTP/1.1 413")
    assert len(runtime.replies) == 1


@pytest.mark.parametrize("garbage", [b"zz\r\n", b"3\r\n12345\r\n", b"f" * 17 + b"\r\n"])
def test_framing_that_cannot_be_read_breaks_off(runtime: Runtime, garbage: bytes) -> None:
    runtime.send(HEAD + chunk(b"half"))
    runtime.send(garbage)
    assert runtime.transport.written.startswith(b"HTTP/1.1 400")
    assert runtime.transport.closed
    runtime.connection.connection_lost(None)
    (reply,) = runtime.broken
    assert (reply.failed, reply.error_type) == (True, "Runtime.TruncatedResponse")
    assert runtime.sink.pieces[0] == b"half"


def test_a_connection_that_is_lost_breaks_off(runtime: Runtime) -> None:
    runtime.send(HEAD + chunk(b"half"))
    runtime.connection.connection_lost(None)
    (reply,) = runtime.broken
    assert (reply.error_type, reply.streamed) == ("Runtime.TruncatedResponse", 4)


def test_nothing_reaches_an_invocation_that_is_over(runtime: Runtime) -> None:
    runtime.send(HEAD + chunk(b"half"))
    runtime.session.close()
    runtime.send(END)
    assert runtime.replies == []
    assert b"403" in runtime.transport.written.split(b"\r\n")[0]


def test_a_stream_for_another_invocation_is_refused(runtime: Runtime) -> None:
    runtime.send(HEAD.replace(b"/id/", b"/other/") + chunk(b"x") + END)
    assert runtime.transport.written.startswith(b"HTTP/1.1 400")
    assert (runtime.sink.pieces, runtime.session.state) == ([], State.RUNNING)


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=40), max_size=12),
    cuts=st.lists(st.integers(min_value=1, max_value=60), min_size=1, max_size=30),
    error=st.booleans(),
)
def test_any_pieces_in_any_segments_arrive_as_they_were(pieces: list[bytes], cuts: list[int], error: bool) -> None:
    runtime = Runtime()
    trailers = b"Lambda-Runtime-Function-Error-Type: E\r\n" if error else b""
    data = HEAD + b"".join(map(chunk, pieces)) + b"0\r\n" + trailers + b"\r\n" + NEXT
    for size in itertools.cycle(cuts):
        segment, data = data[:size], data[size:]
        runtime.send(segment)
        if not data:
            break
    assert b"".join(runtime.sink.pieces) == b"".join(pieces)
    (reply,) = runtime.replies
    assert (reply.failed, reply.streamed) == (error, sum(map(len, pieces)))
    assert runtime.session.polling


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=5),
    garbage=st.binary(min_size=1, max_size=60),
    at=st.integers(min_value=0, max_value=200),
)
def test_garbage_anywhere_ends_the_stream_once_and_raises_nothing(pieces: list[bytes], garbage: bytes, at: int) -> None:
    runtime = Runtime()
    data = b"".join(map(chunk, pieces)) + END
    at = min(at, len(data))
    runtime.send(HEAD)
    for segment in (data[:at], garbage, data[at:]):
        if segment and not runtime.transport.closed:
            runtime.send(segment)
    runtime.connection.connection_lost(None)
    assert len(runtime.replies) + len(runtime.broken) == 1
    assert runtime.session.state in (State.RESPONDED, State.READY)
