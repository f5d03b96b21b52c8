"""Signature Version 4: what a request claims about its signature, and the signature that it should have.

Owns parsing of both forms, the Authorization header and the presigned query, and canonical requests; knows no keys
and no clock. What is the same in all requests of a client is remembered. Source: "Signature Version 4 signing process".
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote

from ingle.frontend.authentication_errors import IncompleteSignature, InvalidSignature, wrong_signature
from ingle.wire import HttpRequest

ALGORITHM = b"AWS4-HMAC-SHA256"
_TERM = "aws4_request"
#: Longest time that a presigned request may be used for, in seconds.
LONGEST = 604_800
_PART = re.compile(rb"\s*([A-Za-z]+)=([^,\s]*)\s*(?:,|$)")
_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_HEX = re.compile(rb"[0-9a-f]{64}")
_SPACES = re.compile(rb" {2,}")
_UNRESERVED = "-_.~"
_REMEMBERED = 4096
_LONGEST_REMEMBERED = 2048


@dataclass(frozen=True, slots=True)
class Scope:
    """What a credential says besides its key: `text` is date/region/service/aws4_request."""

    date: str
    region: str
    service: str
    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The part of a signature that is the same in every request that a client sends in one day."""

    access_key_id: str
    scope: Scope
    headers: tuple[bytes, ...]
    joined_headers: bytes
    presigned: bool = False


@dataclass(frozen=True, slots=True)
class Signed:
    """A request's signature. `moment` is X-Amz-Date as it came; `lifetime` in seconds, of presigned requests."""

    claim: Claim
    signature: bytes
    moment: str
    token: str | None
    lifetime: int | None = None


def signature_in(headers: Mapping[bytes, bytes], query: str) -> Signed | None:
    """The signature of a request; None if it has none. Raises IncompleteSignature, InvalidSignature."""
    authorization = headers.get(b"authorization")
    if authorization is not None:
        return _from_header(authorization, headers)
    return _from_query(query) if "X-Amz-Algorithm=" in query or "X-Amz-Credential=" in query else None


