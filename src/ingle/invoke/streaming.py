"""InvokeWithResponseStream: invocations whose callers get the response while the function produces it.

An invocation runs in a task of its own, so that it goes on when its caller leaves, as on AWS. Between the function and
the caller stands a `ResponseStream`, which lets the function wait for a caller that reads slowly. Function URLs open
streams here, too.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from ingle.domain.caller import Caller
from ingle.domain.errors import InternalFailure
from ingle.domain.invocation import Flow, InvocationResult, InvocationType
from ingle.invoke.invoker import Invoker, Prepared

#: Bytes that wait for a reader at the most, beyond one reading from the function's connection.
HELD = 64 * 1024
_BUFFERED_TYPE = "application/json"
_STREAMED_TYPE = "application/octet-stream"

Event = dict[str, dict[str, Any]]


class ResponseStream:
    """One response between the function, which writes (`domain.invocation.ResponseSink`), and one reader.

    It has a result once the invocation is over, or an error if that was refused. What was written is read before.
    """

    def __init__(self) -> None:
        self.size = 0
        #: Whether the function streams its response; it is the result's payload otherwise.
        self.streamed = False
        self.content_type: str | None = None
        self._loop = asyncio.get_running_loop()
        self._chunks: list[bytes] = []
        self._held = 0
        self._source: Flow | None = None
        self._paused = False
        self._abandoned = False
        self._result: InvocationResult | None = None
        self._error: Exception | None = None
        self._wake: asyncio.Future[None] | None = None

    # --- the function's side ----------------------------------------------------------------------------------------

    def begin(self, content_type: str | None, source: Flow) -> None:
        self.streamed = True
        self.content_type = content_type
        self._source = source
        self._notify()

    def write(self, data: bytes) -> None:
        self.size += len(data)
        if self._abandoned or self._over:
            return
        self._chunks.append(data)
        self._held += len(data)
        if self._held > HELD and self._source is not None:
            self._paused = True
            self._source.pause()
        self._notify()

    def finish(self, result: InvocationResult) -> None:
        self._result = result
        self._resume()
        self._notify()

    def fail(self, error: Exception) -> None:
        """The invocation was refused."""
        self._error = error
        self._resume()
        self._notify()

    @property
    def _over(self) -> bool:
        return self._result is not None or self._error is not None

    def _notify(self) -> None:
        if self._wake is not None:
            wake, self._wake = self._wake, None
            if not wake.done():
                wake.set_result(None)

    def _resume(self) -> None:
        if self._paused and self._source is not None:
            self._paused = False
            self._source.resume()

    # --- the reader's side ------------------------------------------------------------------------------------------

    @property
    def result(self) -> InvocationResult:
        """How it ended. Not before everything has been read."""
        assert self._result is not None, "the invocation is not over"
        return self._result

    async def begun(self) -> None:
        """Return once the function responds, or the invocation is over. Raises what it was refused with."""
        while not self.streamed and not self._over:
            await self._change()
        if self._error is not None:
            raise self._error

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """What the function wrote, as it comes, until the invocation is over. Leaving abandons the rest.

        Raises what the invocation was refused with: late, when the server stops.
        """
        try:
            while True:
                if self._chunks:
                    yield self._take()
                elif self._error is not None:
                    raise self._error
                elif self._result is not None:
                    return
                else:
                    await self._change()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Nobody reads any more: the function goes on, and what it writes is thrown away."""
        self._abandoned = True
        self._chunks.clear()
        self._held = 0
        self._resume()

    def _take(self) -> bytes:
        chunks, self._chunks = self._chunks, []
        self._held = 0
        self._resume()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _change(self) -> None:
        self._wake = self._loop.create_future()
        await self._wake


class Streams:
    """`spawn` starts a task that is cancelled when the server stops."""

    def __init__(self, invoker: Invoker, spawn: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self._invoker = invoker
        self._spawn = spawn

    def handlers(self) -> dict[str, Callable[[Caller, dict[str, Any]], Awaitable[dict[str, Any]]]]:
        return {"InvokeWithResponseStream": self.invoke}

    async def invoke(self, caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        prepared = self._invoker.prepare(caller, params)
        if prepared.kind == InvocationType.DRY_RUN:
            return {"StatusCode": 204}
        stream = await self._open(prepared)
        kind = (stream.content_type or _STREAMED_TYPE) if stream.streamed else _BUFFERED_TYPE
        return {
            "StatusCode": 200, "ExecutedVersion": prepared.version.version, "ResponseStreamContentType": kind,
            "EventStream": _events(stream),
        }  # fmt: skip

    async def open(self, caller: Caller, params: dict[str, Any]) -> ResponseStream:
        """A stream whose response has begun, or whose invocation is over. Raises what Invoke raises."""
        return await self._open(self._invoker.prepare(caller, params))

    async def _open(self, prepared: Prepared) -> ResponseStream:
        stream = ResponseStream()
        self._spawn(self._run(prepared, stream))
        try:
            await stream.begun()
        except BaseException:  # raised again
            stream.abandon()
            raise
        return stream

    async def _run(self, prepared: Prepared, stream: ResponseStream) -> None:
        try:
            stream.finish(await self._invoker.execute(prepared, stream))
        except asyncio.CancelledError:
            stream.fail(InternalFailure("The server is stopping."))
            raise
        except Exception as error:  # whatever it is, the caller waits for it, and it concerns nobody else
            stream.fail(error)


async def _events(stream: ResponseStream) -> AsyncGenerator[Event, None]:
    async with aclosing(stream.chunks()) as chunks:
        async for chunk in chunks:
            yield {"PayloadChunk": {"Payload": chunk}}
    result = stream.result
    if not stream.streamed and result.error is None and result.payload:
        yield {"PayloadChunk": {"Payload": result.payload}}
    yield {"InvokeComplete": _completion(result)}


def _completion(result: InvocationResult) -> dict[str, str]:
    """Members that have nothing to tell are left out."""
    found: dict[str, str] = {}
    if result.error is not None:
        details = result.payload.decode("utf-8", "replace")
        found |= {"ErrorCode": result.error_type or _named(details) or result.error, "ErrorDetails": details}
    if result.log_tail is not None:
        found["LogResult"] = base64.b64encode(result.log_tail).decode()
    return found


def _named(details: str) -> str | None:
    """The type that an error document names."""
    try:
        document = json.loads(details)
    except (ValueError, RecursionError):
        return None
    kind = document.get("errorType") if isinstance(document, dict) else None
    return kind if isinstance(kind, str) else None
