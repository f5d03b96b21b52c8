"""The ASGI application: one request's bytes in, one answer's bytes out. No router library.

Owns body limits, request ids and sending. `dispatch` owns what a request means. Called by the server's connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from ingle.domain.clock import RandomIds
from ingle.domain.errors import ServiceError
from ingle.frontend.authentication import Unverified
from ingle.frontend.dispatch import Audit, Call, Dispatcher, Gate, Origin, Registry, named_in_body
from ingle.frontend.forwarding.forwarder import Arrived, Forwarder
from ingle.frontend.function_urls import FunctionUrlServer, Target
from ingle.frontend.internal import (
    CONSOLE,
    PREFIX,
    InternalResponse,
    InternalRoute,
    find_route,
    internal_request,
    json_response,
    not_found,
)
from ingle.frontend.limits import FORM_LIMIT, URL_LIMIT, BodyLimit, body_limit
from ingle.frontend.origin import OriginGuard
from ingle.frontend.streaming import BODILESS, Send, Streaming, send_pieces
from ingle.frontend.url_streams import BrokenOff
from ingle.settings import is_loopback
from ingle.wire import QUERY, HttpRequest, HttpResponse, choose_protocol, inflate

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_FILE_CHUNK = 256 * 1024
#: How much of a refused body is read, at most, for its sender to get the answer.
_DISCARD = 128 << 20


class _Disconnected(Exception):
    """The client went away while its body was being read: nobody waits for an answer."""


class Application:
    """Serves AWS operations from `handlers` and Ingle's own routes from `routes`.

    `gate` is for requests from outside, `inner` for those of execution environments. `hosts`: names the server is
    known by besides localhost. `ids` makes request ids (UUIDs).
    """

    def __init__(
        self,
        handlers: Registry,
        routes: Mapping[str, InternalRoute],
        *,
        gate: Gate | None = None,
        inner: Gate | None = None,
        audit: Audit | None = None,
        hosts: Iterable[str] = (),
        ids: Callable[[], str] | None = None,
        urls: FunctionUrlServer | None = None,
        forwarder: Forwarder | None = None,
    ) -> None:
        everybody = Gate(authentication=Unverified())
        self._dispatcher = Dispatcher(handlers, gate=gate or everybody, inner=inner or everybody, audit=audit)
        self._routes = routes
        self._guard = OriginGuard(hosts)
        self._urls = urls
        self._forwarder = forwarder
        self._ids = ids or RandomIds().uuid

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served")
        request_id = self._ids()
        request = HttpRequest(
            method=scope["method"],
            path=scope["raw_path"].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=dict(scope["headers"]),
        )
        try:
            target = None if self._urls is None else self._urls.target(request.headers, request.path)
            if self._urls is not None and target is not None:
                answer = await self._at_url(self._urls, target, _UrlCall(scope, request, request_id, receive))
                await _send(answer, request_id, scope, send)
                return
            if request.path.startswith(PREFIX):
                await self._internal(scope, request, request_id, send)
                return
            response = await self._answer(scope, request, request_id, receive, send)
        except _Disconnected:
            return
        if response is not None:
            await _send(response, request_id, scope, send)

    async def _answer(
        self, scope: Scope, request: HttpRequest, request_id: str, receive: Receive, send: Send
    ) -> HttpResponse | None:
        """None where the answer was sent already."""
        call: Call | None = None
        headers = request.headers
        try:
            environment_id: str | None = scope["state"].get("environment_id")
            self._guard.check(headers, environment=environment_id is not None)
            if request.method == "OPTIONS":
                return self._dispatcher.options(request.path)
            client = scope.get("client")
            origin = Origin(
                request_id=request_id,
                environment_id=environment_id,
                base_url=f"{scope['scheme']}://{headers.get(b'host', b'').decode('latin-1')}",
                source_ip=client[0] if client else "",
            )
            claimed = self._dispatcher.identify(request, origin)
            if self._forwarder is not None and (place := self._forwarder.find(claimed.identity, request)) is not None:
                body = _Body(receive)
                arrived = Arrived(
                    request=request, raw_headers=list(scope["headers"]), identity=claimed.identity,
                    caller=claimed.caller, gate=claimed.gate, read=body.read, gone=body.gone,
                    connection=scope["state"]["connection"],
                )  # fmt: skip
                refused = await self._forwarder.answer(place, arrived, send)
                if refused is not None:
                    if not body.complete:
                        await _discard(headers, receive)
                    _close_if_expecting(headers, refused)
                return refused
            if named_in_body(request):
                request.body = await _read_body(headers, receive, FORM_LIMIT)
                inflate(request)
                await self._dispatcher.prepare(claimed)
            call = self._dispatcher.route(request, claimed)
            self._dispatcher.admit(call)
            operation = call.operation
            if operation.protocol is not QUERY:
                limit = body_limit(operation.service_name, operation.name, headers)
                request.body = await _read_body(headers, receive, limit)
            return await self._dispatcher.run(call, request)
        except _Disconnected:
            raise
        except Exception as error:  # the edge: `failure` logs what is no caller's error, and answers without details
            response = self._dispatcher.failure(
                error, call, request_id, choose_protocol(headers, request.path, request.query)
            )
            _close_if_expecting(headers, response)
            return response

    async def _at_url(self, urls: FunctionUrlServer, target: Target, call: _UrlCall) -> HttpResponse:
        try:
            if target.sandboxed:
                self._guard.check(call.headers, environment=call.from_environment)
            return await urls.answer(target, call)
        except _Disconnected:
            raise
        except Exception as error:  # the edge, as in `_answer`
            return self._dispatcher.failure(error, None, call.request_id, choose_protocol({}))

    async def _internal(self, scope: Scope, request: HttpRequest, request_id: str, send: Send) -> None:
        response = await self._internal_response(scope, request, request_id)
        if response.file is None:
            answer = HttpResponse(status=response.status, headers=list(response.headers), body=response.body)
            await _send(answer, request_id, scope, send)
        else:
            await _send_file(response, response.file, request_id, send, head=request.method == "HEAD")

    async def _internal_response(self, scope: Scope, request: HttpRequest, request_id: str) -> InternalResponse:
        try:
            environment = scope["state"].get("environment_id") is not None
            linkable = request.path == CONSOLE or request.path.startswith(f"{CONSOLE}/")
            self._guard.check(request.headers, environment=environment, linkable=linkable)
            found = find_route(self._routes, request.path)
            if found is None:
                return not_found()
            if request.method not in ("GET", "HEAD"):
                return json_response(405, {"message": "Method not allowed."})
            route, rest = found
            client = scope.get("client")
            asked = internal_request(
                request.method, rest, request.query, request.headers, from_environment=environment,
                local=client is None or is_loopback(client[0]),
            )  # fmt: skip
            response = await route(asked)
            if response.file is not None and not await asyncio.to_thread(response.file.is_file):
                return not_found()
        except Exception as error:  # the edge, as in `_answer`
            failed = self._dispatcher.failure(error, None, request_id, choose_protocol({}))
            return InternalResponse(status=failed.status, headers=failed.headers, body=failed.body)
        return response


class _UrlCall:
    """A request to a function URL, see `function_urls.Call`."""

    def __init__(self, scope: Scope, request: HttpRequest, request_id: str, receive: Receive) -> None:
        self.method = request.method
        self.path = request.path
        self.query = request.query
        self.headers = request.headers
        self.raw_headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        self.source: str = (scope.get("client") or ("127.0.0.1",))[0]
        self.scheme: str = scope["scheme"]
        self.port: int = (scope.get("server") or ("", 0))[1]
        self.request_id = request_id
        self.from_environment = scope["state"].get("environment_id") is not None
        self._receive = receive

    async def read(self) -> bytes:
        return await _read_body(self.headers, self._receive, URL_LIMIT)


class _Body:
    """A body that is read piece by piece: what is not asked for is not received."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._more = True
        self._read = asyncio.Event()

    @property
    def complete(self) -> bool:
        """Whether all of it was read."""
        return not self._more

    async def read(self) -> bytes:
        """The next piece, nothing at the end. Raises _Disconnected."""
        while self._more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _Disconnected
            self._more = message.get("more_body", False)
            if not self._more:
                self._read.set()
            if piece := message.get("body", b""):
                return bytes(piece)
        return b""

    async def gone(self) -> None:
        """Returns once the client went away, if it does after all of the body was read."""
        await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _close_if_expecting(headers: Mapping[bytes, bytes], response: HttpResponse) -> None:
    """The body was perhaps never asked for, and what follows on the connection would be ambiguous."""
    if b"expect" in headers:
        response.headers.append((b"connection", b"close"))