def _from_header(authorization: bytes, headers: Mapping[bytes, bytes]) -> Signed:
    head, _, signature = authorization.rpartition(b"Signature=")
    if len(head) > _LONGEST_REMEMBERED or not _HEX.fullmatch(signature):
        claim, signature = _parse_claim.__wrapped__(authorization), _parts(authorization).get(b"Signature", b"")
    else:
        claim = _parse_claim(head)
    moment = headers.get(b"x-amz-date") or headers.get(b"date")
    if moment is None:
        raise IncompleteSignature(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    token = headers.get(b"x-amz-security-token")
    return Signed(claim, signature, moment.decode("latin-1"), None if token is None else token.decode("latin-1"))


def _parts(authorization: bytes) -> dict[bytes, bytes]:
    algorithm, _, rest = authorization.partition(b" ")
    if algorithm != ALGORITHM:
        raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{algorithm[:64].decode('latin-1')}'.")
    return {match[1]: match[2] for match in _PART.finditer(rest)}


@lru_cache(maxsize=_REMEMBERED)
def _parse_claim(head: bytes) -> Claim:
    """`head`: an Authorization header, its signature perhaps cut off."""
    found = _parts(head)
    missing = [name for name in (b"Credential", b"SignedHeaders") if not found.get(name)]
    if missing:
        texts = [f"Authorization header requires '{name.decode()}' parameter." for name in missing]
        raise IncompleteSignature(" ".join(texts))
    return _claim(found[b"Credential"].decode("latin-1"), found[b"SignedHeaders"], presigned=False)


def _claim(credential: str, signed_headers: bytes, *, presigned: bool) -> Claim:
    parts = credential.split("/")
    if len(parts) != 5:
        raise IncompleteSignature(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."
        )
    key, date, region, service, term = parts
    if term != _TERM:
        raise InvalidSignature(f"Credential should be scoped with a valid terminator: '{_TERM}'.")
    names = tuple(signed_headers.lower().split(b";"))
    return Claim(key, Scope(date, region, service, "/".join(parts[1:])), names, b";".join(names), presigned)


def _from_query(query: str) -> Signed:
    pairs = dict(parse_qsl(query, keep_blank_values=True, errors="replace"))
    if pairs.get("X-Amz-Algorithm", "").encode("utf-8", "replace") != ALGORITHM:
        raise IncompleteSignature("Unsupported AWS 'algorithm'.")
    needed = ("X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date", "X-Amz-Expires")
    missing = [name for name in needed if not pairs.get(name)]
    if missing:
        raise IncompleteSignature(" ".join(f"AWS query-string parameters must include '{name}'." for name in missing))
    credential, signature, headers, moment, lifetime = (pairs[name] for name in needed)
    if not (lifetime.isascii() and lifetime.isdigit() and len(lifetime) < 8 and 1 <= int(lifetime) <= LONGEST):
        raise IncompleteSignature(f"X-Amz-Expires must be between 1 and {LONGEST} seconds.")
    claim = _claim(credential, headers.encode("utf-8", "replace"), presigned=True)
    return Signed(claim, signature.encode("utf-8", "replace"), moment, pairs.get("X-Amz-Security-Token"), int(lifetime))


def is_moment(text: str) -> bool:
    return _DATE.fullmatch(text) is not None


@lru_cache(maxsize=_REMEMBERED)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key of one day, region and service, derived from a secret."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, _TERM):
        key = hmac.digest(key, part.encode("utf-8", "replace"), "sha256")
    return key


def expected_signature(request: HttpRequest, signed: Signed, secret: str, body_digest: str) -> bytes:
    """The signature, in hexadecimal, that the holder of `secret` would have made. Raises InvalidSignature."""
    claim, scope = signed.claim, signed.claim.scope
    text = b"\n".join(
        (
            ALGORITHM,
            signed.moment.encode("latin-1", "replace"),
            scope.text.encode("latin-1", "replace"),
            sha256(canonical(request, claim, body_digest)).hexdigest().encode(),
        )
    )
    key = signing_key(secret, scope.date, scope.region, scope.service)
    return hmac.digest(key, text, "sha256").hex().encode()


def canonical(request: HttpRequest, claim: Claim, body_digest: str) -> bytes:
    """The canonical request. Raises InvalidSignature where what has to be signed is not."""
    headers = request.headers
    _require_signed(headers, claim)
    lines = []
    for name in claim.headers:
        value = headers.get(name)
        if value is None:
            raise wrong_signature()
        if b"  " in value:
            value = _SPACES.sub(b" ", value)
        lines.append(name + b":" + value.strip())
    query = canonical_query(request.query, claim.presigned) if request.query else b""
    once = claim.scope.service.startswith("s3")
    path = encoded_once(request.path) if once else canonical_path(request.path)
    start = (request.method.encode("latin-1"), path, query)
    return b"\n".join((*start, *lines, b"", claim.joined_headers, body_digest.encode()))


def _require_signed(headers: Mapping[bytes, bytes], claim: Claim) -> None:
    """Host, and whatever a service reads from X-Amz headers, has to be what the caller signed."""
    names = claim.headers
    if b"host" not in names:
        raise InvalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    for name in headers:
        if name.startswith(b"x-amz-") and name not in names:
            raise InvalidSignature(f"'{name.decode('latin-1')}' must be a 'SignedHeader' in the AWS Authorization.")


@lru_cache(maxsize=_REMEMBERED)
def canonical_path(path: str) -> bytes:
    """The path, normalised and encoded once more than it came."""
    if "//" in path or "/." in path:
        path = _normalized(path)
    return quote(path, safe="/" + _UNRESERVED, encoding="latin-1").encode()


def encoded_once(path: str) -> bytes:
    """The path of S3, where it is the name of an object: neither normalised nor encoded anew."""
    return quote(unquote(path, encoding="latin-1"), safe="/" + _UNRESERVED, encoding="latin-1").encode()


def _normalized(path: str) -> str:
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part and part != ".":
            kept.append(part)
    slash = "/" if kept and path.endswith("/") else ""
    return f"/{'/'.join(kept)}{slash}"


def canonical_query(query: str, presigned: bool) -> bytes:
    """Sorted and encoded; of a presigned request without its signature."""
    pairs = []
    for part in query.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        encoded = _encoded(name)
        if not (presigned and encoded == "X-Amz-Signature"):
            pairs.append((encoded, _encoded(value)))
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs]).encode()


def _encoded(text: str) -> str:
    return quote(unquote(text, errors="surrogateescape"), safe=_UNRESERVED, errors="surrogateescape")
