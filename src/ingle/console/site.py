"""One page or file of the console for one address."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

BUILT = Path(__file__).with_name("built")

#: Nothing from elsewhere, nothing inline, no frame around it. Attributes are free to have styles: browsers write such
#: themselves where somebody types over a selection in the editor.
POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "style-src-attr 'unsafe-inline'",
        "connect-src 'self'", "img-src 'self' data:",
        "font-src 'self' data:", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'none'",
    )
)  # fmt: skip
_SAFE = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
#: Names have a digest of the content in them.
_FOR_EVER = "public, max-age=31536000, immutable"
_ASKING_EACH_TIME = "no-cache"
_FILE = re.compile(r"(?:assets/)?[A-Za-z0-9_-][A-Za-z0-9_.-]*\.(?P<kind>js|css|svg|woff2)", re.ASCII)
_TYPES = {
    "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml",
    "woff2": "font/woff2", "html": "text/html; charset=utf-8",
}  # fmt: skip
_NOT_BUILT = b"""<!doctype html><html lang="en"><title>Ingle</title>
<h1>The console is not built</h1>
<p>In a working copy of Ingle, <code>make run</code> builds it, with Node.js 20 or later, or with the Node.js that comes
as a Python package. A packaged Ingle has it built. Everything else works without.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a browser gets."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Site:
    """Files of one build. They are stored compressed, as nearly every browser takes them."""

    def __init__(self, directory: Path = BUILT) -> None:
        self._directory = directory

    def page(self, path: str, *, gzipped: bool) -> Page:
        """The file with this path below the console's address; else the page that every address within it has.

        `gzipped`: whether the browser takes it compressed. Blocks: it reads a file. Raises nothing.
        """
        file = _FILE.fullmatch(path)
        if file is None:
            return self._read("index.html", "html", gzipped) or _page(503, _TYPES["html"], _NOT_BUILT)
        return self._read(path, file["kind"], gzipped) or _page(404, "text/plain", b"There is no such file.")

    def _read(self, path: str, kind: str, gzipped: bool) -> Page | None:
        cache = _FOR_EVER if path.startswith("assets/") else _ASKING_EACH_TIME
        try:
            packed = (self._directory / f"{path}.gz").read_bytes()
        except OSError:
            return None
        if gzipped:
            return _page(200, _TYPES[kind], packed, cache, encoding="gzip")
        return _page(200, _TYPES[kind], gzip.decompress(packed), cache)


def _page(
    status: int, content_type: str, body: bytes, cache: str = _ASKING_EACH_TIME, encoding: str | None = None
) -> Page:
    headers = {"content-type": content_type, "cache-control": cache, "vary": "accept-encoding", **_SAFE}
    if encoding is not None:
        headers["content-encoding"] = encoding
    return Page(status=status, headers=[(name.encode(), value.encode()) for name, value in headers.items()], body=body)
