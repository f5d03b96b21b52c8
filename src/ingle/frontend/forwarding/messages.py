"""What of a request is handed on, and what of an answer: headers, the query string, the way it is sent.

Headers of connections and of signatures belong to those who made them. Called by `forwarder`.
"""

from __future__ import annotations

from urllib.parse import unquote

from ingle.companions.http import Incoming
from ingle.frontend.streaming import BODILESS, Send, Streaming, send_pieces

_DROPPED = frozenset((
    "action", "authorization", "connection", "content-length", "date", "expect", "host", "keep-alive",
    "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-moto-account-id",
))  # fmt: skip
_DROPPED_FROM_ANSWERS = frozenset(
    ("connection", "content-security-policy", "date", "keep-alive", "trailer", "transfer-encoding", "upgrade")
)
_PRESIGNED = frozenset((
    "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signature", "x-amz-signedheaders",
    "x-amz-security-token", "x-amz-content-sha256", "awsaccesskeyid", "signature", "expires",
))  # fmt: skip
#: Whatever a companion keeps is no page of this server's.
_SANDBOX = (b"content-security-policy", b"sandbox")


def unsigned_query(query: str) -> str:
    """A query string without what a presigned request has in it, however its names are encoded."""
    parts = [(unquote(part.partition("=")[0]).lower(), part) for part in query.split("&")]
    if not any(name in ("x-amz-signature", "awsaccesskeyid") for name, _ in parts):
        return query
    return "&".join(part for name, part in parts if name not in _PRESIGNED)


def kept_headers(headers: list[tuple[bytes, bytes]], *, framed: bool) -> list[tuple[str, str]]:
    """`framed`: the body keeps its aws-chunked framing."""
    found = []
    for raw, value in headers:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        if name in _DROPPED:
            continue
        if name == "content-encoding" and not framed:
            text = ",".join(part.strip() for part in text.split(",") if part.strip().lower() != "aws-chunked")
            if not text:
                continue
        if name in ("x-amz-trailer", "x-amz-decoded-content-length") and not framed:
            continue
        found.append((name, text))
    return found


async def send_answer(incoming: Incoming, send: Send, connection: Streaming, request_id: str) -> None:
    """Send an answer while it comes. Raises what reading it raises: the connection has to be broken off then."""
    bodiless = incoming.status in BODILESS
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in incoming.headers
        if name not in _DROPPED_FROM_ANSWERS and not (bodiless and name == "content-length")
    ]
    if not any(name == b"x-amzn-requestid" for name, _ in headers):
        headers.append((b"x-amzn-requestid", request_id.encode("ascii")))
    measured = bodiless or any(name == b"content-length" for name, _ in headers)
    await send_pieces(incoming.status, [*headers, _SANDBOX], incoming.pieces, connection, send, measured=measured)
