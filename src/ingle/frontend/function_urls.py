"""Answers at function URLs: by the host name of a URL, or below a path of Ingle's own for clients without such names.

A page of a function is of an origin of its own. Below the path it would share the server's, so answers there are
sandboxed. With InvokeMode RESPONSE_STREAM the function's answer is sent while it is made (`url_streams`). Called by
`asgi`, which owns reading and sending.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from ingle.catalog.urls import Addressed, UrlIndex
from ingle.domain.access.document import Document
from ingle.domain.access.evaluation import Policies, Request, context_of, decide
from ingle.domain.access.principals import ANONYMOUS
from ingle.domain.arn import FunctionArn
from ingle.domain.caller import Caller
from ingle.domain.errors import AccessDenied, ServiceError, TooManyRequests
from ingle.domain.function import LATEST, FunctionKey, Version
from ingle.domain.policy import Policy
from ingle.frontend import url_cors
from ingle.frontend.authentication_errors import AuthenticationError, InvalidSignature
from ingle.frontend.authorization.authorizer import Authorizer
from ingle.frontend.authorization.needs import Need, Values
from ingle.frontend.dispatch import Gate
from ingle.frontend.failures import Failures, Throttled
from ingle.frontend.origin import host_name
from ingle.frontend.url_events import Malformed, UrlAnswer, UrlRequest, answer_of, event_of
from ingle.frontend.url_streams import FunctionFailed, streamed_answer
from ingle.invoke.streaming import ResponseStream
from ingle.observability.log import Logger
from ingle.wire import HttpRequest, HttpResponse

_log = Logger("frontend")

#: `/_ingle/function-urls/ID/PATH` is PATH at the URL of this id.
PATH_PREFIX = "/_ingle/function-urls/"
_HOST = re.compile(r"([0-9a-z]{32})\.lambda-url\.[a-z0-9-]+\.(?:on\.aws|localhost)")
_SANDBOXED = (b"content-security-policy", b"sandbox allow-forms allow-scripts")
_JSON = (b"content-type", b"application/json")
_FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)

Invoke = Callable[[Caller, dict[str, Any]], Awaitable[dict[str, Any]]]
Open = Callable[[Caller, dict[str, Any]], Awaitable[ResponseStream]]
#: Takes what the owner of a version of a function should know.
Tell = Callable[[Version, str], None]
#: A metric of a function: its name, value and unit.
Record = Callable[[FunctionKey, str, float, str], None]


class Call(Protocol):
    """What the application tells of a request whose body has not been read. `read` reads it, or raises."""

    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    raw_headers: list[tuple[bytes, bytes]]
    source: str
    scheme: str
    port: int
    request_id: str
    from_environment: bool

    async def read(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Target:
    """Which URL a request is to, with the path there. `domain` is the name that the function is told."""

    url_id: str
    path: str
    domain: str
    sandboxed: bool = False


def target_of(host: bytes, path: str, region: Callable[[str], str]) -> Target | None:
    """None for what is to no function URL. `region` tells that of a URL, for requests by path."""
    if b".lambda-url." in host:
        name = host_name(host.decode("latin-1"))
        found = _HOST.fullmatch(name)
        return Target(found[1] if found else "", path, name)
    if path.startswith(PATH_PREFIX):
        url_id, slash, rest = path[len(PATH_PREFIX) :].partition("/")
        return Target(url_id, slash + rest or "/", f"{url_id}.lambda-url.{region(url_id)}.localhost", sandboxed=True)
    return None


class FunctionUrlServer:
    """`invoke` is the handler of Invoke, `open_stream` does the same for responses that are streamed. `tell` is told
    why a function's response was no answer. `gate` and `inner` say how callers of AWS_IAM are believed, see `dispatch`.
    """

    def __init__(
        self, urls: UrlIndex, invoke: Invoke, open_stream: Open, record: Record, tell: Tell,
        clock: Callable[[], float], gate: Gate, inner: Gate,
    ) -> None:  # fmt: skip
        self._urls = urls
        self._invoke = invoke
        self._open_stream = open_stream
        self._record = record
        self._tell = tell
        self._clock = clock
        self._gate = gate
        self._inner = inner
        self._failures = Failures(time.monotonic)

    def target(self, headers: Mapping[bytes, bytes], path: str) -> Target | None:
        """Which URL a request is to, if it is to one."""
        return target_of(headers.get(b"host", b""), path, self._region)

    def _region(self, url_id: str) -> str:
        found = self._urls.get(url_id)
        return "unknown" if found is None else found.function.key.region

    async def answer(self, target: Target, call: Call) -> HttpResponse:
        found = self._urls.get(target.url_id)
        if found is None:
            return _refusal(403, None, "AccessDeniedException")
        began = time.perf_counter()
        key, cors = found.function.key, found.url.cors
        if cors is not None and url_cors.is_preflight(call.method, call.headers):
            return HttpResponse(status=200, headers=url_cors.preflight(cors, call.headers))
        response = await self._answer(found, target, call)
        if cors is not None:
            added = url_cors.headers_of(cors, call.headers)
            names = {name for name, _ in added}
            response.headers = [item for item in response.headers if item[0].lower() not in names] + added
        if target.sandboxed:
            response.headers = [item for item in response.headers if item[0].lower() != _SANDBOXED[0]] + [_SANDBOXED]
        if response.chunks is None:
            self._count(key, response.status, time.perf_counter() - began)
        else:
            response.chunks = self._counted(response.chunks, key, response.status, began)
        return response

    async def _counted(
        self, chunks: AsyncGenerator[bytes, None], key: FunctionKey, status: int, began: float
    ) -> AsyncGenerator[bytes, None]:
        """A streamed answer, which is counted when it has ended."""
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield chunk
        finally:
            self._count(key, status, time.perf_counter() - began)

    async def _answer(self, found: Addressed, target: Target, call: Call) -> HttpResponse:
        body: bytes | None = None
        identity = None
        try:
            if found.url.auth_type == "NONE":
                allowed = _public(found, call)
            elif (gate := self._inner if call.from_environment else self._gate).authorizer is None:
                allowed = b"authorization" in call.headers or "X-Amz-Signature=" in call.query
                identity = _claimed(found, call)
            else:
                body = await call.read()
                identity, allowed = await self._signed(gate, gate.authorizer, found, call, body), True
        except AccessDenied:
            allowed = False
        except (AuthenticationError, Throttled) as error:
            return _unauthenticated(error)
        if not allowed:
            return _refusal(403, _FORBIDDEN, "AccessDeniedException")
        trace = call.headers.get(b"x-amzn-trace-id", b"").decode("latin-1") or _new_trace(call.request_id)
        request = UrlRequest(
            method=call.method, path=target.path, query=call.query, headers=call.raw_headers,
            body=await call.read() if body is None else body,
            url_id=target.url_id, domain=target.domain, source=call.source, scheme=call.scheme, port=call.port,
            request_id=call.request_id, trace_header=trace, now=self._clock(), identity=identity,
        )  # fmt: skip
        response = await self._run(found, call, request)
        response.headers.append((b"x-amzn-trace-id", trace.encode("latin-1")))
        return response

    async def _run(self, found: Addressed, call: Call, request: UrlRequest) -> HttpResponse:
        key = found.function.key
        caller = Caller(
            account=key.account, region=key.region, request_id=call.request_id, trace_header=request.trace_header
        )  # fmt: skip
        params: dict[str, Any] = {"FunctionName": key.name, "Payload": event_of(request)}
        if found.alias is not None:
            params["Qualifier"] = found.alias
        respond = self._streamed if found.url.invoke_mode == "RESPONSE_STREAM" else self._buffered
        try:
            answer, chunks = await respond(caller, params)
        except TooManyRequests as error:
            return _refusal(429, error.message, error.code)
        except ServiceError as error:
            _log.info("a function URL could not be answered", function=key.name, reason=error.message)
            return _failure()
        except FunctionFailed:
            return _failure()
        except Malformed as error:
            self._tell_malformed(found, str(error))
            return _failure()
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        return HttpResponse(status=answer.status, headers=headers, body=answer.body, chunks=chunks)

    async def _buffered(self, caller: Caller, params: dict[str, Any]) -> tuple[UrlAnswer, None]:
        result = await self._invoke(caller, params)
        if "FunctionError" in result:
            raise FunctionFailed
        return answer_of(result["Payload"]), None

    async def _streamed(
        self, caller: Caller, params: dict[str, Any]
    ) -> tuple[UrlAnswer, AsyncGenerator[bytes, None] | None]:
        return await streamed_answer(await self._open_stream(caller, params))

    def _tell_malformed(self, found: Addressed, reason: str) -> None:
        """Callers are told nothing, so the function's log says why."""
        version = found.function.qualified(found.alias) if found.alias is not None else found.function.serving
        if version is not None:
            self._tell(version, f"The function's response cannot be an answer of its URL: {reason}.")

    async def _signed(
        self, gate: Gate, authorizer: Authorizer, found: Addressed, call: Call, body: bytes
    ) -> Mapping[str, Any]:
        """What a function is told of a caller who proved who they are and may ask.

        Raises AuthenticationError, Throttled, AccessDenied.
        """
        request = HttpRequest(method=call.method, path=call.path, query=call.query, headers=call.headers, body=body)
        identity = gate.authentication.identify(request.headers, request.query)
        if identity.signed is None and identity.problem is None:
            raise AccessDenied(None)
        with self._failures.counted(call.source, identity):
            gate.authentication.admit(identity, "lambda")
            if identity.region != found.function.key.region:
                raise InvalidSignature("Credential should be scoped to a valid region.")
            await gate.authentication.verify(identity, request)
        assert identity.credential is not None, "what is verified has a credential"
        authority = identity.credential.authority
        caller = Caller(
            account=identity.account, region=identity.region, request_id=call.request_id, source_ip=call.source,
            access_key_id=identity.access_key_id, known_as=authority.principal, authority=authority,
            user_agent=call.headers.get(b"user-agent", b"").decode("latin-1"), base_url=f"{call.scheme}://",
        )  # fmt: skip
        authorizer.require(caller, authorizer.explain_needs(caller, _needs(found)))
        principal = authority.principal
        return {
            "accessKey": identity.access_key_id, "accountId": principal.account, "callerId": principal.unique_id,
            "cognitoIdentity": None, "principalOrgId": None, "userArn": principal.arn, "userId": principal.unique_id,
        }  # fmt: skip

    def _count(self, key: FunctionKey, status: int, seconds: float) -> None:
        self._record(key, "UrlRequestCount", 1, "Count")
        self._record(key, "UrlRequestLatency", seconds * 1000, "Milliseconds")
        if 400 <= status < 600:
            self._record(key, f"Url{status // 100}xxCount", 1, "Count")


