"""From X-Ray's segment documents to OpenTelemetry's spans. Pure.

Documents come from functions and are not trusted: `read_datagram` and `spans_of` raise Malformed for whatever is not
what AWS describes. Names of attributes are OpenTelemetry's where it has some, `aws.` and what X-Ray calls it elsewhere.
Sources: AWS's X-Ray developer guide, "segment documents" and "sending to the daemon"; OTLP 1.x, JSON encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ingle.domain.function import Version
from ingle.domain.tracing import SEGMENT_ID, TRACE_ID

#: Bytes of a document, as in X-Ray.
LARGEST_DOCUMENT = 65_536
#: How deep subsegments are nested, and how many spans one document makes.
_DEEPEST, _MOST_SPANS = 50, 1000
_INTERNAL, _SERVER, _CLIENT = 1, 2, 3
_STATUS_ERROR = 2
_LATEST = 1 << 33  # epoch seconds, in the year 2242
_LARGEST_INTEGER = 1 << 63
_ANNOTATION = re.compile(r"[A-Za-z0-9_.-]{1,500}")

Document = Mapping[str, Any]
Span = dict[str, Any]

_HTTP_NAMES = {
    ("request", "method"): "http.request.method", ("request", "url"): "url.full",
    ("request", "user_agent"): "user_agent.original", ("request", "client_ip"): "client.address",
    ("response", "status"): "http.response.status_code", ("response", "content_length"): "http.response.body.size",
}  # fmt: skip
_SQL_NAMES = {
    "database_type": "db.system.name", "sanitized_query": "db.query.text", "url": "db.connection_string",
    "user": "db.user", "preparation": "db.preparation", "database_version": "db.version",
    "driver_version": "db.driver.version",
}  # fmt: skip


class Malformed(ValueError):
    """This is no segment document; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Whose spans: the function that the server knows they come from, whatever they say themselves."""

    account: str
    region: str
    function: str
    version: str

    @staticmethod
    def of(version: Version) -> Source:
        key = version.key
        return Source(account=key.account, region=key.region, function=key.name, version=version.version)

    def attributes(self) -> list[dict[str, Any]]:
        return _attributes(
            {
                "service.name": self.function, "cloud.provider": "aws", "cloud.platform": "aws_lambda",
                "cloud.account.id": self.account, "cloud.region": self.region, "faas.name": self.function,
                "faas.version": self.version,
            }
        )  # fmt: skip


def read_datagram(datagram: bytes) -> Document:
    """The document in what the X-Ray SDK sends to its daemon. Raises Malformed."""
    head, separator, body = datagram.partition(b"\n")
    try:
        header = orjson.loads(head)
        document = orjson.loads(body) if separator and len(body) <= LARGEST_DOCUMENT else None
    except orjson.JSONDecodeError as error:
        raise Malformed("not JSON") from error
    if not isinstance(header, dict) or header.get("format") != "json" or header.get("version") != 1:
        raise Malformed("not the header of version 1")
    if not isinstance(document, dict):
        raise Malformed("no document, or one that is too large")
    return document


def spans_of(document: Document) -> list[Span]:
    """The spans of a segment, or of a subsegment that was sent by itself. What is in progress makes none.

    Raises Malformed.
    """
    trace = _id(document, "trace_id", TRACE_ID).replace("-", "")[1:].lower()
    parent = _id(document, "parent_id", SEGMENT_ID).lower() if "parent_id" in document else ""
    alone = document.get("type") == "subsegment"
    if alone and not parent:
        raise Malformed("a subsegment without its parent")
    found = []
    for span in _spans(document, trace, parent, not alone, 0):
        found.append(span)
        if len(found) > _MOST_SPANS:
            raise Malformed("too many subsegments")
    return found


def _spans(document: Document, trace: str, parent: str, segment: bool, depth: int) -> Iterator[Span]:
    if depth > _DEEPEST:
        raise Malformed("subsegments are nested too deeply")
    own = _id(document, "id", SEGMENT_ID).lower()
    span = _span(document, segment)
    if span is not None:
        yield {"traceId": trace, "spanId": own, **({"parentSpanId": parent} if parent else {}), **span}
    for part in _list(document.get("subsegments")):
        if not isinstance(part, dict):
            raise Malformed("a subsegment that is no object")
        yield from _spans(part, trace, own, False, depth + 1)


def _span(document: Document, segment: bool) -> Span | None:
    """Everything of a span but its ids; None while it is in progress."""
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise Malformed("no name")
    started = _time(document, "start_time")
    if document.get("in_progress") is True and "end_time" not in document:
        return None
    ended = max(started, _time(document, "end_time"))
    remote = document.get("namespace") in ("aws", "remote")
    span: Span = {
        "name": name[:250], "kind": _SERVER if segment else _CLIENT if remote else _INTERNAL,
        "startTimeUnixNano": str(started), "endTimeUnixNano": str(ended),
        "attributes": _attributes(_describe(document)),
    }  # fmt: skip
    events = list(_exceptions(document, ended))
    if events:
        span["events"] = events
    if any(document.get(flag) is True for flag in ("error", "fault", "throttle")):
        span["status"] = {"code": _STATUS_ERROR, **_message(document)}
    return span


def _id(document: Document, member: str, pattern: re.Pattern[str]) -> str:
    value = document.get(member)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Malformed(f"no {member}")
    return value


def _time(document: Document, member: str) -> int:
    """Nanoseconds since the epoch."""
    value = document.get(member)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST:
        raise Malformed(f"no {member}")
    return int(value * 1_000_000) * 1000


# --- attributes ---------------------------------------------------------------------------------------------------


def _describe(document: Document) -> dict[str, Any]:
    """Attributes by name. Those that the platform knows win over annotations of the same name."""
    annotations = _object(document.get("annotations"))
    found = {name: value for name, value in annotations.items() if _ANNOTATION.fullmatch(name)}
    for namespace, value in _object(document.get("metadata")).items():
        found[f"aws.xray.metadata.{namespace}"] = _text(value)
    aws = _object(document.get("aws"))
    found |= {f"aws.{name}": value for name, value in aws.items()}
    if document.get("namespace") == "aws":
        found |= {"rpc.system": "aws-api", "rpc.service": document["name"], "rpc.method": aws.get("operation")}
    http = _object(document.get("http"))
    for (side, member), attribute in _HTTP_NAMES.items():
        found[attribute] = _object(http.get(side)).get(member)
    sql = _object(document.get("sql"))
    found |= {attribute: sql.get(member) for member, attribute in _SQL_NAMES.items()}
    found |= {f"aws.xray.{flag}": True for flag in ("error", "fault", "throttle") if document.get(flag) is True}
    found |= {
        "aws.xray.origin": document.get("origin"), "aws.xray.namespace": document.get("namespace"),
        "cloud.resource_id": document.get("resource_arn"), "enduser.id": document.get("user"),
    }  # fmt: skip
    return found


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and -_LARGEST_INTEGER <= value < _LARGEST_INTEGER:
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return {"arrayValue": {"values": [{"stringValue": item} for item in value]}}
    return {"stringValue": _text(value)}


def _text(value: Any) -> str:
    try:
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    except orjson.JSONEncodeError as error:
        raise Malformed("nested too deeply") from error


def _object(value: Any) -> Mapping[str, Any]:
    """Of a member that is of no great importance: what is no object counts as empty."""
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# --- what went wrong ----------------------------------------------------------------------------------------------


def _exceptions(document: Document, when: int) -> Iterator[dict[str, Any]]:
    for exception in _list(_object(document.get("cause")).get("exceptions")):
        if isinstance(exception, dict):
            described = {
                "exception.type": exception.get("type"), "exception.message": exception.get("message"),
                "exception.stacktrace": _stack(exception.get("stack")),
            }  # fmt: skip
            yield {"timeUnixNano": str(when), "name": "exception", "attributes": _attributes(described)}


def _stack(frames: Any) -> str | None:
    lines = [
        f"  at {frame.get('label', '?')} ({frame.get('path', '?')}:{frame.get('line', '?')})"
        for frame in _list(frames)
        if isinstance(frame, dict)
    ]
    return "\n".join(lines) or None


def _message(document: Document) -> dict[str, str]:
    cause = _object(document.get("cause"))
    exceptions = [item for item in _list(cause.get("exceptions")) if isinstance(item, dict)]
    message = cause.get("message") or (exceptions[0].get("message") if exceptions else None)
    return {"message": message} if isinstance(message, str) else {}
