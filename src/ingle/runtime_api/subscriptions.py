"""What an extension asks of the Telemetry API or of the older Logs API, read and checked.

Pure. `runtime_api.telemetry` keeps the subscriptions. Source: the reference pages of both APIs; the form of a refusal
("ValidationError", all faults in one text) is that of AWS's examples.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from ingle.runtime_api.session import Refused

KINDS = ("platform", "function", "extension")
#: Names by which a destination may be called: all of them are inside the environment.
_INSIDE = ("sandbox.localdomain", "sandbox", "localhost", "127.0.0.1")
#: The Runtime API's own.
_RESERVED_PORT = 9001


class Api(StrEnum):
    TELEMETRY = "Telemetry"
    LOGS = "Logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffering:
    """A batch is sent when it has so many items or bytes, or is so old."""

    items: int = 10_000
    bytes: int = 262_144
    milliseconds: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """`path` is None for TCP."""

    port: int
    path: str | None
    host: str = "sandbox.localdomain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """`kinds` of KINDS. `structured`: log lines that are JSON objects are delivered as objects."""

    api: Api
    schema: str
    kinds: tuple[str, ...]
    buffering: Buffering
    destination: Destination

    @property
    def structured(self) -> bool:
        return self.api is Api.TELEMETRY and self.schema >= "2022-12-13"


SCHEMAS: dict[Api, tuple[str, ...]] = {
    Api.TELEMETRY: ("2022-07-01", "2022-12-13", "2025-01-29"),
    Api.LOGS: ("2020-08-15", "2021-03-18"),
}
_BOUNDS = {"maxItems": (1_000, 10_000), "maxBytes": (262_144, 1_048_576), "timeoutMs": (25, 30_000)}
#: Milliseconds that the older API gathers events by default.
_LOGS_MILLISECONDS = 10_000


def parse(api: Api, body: bytes) -> Subscription:
    """Raises Refused with everything that is wrong with the request."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Refused(400, "ValidationError", "the request body is not a JSON object")
    faults: list[str] = []
    subscription = Subscription(
        api=api,
        schema=_schema(api, document.get("schemaVersion"), faults),
        kinds=_kinds(document.get("types"), faults),
        buffering=_buffering(api, document.get("buffering"), faults),
        destination=_destination(document.get("destination"), faults),
    )
    if faults:
        raise Refused(400, "ValidationError", "; ".join(faults))
    return subscription


def _schema(api: Api, given: Any, faults: list[str]) -> str:
    known = SCHEMAS[api]
    if given is None:
        return known[0]
    if given not in known:
        faults.append(f"schemaVersion should be one of {', '.join(known)}")
    return str(given)


def _kinds(given: Any, faults: list[str]) -> tuple[str, ...]:
    if not isinstance(given, list) or not given:
        faults.append("types should not be empty")
        return ()
    faults += [f"type {kind} is not known" for kind in given if kind not in KINDS]
    return tuple(kind for kind in KINDS if kind in given)


def _buffering(api: Api, given: Any, faults: list[str]) -> Buffering:
    default = Buffering() if api is Api.TELEMETRY else Buffering(milliseconds=_LOGS_MILLISECONDS)
    if given is None:
        return default
    if not isinstance(given, dict):
        faults.append("buffering should be an object")
        return default
    values = {}
    for name, standard in (
        ("maxItems", default.items), ("maxBytes", default.bytes), ("timeoutMs", default.milliseconds)
    ):  # fmt: skip
        least, most = _BOUNDS[name]
        value = given.get(name, standard)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            faults.append(f"{name} should be between {least} and {most}")
            value = standard
        values[name] = value
    return Buffering(items=values["maxItems"], bytes=values["maxBytes"], milliseconds=values["timeoutMs"])


def _destination(given: Any, faults: list[str]) -> Destination:
    nowhere = Destination(port=0, path=None)
    if not isinstance(given, dict):
        faults.append("destination should not be empty")
        return nowhere
    protocol = given.get("protocol")
    if protocol not in ("HTTP", "TCP"):
        faults.append("protocol should be HTTP or TCP")
        return nowhere
    if protocol == "HTTP" and given.get("method", "POST") != "POST":
        faults.append("method should be POST")
    if given.get("encoding", "JSON") != "JSON":
        faults.append("encoding should be JSON")
    host, port, path = _address(protocol, given, faults)
    if host not in _INSIDE:
        faults.append("the destination should be sandbox.localdomain")
    if port is None or not 0 < port < 65536:
        faults.append("URI port is not provided" if protocol == "HTTP" else "port is not provided")
        return nowhere
    if port == _RESERVED_PORT:
        faults.append(f"port {_RESERVED_PORT} is reserved")
    return Destination(port=port, path=path if protocol == "HTTP" else None, host=host)


def _address(protocol: str, given: dict[str, Any], faults: list[str]) -> tuple[str, int | None, str]:
    """Host, port and path; a port of None is told by the caller."""
    uri = given.get("URI")
    if protocol == "TCP" and uri is None:
        port = given.get("port")
        return _INSIDE[0], port if isinstance(port, int) and not isinstance(port, bool) else None, ""
    if not isinstance(uri, str):
        faults.append("URI should not be empty")
        return _INSIDE[0], None, ""
    try:
        parts = urlsplit(uri)
    except ValueError:
        faults.append("the URI is none")
        return _INSIDE[0], None, ""
    if parts.scheme != protocol.lower():
        faults.append(f"the scheme of the URI should be {protocol.lower()}")
    try:
        port = parts.port
    except ValueError:
        port = None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or any(character <= " " for character in path):
        faults.append("the URI holds characters that have to be encoded")
    return parts.hostname or "", port, path