def _asked(found: Addressed) -> list[tuple[str, Values]]:
    """The actions that a request at a URL is, with their conditions. All have to be allowed, as documented."""
    by_url: Values = {"lambda:FunctionUrlAuthType": found.url.auth_type}
    return [
        ("lambda:InvokeFunctionUrl", by_url),
        ("lambda:InvokeFunction", {**by_url, "lambda:InvokedViaFunctionUrl": "true"}),
    ]


def _resource(found: Addressed) -> tuple[str, Document | None]:
    """What a URL leads to, and its policy."""
    policy = found.function.attachments.get(Policy, found.alias or LATEST)
    return str(FunctionArn.of(found.function.key, found.alias)), None if policy is None else policy.document


def _needs(found: Addressed) -> list[Need]:
    resource, policy = _resource(found)
    account = found.function.key.account

    def need(action: str, values: Values) -> Need:
        return Need(action=action, resource=resource, account=account, policy=policy, values=lambda: values)

    return [need(action, values) for action, values in _asked(found)]


def _public(found: Addressed, call: Call) -> bool:
    """Whether the function's policy lets anybody ask."""
    resource, policy = _resource(found)
    if policy is None:
        return False
    return all(
        decide(
            Request(
                principal=ANONYMOUS, action=action, resource=resource, account=found.function.key.account,
                context=context_of({"aws:SourceIp": call.source, **values}),
            ),
            Policies(), policy,
        ).allowed
        for action, values in _asked(found)
    )  # fmt: skip


