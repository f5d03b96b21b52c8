"""Signature Version 4 of requests, in headers. Pure.

By hand, since the library that has it takes longer to import than a server may take to start. Source: "Signature
Version 4 signing process" in the IAM user guide; a test compares with botocore.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from ingle.companions.endpoint import Credentials

_ALGORITHM = "AWS4-HMAC-SHA256"


def query_string(pairs: Sequence[tuple[str, str]]) -> str:
    """Sorted and encoded as signatures need it."""
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def signed_headers(
    credentials: Credentials, service: str, region: str, now: float, *, method: str, host: str, path: str,
    query: str = "", body: bytes = b"", content: str | None = None, more: Mapping[str, str] | None = None,
) -> dict[str, str]:  # fmt: skip
    """The headers to send, with `more`, which are in lower case.

    `path` is encoded already: once for S3, once more than it is sent for other services. `query` is as `query_string`
    makes it. `content`: what is signed in place of the hash of `body`.
    """
    moment = datetime.fromtimestamp(now, UTC)
    content = content or hashlib.sha256(body).hexdigest()
    headers = {
        **(more or {}),
        "host": host,
        "x-amz-content-sha256": content,
        "x-amz-date": f"{moment:%Y%m%dT%H%M%SZ}",
    }
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    canonical = "\n".join([method, path, query, lines, names, content])
    scope = f"{moment:%Y%m%d}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
    text = "\n".join([_ALGORITHM, headers["x-amz-date"], scope, digest])
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    credential = f"{credentials.access_key_id}/{scope}"
    headers["authorization"] = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return headers
