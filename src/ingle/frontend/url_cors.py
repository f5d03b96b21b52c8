"""What browsers are told of a function URL: its answers to preflight requests, and the headers of all others. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ingle.domain.function_url import Cors

Headers = list[tuple[bytes, bytes]]


def is_preflight(method: str, headers: Mapping[bytes, bytes]) -> bool:
    return method == "OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers


def preflight(cors: Cors, headers: Mapping[bytes, bytes]) -> Headers:
    """The headers of the answer, which the function is not asked for; none for an origin that is not allowed."""
    found = _origin(cors, headers)
    if not found:
        return []
    wanted = headers.get(b"access-control-request-headers", b"").decode("latin-1")
    if cors.allow_methods:
        found.append((b"access-control-allow-methods", _list(cors.allow_methods)))
    if cors.allow_headers:
        # A wildcard means nothing to browsers where credentials are allowed: what was asked for does.
        allowed = [wanted] if "*" in cors.allow_headers and wanted else cors.allow_headers
        found.append((b"access-control-allow-headers", _list(allowed)))
    if cors.max_age is not None:
        found.append((b"access-control-max-age", str(cors.max_age).encode()))
    return found


def headers_of(cors: Cors, headers: Mapping[bytes, bytes]) -> Headers:
    """What is added to the function's answer."""
    found = _origin(cors, headers)
    if found and cors.expose_headers:
        found.append((b"access-control-expose-headers", _list(cors.expose_headers)))
    return found


def _origin(cors: Cors, headers: Mapping[bytes, bytes]) -> Headers:
    origin = headers.get(b"origin")
    allowed = cors.allow_origins or ()
    if origin is None or not ("*" in allowed or origin.decode("latin-1").lower() in {name.lower() for name in allowed}):
        return []
    everybody = "*" in allowed and not cors.allow_credentials
    found = [(b"access-control-allow-origin", b"*" if everybody else origin)]
    if not everybody:
        found.append((b"vary", b"Origin"))
    if cors.allow_credentials:
        found.append((b"access-control-allow-credentials", b"true"))
    return found


def _list(names: Iterable[str]) -> bytes:
    return ",".join(names).encode("latin-1", "replace")
