"""Segments on their way to a collector: a real one on loopback, or none."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from ingle.observability import traces as module
from ingle.observability.collector import Collector as Client
from ingle.observability.collector import certificates
from ingle.observability.spans import Source
from ingle.observability.traces import Traces
from otlp import Collector

SOURCE = Source(account="000000000000", region="us-east-1", function="f", version="$LATEST")
OTHER = Source(account="000000000000", region="us-east-1", function="g", version="$LATEST")
HEAD = b'{"format": "json", "version": 1}\n'


def segment(name: str = "s") -> dict[str, Any]:
    ids = {"id": "53995c3f42cd8ad8", "trace_id": "1-5759e988-bd862e3fe1be46a994272793"}
    return {"name": name, **ids, "start_time": 1.0, "end_time": 2.0}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting is not what is tested."""
    monkeypatch.setattr(module, "_LINGER", 0.01)
    monkeypatch.setattr(module, "_FIRST_RETRY", 0.01)


async def until(there: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not there():  # noqa: ASYNC110 - other threads do not set events
            await asyncio.sleep(0.005)


def closed_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


async def test_documents_and_datagrams_arrive_by_function(collector: Collector) -> None:
    async with Traces(Client(collector.endpoint + "/base/")) as traces:
        traces.put(SOURCE, segment(name="own"))
        traces.put(OTHER, HEAD + orjson.dumps(segment(name="sent")))
        traces.put(OTHER, b"nonsense")
        await until(lambda: traces.exported == 2)
    assert {(span.name, span.resource["faas.name"]) for span in collector.spans} == {("own", "f"), ("sent", "g")}
    assert collector.paths == ["/base/v1/traces"]
    assert (traces.received, traces.dropped["malformed"], traces.failures) == (3, 1, 0)


async def test_what_waits_when_the_server_stops_is_sent(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LINGER", 60.0)
    async with Traces(Client(collector.endpoint)) as traces:
        traces.put(SOURCE, segment())
        await asyncio.sleep(0)
    assert len(collector.spans) == traces.exported == 1


async def test_without_a_collector_everything_is_counted_and_dropped() -> None:
    async with Traces(None) as traces:
        assert not traces.exporting
        traces.put(SOURCE, segment())
    assert (traces.received, traces.dropped["no_collector"]) == (1, 1)


async def test_a_collector_that_is_down_costs_what_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async with Traces(Client(closed_port())) as traces:
        traces.put(SOURCE, segment())
        await until(lambda: traces.failures >= 3)
        monkeypatch.setattr(module, "_SHARE", 10_000)
        for _ in range(10):
            traces.put(SOURCE, segment())
        assert traces.dropped["full"] == 6
        traces.put(OTHER, segment())  # has a share of its own
        assert traces.dropped["full"] == 6
    assert traces.exported == 0
    assert traces.dropped["refused"] > 0
    assert capfd.readouterr().err.count("takes no traces") <= 1


async def test_the_queue_has_a_capacity_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CAPACITY", 5000)
    async with Traces(Client(closed_port())) as traces:
        traces.put(SOURCE, segment())
        traces.put(OTHER, segment())
        traces.put(OTHER, segment())
        assert traces.dropped["full"] == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_collector_that_is_busy_is_asked_again(collector: Collector, status: int) -> None:
    collector.statuses = [status, status]
    async with Traces(Client(collector.endpoint)) as traces:
        traces.put(SOURCE, segment())
        await until(lambda: traces.exported == 1)
    assert (len(collector.spans), traces.failures, traces.dropped["refused"]) == (1, 2, 0)


async def test_what_a_collector_refuses_is_not_sent_again(collector: Collector) -> None:
    collector.statuses = [400]
    async with Traces(Client(collector.endpoint)) as traces:
        traces.put(SOURCE, segment())
        await until(lambda: traces.failures == 1)
        traces.put(SOURCE, segment(name="next"))
        await until(lambda: traces.exported == 1)
    assert [span.name for span in collector.spans] == ["next"]
    assert traces.dropped["refused"] == 1


@pytest.mark.parametrize(("rejected", "exported"), [("1", 1), (1, 1), ("9", 0), ("x", 2), (None, 2), (-1, 2)])
async def test_spans_that_a_collector_rejects_are_counted(collector: Collector, rejected: Any, exported: int) -> None:
    collector.answer = {"partialSuccess": {"rejectedSpans": rejected}}
    async with Traces(Client(collector.endpoint)) as traces:
        traces.put(SOURCE, segment())
        traces.put(SOURCE, segment())
        await until(lambda: collector.requests)
    assert (traces.exported, traces.dropped["refused"]) == (exported, 2 - exported)


async def test_large_numbers_go_in_batches(collector: Collector) -> None:
    async with Traces(Client(collector.endpoint)) as traces:
        for _ in range(1200):
            traces.put(SOURCE, segment())
        await until(lambda: traces.exported == 1200)
    assert len(collector.requests) == 3


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000]
)
async def test_an_answer_that_is_none_is_a_failure(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OSError):  # noqa: PT011 - any of them
            await Client(f"http://127.0.0.1:{port}").post(b"")


async def test_an_answer_without_end_is_not_waited_for() -> None:
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TimeoutError):
            await Client(f"http://127.0.0.1:{port}", seconds=0.05).post(b"")
        over.set()


def test_certificates_are_looked_for_where_there_is_tls() -> None:
    assert certificates(None) == certificates("http://127.0.0.1:4318") == []
    assert all(place.is_absolute() for place in certificates("https://collector.example"))
