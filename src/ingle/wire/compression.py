"""Bodies that clients compress, for the operations whose model says that they may."""

from __future__ import annotations

import zlib

from ingle.wire.messages import HttpRequest, SerializationFailure

#: Bytes that a body may have once it is unpacked.
LARGEST = 16 << 20
_GZIP = 16 + zlib.MAX_WBITS


def inflate(request: HttpRequest) -> None:
    """Unpack the body if it is compressed. Raises SerializationFailure."""
    encoding = request.headers.get(b"content-encoding", b"").strip().lower()
    if encoding in (b"", b"identity"):
        return
    if encoding != b"gzip":
        raise SerializationFailure("The only encoding of a request is gzip.")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        body = unpacker.decompress(request.body, LARGEST)
    except zlib.error as error:
        raise SerializationFailure(f"The request is not gzip: {error}") from None
    if unpacker.unconsumed_tail:
        raise SerializationFailure(f"The request has more than {LARGEST} bytes when it is unpacked.")
    if not unpacker.eof:
        raise SerializationFailure("The compressed request ends too early.")
    request.body = body
    request.headers = {name: value for name, value in request.headers.items() if name != b"content-encoding"}