def _claimed(found: Addressed, call: Call) -> Mapping[str, Any]:
    """What a function is told of a caller whose signature nobody verifies."""
    account = found.function.key.account
    matched = re.search(rb"Credential=([^/,\s]+)", call.headers.get(b"authorization", b""))
    return {
        "accessKey": matched[1].decode("latin-1") if matched else None,
        "accountId": account,
        "callerId": account,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": f"arn:aws:iam::{account}:root",
        "userId": account,
    }


def _new_trace(request_id: str) -> str:
    digits = request_id.replace("-", "")
    return f"Root=1-{int(time.time()):08x}-{digits[:24]}"


def _refusal(status: int, message: str | None, code: str) -> HttpResponse:
    headers = [_JSON, (b"x-amzn-errortype", code.encode())]
    return HttpResponse(status=status, headers=headers, body=orjson.dumps({"Message": message}))


def _unauthenticated(error: ServiceError) -> HttpResponse:
    headers = [_JSON, (b"x-amzn-errortype", error.code.encode())]
    return HttpResponse(status=error.http_status, headers=headers, body=orjson.dumps({"message": error.message}))


def _failure() -> HttpResponse:
    """What callers are told of an error of the function: nothing."""
    return HttpResponse(status=502, headers=[_JSON], body=b"Internal Server Error")
