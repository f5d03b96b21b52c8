"""Telemetry on its way to subscribers that take it, that do not, and that are frozen."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from ingle.runtime_api import delivery
from ingle.runtime_api.delivery import Channel
from ingle.runtime_api.subscriptions import Api, Buffering, Destination, Subscription
from ingle.runtime_api.telemetry import TelemetryEvent, encode

BASE = Subscription(
    api=Api.TELEMETRY, schema="2022-12-13", kinds=("platform", "function", "extension"),
    buffering=Buffering(milliseconds=25), destination=Destination(port=1, path="/here"),
)  # fmt: skip


class Subscriber:
    """A listening HTTP server whose answers a test chooses."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.heads: list[str] = []
        self.answers: list[bytes] = []
        self.hold: asyncio.Event | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(line for line in head.splitlines() if line.startswith("Content-Length: "))
                body = await reader.readexactly(int(length[16:]))
                if self.hold is not None:
                    await self.hold.wait()
                self.heads.append(head)
                self.batches.append(json.loads(body))
                answer = self.answers.pop(0) if self.answers else b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                writer.write(answer)
                if b"close" in answer:
                    writer.close()
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    @property
    def items(self) -> list[Any]:
        return [item for batch in self.batches for item in batch]


@asynccontextmanager
async def channel(subscriber: Subscriber, **buffering: int) -> AsyncIterator[Channel]:
    async def dial() -> socket.socket:
        return socket.socket()

    server = await asyncio.start_server(subscriber.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    subscription = replace(
        BASE, destination=Destination(port=port, path="/here"), buffering=replace(BASE.buffering, **buffering)
    )
    made = Channel(subscription, dial)
    running = asyncio.ensure_future(made.run())
    yield made
    made.close()
    await asyncio.gather(running, return_exceptions=True)
    server.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.002)


def item(number: int, size: int = 0) -> bytes:
    return json.dumps([number, "x" * size]).encode()


async def test_events_arrive_in_one_batch() -> None:
    subscriber = Subscriber()
    async with channel(subscriber) as sent:
        for number in range(3):
            sent.put(item(number))
        await until(lambda: subscriber.batches)
    assert subscriber.batches == [[[0, ""], [1, ""], [2, ""]]]
    assert subscriber.heads[0].startswith("POST /here HTTP/1.1\r\nHost: sandbox.localdomain:")


async def test_a_full_batch_does_not_wait() -> None:
    subscriber = Subscriber()
    async with channel(subscriber, milliseconds=30_000, items=2) as sent:
        for number in range(4):
            sent.put(item(number))
        await until(lambda: len(subscriber.batches) == 2)
    assert [len(batch) for batch in subscriber.batches] == [2, 2]


async def test_many_bytes_do_not_wait_either() -> None:
    subscriber = Subscriber()
    async with channel(subscriber, milliseconds=30_000, bytes=1000) as sent:
        for number in range(2):
            sent.put(item(number, 600))
        await until(lambda: subscriber.batches)
    assert [len(batch) for batch in subscriber.batches] == [1]


