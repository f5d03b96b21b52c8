"""The path of a request for a service that Ingle does not have: believe, authorise, hand on, stream the answer back.

It is signed again with the companion's own credentials: the caller's prove nothing there. Called by `asgi`.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

from ingle.companions.errors import Unreachable
from ingle.companions.relay import Outgoing, Relay
from ingle.domain.caller import Caller
from ingle.domain.errors import NotImplementedByIngle, RequestEntityTooLarge, ServiceError
from ingle.frontend.audit import record
from ingle.frontend.authentication import Identity
from ingle.frontend.authentication_errors import AuthenticationError
from ingle.frontend.authorization.authorizer import Explained
from ingle.frontend.authorization.companion_needs import Named, name_of, needs_of
from ingle.frontend.authorization.companion_reading import CompanionRequest, Params
from ingle.frontend.authorization.needs import Need
from ingle.frontend.authorization.s3_needs import DELETE_LIMIT, names_keys_in_body
from ingle.frontend.dispatch import Audit, Gate, Registry
from ingle.frontend.failures import Failures, Throttled
from ingle.frontend.forwarding import bodies
from ingle.frontend.forwarding.aws_chunked import ChunkSigner, Decoder
from ingle.frontend.forwarding.bodies import Content, Read
from ingle.frontend.forwarding.messages import kept_headers, send_answer, unsigned_query
from ingle.frontend.forwarding.places import Place, Places
from ingle.frontend.origin import host_name
from ingle.frontend.signatures import canonical_path, canonical_query, encoded_once, signing_key
from ingle.frontend.streaming import Send, Streaming
from ingle.observability.log import Logger
from ingle.wire import HttpRequest, HttpResponse, Service, choose_protocol

_log = Logger("frontend")

#: Bytes of a request to any service but S3: more than any of them takes.
LIMIT = 20 << 20
_NAMING = re.compile(r"(?:Name|Arn|ARN|Id|Url|Type)$")
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
#: Methods whose effect is their answer: nobody is there for it once the client is gone.
_READS = frozenset(("GET", "HEAD"))


class ServiceUnavailable(ServiceError):
    code = "ServiceUnavailable"
    http_status = 503
    type = None


def own_services(handlers: Registry) -> list[str]:
    """What requests for Ingle's own services are signed for."""
    return sorted({Service.load(name).signing_name for name, _ in handlers})


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A request whose body has not been read. `read` gives the next piece of it, nothing at its end, or raises.

    `gone` returns once the client went away, if it does after its body was read.
    """

    request: HttpRequest
    raw_headers: list[tuple[bytes, bytes]]
    identity: Identity
    caller: Caller
    gate: Gate
    read: Read
    gone: Callable[[], Awaitable[None]]
    connection: Streaming


class Forwarder:
    """`own`: signing names of what is not forwarded; `hosts`: names that the server is known by."""

    def __init__(self, relay: Relay, own: list[str], hosts: list[str], audit: Audit | None = None) -> None:
        self._relay = relay
        self._places = Places(own, hosts)
        self._audit = audit
        self._failures = Failures(time.monotonic)
        self._errors = Service.load("lambda")

    def find(self, identity: Identity, request: HttpRequest) -> Place | None:
        """Which service a request is for; None for Ingle's own."""
        signed_for = identity.service
        if self._places.is_own(signed_for):
            return None
        if signed_for is None and "AWSAccessKeyId=" in request.query and "Signature=" in request.query:
            # Presigned with Signature Version 2, which is S3's, and some clients' default still.
            signed_for = "s3"
        return self._places.find(signed_for, host_name(request.headers.get(b"host", b"").decode("latin-1")))

    async def answer(self, place: Place, arrived: Arrived, send: Send) -> HttpResponse | None:
        """None once the answer was sent; otherwise the answer to what failed before it began."""
        call = _Call(place, arrived)
        error: ServiceError | None = None
        try:
            await self._forward(call, send)
        except ServiceError as refused:
            error = refused
        except Unreachable as unreachable:
            _log.warning("a companion cannot be used", service=place.service, reason=str(unreachable))
            error = ServiceUnavailable(f"{place.service} cannot be used: {unreachable}")
        if error is not None and call.answering:
            arrived.connection.break_off()
        self._record(call, None if call.answering else error)
        return None if error is None or call.answering else self._failed(call, error)

    async def _forward(self, call: _Call, send: Send) -> None:
        service = call.place.service
        if not self._relay.has(service):
            raise NotImplementedByIngle(
                f"Ingle has no {service} itself. --aws-endpoint and --with-aws name where it is to be found."
            )
        outgoing = await self._believed(call)
        await self._authorise(call)
        relaying = asyncio.ensure_future(self._relayed(call, outgoing, send))
        if call.arrived.request.method not in _READS:
            await relaying
            return
        gone = asyncio.ensure_future(call.arrived.gone())
        try:
            await asyncio.wait((relaying, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not relaying.done():
                relaying.cancel()
                await asyncio.wait([relaying])
        if not relaying.cancelled():
            relaying.result()

    async def _relayed(self, call: _Call, outgoing: Outgoing, send: Send) -> None:
        async with self._relay.send(outgoing) as incoming:
            call.answering = True
            call.status = incoming.status
            await send_answer(incoming, send, call.arrived.connection, call.arrived.caller.request_id)

    async def _believed(self, call: _Call) -> Outgoing:
        """What is to be sent, once the request is known to be the caller's. Raises what makes a request bad."""
        arrived = call.arrived
        if arrived.gate.authorizer is None:
            return await self._read(call)
        with self._failures.counted(arrived.caller.environment_id or arrived.caller.source_ip, arrived.identity):
            return await self._read(call)

    async def _read(self, call: _Call) -> Outgoing:
        arrived, service = call.arrived, call.place.service
        authentication, request = arrived.gate.authentication, arrived.request
        authentication.admit(arrived.identity, service)
        if service == "s3":
            return await self._object(call)
        request.body = await _gathered(arrived.read, LIMIT)
        await authentication.verify(arrived.identity, request)
        return call.outgoing(content=None, length=len(request.body) or None, body=request.body)

    async def _object(self, call: _Call) -> Outgoing:
        arrived = call.arrived
        request, gate, identity = arrived.request, arrived.gate, arrived.identity
        presigned = identity.signed is not None and identity.signed.claim.presigned
        content = Content.of(request, presigned=presigned or "X-Amz-Signature=" in request.query)
        gate.authentication.verify_head(identity, request, content.claimed)
        passing = content.forward(arrived.read, _signer(arrived), check=gate.authorizer is not None)
        length, marker = content.forwarded_length, content.forwarded
        if not names_keys_in_body(request.method, call.path, request.query):
            if length:
                return call.outgoing(content=marker, length=length, body=passing)
            # There is no last piece to be held back, so that the body is checked before anything is sent.
            empty = b"".join([piece async for piece in passing])
            has_length = request.method in ("PUT", "POST")
            return call.outgoing(content=marker, length=0 if has_length else None, body=empty)
        body = b"".join([piece async for piece in _bounded(passing, DELETE_LIMIT)])
        request.body = body
        if marker == bodies.UNSIGNED_TRAILER:
            decoder = Decoder(trailed=True)
            request.body = b"".join(decoder.feed(body))
            decoder.end()
        return call.outgoing(content=marker, length=len(body), body=body)

    async def _authorise(self, call: _Call) -> None:
        """Raises AccessDenied."""
        arrived = call.arrived
        gate, identity = arrived.gate, arrived.identity
        if gate.authorizer is None:
            return
        assert identity.credential is not None, "what was verified has a credential"
        authority = identity.credential.authority
        call.caller = replace(arrived.caller, authority=authority, known_as=authority.principal)
        asked = call.asked()
        if asked.service == "s3" and not asked.body:
            needs = call.needs(asked)
        else:
            # Models are loaded, and bodies may be large.
            needs = await asyncio.to_thread(call.needs, asked)
        call.explained = gate.authorizer.explain_needs(call.caller, needs)
        gate.authorizer.require(call.caller, call.explained)

    def _record(self, call: _Call, error: ServiceError | None) -> None:
        """Of management calls, and of refused ones of which nobody can say what they are."""
        if self._audit is None or (call.named is not None and call.named.data):
            return
        failed = None if error is None else (error.code, error.message)
        if failed is None and call.status >= 400:
            failed = f"Http{call.status}", None
        self._audit(
            record(
                call.caller, call.place.service, call.named.operation if call.named else call.arrived.request.method,
                now=time.time(), event_id=str(uuid.uuid4()), params=_naming(call.named.params) if call.named else None,
                result=None, error=failed, api_version="",
                believed=not isinstance(error, AuthenticationError | Throttled), explained=call.explained,
            )
        )  # fmt: skip

    def _failed(self, call: _Call, error: ServiceError) -> HttpResponse:
        """In the words of the protocol that the request speaks."""
        request = call.arrived.request
        if call.place.service == "s3":
            return _s3_error(error, request, call.arrived.caller.request_id)
        protocol = choose_protocol(request.headers, request.path, request.query)
        response = self._errors.error(
            error.code, error.message, "message", None, {}, error.http_status, protocol=protocol
        )
        protocol.stamp(response, call.arrived.caller.request_id)
        return response


class _Call:
    """One request on its way."""

    def __init__(self, place: Place, arrived: Arrived) -> None:
        self.place = place
        self.arrived = arrived
        self.caller = arrived.caller
        self.named: Named | None = None
        self.explained: list[Explained] = []
        #: The head of the companion's answer is there.
        self.answering = False
        self.status = 0
        path = arrived.request.path
        self.path = path if place.bucket is None else f"/{place.bucket}{path}"

    def asked(self) -> CompanionRequest:
        request = self.arrived.request
        return CompanionRequest(
            service=self.place.service, method=request.method, path=self.path, query=request.query,
            headers=request.headers, body=request.body,
        )  # fmt: skip

    def needs(self, asked: CompanionRequest) -> list[Need]:
        """Raises AccessDenied, MalformedXml."""
        self.named = name_of(asked)
        return needs_of(self.caller, asked, self.named)

    def outgoing(self, *, content: str | None, length: int | None, body: bytes | AsyncIterator[bytes]) -> Outgoing:
        arrived = self.arrived
        query = unsigned_query(arrived.request.query)
        path = encoded_once(self.path) if self.place.service.startswith("s3") else canonical_path(self.path)
        return Outgoing(
            service=self.place.service, host=arrived.request.headers.get(b"host", b"").decode("latin-1"),
            account=self.caller.account, region=self.caller.region,
            method=arrived.request.method, path=self.path, query=query, canonical_path=path.decode("latin-1"),
            canonical_query=canonical_query(query, presigned=False).decode("latin-1"),
            headers=kept_headers(arrived.raw_headers, framed=content == bodies.UNSIGNED_TRAILER),
            content=content, length=length, body=body,
        )  # fmt: skip


def _naming(params: Params) -> dict[str, Any]:
    """Members that name what a request is about. What else services take may be anything, a secret too."""
    return {name: value if _NAMING.search(name) else _HIDDEN for name, value in params.items() if name != "Action"}


def _signer(arrived: Arrived) -> ChunkSigner | None:
    """What checks the signatures of chunks, where signatures are checked."""
    signed, credential = arrived.identity.signed, arrived.identity.credential
    if arrived.gate.authorizer is None or signed is None or credential is None:
        return None
    scope = signed.claim.scope
    key = signing_key(credential.secret, scope.date, scope.region, scope.service)
    return ChunkSigner(key, signed.moment, scope.text, signed.signature.decode("latin-1"))


async def _gathered(read: Read, limit: int) -> bytes:
    """Raises RequestEntityTooLarge."""
    return b"".join([piece async for piece in _bounded(bodies.pieces(read), limit)])


async def _bounded(pieces: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > limit:
            raise RequestEntityTooLarge(f"Request must be smaller than {limit} bytes")
        yield piece


_S3_CODES = {
    "AccessDeniedException": "AccessDenied", "MissingAuthenticationTokenException": "AccessDenied",
    "UnrecognizedClientException": "InvalidAccessKeyId", "InvalidSignatureException": "SignatureDoesNotMatch",
    "IncompleteSignatureException": "AuthorizationHeaderMalformed", "ExpiredTokenException": "ExpiredToken",
    "NotImplementedException": "NotImplemented", "ThrottlingException": "SlowDown", "ServiceException": "InternalError",
    "RequestEntityTooLargeException": "MaxMessageLengthExceeded",
}  # fmt: skip


def _s3_error(error: ServiceError, request: HttpRequest, request_id: str) -> HttpResponse:
    code = _S3_CODES.get(error.code, error.code)
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
        f"<Message>{escape(error.message or '')}</Message>"
        f"<Resource>{escape(request.path)}</Resource><RequestId>{request_id}</RequestId></Error>"
    )
    headers = [(b"content-type", b"application/xml"), (b"x-amz-request-id", request_id.encode("ascii"))]
    return HttpResponse(status=error.http_status, headers=headers, body=text.encode())
