"""The aws-chunked framing of S3's uploads, in which every chunk may be signed and checksums come last. Without I/O.

`Decoder` takes a framed body apart, `framed` and `framed_length` make one without signatures. Source: "Signature
calculations for the Authorization header: transferring payload in multiple chunks" in the S3 API reference.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ingle.domain.errors import ServiceError

#: Of a chunk, in bytes; a signed one is held until its signature is checked.
MOST = 16 << 20
_LONGEST_LINE = 4096
_MOST_TRAILERS = 16
_HEAD = re.compile(rb"([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?")
_EMPTY = sha256(b"").hexdigest()
#: Of the chunks that `framed` makes.
_OURS = 1 << 20
#: Characters of the checksums that may come last: bytes in base64.
_LENGTHS = {"crc32": 8, "crc32c": 8, "crc64nvme": 12, "sha1": 28, "sha256": 44}
_TRAILER_SIGNATURE = "x-amz-trailer-signature"


class IncompleteBody(ServiceError):
    code = "IncompleteBody"
    http_status = 400
    type = None


class ChunkMismatch(ServiceError):
    code = "SignatureDoesNotMatch"
    http_status = 403
    type = None


@dataclass(slots=True)
class ChunkSigner:
    """The chain of signatures through a body. `previous` begins with the signature of the request itself."""

    key: bytes
    moment: str
    scope: str
    previous: str

    def check(self, data: bytes, signature: bytes | None) -> None:
        """Raises ChunkMismatch."""
        self._check("AWS4-HMAC-SHA256-PAYLOAD", [_EMPTY, sha256(data).hexdigest()], signature)

    def check_trailers(self, trailers: Sequence[tuple[str, str]], signature: bytes | None) -> None:
        """Raises ChunkMismatch."""
        text = "".join(f"{name}:{value}\n" for name, value in trailers)
        self._check("AWS4-HMAC-SHA256-TRAILER", [sha256(text.encode("latin-1")).hexdigest()], signature)

    def _check(self, kind: str, hashes: list[str], signature: bytes | None) -> None:
        text = "\n".join([kind, self.moment, self.scope, self.previous, *hashes])
        expected = hmac.digest(self.key, text.encode("latin-1", "replace"), "sha256").hex()
        if signature is None or not hmac.compare_digest(expected.encode(), signature):
            raise ChunkMismatch("The request signature we calculated does not match the signature you provided.")
        self.previous = expected


class Decoder:
    """Bytes of a framed body in, bytes of its content out. `signer`: every chunk has to be signed.

    `trailed`: whether headers come last; `trailers` has them then.
    """

    def __init__(self, *, signer: ChunkSigner | None = None, trailed: bool = False) -> None:
        self.trailers: list[tuple[str, str]] = []
        self.complete = False
        self._signer = signer
        self._trailed = trailed
        self._held = bytearray()
        self._left: int | None = None
        self._signature: bytes | None = None
        self._in_trailers = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Raises IncompleteBody for what is no such framing, ChunkMismatch."""
        if self.complete and data:
            raise _malformed()
        self._held += data
        while not self.complete:
            if self._in_trailers:
                if not self._take_trailer():
                    return
            elif self._left is None:
                if not self._take_head():
                    return
            elif (piece := self._take_data()) is None:
                return
            elif piece:
                yield piece

    def end(self) -> None:
        """The body has no more bytes. Raises IncompleteBody unless it was whole."""
        if self._in_trailers and not self._held and not self.trailers and not self._trailed:
            self.complete = True
        if not self.complete:
            raise IncompleteBody("The request body terminated unexpectedly")

    def _line(self) -> bytes | None:
        end = self._held.find(b"\r\n")
        if end < 0:
            if len(self._held) > _LONGEST_LINE:
                raise _malformed()
            return None
        line = bytes(self._held[:end])
        del self._held[: end + 2]
        return line

    def _take_head(self) -> bool:
        line = self._line()
        if line is None:
            return False
        found = _HEAD.fullmatch(line)
        if found is None or int(found[1], 16) > MOST * (1 if self._signer else 64):
            raise _malformed()
        self._left, self._signature = int(found[1], 16), found[2]
        if self._left == 0:
            if self._signer is not None:
                self._signer.check(b"", self._signature)
            self._in_trailers = True
        return True

    def _take_data(self) -> bytes | None:
        """What there is of a chunk: all of it, or nothing, where it is signed. None: wait for more."""
        assert self._left is not None
        whole = len(self._held) >= self._left + 2
        if not whole and (self._signer is not None or not self._left or not self._held):
            return None
        piece = bytes(self._held[: self._left])
        del self._held[: len(piece)]
        self._left -= len(piece)
        if self._left == 0 and len(self._held) >= 2:
            if self._held[:2] != b"\r\n":
                raise _malformed()
            del self._held[:2]
            self._left = None
        if self._signer is not None:
            self._signer.check(piece, self._signature)
        return piece

    def _take_trailer(self) -> bool:
        if not self._held:
            return False
        line = self._line()
        if line is None:
            return False
        if line:
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or len(self.trailers) >= _MOST_TRAILERS:
                raise _malformed()
            self.trailers.append((name.strip().lower(), value.strip()))
            return True
        self._finish()
        return True

    def _finish(self) -> None:
        signatures = [value for name, value in self.trailers if name == _TRAILER_SIGNATURE]
        self.trailers = [item for item in self.trailers if item[0] != _TRAILER_SIGNATURE]
        if self._signer is not None and self._trailed:
            self._signer.check_trailers(self.trailers, signatures[0].encode("latin-1") if signatures else None)
        if self._held:
            raise _malformed()
        self.complete = True


def _malformed() -> IncompleteBody:
    return IncompleteBody("The request body is not in the aws-chunked encoding.")


def framed_length(content: int, trailers: Sequence[str]) -> int:
    """Bytes that `framed` makes of so many. `trailers`: names of checksums. Raises IncompleteBody for other names."""
    whole, rest = divmod(content, _OURS)
    length = whole * (len(f"{_OURS:x}") + 4 + _OURS) + (len(f"{rest:x}") + 4 + rest if rest else 0)
    for name in trailers:
        kind = name.removeprefix("x-amz-checksum-")
        if kind not in _LENGTHS:
            raise IncompleteBody(f"The trailer {name} is not known.")
        length += len(name) + 1 + _LENGTHS[kind] + 2
    return length + 5


async def framed(content: AsyncIterator[bytes], decoder: Decoder, names: Sequence[str]) -> AsyncIterator[bytes]:
    """What comes through `decoder`, framed anew, with its trailers. Raises IncompleteBody unless those are `names`."""
    held = bytearray()
    async for piece in content:
        held += piece
        while len(held) >= _OURS:
            yield b"%x\r\n%b\r\n" % (_OURS, bytes(held[:_OURS]))
            del held[:_OURS]
    if held:
        yield b"%x\r\n%b\r\n" % (len(held), bytes(held))
    found = dict(decoder.trailers)
    lengths = [_LENGTHS.get(name.removeprefix("x-amz-checksum-")) for name in found]
    if sorted(found) != sorted(names) or lengths != [len(value) for value in found.values()]:
        raise _malformed()
    lines = "".join(f"{name}:{found[name]}\r\n" for name in names)
    yield f"0\r\n{lines}\r\n".encode("latin-1")
