"""Requests to a function URL as events, and the function's results as answers: payload format 2.0. Pure.

Source: "Invoking Lambda function URLs" in the developer guide, and answers recorded from AWS.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

Headers = Sequence[tuple[bytes, bytes]]

_TEXT_TYPES = frozenset(
    ("application/json", "application/xml", "application/javascript", "application/graphql", "image/svg+xml")
)
#: Of a connection and not of an answer.
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
     "upgrade", "content-length")
)  # fmt: skip
#: What the service says itself: a function's own is told under another name.
_REMAPPED = frozenset(("authorization", "date", "server", "host", "user-agent", "www-authenticate"))


class Malformed(Exception):
    """The function's result cannot be made into an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlRequest:
    """One request to a URL. `path` and `query` are raw; `now` is epoch seconds, `scheme` and `port` the server's.

    `identity` is what `requestContext.authorizer.iam` says; None: the caller is anonymous.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    url_id: str
    domain: str
    source: str
    scheme: str
    port: int
    request_id: str
    trace_header: str
    now: float
    http_version: str = "1.1"
    identity: Mapping[str, Any] | None = None


def event_of(request: UrlRequest) -> bytes:
    """The event that the function gets."""
    headers = _joined(request)
    cookies = [value.strip() for cookie in _values(request.headers, b"cookie") for value in cookie.split(";")]
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
        "cookies": cookies,
        "headers": headers,
        "queryStringParameters": _query(request.query),
        "requestContext": _context(request, headers),
        "isBase64Encoded": False,
    }
    if request.body:
        text = _text(request.body, headers.get("content-type", ""))
        event["isBase64Encoded"] = text is None
        event["body"] = base64.b64encode(request.body).decode() if text is None else text
    for name in ("cookies", "queryStringParameters"):
        if not event[name]:
            del event[name]
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def _context(request: UrlRequest, headers: Mapping[str, str]) -> dict[str, Any]:
    moment = datetime.fromtimestamp(request.now, UTC)
    context: dict[str, Any] = {
        "accountId": "anonymous" if request.identity is None else request.identity["accountId"],
        "apiId": request.url_id,
        "domainName": request.domain,
        "domainPrefix": request.url_id,
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": f"HTTP/{request.http_version}",
            "sourceIp": request.source,
            "userAgent": headers.get("user-agent"),
        },
        "requestId": request.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": f"{moment:%d/%b/%Y:%H:%M:%S} +0000",
        "timeEpoch": int(request.now * 1000),
    }
    if request.identity is not None:
        context["authorizer"] = {"iam": dict(request.identity)}
    return context


def _joined(request: UrlRequest) -> dict[str, str]:
    """Header names in lower case, repeated ones joined; cookies stand elsewhere. With those that the service adds."""
    found: dict[str, str] = {}
    for name, value in request.headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if key != "cookie":
            found[key] = f"{found[key]},{text}" if key in found else text
    forwarded = found.get("x-forwarded-for")
    found["x-forwarded-for"] = f"{forwarded}, {request.source}" if forwarded else request.source
    found |= {
        "x-forwarded-port": str(request.port),
        "x-forwarded-proto": request.scheme,
        "x-amzn-trace-id": request.trace_header,
    }
    return found


def _values(headers: Headers, name: bytes) -> Iterable[str]:
    return (value.decode("latin-1") for key, value in headers if key.lower() == name)


def _query(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _text(body: bytes, content_type: str) -> str | None:
    """The body as text; None for what is binary."""
    kind = content_type.partition(";")[0].strip().lower()
    if not (kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml"))):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlAnswer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def answer_of(result: bytes) -> UrlAnswer:
    """The answer that a function's result means. Raises Malformed."""
    try:
        value = json.loads(result)
    except (ValueError, RecursionError):
        raise Malformed("the result is not JSON") from None
    if isinstance(value, dict) and "statusCode" in value:
        return _explicit(value)
    if isinstance(value, str):
        return _answer(200, {}, _encoded(value))
    return _answer(200, {}, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"))


def prelude_of(text: bytes) -> UrlAnswer:
    """The head of a streamed answer, from the prelude that a function sent. Raises Malformed."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("the prelude is not JSON") from None
    if not isinstance(value, dict):
        raise Malformed("the prelude is no object")
    head = {name: value[name] for name in ("statusCode", "headers", "cookies") if value.get(name) is not None}
    return _explicit({"statusCode": 200, **head}, default_type="application/octet-stream")


def _explicit(value: Mapping[str, Any], default_type: str = "application/json") -> UrlAnswer:
    status = value["statusCode"]
    if isinstance(status, str) and status.isascii() and status.isdecimal():
        status = int(status)
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise Malformed("statusCode is no status")
    headers, cookies = value.get("headers") or {}, value.get("cookies") or []
    if not isinstance(headers, dict) or not isinstance(cookies, list):
        raise Malformed("headers is no object, or cookies no list")
    body = _body(value.get("body"), bool(value.get("isBase64Encoded")))
    return _answer(status, headers, body, [_header_value(cookie) for cookie in cookies], default_type)


def _body(body: Any, encoded: bool) -> bytes:
    if body is None:
        return b""
    if encoded:
        try:
            return base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise Malformed("body is not in base64") from None
    return _encoded(body if isinstance(body, str) else json.dumps(body, separators=(",", ":"), ensure_ascii=False))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _header_value(value: Any) -> str:
    if isinstance(value, (dict, list)) or value is None:
        raise Malformed("a header has no text")
    text = value if isinstance(value, str) else json.dumps(value)
    if not text.isprintable() or not text.isascii():
        try:
            text.encode("latin-1")
        except UnicodeEncodeError:
            raise Malformed("a header has characters that no header can have") from None
        if any((character < " " and character != "\t") or character == "\x7f" for character in text):
            raise Malformed("a header has control characters")
    return text


def _answer(
    status: int, headers: Mapping[str, Any], body: bytes, cookies: Iterable[str] = (),
    default_type: str = "application/json",
) -> UrlAnswer:  # fmt: skip
    found: list[tuple[str, str]] = []
    for name, value in headers.items():
        lowered = name.lower()
        if not _is_name(name):
            raise Malformed("a header has a name that no header can have")
        if lowered in _HOP_BY_HOP:
            continue
        remapped = lowered in _REMAPPED or (lowered.startswith("x-amzn-") and lowered != "x-amzn-errortype")
        found.append((f"x-amzn-Remapped-{name}" if remapped else name, _header_value(value)))
    if not any(name.lower() == "content-type" for name, _ in found):
        found.insert(0, ("content-type", default_type))
    found += [("set-cookie", cookie) for cookie in cookies]
    return UrlAnswer(status=status, headers=tuple(found), body=body)


def _is_name(name: str) -> bool:
    return bool(name) and name.isascii() and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name)
