"""The path of one request: route, identify, parse, authorise, handle, serialise; and every failure to an AWS error.

Owns the order of these steps and the translation of exceptions. Reading and sending bytes is `asgi`'s. A client that
goes away stops nothing here: `server` does not cancel requests, so a running function ends as on AWS.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ingle.domain.caller import Caller
from ingle.domain.errors import InternalFailure, NotImplementedByIngle, ServiceError
from ingle.frontend.audit import is_management, record
from ingle.frontend.authentication import Authentication, Identity
from ingle.frontend.authentication_errors import AuthenticationError
from ingle.frontend.authorization.authorizer import Authorizer, Explained
from ingle.frontend.failures import Failures, Throttled
from ingle.frontend.payload import check_content_type, checked_payload
from ingle.observability.log import Logger
from ingle.storage.errors import StorageFull
from ingle.wire import (
    QUERY,
    ConstraintViolation,
    HttpRequest,
    HttpResponse,
    Operation,
    Protocol,
    SerializationFailure,
    Service,
    UnknownOperation,
    choose_protocol,
)

Handler = Callable[[Caller, dict[str, Any]], Awaitable[dict[str, Any]]]
#: ("lambda", "CreateFunction") -> handler. An operation that the model has and the registry lacks is not implemented.
Registry = Mapping[tuple[str, str], Handler]

#: Takes one record of a management call.
Audit = Callable[[Mapping[str, Any]], None]

#: Members that carry an event: JSON that is checked and handed on as it is.
_EVENTS: Mapping[tuple[str, str], str] = {
    ("lambda", "Invoke"): "Payload",
    ("lambda", "InvokeWithResponseStream"): "Payload",
    ("lambda", "InvokeAsync"): "InvokeArgs",
}
#: Bodies above this many bytes are parsed in a worker thread.
_INLINE_BODY = 256 * 1024
_DEFAULT_SERVICE = "lambda"
#: Protocols in which refusals have the status 403.
_FORBIDDING = frozenset(("rest-json", "query"))

_log = Logger("frontend")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """How requests of one kind of listener are believed and allowed. Without an authorizer everything is."""

    authentication: Authentication
    authorizer: Authorizer | None = None


@dataclass(slots=True)
class Claimed:
    """Whom a request is from, if it is to be believed, which `gate` decides."""

    gate: Gate
    identity: Identity
    caller: Caller


@dataclass(slots=True, kw_only=True)
class Call:
    """A routed request: which operation of which service, by whom."""

    operation: Operation
    service: Service
    caller: Caller
    identity: Identity
    gate: Gate
    #: How far it came, for the audit log.
    params: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    explained: list[Explained] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request comes from. `environment_id`: of the execution environment whose listener took it."""

    request_id: str
    base_url: str
    environment_id: str | None = None
    source_ip: str = ""


