"""The framing of S3's uploads, taken apart and made, however its bytes arrive."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import itertools
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.frontend.forwarding.aws_chunked import (
    ChunkMismatch,
    ChunkSigner,
    Decoder,
    IncompleteBody,
    framed,
    framed_length,
)

KEY, MOMENT, SCOPE, SEED = b"k" * 32, "20260101T000000Z", "20260101/us-east-1/s3/aws4_request", "5" * 64
EMPTY = sha256(b"").hexdigest()
contents = st.lists(st.binary(min_size=1, max_size=300), max_size=5)


def signed(chunks: list[bytes], trailer: bytes = b"") -> bytes:
    """As an SDK frames and signs them. Source: the worked example in the S3 API reference."""
    previous, parts = SEED, []

    def sign(kind: str, *hashes: str) -> str:
        text = "\n".join([kind, MOMENT, SCOPE, previous, *hashes])
        return hmac.digest(KEY, text.encode(), "sha256").hex()

    for chunk in [*chunks, b""]:
        previous = sign("AWS4-HMAC-SHA256-PAYLOAD", EMPTY, sha256(chunk).hexdigest())
        parts.append(b"%x;chunk-signature=%b\r\n" % (len(chunk), previous.encode()))
        parts.append(chunk + b"\r\n" if chunk else b"")
    if trailer:
        previous = sign("AWS4-HMAC-SHA256-TRAILER", sha256(trailer + b"\n").hexdigest())
        parts.append(trailer + b"\r\nx-amz-trailer-signature:" + previous.encode() + b"\r\n")
    return b"".join([*parts, b"\r\n"])


def decoded(data: bytes, cuts: list[int], decoder: Decoder) -> bytes:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [piece for start, end in itertools.pairwise(edges) for piece in decoder.feed(data[start:end])]
    decoder.end()
    return b"".join(pieces)


def signer() -> ChunkSigner:
    return ChunkSigner(KEY, MOMENT, SCOPE, SEED)


@given(contents, st.lists(st.integers(0, 5000), max_size=8), st.booleans())
def test_signed_chunks_become_their_content_wherever_they_are_cut(chunks, cuts, trailed):
    trailer = b"x-amz-checksum-crc32:AAAAAA==" if trailed else b""
    decoder = Decoder(signer=signer(), trailed=trailed)
    assert decoded(signed(chunks, trailer), cuts, decoder) == b"".join(chunks)
    assert decoder.trailers == ([("x-amz-checksum-crc32", "AAAAAA==")] if trailed else [])


@given(contents.filter(bool), st.data())
def test_a_chunk_or_a_trailer_that_was_changed_is_refused(chunks, data):
    whole = bytearray(signed(chunks, b"x-amz-checksum-crc32:AAAAAA=="))
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= data.draw(st.integers(1, 255))
    decoder = Decoder(signer=signer(), trailed=True)
    try:
        content = decoded(bytes(whole), [], decoder)
    except (IncompleteBody, ChunkMismatch):
        return
    # What is left: the case of a hexadecimal digit or of a trailer's name, and spaces around its value.
    assert content == b"".join(chunks)
    assert decoder.trailers == [("x-amz-checksum-crc32", "AAAAAA==")]


@given(st.binary(max_size=400))
def test_any_bytes_are_content_or_refused(data):
    for decoder in (Decoder(), Decoder(trailed=True), Decoder(signer=signer())):
        with contextlib.suppress(IncompleteBody, ChunkMismatch):
            assert len(decoded(data, [], decoder)) <= len(data)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_a_frame_has_the_length_that_is_told_before(size):
    content, names = b"x" * size, ["x-amz-checksum-crc32"]
    source = Decoder(trailed=True)
    source.trailers = [("x-amz-checksum-crc32", "AAAAAA==")]

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, size, 100_000):
            yield content[start : start + 100_000]

    async def gather() -> bytes:
        return b"".join([piece async for piece in framed(pieces(), source, names)])

    made = asyncio.run(gather())
    assert len(made) == framed_length(size, names)
    again = Decoder(trailed=True)
    assert decoded(made, [], again) == content
    assert again.trailers == source.trailers


def test_trailers_that_were_not_announced_are_refused():
    source = Decoder(trailed=True)
    source.trailers = [("x-amz-checksum-sha1", "A" * 28)]

    async def nothing() -> AsyncIterator[bytes]:
        for piece in ():
            yield piece

    async def gather() -> None:
        async for _ in framed(nothing(), source, ["x-amz-checksum-crc32"]):
            pass

    with pytest.raises(IncompleteBody):
        asyncio.run(gather())
    with pytest.raises(IncompleteBody):
        framed_length(1, ["x-amz-unknown"])
