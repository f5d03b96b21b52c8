"""The routes that are Ingle's own, under `/_ingle/`. Called by `asgi`, which owns reading and sending.

The composition root makes the table: `{"/_ingle/health": health(...), "/_ingle/packages/": packages(...)}`. A key that
ends in `/` takes every path that starts with it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

import orjson

from ingle.frontend.links import PackageLinks

PREFIX = "/_ingle/"
CONSOLE = "/_ingle/console"
_DIGEST = re.compile(r"[0-9a-f]{64}")
#: Not one that is refused by `q=0`.
_GZIP = re.compile(rb"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
_JSON = [(b"content-type", b"application/json")]


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalRequest:
    """`path` is what follows the route's key. `from_environment`: sent by code inside an execution environment.

    `local`: sent from this machine. `gzipped`: whether the answer may be compressed by gzip.
    """

    method: str
    path: str
    query: Mapping[str, str]
    from_environment: bool = False
    local: bool = True
    gzipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalResponse:
    """`file`, when there is one, is streamed in place of `body`."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    file: Path | None = None


InternalRoute = Callable[[InternalRequest], Awaitable[InternalResponse]]


def json_response(status: int, document: object) -> InternalResponse:
    return InternalResponse(status=status, headers=_JSON, body=orjson.dumps(document))


def not_found() -> InternalResponse:
    return json_response(404, {"message": "Not found."})


def find_route(routes: Mapping[str, InternalRoute], path: str) -> tuple[InternalRoute, str] | None:
    """The route for a path and what follows its key. Exact keys win, then the longest prefix."""
    if path in routes:
        return routes[path], ""
    prefixes = [key for key in routes if key.endswith("/") and path.startswith(key)]
    if not prefixes:
        return None
    key = max(prefixes, key=len)
    return routes[key], path[len(key) :]


def internal_request(
    method: str, path: str, query: str, headers: Mapping[bytes, bytes] | None = None, *,
    from_environment: bool = False, local: bool = True,
) -> InternalRequest:  # fmt: skip
    pairs = dict(parse_qsl(query, errors="replace"))
    accepted = (headers or {}).get(b"accept-encoding", b"").lower()
    return InternalRequest(
        method=method, path=path, query=pairs, from_environment=from_environment, local=local,
        gzipped=_GZIP.search(accepted) is not None,
    )  # fmt: skip


def health(
    *,
    version: str,
    clock: Callable[[], float],
    ready: Callable[[], bool],
    problems: Callable[[], list[str]] = list,
    authentication: str = "none",
) -> InternalRoute:
    """200 once `ready()`, 503 before. `clock` counts seconds; the uptime is measured from this call.

    `problems`: what is wrong although functions run, in words. Then the status is `degraded`, and still 200.
    `authentication`: the setting `auth`, so that the console knows whether to ask for an access key.
    """
    started = clock()

    async def answer(request: InternalRequest) -> InternalResponse:
        is_ready = ready()
        found = problems()
        document: dict[str, object] = {
            "status": ("degraded" if found else "ok") if is_ready else "starting",
            "ready": is_ready,
            "version": version,
            "authentication": authentication,
            "uptime_seconds": round(clock() - started, 3),
        }
        if found:
            document["problems"] = found
        return json_response(200 if is_ready else 503, document)

    return answer


def packages(*, links: PackageLinks, find: Callable[[str], Path]) -> InternalRoute:
    """Deployment packages by digest, for holders of a signed link. `find` gives the path of a package's zip."""

    async def answer(request: InternalRequest) -> InternalResponse:
        digest = request.path
        expires, signature = request.query.get("expires", ""), request.query.get("signature", "")
        if not _DIGEST.fullmatch(digest) or not links.verify(digest, expires, signature):
            return json_response(403, {"message": "The link is not valid or has expired."})
        headers = [
            (b"content-type", b"application/zip"),
            (b"content-disposition", f'attachment; filename="{digest[:16]}.zip"'.encode()),
        ]
        return InternalResponse(status=200, headers=headers, file=find(digest))

    return answer


class Page(Protocol):
    """What a browser gets, see `console.site`."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> list[tuple[bytes, bytes]]: ...

    @property
    def body(self) -> bytes: ...


class Pages(Protocol):
    """`path` is below the console's address. May block: it is called in a thread."""

    def __call__(self, path: str, *, gzipped: bool) -> Page: ...


def console(find: Pages) -> Mapping[str, InternalRoute]:
    """The web console: pages for browsers, not for function code."""

    async def answer(request: InternalRequest) -> InternalResponse:
        if request.from_environment:
            return json_response(403, {"message": "The console is not for functions."})
        page = await asyncio.to_thread(find, request.path, gzipped=request.gzipped)
        return InternalResponse(status=page.status, headers=page.headers, body=page.body)

    async def redirect(request: InternalRequest) -> InternalResponse:
        return InternalResponse(status=307, headers=[(b"location", f"{CONSOLE}/".encode())])

    return {CONSOLE: redirect, f"{CONSOLE}/": answer}