class Dispatcher:
    """Finds and runs operations. `inner` is for requests from execution environments."""

    def __init__(self, handlers: Registry, *, gate: Gate, inner: Gate, audit: Audit | None = None) -> None:
        self._handlers = handlers
        self._gate = gate
        self._inner = inner
        self._audit = audit
        self._failures = Failures(time.monotonic)
        names = sorted({service for service, _ in handlers} | {_DEFAULT_SERVICE})
        services = [Service.load(name) for name in names]
        self._default = Service.load(_DEFAULT_SERVICE)
        self._services = services
        self._by_target = {service.target_prefix: service for service in services if service.target_prefix}
        self._by_scope = {service.signing_name: service for service in services if not service.target_prefix}

    async def prepare(self, claimed: Claimed) -> None:
        """Have the model there that `route` needs for a request that is `named_in_body`."""
        service = self._by_scope.get(claimed.identity.service or "")
        for waiting in self._services if service is None else [service]:
            if not waiting.is_prepared:
                await asyncio.to_thread(waiting.prepare)

    def identify(self, request: HttpRequest, origin: Origin) -> Claimed:
        """Who a request says that it is from. The body need not be there. Raises nothing."""
        headers = request.headers
        gate = self._gate if origin.environment_id is None else self._inner
        identity = gate.authentication.identify(headers, request.query)
        caller = Caller(
            account=identity.account,
            region=identity.region,
            request_id=origin.request_id,
            access_key_id=identity.access_key_id,
            environment_id=origin.environment_id,
            base_url=origin.base_url,
            trace_header=trace.decode("latin-1") if (trace := headers.get(b"x-amzn-trace-id")) else None,
            known_as=identity.known_as,
            source_ip=origin.source_ip,
            user_agent=agent.decode("latin-1") if (agent := headers.get(b"user-agent")) else "",
        )
        return Claimed(gate, identity, caller)

    def route(self, request: HttpRequest, claimed: Claimed) -> Call:
        """Which operation a request means. Raises UnknownOperation, and what reading a form raises.

        The body need not be there yet, unless `named_in_body`.
        """
        identity = claimed.identity
        protocol = choose_protocol(request.headers, request.path, request.query)
        target = protocol.target(request)
        service = self._service(protocol, target, identity.service)
        operation = service.route(request.method, request.path, request.query, target=target, protocol=protocol)
        return Call(operation=operation, service=service, caller=claimed.caller, identity=identity, gate=claimed.gate)

    def admit(self, call: Call) -> None:
        """Refuse, before the body is read, a request that cannot be believed. Raises AuthenticationError."""
        try:
            call.gate.authentication.admit(call.identity, call.service.signing_name)
        except AuthenticationError as error:
            if self._audited(call):
                self._record(call, error)
            raise

    def _service(self, protocol: Protocol, target: str, scope: str | None) -> Service:
        if not target:
            return self._by_scope.get(scope or "", self._default)
        if protocol is QUERY:
            return self._queried(target, scope)
        service = self._by_target.get(target.rpartition(".")[0])
        if service is None:
            raise UnknownOperation("The requested operation is not known.")
        return service

    def _queried(self, target: str, scope: str | None) -> Service:
        """The service of `Version.Action`: the one that the request is signed for, else one that has both."""
        version, _, action = target.partition(".")
        for service in self._services:
            if service.signing_name == scope:
                return service
        for service in self._services:
            if service.api_version == version and action in service.operation_names:
                return service
        raise UnknownOperation(f"Could not find operation {action} for version {version or 'NO_VERSION_SPECIFIED'}")

    async def run(self, call: Call, request: HttpRequest) -> HttpResponse:
        """Run a routed request whose body has been read. Raises what `failure` translates."""
        if not self._audited(call):
            return await self._run(call, request)
        try:
            response = await self._run(call, request)
        except Exception as error:  # recorded, and raised again
            self._record(call, error)
            raise
        self._record(call, None)
        return response

    def _audited(self, call: Call) -> bool:
        return self._audit is not None and is_management(call.operation.service_name, call.operation.name)

    def _record(self, call: Call, error: Exception | None) -> None:
        assert self._audit is not None
        operation = call.operation
        failed = None
        if isinstance(error, ServiceError):
            failed = error.code, error.message
        elif error is not None:
            failed = "ValidationException" if isinstance(error, ConstraintViolation) else "InternalFailure", None
        self._audit(
            record(
                call.caller, operation.service_name, operation.name, now=time.time(), event_id=str(uuid.uuid4()),
                params=call.params, result=call.result, error=failed, api_version=call.service.api_version,
                believed=not isinstance(error, AuthenticationError | Throttled), explained=call.explained,
            )
        )  # fmt: skip

    async def _run(self, call: Call, request: HttpRequest) -> HttpResponse:
        operation = call.operation
        key = (operation.service_name, operation.name)
        await self._verify(call, request)
        handler = self._handlers.get(key)
        if handler is None:
            raise NotImplementedByIngle(f"Ingle does not implement the operation {operation.name} of {key[0]} yet.")
        event = _EVENTS.get(key)
        if event is not None:
            check_content_type(request.headers.get(b"content-type"))
            params = operation.parse(request)
            params[event] = await checked_payload(params.get(event, b""))
        elif len(request.body) > _INLINE_BODY:
            params = await asyncio.to_thread(operation.parse, request)
        else:
            params = operation.parse(request)
        call.params, caller = params, call.caller
        if call.gate.authorizer is not None and call.identity.credential is not None:
            authority = call.identity.credential.authority
            call.caller = replace(caller, authority=authority, known_as=authority.principal)
            call.explained = call.gate.authorizer.explain(call.caller, key[0], operation.name, params)
            caller = call.gate.authorizer.admitted(call.caller, key[0], operation.name, call.explained)
        call.result = result = await handler(caller, params)
        response = operation.serialize(result)
        operation.protocol.stamp(response, call.caller.request_id)
        return response

    async def _verify(self, call: Call, request: HttpRequest) -> None:
        """Raises AuthenticationError; Throttled to who failed too often."""
        if call.gate.authorizer is None:
            return
        with self._failures.counted(call.caller.environment_id or call.caller.source_ip, call.identity):
            await call.gate.authentication.verify(call.identity, request)

    def failure(self, error: Exception, call: Call | None, request_id: str, protocol: Protocol) -> HttpResponse:
        """The answer to a failed request. What is not a caller's error is logged, and told without details."""
        service = self._default if call is None else call.service
        if isinstance(error, ServiceError):
            translated = error
        elif isinstance(error, StorageFull):
            _log.error("request failed: the disk is full", request_id=request_id, reason=str(error))
            translated = InternalFailure("The disk that holds the data directory is full.")
        elif isinstance(error, (SerializationFailure, ConstraintViolation, UnknownOperation)):
            response = _wire_failure(error, service, protocol)
            protocol.stamp(response, request_id)
            return response
        else:
            operation = None if call is None else call.operation.name
            _log.error("request failed", request_id=request_id, operation=operation, exc_info=error)
            translated = InternalFailure("The service encountered an internal error.")
        response = service.error(
            translated.code,
            translated.message,
            translated.message_member,
            translated.type,
            translated.members,
            # Services that speak JSON or CBOR refuse with 400 what others refuse with 403.
            400 if translated.http_status == 403 and protocol.name not in _FORBIDDING else translated.http_status,
            protocol=protocol,
        )
        protocol.stamp(response, request_id)
        return response

    def options(self, path: str) -> HttpResponse:
        """The answer to OPTIONS: which methods a path has. No cross-origin permission is ever given."""
        # Models that are loaded late have no paths of their own.
        services = [service for service in self._by_scope.values() if service.is_prepared]
        methods = {method for service in services for method in service.allowed_methods(path)}
        if not methods:
            raise UnknownOperation("No operation has this path.")
        allowed = ", ".join(sorted(methods | {"OPTIONS"})).encode()
        return HttpResponse(status=204, headers=[(b"allow", allowed)])


def named_in_body(request: HttpRequest) -> bool:
    """Whether the operation is known only once the body is there. `inflate` makes it readable then."""
    return request.path == "/" and choose_protocol(request.headers, "/", request.query) is QUERY


def _wire_failure(
    error: SerializationFailure | ConstraintViolation | UnknownOperation, service: Service, protocol: Protocol
) -> HttpResponse:
    if isinstance(error, ConstraintViolation):
        return service.error(error.code, error.message, http_status=400, protocol=protocol)
    if isinstance(error, SerializationFailure):
        return service.error("SerializationException", error.message, "Message", http_status=400, protocol=protocol)
    status = 404 if protocol.name == "rest-json" else 400
    return service.error("UnknownOperationException", error.message, "Message", http_status=status, protocol=protocol)
