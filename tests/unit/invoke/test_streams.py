"""Streams between a function and the reader of its response, and the invocations behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest

from ingle.domain.caller import Caller
from ingle.domain.errors import InternalFailure, TooManyRequests
from ingle.domain.invocation import InvocationResult, ResponseSink
from ingle.invoke.invoker import Invoker, Prepared
from ingle.invoke.streaming import HELD, ResponseStream, Streams

DONE = InvocationResult(payload=b"")


class Source:
    def __init__(self) -> None:
        self.paused = False

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_reader_gets_each_piece_before_the_next_is_written() -> None:
    stream = ResponseStream()
    stream.begin("a/b", Source())
    await stream.begun()
    chunks = stream.chunks()
    for number in range(3):
        reading = asyncio.create_task(anext(chunks))
        await settle()
        assert not reading.done()
        stream.write(b"%d" % number)
        assert await reading == b"%d" % number
    stream.finish(DONE)
    assert [chunk async for chunk in chunks] == []
    assert (stream.result, stream.size) == (DONE, 3)


async def test_what_was_written_is_read_before_the_end() -> None:
    stream = ResponseStream()
    stream.begin(None, Source())
    stream.write(b"a")
    stream.write(b"b")
    stream.finish(DONE)
    assert [chunk async for chunk in stream.chunks()] == [b"ab"]


async def test_a_reader_who_is_slow_lets_the_source_wait() -> None:
    stream, source = ResponseStream(), Source()
    stream.begin(None, source)
    stream.write(b"." * HELD)
    assert not source.paused
    stream.write(b".")
    assert source.paused
    chunks = stream.chunks()
    assert len(await anext(chunks)) == HELD + 1
    assert not source.paused
    stream.write(b"." * (HELD + 1))
    assert source.paused
    await chunks.aclose()
    assert not source.paused
    stream.write(b"." * (HELD + 1))
    assert not source.paused


@pytest.mark.parametrize("end", ["finish", "fail"])
async def test_the_end_of_the_invocation_lets_the_source_go(end: str) -> None:
    stream, source = ResponseStream(), Source()
    stream.begin(None, source)
    stream.write(b"." * (HELD + 1))
    if end == "finish":
        stream.finish(DONE)
    else:
        stream.fail(InternalFailure("x"))
    assert not source.paused


class Invoked:
    """An invoker that does with the sink what a test says."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.result = DONE
        self.error: Exception | None = None

    def prepare(self, caller: Caller, params: dict[str, Any]) -> Prepared:
        nothing: Any = type("Version", (), {"version": "7"})
        return Prepared(version=nothing, arn="", caller=caller, payload=b"", kind=params.get("InvocationType", "x"))

    async def execute(self, prepared: Prepared, sink: ResponseSink) -> InvocationResult:
        if self.error is not None:
            raise self.error
        if self.written:
            sink.begin("text/plain", Source())
            for piece in self.written:
                sink.write(piece)
                await asyncio.sleep(0)
        return self.result


async def answer(invoked: Invoked, **params: Any) -> dict[str, Any]:
    tasks: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[Any, Any, None]) -> None:
        tasks.append(asyncio.create_task(work))

    found = await Streams(cast("Invoker", invoked), spawn).invoke(Caller(), params)
    if "EventStream" in found:
        found["EventStream"] = [event async for event in found["EventStream"]]
    await asyncio.gather(*tasks)
    return found


async def test_events_of_a_stream() -> None:
    invoked = Invoked()
    invoked.written = [b"one", b"two"]
    invoked.result = InvocationResult(payload=b"", log_tail=b"log")
    assert await answer(invoked) == {
        "StatusCode": 200, "ExecutedVersion": "7", "ResponseStreamContentType": "text/plain",
        "EventStream": [
            {"PayloadChunk": {"Payload": b"one"}}, {"PayloadChunk": {"Payload": b"two"}},
            {"InvokeComplete": {"LogResult": "bG9n"}},
        ],
    }  # fmt: skip


async def test_events_of_a_response_that_comes_whole() -> None:
    invoked = Invoked()
    invoked.result = InvocationResult(payload=b"1")
    assert (await answer(invoked))["EventStream"] == [{"PayloadChunk": {"Payload": b"1"}}, {"InvokeComplete": {}}]


@pytest.mark.parametrize(
    ("error_type", "payload", "code"),
    [
        ("Mine.E", b'{"errorType": "Other"}', "Mine.E"),
        (None, b'{"errorType": "Other"}', "Other"),
        (None, b'{"errorType": 7}', "Unhandled"),
        (None, b"[" * 100_000, "Unhandled"),
        (None, b"\xff", "Unhandled"),
        (None, b"", "Unhandled"),
    ],
    ids=["header", "document", "no text", "deep", "no text at all", "nothing"],
)
async def test_the_last_event_tells_of_an_error(error_type: str | None, payload: bytes, code: str) -> None:
    invoked = Invoked()
    invoked.written = [b"half"]
    invoked.result = InvocationResult(payload=payload, error="Unhandled", error_type=error_type)
    first, last = (await answer(invoked))["EventStream"]
    assert first == {"PayloadChunk": {"Payload": b"half"}}
    assert last["InvokeComplete"] == {"ErrorCode": code, "ErrorDetails": payload.decode("utf-8", "replace")}


@pytest.mark.parametrize("error", [TooManyRequests("Rate Exceeded."), RuntimeError("a bug")])
async def test_a_refusal_comes_before_the_stream(error: Exception) -> None:
    invoked = Invoked()
    invoked.error = error
    with pytest.raises(type(error)):
        await answer(invoked)


async def test_a_dry_run_starts_nothing() -> None:
    assert await answer(Invoked(), InvocationType="DryRun") == {"StatusCode": 204}


async def test_a_stream_that_the_server_cuts_off_raises() -> None:
    stream = ResponseStream()
    stream.begin(None, Source())
    stream.write(b"half")
    chunks = stream.chunks()
    assert await anext(chunks) == b"half"
    stream.fail(InternalFailure("The server is stopping."))
    with pytest.raises(InternalFailure):
        await anext(chunks)
