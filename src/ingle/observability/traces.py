"""Segments on their way to the collector: gathered, translated in a thread, sent in batches, tried again.

`put` is called from the event loop and costs an addition to a queue. The queue is bounded, and one function has a share
of it: what is too much is dropped and counted, and a collector that is down costs nothing else. Without a collector
everything is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, Protocol, Self

import orjson

from ingle import __version__
from ingle.background import Background
from ingle.observability.collector import Answer
from ingle.observability.log import Logger
from ingle.observability.spans import Document, Malformed, Source, Span, read_datagram, spans_of

log = Logger("traces")

#: Bytes that wait, in all and of one function.
_CAPACITY, _SHARE = 16 << 20, 4 << 20
#: What a document of our own counts for, in bytes.
_OWN_SIZE = 2048
#: Documents and bytes in one request.
_BATCH, _BATCH_BYTES = 512, 2 << 20
#: How long documents wait for others, in seconds.
_LINGER = 0.5
#: Seconds between attempts: doubled each time, up to the last.
_FIRST_RETRY, _LAST_RETRY = 0.5, 30.0
#: Seconds that are left for what waits when the server stops.
_LAST_SECONDS = 2.0
#: Answers that ask to try again, by OTLP's specification.
_AGAIN = frozenset({429, 502, 503, 504})

Item = tuple[Source, Document | bytes, int]


class Transport(Protocol):
    """Where batches go, see `observability.collector`."""

    endpoint: str

    async def post(self, body: bytes) -> Answer: ...


class Traces:
    """`async with Traces(collector)`: leaving sends what waits, for a moment.

    Counters since the start: `received` and `dropped` segments (by reason), `exported` spans, `failures` of requests.
    """

    def __init__(self, transport: Transport | None) -> None:
        self.received = 0
        self.dropped: Counter[str] = Counter({"malformed": 0, "full": 0, "refused": 0, "no_collector": 0})
        self.exported = 0
        self.failures = 0
        self._transport = transport
        self._waiting: deque[Item] = deque()
        self._bytes = 0
        self._shares: Counter[Source] = Counter()
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._failing = False
        self._background = Background()
        self._task: asyncio.Task[None] | None = None

    @property
    def exporting(self) -> bool:
        """Whether segments go anywhere: it is of no use to make them otherwise."""
        return self._transport is not None

    def put(self, source: Source, document: Document | bytes) -> None:
        """A segment document, or a datagram with one that nobody has looked at yet."""
        self.received += 1
        size = len(document) if isinstance(document, bytes) else _OWN_SIZE
        if self._transport is None:
            self.dropped["no_collector"] += 1
        elif self._bytes + size > _CAPACITY or self._shares[source] + size > _SHARE:
            self.dropped["full"] += 1
        else:
            self._bytes += size
            self._shares[source] += size
            self._waiting.append((source, document, size))
            if len(self._waiting) == 1:
                self._wake.set()

    async def __aenter__(self) -> Self:
        await self._background.__aenter__()
        if self._transport is not None:
            self._task = self._background.start(self._run(self._transport))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        self._wake.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=_LAST_SECONDS)
        await self._background.__aexit__()

    async def _run(self, transport: Transport) -> None:
        while True:
            while not self._waiting:
                if self._closing.is_set():
                    return
                self._wake.clear()
                await self._wake.wait()
            if len(self._waiting) < _BATCH:
                await self._pause(_LINGER)
            await self._export(transport, self._take())

    async def _pause(self, seconds: float) -> None:
        """Not while the server stops."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()

    def _take(self) -> list[Item]:
        batch: list[Item] = []
        size = 0
        while self._waiting and len(batch) < _BATCH and size < _BATCH_BYTES:
            item = self._waiting.popleft()
            batch.append(item)
            size += item[2]
            self._shares[item[0]] -= item[2]
        self._bytes -= size
        # Functions come and go.
        self._shares += Counter()
        return batch

    async def _export(self, transport: Transport, batch: list[Item]) -> None:
        """Until the collector has taken the batch or has refused it; what comes meanwhile waits in the queue."""
        body, spans, malformed = await asyncio.to_thread(encode, batch)
        self.dropped["malformed"] += malformed
        pause = _FIRST_RETRY
        while spans:
            try:
                answer = await transport.post(body)
            except OSError as error:
                self._failed(transport, str(error) or type(error).__name__)
                wait = 0.0
            else:
                if answer.status not in _AGAIN:
                    self._answered(transport, answer, spans, len(batch) - malformed)
                    return
                self._failed(transport, f"status {answer.status}")
                wait = min(answer.retry_after, _LAST_RETRY)
            if self._closing.is_set():
                self.dropped["refused"] += len(batch) - malformed
                return
            await self._pause(max(wait, pause * random.uniform(0.5, 1.0)))
            pause = min(pause * 2, _LAST_RETRY)

    def _failed(self, transport: Transport, reason: str) -> None:
        self.failures += 1
        if not self._failing:
            self._failing = True
            log.warning("the collector takes no traces", endpoint=transport.endpoint, reason=reason)

    def _answered(self, transport: Transport, answer: Answer, spans: int, documents: int) -> None:
        if not 200 <= answer.status < 300:
            self.dropped["refused"] += documents
            self._failed(transport, f"status {answer.status}")
            return
        rejected = min(_rejected(answer.body), spans)
        self.exported += spans - rejected
        self.dropped["refused"] += rejected
        if self._failing:
            self._failing = False
            log.info("the collector takes traces again", endpoint=transport.endpoint)


def _rejected(body: bytes) -> int:
    """How many spans of a request the collector did not take, by its answer."""
    try:
        return max(int(orjson.loads(body)["partialSuccess"]["rejectedSpans"]), 0)
    except (ValueError, KeyError, TypeError, OverflowError):
        return 0


def encode(batch: Iterable[Item]) -> tuple[bytes, int, int]:
    """(the body of a request, how many spans it has, how many documents were malformed). Called in a thread."""
    resources: dict[Source, list[Span]] = {}
    malformed = count = 0
    for source, document, _ in batch:
        try:
            spans = spans_of(read_datagram(document) if isinstance(document, bytes) else document)
        except Malformed:
            malformed += 1
            continue
        except Exception:  # one function's document is not to end the traces of the others
            log.error("a segment document cannot be translated", exc_info=True, function=source.function)
            malformed += 1
            continue
        resources.setdefault(source, []).extend(spans)
        count += len(spans)
    scope = {"name": "ingle", "version": __version__}
    body: dict[str, Any] = {
        "resourceSpans": [
            {"resource": {"attributes": source.attributes()}, "scopeSpans": [{"scope": scope, "spans": spans}]}
            for source, spans in resources.items()
        ]
    }
    return orjson.dumps(body), count, malformed
