"""What a request says of its body, and the body on its way to a companion: checked while it passes.

A body that turns out wrong cuts the forwarded request off before its last byte, so nothing of it is kept.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

from ingle.domain.errors import ServiceError
from ingle.frontend.forwarding import aws_chunked
from ingle.frontend.forwarding.aws_chunked import ChunkSigner, Decoder
from ingle.wire import HttpRequest

UNSIGNED = "UNSIGNED-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
_FRAMED = frozenset((UNSIGNED_TRAILER, SIGNED_CHUNKS, SIGNED_TRAILER))
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,15}")
#: Of an object that is put at once, in bytes, as on S3.
MOST = 5 << 30

#: One piece of the body; empty at its end.
Read = Callable[[], Awaitable[bytes]]


class InvalidContent(ServiceError):
    code = "InvalidRequest"
    http_status = 400
    type = None


class MissingLength(ServiceError):
    code = "MissingContentLength"
    http_status = 411
    type = None


class EntityTooLarge(ServiceError):
    code = "EntityTooLarge"
    http_status = 400
    type = None


class ContentMismatch(ServiceError):
    code = "XAmzContentSHA256Mismatch"
    http_status = 400
    type = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a request to S3 says of its body.

    `claimed`: x-amz-content-sha256. `length` in bytes, as it comes; `decoded` without the framing, if it has one.
    """

    claimed: str
    length: int
    decoded: int | None = None
    trailers: tuple[str, ...] = ()

    @staticmethod
    def of(request: HttpRequest, *, presigned: bool) -> Content:
        """Raises InvalidContent, MissingLength, EntityTooLarge."""
        header = request.headers
        claimed = header.get(b"x-amz-content-sha256", b"").decode("latin-1") or UNSIGNED
        if claimed not in _FRAMED and claimed != UNSIGNED and not _DIGEST.fullmatch(claimed):
            if not presigned:
                text = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a streaming form, or a sha256 value."
                raise InvalidContent(text)
            claimed = UNSIGNED
        length = _number(header.get(b"content-length"))
        if length is None:
            if b"transfer-encoding" in header:
                raise MissingLength("You must provide the Content-Length HTTP header.")
            length = 0
        decoded = None
        if claimed in _FRAMED:
            decoded = _number(header.get(b"x-amz-decoded-content-length"))
            if decoded is None:
                raise MissingLength("You must provide the Content-Length HTTP header.")
        if (length if decoded is None else decoded) > MOST:
            raise EntityTooLarge("Your proposed upload exceeds the maximum allowed object size")
        named = header.get(b"x-amz-trailer", b"").decode("latin-1").lower()
        trailers = tuple(name.strip() for name in named.split(",") if name.strip())
        return Content(claimed=claimed, length=length, decoded=decoded, trailers=trailers)

    @property
    def signed_chunks(self) -> bool:
        return self.claimed in (SIGNED_CHUNKS, SIGNED_TRAILER)

    @property
    def forwarded(self) -> str:
        """What the forwarded request says of its body: signatures of chunks are not ours to make."""
        if self.claimed == SIGNED_CHUNKS:
            return UNSIGNED
        return UNSIGNED_TRAILER if self.claimed == SIGNED_TRAILER else self.claimed

    @property
    def forwarded_length(self) -> int:
        """Raises IncompleteBody for trailers that nobody knows."""
        if self.claimed == SIGNED_CHUNKS:
            assert self.decoded is not None
            return self.decoded
        if self.claimed == SIGNED_TRAILER:
            assert self.decoded is not None
            return aws_chunked.framed_length(self.decoded, self.trailers)
        return self.length

    def forward(self, read: Read, signer: ChunkSigner | None, *, check: bool) -> AsyncIterator[bytes]:
        """The body of the forwarded request. `check`: what was signed for has to be what comes."""
        if self.signed_chunks:
            decoder = Decoder(signer=signer, trailed=self.claimed == SIGNED_TRAILER)
            content = _but_last(_decoded(read, decoder, self.decoded or 0))
            return content if self.claimed == SIGNED_CHUNKS else aws_chunked.framed(content, decoder, self.trailers)
        if check and _DIGEST.fullmatch(self.claimed):
            return _but_last(_digested(read, self.claimed))
        return pieces(read)


def _number(value: bytes | None) -> int | None:
    """Raises InvalidContent."""
    if value is None:
        return None
    text = value.decode("latin-1")
    if not _NUMBER.fullmatch(text):
        raise InvalidContent("The length of the request body is not a number.")
    return int(text)


async def pieces(read: Read) -> AsyncIterator[bytes]:
    while piece := await read():
        yield piece


async def _but_last(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The last piece is held until `content` has ended without an error: all of it is known to be right then."""
    held = b""
    async for piece in content:
        if held:
            yield held
        held = piece
    if held:
        yield held


async def _decoded(read: Read, decoder: Decoder, length: int) -> AsyncIterator[bytes]:
    """Raises IncompleteBody, ChunkMismatch, perhaps at its end."""
    passed = 0
    while data := await read():
        for piece in decoder.feed(data):
            passed += len(piece)
            if passed > length:
                raise aws_chunked.IncompleteBody("The body has more bytes than it says.")
            yield piece
    decoder.end()
    if passed != length:
        raise aws_chunked.IncompleteBody("You did not provide the number of bytes specified by the HTTP header.")


async def _digested(read: Read, expected: str) -> AsyncIterator[bytes]:
    """Raises ContentMismatch at its end unless that was what was signed for."""
    hashed = sha256()
    while piece := await read():
        hashed.update(piece)
        yield piece
    if not hmac.compare_digest(hashed.hexdigest(), expected):
        raise ContentMismatch("The provided 'x-amz-content-sha256' header does not match what was computed.")