@pytest.mark.parametrize(
    "refusal",
    [b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnec", b"garbage\r\n\r\nclose", b"close"],
    ids=["refused", "broken off", "garbage", "nothing"],
)
async def test_a_batch_that_was_not_taken_is_sent_again(refusal: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_DELIVERY_SECONDS", 0.3)
    subscriber = Subscriber()
    subscriber.answers = [refusal]
    async with channel(subscriber) as sent:
        sent.put(item(1))
        await until(lambda: len(subscriber.batches) == 2)
    assert subscriber.batches[0] == subscriber.batches[1]


@pytest.mark.parametrize("answer", [b"HTTP/1.0 200 OK\r\n\r\nclose", b"HTTP/1.1 204 No\r\nConnection: close\r\n\r\n"])
async def test_subscribers_that_close_get_a_new_connection(answer: bytes) -> None:
    subscriber = Subscriber()
    subscriber.answers = [answer]
    async with channel(subscriber) as sent:
        sent.put(item(1))
        await until(lambda: subscriber.batches)
        sent.put(item(2))
        await until(lambda: len(subscriber.batches) == 2)
    assert subscriber.items == [[1, ""], [2, ""]]


async def test_nothing_is_sent_to_the_frozen_and_no_time_passes_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_DELIVERY_SECONDS", 0.25)
    monkeypatch.setattr(delivery, "_TURN_SECONDS", 0.05)
    subscriber = Subscriber()
    async with channel(subscriber) as sent:
        sent.pause()
        sent.put(item(1))
        await asyncio.sleep(0.1)
        assert subscriber.batches == []
        subscriber.hold = asyncio.Event()
        sent.resume()
        await asyncio.sleep(0.05)
        sent.pause()  # in the middle of a delivery
        await asyncio.sleep(0.6)
        sent.resume()
        subscriber.hold.set()
        await until(lambda: subscriber.batches)
    assert len(subscriber.batches) == 1


async def test_what_is_not_taken_is_dropped_in_the_end_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    subscriber = Subscriber()
    subscriber.hold = asyncio.Event()
    async with channel(subscriber, bytes=1000) as sent:
        for number in range(100):
            sent.put(item(number, 100))
            await asyncio.sleep(0)
        assert sent._bytes <= 4000
        subscriber.hold.set()
        await until(lambda: any(isinstance(entry, dict) for entry in subscriber.items))
    (told,) = [entry for entry in subscriber.items if isinstance(entry, dict)]
    assert told["type"] == "platform.logsDropped"
    taken = len(subscriber.items) - 1
    assert told["record"]["droppedRecords"] == 100 - taken
    assert told["record"]["droppedBytes"] > 0
    assert told["record"]["reason"]


async def test_the_end_of_an_environment_hurries() -> None:
    subscriber = Subscriber()
    async with channel(subscriber, milliseconds=30_000) as sent:
        sent.put(item(1))
        await asyncio.sleep(0.01)
        sent.hurry()
        await until(lambda: subscriber.batches)


async def test_lines_over_tcp() -> None:
    lines: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            lines.append(line)
        writer.close()

    async def dial() -> socket.socket:
        return socket.socket()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    destination = Destination(port=server.sockets[0].getsockname()[1], path=None)
    sent = Channel(replace(BASE, destination=destination), dial)
    running = asyncio.ensure_future(sent.run())
    sent.put(item(1))
    sent.put(item(2))
    await until(lambda: len(lines) == 2)
    sent.close()
    await asyncio.gather(running, return_exceptions=True)
    server.close()
    assert lines == [item(1) + b"\n", item(2) + b"\n"]


def told(event: TelemetryEvent, **changes: Any) -> dict[str, Any] | None:
    encoded = encode(replace(BASE, **changes), event)
    return None if encoded is None else json.loads(encoded)


def test_log_lines_that_are_objects_are_delivered_as_such() -> None:
    event = TelemetryEvent("function", "function", 1704164645678, '{"a": 1}\n')
    assert told(event) == {"time": "2024-01-02T03:04:05.678Z", "type": "function", "record": {"a": 1}}
    assert told(event, schema="2022-07-01") == {
        "time": "2024-01-02T03:04:05.678Z", "type": "function", "record": '{"a": 1}\n'
    }  # fmt: skip
    assert told(TelemetryEvent("function", "function", 0, "{x\n"))["record"] == "{x\n"  # type: ignore[index]
    assert told(event, kinds=("platform",)) is None


def test_each_api_has_its_own_platform_events() -> None:
    older: dict[str, Any] = {"api": Api.LOGS, "schema": "2020-08-15"}
    start = TelemetryEvent("platform", "platform.start", 0, {"requestId": "r", "version": "1"})
    end = TelemetryEvent("platform", "platform.end", 0, {"requestId": "r"})
    done = TelemetryEvent("platform", "platform.runtimeDone", 0, {"requestId": "r", "status": "success", "spans": []})
    init = TelemetryEvent("platform", "platform.initStart", 0, {"phase": "init"})
    assert told(start, **older) is not None
    assert told(end) is None
    assert told(end, **older) is not None
    assert told(init, **older) is None
    assert told(done, **older) is None
    assert told(done, api=Api.LOGS, schema="2021-03-18")["record"] == {  # type: ignore[index]
        "requestId": "r", "status": "success"
    }  # fmt: skip


def test_a_line_that_is_nested_too_deeply_is_delivered_as_text() -> None:
    for depth in (248, 249, 250, 251, 252, 253, 254, 255, 500):
        line = '{"m": ' + "[" * depth + "]" * depth + "}\n"
        document = encode(BASE, TelemetryEvent("function", "function", 0, line))
        assert document is not None
        assert json.loads(document)["record"] in (line, json.loads(line))
