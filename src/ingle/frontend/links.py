"""Download links that need no credentials: signed, and valid for ten minutes as AWS's are.

Owns the signature. `control` is handed `PackageLinks.url`; `internal` verifies. The composition root gives the key.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urlencode

LIFETIME = 600
PREFIX = "/_ingle/packages/"


class PackageLinks:
    """`key`: secret bytes, at least 32, the same after a restart if links are to survive it. `clock`: epoch seconds."""

    def __init__(self, key: bytes, clock: Callable[[], float], *, lifetime: int = LIFETIME) -> None:
        if len(key) < 32:
            raise ValueError("a signing key has at least 32 bytes")
        self._key = key
        self._clock = clock
        self._lifetime = lifetime

    def url(self, base_url: str, digest: str) -> str:
        """A link to the package with this digest; `base_url` is scheme://host of the request (`Caller.base_url`)."""
        expires = int(self._clock()) + self._lifetime
        query = urlencode({"expires": expires, "signature": self._signature(digest, str(expires))})
        return f"{base_url}{PREFIX}{digest}?{query}"

    def verify(self, digest: str, expires: str, signature: str) -> bool:
        """Whether the signature is ours and the link has not expired."""
        expected = self._signature(digest, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            return False
        return int(expires) >= self._clock()

    def _signature(self, digest: str, expires: str) -> str:
        return hmac.new(self._key, f"{digest}\n{expires}".encode("utf-8", "replace"), sha256).hexdigest()
