"""The Runtime API over HTTP/1.1, on the listening socket inside an execution environment.

Parses with httptools; every call a runtime can make goes to the environment's `RuntimeSession`. Made for one trusted
latency path and one untrusted peer: a reply and the next poll may arrive in one segment, and whatever function code
sends, the answer is an error document and memory stays bounded: in heads, in bodies, in answers that nobody reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import cast

import httptools

from ingle.runtime_api.session import Refused, Reply, RuntimeSession

#: Bytes of a buffered response, as on AWS.
MAX_RESPONSE = 6_291_556
_MAX_HEAD = 256 * 1024
_ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
_PONG = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\npong"
_REASONS = {400: b"Bad Request", 403: b"Forbidden", 404: b"Not Found", 413: b"Request Entity Too Large",
            501: b"Not Implemented"}  # fmt: skip
_INVOCATION = b"/2018-06-01/runtime/invocation/"


def _failure(kind: str, message: str) -> Reply:
    body = json.dumps({"errorMessage": message, "errorType": kind}).encode()
    return Reply(body=body, failed=True, error_type=kind)


TOO_LARGE = _failure(
    "Function.ResponseSizeTooLarge",
    f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).",
)
TRUNCATED = _failure("Runtime.TruncatedResponse", "HTTP request detected as truncated")
BAD_MODE = _failure("Runtime.InvalidResponseModeHeader", "Invalid function response mode")
#: Documented calls that this version does not have yet, by the start of their path.
_NOT_YET = (b"/2018-06-01/runtime/restore/", b"/2020-01-01/", b"/2020-08-15/", b"/2022-07-01/")


class RuntimeConnection(asyncio.Protocol):
    """One connection of a runtime. It belongs to the session that is current when it is made, and to no later one."""

    def __init__(self, session: RuntimeSession, on_closed: Callable[[], None] = lambda: None) -> None:
        self._session = session
        self._on_closed = on_closed
        self._transport: asyncio.Transport
        self._parser = httptools.HttpRequestParser(self)
        self._head_open = False
        self._head_size = 0
        self._url = b""
        self._error_type: str | None = None
        self._response_mode: str | None = None
        self._body = bytearray()
        self._body_size = 0
        self._receiving: str | None = None
        self._accepted = False

    # --- asyncio ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not instances of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._session.lost(self)
        if self._receiving is not None:
            # The runtime ended in the middle of its reply.
            with contextlib.suppress(Refused):
                self._session.reply(self._receiving, TRUNCATED)
        self._on_closed()

    def pause_writing(self) -> None:
        """The peer does not read its answers: it gets no further ones."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise  # ours, not the runtime's
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(Refused(400, "TruncatedHTTPRequest", "HTTP request detected as truncated"))
            self._transport.close()
            return
        if self._head_open:
            self._head_size += len(data)
            if self._head_size > _MAX_HEAD:
                self._transport.abort()
        if self._accepted and not self._session.polling:
            # The runtime waits for this answer before it polls. With a poll in hand the answer goes with the event.
            self._accepted = False
            self._transport.write(_ACCEPTED)

    # --- httptools --------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._head_open = True
        self._head_size = 0
        self._url = b""
        self._error_type = self._response_mode = self._receiving = None
        self._body = bytearray()
        self._body_size = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"lambda-runtime-function-error-type":
            self._error_type = value.decode("latin-1")
        elif name == b"lambda-runtime-function-response-mode":
            self._response_mode = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._head_open = False
        if self._url.startswith(_INVOCATION) and self._parser.get_method() == b"POST":
            self._receiving = self._url[len(_INVOCATION) :].partition(b"/")[0].decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        if self._body_size <= MAX_RESPONSE:
            self._body += body
        else:
            self._body.clear()

    def on_message_complete(self) -> None:
        self._receiving = None
        try:
            self._route(self._parser.get_method(), self._url)
        except Refused as refused:
            self._refuse(refused)

    # --- calls ------------------------------------------------------------------------------------------------------

    def _route(self, method: bytes, url: bytes) -> None:
        session = self._session
        path = url.partition(b"?")[0]
        if method == b"GET" and path == b"/2018-06-01/runtime/invocation/next":
            session.next(self)
        elif method == b"POST" and path.startswith(_INVOCATION):
            self._receive(session, path[len(_INVOCATION) :])
        elif method == b"POST" and path == b"/2018-06-01/runtime/init/error":
            session.init_error(Reply(body=bytes(self._body), failed=True, error_type=self._error_type))
            self._accept()
        elif method == b"GET" and path in (b"/ping", b"/2018-06-01/ping"):
            self._write(_PONG)
        elif path.startswith(_NOT_YET):
            raise Refused(501, "NotImplemented", f"{method.decode()} {path.decode('latin-1')} is not implemented")
        else:
            raise Refused(404, "NotFound", "no such call")

    def _receive(self, session: RuntimeSession, rest: bytes) -> None:
        request_id, _, kind = rest.decode("latin-1").partition("/")
        if kind not in ("response", "error"):
            raise Refused(404, "NotFound", "no such call")
        session.check(request_id)
        if self._response_mode not in (None, "streaming"):
            session.reply(request_id, BAD_MODE)
            raise Refused(400, "InvalidFunctionResponseMode", "Invalid function response mode")
        if self._body_size > MAX_RESPONSE:
            session.reply(request_id, TOO_LARGE)
            text = f"Exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
            raise Refused(413, "RequestEntityTooLarge", text)
        session.reply(request_id, Reply(body=bytes(self._body), failed=kind == "error", error_type=self._error_type))
        self._accept()

    # --- answers ----------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        self._accepted = True

    def deliver(self, head: bytes, payload: bytes) -> None:
        self._write(head + payload)

    def _write(self, answer: bytes) -> None:
        """Answers keep the order of their calls."""
        if self._accepted:
            self._accepted = False
            answer = _ACCEPTED + answer
        self._transport.write(answer)

    def _refuse(self, refused: Refused) -> None:
        document = json.dumps({"errorMessage": refused.message, "errorType": refused.kind}).encode()
        reason = _REASONS.get(refused.status, b"Error")
        self._write(
            b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (refused.status, reason, len(document), document)
        )
