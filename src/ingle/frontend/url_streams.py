"""Answers at function URLs whose InvokeMode is RESPONSE_STREAM: what the function writes, as it comes.

A function that sends `application/vnd.awslambda.http-integration-response` begins with a prelude: a JSON object with
status, headers and cookies, and eight zero bytes behind it. Nothing is answered before the prelude is there, or without
one the first byte, so that errors before have a status of their own; later ones end the connection. Source:
"Response streaming for Lambda functions" in the developer guide. Called by `function_urls`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ingle.frontend.url_events import Malformed, UrlAnswer, answer_of, prelude_of
from ingle.invoke.streaming import ResponseStream

INTEGRATION = "application/vnd.awslambda.http-integration-response"
_UNTYPED = "application/octet-stream"
_PRELUDE_END = bytes(8)
#: Bytes of a prelude: what the head of an answer may have.
_LARGEST_PRELUDE = 1 << 20

Chunks = AsyncGenerator[bytes, None]


class FunctionFailed(Exception):
    """The function failed before it answered."""


class BrokenOff(Exception):
    """The function failed in the middle of its answer, whose beginning has been sent."""


async def streamed_answer(stream: ResponseStream) -> tuple[UrlAnswer, Chunks | None]:
    """The answer and, where it is streamed, what makes its body, which has to be closed.

    Raises FunctionFailed and Malformed, and the stream is abandoned then.
    """
    if not stream.streamed:
        if stream.result.error is not None:
            raise FunctionFailed
        return answer_of(stream.result.payload), None
    chunks = stream.chunks()
    try:
        if _kind(stream) == INTEGRATION:
            prelude, first = await _prelude(stream, chunks)
            answer = prelude_of(prelude)
        else:
            first = await anext(chunks, b"")
            if not first and stream.result.error is not None:
                raise FunctionFailed
            headers = (("content-type", stream.content_type or _UNTYPED),)
            answer = UrlAnswer(status=200, headers=headers, body=b"")
    except BaseException:  # raised again
        await chunks.aclose()
        raise
    return answer, _body(stream, chunks, first)


def _kind(stream: ResponseStream) -> str:
    return (stream.content_type or "").partition(";")[0].strip().lower()


async def _prelude(stream: ResponseStream, chunks: Chunks) -> tuple[bytes, bytes]:
    """The prelude, and what came behind it at once."""
    found = bytearray()
    async for chunk in chunks:
        # The mark may begin in the piece before.
        searched = max(len(found) - len(_PRELUDE_END) + 1, 0)
        found += chunk
        end = found.find(_PRELUDE_END, searched)
        if end >= 0:
            return bytes(found[:end]), bytes(found[end + len(_PRELUDE_END) :])
        if len(found) > _LARGEST_PRELUDE:
            raise Malformed(f"the first {_LARGEST_PRELUDE} bytes of the response have no end of a prelude")
    if stream.result.error is not None:
        raise FunctionFailed
    raise Malformed("the response has no prelude that ends in eight zero bytes")


async def _body(stream: ResponseStream, chunks: Chunks, first: bytes) -> Chunks:
    async with aclosing(chunks):
        if first:
            yield first
        async for chunk in chunks:
            yield chunk
    if stream.result.error is not None:
        raise BrokenOff
