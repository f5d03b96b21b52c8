"""The Runtime API over HTTP/1.1, on the listening socket inside an execution environment.

Parses with httptools. The two calls of each invocation go to the environment's `RuntimeSession` from here, all others
through `runtime_api.calls`. Made for one trusted latency path and one untrusted peer: a reply and the next poll may
arrive in one segment, and whatever function code sends, the answer is an error document and memory stays bounded: in
heads, in bodies, in answers that nobody reads.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import time
from collections.abc import Callable
from typing import cast

import httptools

from ingle.runtime_api.calls import Call, Interfaces, answer, cause_of
from ingle.runtime_api.session import Answer, Refused, Reply
from ingle.runtime_api.streaming import MAX_STREAMED, StreamedResponse, ended

#: Bytes of a buffered response, as on AWS.
MAX_RESPONSE = 6_291_556
_MAX_HEAD = 256 * 1024
#: Bytes of bodies that all connections of one environment may have on their way, and from which size a body counts.
_MAX_HELD = 2 * MAX_RESPONSE
_HELD_FROM = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
_REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
            404: "Not Found", 405: "Method Not Allowed", 413: "Request Entity Too Large"}  # fmt: skip
_INVOCATION = b"/2018-06-01/runtime/invocation/"
_NEXT = _INVOCATION + b"next"
_MODE = b"lambda-runtime-function-response-mode"
_ERROR_TYPE = b"lambda-runtime-function-error-type"
_ERROR_BODY = b"lambda-runtime-function-error-body"


def _failure(kind: str, message: str) -> Reply:
    body = json.dumps({"errorMessage": message, "errorType": kind}).encode()
    return Reply(body=body, failed=True, error_type=kind)


def _too_large(limit: int) -> Reply:
    text = f"Response payload size exceeded maximum allowed payload size ({limit} bytes)."
    return _failure("Function.ResponseSizeTooLarge", text)


TOO_LARGE = _too_large(MAX_RESPONSE)
STREAM_TOO_LARGE = _too_large(MAX_STREAMED)
TRUNCATED = _failure("Runtime.TruncatedResponse", "HTTP request detected as truncated")
BAD_MODE = _failure("Runtime.InvalidResponseModeHeader", "Invalid function response mode")


def _request_too_large(limit: int) -> Refused:
    return Refused(413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({limit} bytes).")


class RuntimeConnection(asyncio.Protocol):
    """One connection from inside. It belongs to the runtime that was running when it was made, and to no later one."""

    def __init__(self, interfaces: Interfaces, on_closed: Callable[[], None] = lambda: None) -> None:
        self._interfaces = interfaces
        self._session = interfaces.runtime
        self._on_closed = on_closed
        self._transport: asyncio.Transport
        self._parser = httptools.HttpRequestParser(self)
        self._head_open = False
        self._head_size = 0
        self._url = b""
        #: Authorization, and headers and trailers of a streamed reply whose names begin with "lambda-".
        self._headers: dict[bytes, str] = {}
        self._body = bytearray()
        self._body_size = 0
        #: What of the body counts among `Interfaces.held`.
        self._held = 0
        self._closing = False
        self._began = 0.0
        self._receiving: str | None = None
        self._accepted = False
        self._content_type: bytes | None = None
        #: The streamed response that is on its way in.
        self._streamed: StreamedResponse | None = None

    # --- asyncio ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not instances of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._interfaces.lost(self)
        self._drop_body()
        if self._streamed is not None:
            self._break_off(self._streamed)
        elif self._receiving is not None:
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
            if self._streamed is not None:
                self._hand_on(self._streamed)
            self._refuse(Refused(400, "TruncatedHTTPRequest", "HTTP request detected as truncated"))
            self._transport.close()
            return
        if self._head_open:
            self._head_size += len(data)
        if self._head_size > _MAX_HEAD:
            self._transport.abort()
        if self._streamed is not None:
            self._hand_on(self._streamed)
        if self._accepted and not self._session.polling:
            # The runtime waits for this answer before it polls. With a poll in hand the answer goes with the event.
            self._accepted = False
            self._transport.write(_ACCEPTED)
            if self._closing:
                self._transport.close()

    # --- httptools --------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._head_open = True
        self._head_size = 0
        self._url = b""
        self._headers = {}
        self._receiving = None
        self._content_type = None
        self._body = bytearray()
        self._body_size = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if not self._head_open:
            self._head_size += len(name) + len(value)  # a trailer
        if name.startswith(b"lambda-") or name == b"authorization":
            self._headers[name] = value.decode("latin-1")
        elif name == b"content-type":
            self._content_type = value
        elif name == b"expect":
            # curl waits for this before it sends a body of more than 1 MB.
            self._write(_CONTINUE)

    def on_headers_complete(self) -> None:
        self._head_open = False
        self._began = time.perf_counter()
        if self._url.startswith(_INVOCATION) and self._parser.get_method() == b"POST":
            self._receiving = self._url[len(_INVOCATION) :].partition(b"/")[0].decode("latin-1")
            if self._headers.get(_MODE) == "streaming":
                self._begin_stream(self._receiving)

    def on_body(self, body: bytes) -> None:
        if self._streamed is not None:
            self._streamed.add(body)
            return
        self._body_size += len(body)
        if self._body_size > MAX_RESPONSE:
            self._drop_body()
            return
        self._body += body
        if self._body_size > _HELD_FROM:
            self._interfaces.held += self._body_size - self._held
            self._held = self._body_size
            if self._interfaces.held > _MAX_HELD:
                self._transport.abort()

    def _drop_body(self) -> None:
        if self._body_size > _HELD_FROM:
            self._interfaces.held -= self._held
            self._held = 0
            self._body = bytearray()

    def on_message_complete(self) -> None:
        self._receiving = None
        self._closing = not self._parser.should_keep_alive()
        try:
            if self._streamed is not None:
                self._end_stream(self._streamed)
            else:
                self._route(self._parser.get_method(), self._url)
        except Refused as refused:
            self._refuse(refused)
        self._drop_body()

    # --- calls ------------------------------------------------------------------------------------------------------

    def _route(self, method: bytes, url: bytes) -> None:
        path = url.partition(b"?")[0]
        if method == b"GET" and path == _NEXT:
            self._session.next(self)
        elif method == b"POST" and path.startswith(_INVOCATION):
            self._receive(path[len(_INVOCATION) :])
        else:
            self._refuse_large_body()
            call = Call(method=method, path=path, body=bytes(self._body), headers=self._headers, poll=self)
            found = answer(self._interfaces, call)
            if found is not None:
                self._answer(found)

    def _receive(self, rest: bytes) -> None:
        """The reply to the running invocation."""
        session, headers = self._session, self._headers
        request_id, _, kind = rest.decode("latin-1").partition("/")
        if kind not in ("response", "error"):
            raise Refused(404, "NotFound", "no such call")
        session.check(request_id)
        reply = None
        if headers:
            if headers.get(_MODE) not in (None, "streaming"):
                session.reply(request_id, BAD_MODE)
                raise Refused(400, "InvalidFunctionResponseMode", "Invalid function response mode")
            reply = self._broken_off()
        if self._body_size > MAX_RESPONSE:
            session.reply(request_id, TOO_LARGE)
            self._refuse_large_body()
        if reply is None:
            reply = Reply(
                body=bytes(self._body),
                failed=kind == "error",
                error_type=headers.get(_ERROR_TYPE),
                cause=cause_of(headers) if headers else None,
                began=self._began,
            )
        session.reply(request_id, reply)
        self._accepted = True

    def _broken_off(self) -> Reply | None:
        """The error in the trailers of a streamed reply, if its function failed in the middle of it."""
        headers = self._headers
        document, kind = headers.get(_ERROR_BODY), headers.get(_ERROR_TYPE)
        if document is None and (kind is None or self._streamed is None):
            return None
        try:
            body = base64.b64decode(document or "", validate=True)
        except (binascii.Error, ValueError):
            body = (document or "").encode("latin-1")
        return Reply(body=body, failed=True, error_type=kind, began=self._began)

    # --- streamed replies -------------------------------------------------------------------------------------------

    def _begin_stream(self, request_id: str) -> None:
        if self._url.partition(b"?")[0] != _INVOCATION + request_id.encode("latin-1") + b"/response":
            return
        sink = self._session.begin(request_id)
        if sink is not None:
            kind = None if self._content_type is None else self._content_type.decode("latin-1")
            self._streamed = StreamedResponse(self._transport, sink, kind)

    def _hand_on(self, streamed: StreamedResponse) -> None:
        before = streamed.too_large
        streamed.flush()
        if streamed.too_large and not before:
            # The caller is told at once, the runtime when it has sent everything.
            with contextlib.suppress(Refused):
                self._session.end(ended(STREAM_TOO_LARGE, streamed))
            streamed.resume()

    def _end_stream(self, streamed: StreamedResponse) -> None:
        self._hand_on(streamed)
        streamed.close()
        self._streamed, reply = None, self._broken_off() or Reply(body=b"", failed=False, began=self._began)
        if streamed.too_large:
            raise _request_too_large(MAX_STREAMED)
        self._session.end(ended(reply, streamed))
        self._accepted = True

    def _break_off(self, streamed: StreamedResponse) -> None:
        """The runtime ended in the middle of a streamed reply, or only its connection did."""
        streamed.flush()
        streamed.close()
        self._streamed = None
        with contextlib.suppress(Refused):
            self._session.break_off(ended(TRUNCATED, streamed))

    def _refuse_large_body(self) -> None:
        if self._body_size > MAX_RESPONSE:
            raise _request_too_large(MAX_RESPONSE)

    # --- answers ----------------------------------------------------------------------------------------------------

    def deliver(self, head: bytes, payload: bytes) -> None:
        self._write(head + payload)

    def _write(self, answer: bytes) -> None:
        """Answers keep the order of their calls."""
        if self._accepted:
            self._accepted = False
            answer = _ACCEPTED + answer
        self._transport.write(answer)
        if self._closing:
            # A client that reads to the end of the connection.
            self._transport.close()

    def _refuse(self, refused: Refused) -> None:
        document = json.dumps({"errorMessage": refused.message, "errorType": refused.kind}).encode()
        self._answer(Answer(status=refused.status, body=document))

    def _answer(self, given: Answer) -> None:
        headers = dict((("Content-Type", "application/json"), *given.headers, ("Content-Length", str(len(given.body)))))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        status = f"HTTP/1.1 {given.status} {_REASONS.get(given.status, 'Error')}\r\n"
        self._write(f"{status}{lines}\r\n".encode("latin-1") + given.body)
