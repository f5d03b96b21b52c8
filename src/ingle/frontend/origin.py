"""Refuses what a web page could make a browser send to a loopback server: DNS rebinding and cross-site requests.

A page from elsewhere reaches 127.0.0.1 under a host name of its own, or carries an Origin that is not ours. SDKs send
neither. Called by `asgi` before anything else is read of a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from ingle.domain.errors import AccessDenied

#: Names by which an execution environment reaches its own listener.
ENVIRONMENT_HOSTS = frozenset({"sandbox.localdomain", "169.254.100.1"})
_CACHE_SIZE = 1024


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets, in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_followed_link(headers: Mapping[bytes, bytes]) -> bool:
    return headers.get(b"sec-fetch-mode") == b"navigate" and headers.get(b"sec-fetch-dest") == b"document"


class OriginGuard:
    """Checks Host, Origin and Sec-Fetch-Site. `hosts` are names that the server is known by besides localhost."""

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self._names = frozenset(name.lower() for name in hosts)
        self._accepted: set[tuple[bytes, bool]] = set()

    def check(self, headers: Mapping[bytes, bytes], *, environment: bool, linkable: bool = False) -> None:
        """Raise AccessDenied for a request that a foreign web page may have caused.

        `linkable`: a page that does nothing by itself and allows no frame around it. Links from elsewhere may lead to
        it.
        """
        host = headers.get(b"host", b"")
        key = (host, environment)
        if key not in self._accepted:
            self._check_host(host, environment)
            if len(self._accepted) >= _CACHE_SIZE:
                self._accepted.clear()
            self._accepted.add(key)
        if b"origin" in headers:
            self._check_origin(headers[b"origin"], host)
        if headers.get(b"sec-fetch-site") == b"cross-site" and not (linkable and _is_followed_link(headers)):
            raise AccessDenied("Requests from web pages of another site are refused.")

    def _check_host(self, host: bytes, environment: bool) -> None:
        name = host_name(host.decode("latin-1"))
        local = name == "localhost" or name.endswith(".localhost") or self._is_named(name)
        if local or _is_address(name) or (environment and name in ENVIRONMENT_HOSTS):
            return
        raise AccessDenied(
            "The Host header does not name this server. Use an IP address, localhost, or a configured host name."
        )

    def _is_named(self, name: str) -> bool:
        """A name of the server, or of a service or a bucket below one."""
        return name in self._names or any(name.endswith(f".{known}") for known in self._names)

    def _check_origin(self, origin: bytes, host: bytes) -> None:
        if origin not in (b"http://" + host, b"https://" + host):
            raise AccessDenied("Requests with an Origin other than this server are refused.")
