"""The routes that are Ingle's own, under `/_ingle/`. Called by `asgi`, which owns reading and sending.

The composition root makes the table: `{"/_ingle/health": health(...), "/_ingle/packages/": packages(...)}`. A key that
ends in `/` takes every path that starts with it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import orjson

from ingle.frontend.links import PackageLinks

PREFIX = "/_ingle/"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_JSON = [(b"content-type", b"application/json")]


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalRequest:
    """`path` is what follows the route's key. `from_environment`: sent by code inside an execution environment.

    `local`: sent from this machine.
    """

    method: str
    path: str
    query: Mapping[str, str]
    from_environment: bool = False
    local: bool = True


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
    method: str, path: str, query: str, *, from_environment: bool = False, local: bool = True
) -> InternalRequest:
    pairs = dict(parse_qsl(query, errors="replace"))
    return InternalRequest(method=method, path=path, query=pairs, from_environment=from_environment, local=local)


def health(
    *,
    version: str,
    clock: Callable[[], float],
    ready: Callable[[], bool],
    problems: Callable[[], list[str]] = list,
) -> InternalRoute:
    """200 once `ready()`, 503 before. `clock` counts seconds; the uptime is measured from this call.

    `problems`: what is wrong although functions run, in words. Then the status is `degraded`, and still 200.
    """
    started = clock()

    async def answer(request: InternalRequest) -> InternalResponse:
        is_ready = ready()
        found = problems()
        document: dict[str, object] = {
            "status": ("degraded" if found else "ok") if is_ready else "starting",
            "ready": is_ready,
            "version": version,
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
