"""The Runtime API as a runtime meets it: bytes in, bytes out."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from ingle.runtime_api import http
from ingle.runtime_api.calls import Interfaces
from ingle.runtime_api.extensions import Extensions, FunctionFacts
from ingle.runtime_api.http import MAX_RESPONSE, TOO_LARGE, RuntimeConnection
from ingle.runtime_api.session import Reply, RuntimeSession, State

PREFIX = "/2018-06-01/runtime"
NEXT = f"GET {PREFIX}/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n".encode()
HEAD = b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id\r\nContent-Length: 7\r\n\r\n"


def post(path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"POST {PREFIX}{path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Transport:
    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False
        self.aborted = False
        self.paused = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True


class Runtime:
    """A runtime, its connection and the environment behind it."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.init_errors: list[Reply] = []
        self.closings = 0
        self.session = RuntimeSession(self)
        self.connect()

    def connect(self) -> None:
        self.transport = Transport()
        nothing: Any = None
        facts = FunctionFacts(name="f", version="$LATEST", handler="app.handler", account="1")
        interfaces = Interfaces(
            runtime=self.session, extensions=Extensions(nothing, facts), telemetry=nothing, identity=nothing
        )
        self.connection = RuntimeConnection(interfaces, self.closed)
        self.connection.connection_made(cast("Any", self.transport))

    def closed(self) -> None:
        self.closings += 1

    def runtime_ready(self) -> None: ...

    def runtime_replied(self, reply: Reply) -> None:
        self.replies.append(reply)

    def runtime_broke_off(self, reply: Reply) -> None: ...

    def runtime_restorable(self) -> None: ...

    def runtime_failed_to_initialise(self, reply: Reply) -> None:
        self.init_errors.append(reply)

    def send(self, data: bytes, *, size: int | None = None) -> None:
        """Send, in segments of `size` bytes if given."""
        for start in range(0, len(data), size or len(data)):
            self.connection.data_received(data[start : start + (size or len(data))])

    def invoke(self) -> None:
        """Polls and is given the invocation `id`; what was written for that is taken."""
        self.send(NEXT)
        self.session.invoke("id", HEAD, b"payload")
        assert self.taken() == [(200, b"payload")]

    def taken(self) -> list[tuple[int, bytes]]:
        """Status and body of every answer written since the last time."""
        data = b"".join(self.transport.writes)
        self.transport.writes.clear()
        answers = []
        while data:
            head, _, rest = data.partition(b"\r\n\r\n")
            status_line, *lines = head.split(b"\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
            size = int(headers[b"content-length"])
            assert len(rest) >= size
            answers.append((int(status_line.split()[1]), rest[:size]))
            data = rest[size:]
        return answers

    def refusal(self) -> tuple[int, str]:
        """Status and error type of the one answer since the last time."""
        ((status, body),) = self.taken()
        document = json.loads(body)
        assert document["errorMessage"]
        return status, document["errorType"]


@pytest.fixture
def runtime() -> Runtime:
    return Runtime()


@pytest.mark.parametrize("size", [None, 1, 7])
def test_a_poll_gets_the_next_invocation(runtime: Runtime, size: int | None) -> None:
    runtime.send(NEXT, size=size)
    assert runtime.taken() == []
    runtime.session.invoke("id", HEAD, b"payload")
    assert runtime.taken() == [(200, b"payload")]


@pytest.mark.parametrize(("kind", "failed"), [("response", False), ("error", True)])
@pytest.mark.parametrize("size", [None, 1])
def test_a_reply_is_acknowledged(runtime: Runtime, kind: str, failed: bool, size: int | None) -> None:
    runtime.invoke()
    headers = ("Content-Type: text/plain", "Lambda-Runtime-Function-Error-Type: My.Type")
    runtime.send(post(f"/invocation/id/{kind}", b'"done"', *headers), size=size)
    assert runtime.taken() == [(202, b'{"status":"OK"}\n')]
    assert runtime.replies == [
        Reply(body=b'"done"', failed=failed, error_type="My.Type"),
    ]


def test_headers_of_one_call_do_not_reach_the_next(runtime: Runtime) -> None:
    runtime.invoke()
    runtime.send(post("/invocation/id/error", b"1", "Lambda-Runtime-Function-Error-Type: E", "Content-Type: a/b"))
    runtime.taken()
    runtime.invoke()
    runtime.send(post("/invocation/id/response", b"2"))
    assert runtime.replies[1] == Reply(body=b"2", failed=False)


def test_a_reply_and_the_next_poll_in_one_segment_are_answered_together(runtime: Runtime) -> None:
    runtime.invoke()
    runtime.send(post("/invocation/id/response", b"1") + NEXT)
    assert runtime.transport.writes == []
    assert runtime.session.polling
    runtime.session.invoke("second", HEAD, b"payload")
    assert len(runtime.transport.writes) == 1
    assert runtime.taken() == [(202, b'{"status":"OK"}\n'), (200, b"payload")]


@pytest.mark.parametrize(
    ("second", "status"),
    [
        (b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (post("/invocation/id/response", b"2"), 403),
        (b"garbage\r\n", 400),
    ],
    ids=["ping", "second reply", "garbage"],
)
def test_calls_in_one_segment_are_answered_in_their_order(runtime: Runtime, second: bytes, status: int) -> None:
    runtime.invoke()
    runtime.send(post("/invocation/id/response", b"1") + second)
    assert [status for status, _ in runtime.taken()] == [202, status]


def test_chunked_bodies_are_put_together(runtime: Runtime) -> None:
    runtime.invoke()
    head = f"POST {PREFIX}/invocation/id/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    runtime.send(head + b'4\r\n"abc\r\n3\r\nde"\r\n0\r\n\r\n', size=5)
    assert runtime.replies[0].body == b'"abcde"'
    assert runtime.taken()[0][0] == 202


def test_a_response_of_the_largest_size_is_taken(runtime: Runtime) -> None:
    runtime.invoke()
    runtime.send(post("/invocation/id/response", b"1" * MAX_RESPONSE), size=1 << 20)
    assert len(runtime.replies[0].body) == MAX_RESPONSE
    assert runtime.taken()[0][0] == 202


def test_a_larger_response_is_refused_and_fails_the_invocation(runtime: Runtime) -> None:
    runtime.invoke()
    runtime.send(post("/invocation/id/response", b"1" * (MAX_RESPONSE + 1)), size=1 << 20)
    assert runtime.refusal() == (413, "RequestEntityTooLarge")
    assert runtime.replies == [TOO_LARGE]
    document = json.loads(TOO_LARGE.body)
    assert document["errorType"] == "Function.ResponseSizeTooLarge"
    assert "(6291556 bytes)" in document["errorMessage"]
    runtime.send(NEXT)
    assert runtime.session.polling


def test_a_larger_response_is_not_kept_in_memory(runtime: Runtime) -> None:
    runtime.invoke()
    runtime.send(post("/invocation/id/response", b"1" * (MAX_RESPONSE + 2))[:-1], size=1 << 20)
    assert sum(map(len, runtime.connection._body)) <= MAX_RESPONSE


@pytest.mark.parametrize("kind", ["response", "error"])
def test_another_request_id_is_refused(runtime: Runtime, kind: str) -> None:
    runtime.invoke()
    runtime.send(post(f"/invocation/other/{kind}", b"1"))
    assert runtime.refusal() == (400, "InvalidRequestID")
    assert runtime.session.state is State.RUNNING


def test_a_second_response_is_refused(runtime: Runtime) -> None:
    runtime.invoke()
    runtime.send(post("/invocation/id/response", b"1"))
    runtime.taken()
    runtime.send(post("/invocation/id/response", b"2"))
    assert runtime.refusal() == (403, "InvalidStateTransition")
    assert [reply.body for reply in runtime.replies] == [b"1"]


def test_a_response_before_the_first_poll_is_refused(runtime: Runtime) -> None:
    runtime.send(post("/invocation/id/response", b"1"))
    assert runtime.refusal() == (400, "InvalidRequestID")
    assert runtime.session.state is State.STARTED


def test_an_initialisation_error_is_passed_on(runtime: Runtime) -> None:
    runtime.send(post("/init/error", b'{"errorType":"X"}', "Lambda-Runtime-Function-Error-Type: Runtime.X"))
    assert runtime.taken() == [(202, b'{"status":"OK"}\n')]
    assert runtime.init_errors == [Reply(body=b'{"errorType":"X"}', failed=True, error_type="Runtime.X")]


@pytest.mark.parametrize(
    ("cause", "kept"),
    [('{"message": "x"}', True), ("[1]", False), ("{", False), ("[" * 60_000, False),
     ('{"message": "%s"}' % ("x" * 65_536), False)],
    ids=["document", "list", "broken", "deep", "large"],
)  # fmt: skip
def test_the_cause_for_traces_comes_along_if_it_is_one(runtime: Runtime, cause: str, kept: bool) -> None:
    header = f"Lambda-Runtime-Function-XRay-Error-Cause: {cause}"
    runtime.invoke()
    runtime.send(post("/invocation/id/error", b"{}", header))
    runtime.session = RuntimeSession(runtime)
    runtime.connect()
    runtime.send(post("/init/error", b"{}", header))
    expected = cause if kept else None
    assert [reply.cause for reply in (*runtime.replies, *runtime.init_errors)] == [expected, expected]


def test_an_initialisation_error_after_a_poll_is_refused(runtime: Runtime) -> None:
    runtime.send(NEXT + post("/init/error", b"{}"))
    assert runtime.refusal() == (403, "InvalidStateTransition")
    assert runtime.init_errors == []


def test_an_unknown_response_mode_is_refused_and_fails_the_invocation(runtime: Runtime) -> None:
    runtime.invoke()
    runtime.send(post("/invocation/id/response", b"1", "Lambda-Runtime-Function-Response-Mode: bogus"))
    assert runtime.refusal() == (400, "InvalidFunctionResponseMode")
    (reply,) = runtime.replies
    assert (reply.failed, reply.error_type) == (True, "Runtime.InvalidResponseModeHeader")


def test_a_streaming_response_that_nobody_wants_streamed_is_gathered(runtime: Runtime) -> None:
    runtime.invoke()
    runtime.send(post("/invocation/id/response", b"1", "Lambda-Runtime-Function-Response-Mode: streaming"))
    assert runtime.taken()[0][0] == 202
    assert runtime.replies == [Reply(body=b"1", failed=False)]


@pytest.mark.parametrize("garbage", [b"\x00\x01\x02\r\n\r\n", b"hello\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02"])
def test_garbage_is_answered_and_ends_the_connection(runtime: Runtime, garbage: bytes) -> None:
    runtime.send(garbage)
    assert runtime.refusal()[0] == 400
    assert runtime.transport.closed
    runtime.connect()
    runtime.send(NEXT)
    assert runtime.session.polling


def test_giant_headers_end_the_connection(runtime: Runtime) -> None:
    head = f"GET {PREFIX}/invocation/next HTTP/1.1\r\n".encode()
    runtime.send(head)
    for number in range(300):
        runtime.send(b"X-%d: %s\r\n" % (number, b"a" * 1000))
        if runtime.transport.aborted:
            break
    assert runtime.transport.aborted


@pytest.mark.parametrize("part", ["url", "header name", "header"])
def test_what_never_ends_is_not_kept_in_memory(runtime: Runtime, part: str) -> None:
    runtime.send({"url": b"GET /", "header name": b"GET / HTTP/1.1\r\nX", "header": b"GET / HTTP/1.1\r\nX: "}[part])
    for _ in range(40):
        runtime.send(b"a" * 65536)
        if runtime.transport.aborted or runtime.transport.closed:
            break
    assert runtime.transport.aborted or runtime.transport.closed


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("POST", f"{PREFIX}/invocation/next"), ("GET", f"{PREFIX}/init/error"),
     ("POST", f"{PREFIX}/invocation/id/other"), ("POST", f"{PREFIX}/invocation/id"), ("DELETE", "/ping"),
     ("GET", "/2018-06-01/runtime/invocation/id/response")],
)  # fmt: skip
def test_other_calls_are_unknown(runtime: Runtime, method: str, path: str) -> None:
    runtime.send(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    assert runtime.refusal()[0] == 404


@pytest.mark.parametrize("path", ["/ping", "/2018-06-01/ping"])
def test_ping(runtime: Runtime, path: str) -> None:
    runtime.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert runtime.taken() == [(200, b"pong")]


def test_a_runtime_that_lost_its_connection_polls_on_a_new_one(runtime: Runtime) -> None:
    runtime.send(NEXT)
    older, older_transport = runtime.connection, runtime.transport
    runtime.connect()
    runtime.send(NEXT)
    older.connection_lost(None)
    assert runtime.session.polling
    runtime.session.invoke("id", HEAD, b"payload")
    assert runtime.taken() == [(200, b"payload")]
    assert older_transport.writes == []


def test_a_peer_that_does_not_read_its_answers_is_not_read_from(runtime: Runtime) -> None:
    runtime.connection.pause_writing()
    assert runtime.transport.paused
    runtime.connection.resume_writing()
    assert not runtime.transport.paused


def test_a_lost_connection_takes_its_poll_along(runtime: Runtime) -> None:
    runtime.send(NEXT)
    runtime.connection.connection_lost(ConnectionResetError())
    assert not runtime.session.polling


def test_a_connection_lost_while_running_leaves_the_invocation(runtime: Runtime) -> None:
    runtime.invoke()
    runtime.connection.connection_lost(None)
    runtime.connect()
    runtime.send(post("/invocation/id/response", b"1"))
    assert runtime.taken()[0][0] == 202
    assert len(runtime.replies) == 1


def test_a_reply_that_breaks_off_fails_the_invocation(runtime: Runtime) -> None:
    runtime.invoke()
    runtime.send(post("/invocation/id/response", b"12345")[:-1])
    runtime.connection.connection_lost(None)
    (reply,) = runtime.replies
    assert (reply.failed, reply.error_type) == (True, "Runtime.TruncatedResponse")
    assert json.loads(reply.body)["errorType"] == "Runtime.TruncatedResponse"
    assert runtime.closings == 1


def test_a_connection_belongs_to_the_session_it_was_made_in(runtime: Runtime) -> None:
    runtime.invoke()
    runtime.session.close()
    runtime.session = RuntimeSession(runtime)
    runtime.send(post("/invocation/id/response", b"1"))
    assert runtime.refusal() == (400, "InvalidRequestID")
    runtime.send(NEXT)
    assert runtime.refusal() == (403, "InvalidStateTransition")
    assert not runtime.session.polling
    assert runtime.replies == []
    runtime.connect()
    runtime.send(NEXT)
    assert runtime.session.polling


def test_the_limit_is_that_of_aws() -> None:
    assert http.MAX_RESPONSE == 6_291_556


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(runtime: Runtime) -> None:
    runtime.invoke()
    head, _, body = post("/invocation/id/response", b"1", "Expect: 100-continue").partition(b"\r\n\r\n")
    runtime.send(head + b"\r\n\r\n")
    assert runtime.transport.writes == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    runtime.transport.writes.clear()
    runtime.send(body)
    assert runtime.taken()[0][0] == 202


CLOSING = f"GET {PREFIX}/invocation/next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()


def test_a_client_that_reads_to_the_end_of_the_connection_gets_there(runtime: Runtime) -> None:
    runtime.send(CLOSING)
    assert not runtime.transport.closed
    runtime.session.invoke("id", HEAD, b"payload")
    assert runtime.taken() == [(200, b"payload")]
    assert runtime.transport.closed
    runtime.connect()
    runtime.send(post("/invocation/id/response", b"1", "Connection: close"))
    assert runtime.taken()[0][0] == 202
    assert runtime.transport.closed
    runtime.connect()
    runtime.send(b"GET /ping HTTP/1.0\r\n\r\n")
    assert runtime.taken() == [(200, b"pong")]
    assert runtime.transport.closed


def test_bodies_on_many_connections_are_bounded_together(runtime: Runtime) -> None:
    interfaces = runtime.connection._interfaces
    connections = []
    for _ in range(5):
        runtime.connect()
        runtime.connection._interfaces = interfaces
        runtime.send(post("/invocation/other/response", b"1" * (4 << 20))[:-1], size=1 << 18)
        connections.append((runtime.connection, runtime.transport))
    assert [transport.aborted for _, transport in connections] == [False, False, False, True, True]
    for connection, _ in connections:
        connection.connection_lost(None)
        assert not connection._body
    assert interfaces.held == 0
    runtime.connect()
    runtime.connection._interfaces = interfaces
    runtime.send(post("/init/error", b"1" * (5 << 20)), size=1 << 18)
    assert runtime.taken()[0][0] == 202
    assert (interfaces.held, len(runtime.connection._body)) == (0, 0)


def test_a_cause_that_is_nested_too_deeply_is_ignored(runtime: Runtime) -> None:
    runtime.invoke()
    cause = "Lambda-Runtime-Function-XRay-Error-Cause: " + "[" * 60_000
    runtime.send(post("/invocation/id/error", b"{}", cause))
    assert runtime.taken()[0][0] == 202
    assert runtime.replies[0].cause is None