async def _read_body(headers: Mapping[bytes, bytes], receive: Receive, limit: BodyLimit) -> bytes:
    """The whole body. Raises RequestEntityTooLarge, before reading where Content-Length tells, and _Disconnected."""
    declared = headers.get(b"content-length")
    if declared is not None and int(declared) > limit.size:
        await _discard(headers, receive)
        raise limit.error(int(declared))
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit.size:
            await _discard(headers, receive)
            raise limit.error(size)
        if not message.get("more_body"):
            return b"".join([*parts, part]) if parts else part
        parts.append(part)


async def _discard(headers: Mapping[bytes, bytes], receive: Receive) -> None:
    """Read the rest of a refused body where the answer ends the connection.

    Ending it with unread input would reset it, and the client would lose the answer. On a connection that goes on, the
    server throws the rest away after the answer. A client that waits for `100 Continue` has sent nothing.
    """
    if b"close" not in headers.get(b"connection", b"").lower() or b"expect" in headers:
        return
    left = _DISCARD
    while left > 0:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return
        left -= len(message.get("body", b""))


async def _send(response: HttpResponse, request_id: str, scope: Scope, send: Send) -> None:
    headers = response.headers
    headers.append((b"x-amzn-requestid", request_id.encode("ascii")))
    if response.chunks is not None:
        await _send_chunks(response, response.chunks, scope, send)
        return
    bodiless = response.status in BODILESS
    if not bodiless:
        headers.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bodiless else response.body})


async def _send_chunks(
    response: HttpResponse, chunks: AsyncGenerator[bytes, None], scope: Scope, send: Send
) -> None:  # fmt: skip
    """Send a body while it is made. A client that left is no reason to stop: the function goes on, as on AWS."""
    connection: Streaming = scope["state"]["connection"]
    async with aclosing(chunks):
        try:
            await send_pieces(response.status, response.headers, chunks, connection, send)
        except (BrokenOff, ServiceError):
            connection.break_off()


async def _send_file(response: InternalResponse, path: Path, request_id: str, send: Send, *, head: bool) -> None:
    """Stream a file. A file that shrinks meanwhile ends the connection: the server sees a body that is too short."""
    with await asyncio.to_thread(path.open, "rb") as file:
        size = (await asyncio.to_thread(path.stat)).st_size
        headers = [
            *response.headers,
            (b"content-length", b"%d" % size),
            (b"x-amzn-requestid", request_id.encode("ascii")),
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        left = 0 if head else size
        while left > 0:
            chunk = await asyncio.to_thread(file.read, min(_FILE_CHUNK, left))
            if not chunk:
                break
            left -= len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
