"""The queue of asynchronous events: accepts them durably, runs each when it is due, and sees to it until it is over.

Each function has a lane of its own, and each destination another, so that no backlog delays what is not behind it. How
much of a lane is under way at one time grows with how long its head has been waiting. What is under way is known in
memory only; the store has what an event is, and after a crash all of them are due again. So every event runs at least
once, and twice only if the server ended between its answer and the next write.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Protocol, Self

from ingle.catalog import Catalog
from ingle.domain.clock import Clock, milliseconds
from ingle.domain.errors import ResourceNotFound, ServiceError
from ingle.domain.event import Condition, Delivery, Event, Progress, Response
from ingle.domain.function import FunctionKey
from ingle.event_invoke import policy
from ingle.event_invoke.policy import Rules
from ingle.observability.log import Logger
from ingle.storage.errors import StorageError

_log = Logger("event_invoke")

#: How much of a lane is under way at one time: at first, more for each second that its head waits, and at the most.
_AT_ONCE, _MORE_PER_SECOND, _MOST = 4, 2.0, 500
#: Bytes of payloads kept in memory; those of more events are read again when their time comes.
_MAX_HELD = 64 << 20
#: Seconds after which a write that failed is tried again.
_STORAGE_PAUSE = 1.0

#: A function's events, or what a destination is to get.
Place = FunctionKey | str
#: Run the function once. Raises ServiceError where it could not be run.
Run = Callable[[Event], Awaitable[Response]]
#: Send one thing on. Raises DeliveryFailed.
Deliver = Callable[[Event, Progress, Delivery], Awaitable[None]]
#: A metric of a function: its name, value and unit.
Record = Callable[[FunctionKey, str, float, str], None]


class DeliveryFailed(Exception):
    """A destination did not take what was sent; the text is for people."""


class Store(Protocol):
    async def add(self, event: Event, progress: Progress) -> int: ...
    async def change(self, number: int, progress: Progress) -> None: ...
    async def remove(self, numbers: Iterable[int]) -> None: ...
    async def load(self) -> list[tuple[int, Event, Progress]]: ...
    async def payloads(self, numbers: Iterable[int]) -> Mapping[int, bytes]: ...


@dataclass(slots=True, eq=False)
class Entry:
    """An event in the queue. `loaded`: its payload is here."""

    number: int
    event: Event
    progress: Progress
    loaded: bool


@dataclass(slots=True, eq=False)
class Lane:
    """What of one place is to be done, by when it is due, and how much of it is under way."""

    waiting: list[tuple[int, int, Entry]] = field(default_factory=list)
    running: int = 0
    timer: asyncio.TimerHandle | None = None

    def push(self, entry: Entry) -> None:
        heapq.heappush(self.waiting, (entry.progress.due, entry.number, entry))

    def take(self, now: int) -> Entry | None:
        """What is due and may be under way, if anything."""
        if not self.waiting or self.waiting[0][0] > now:
            return None
        late = (now - self.waiting[0][0]) / 1000
        if self.running >= min(_AT_ONCE + int(late * _MORE_PER_SECOND), _MOST):
            return None
        return heapq.heappop(self.waiting)[2]


class EventQueue:
    """`async with EventQueue(...) as queue`, then `start()`. Leaving waits `drain` seconds for what is under way."""

    def __init__(
        self, store: Store, catalog: Catalog, run: Run, flush_logs: Callable[[], Awaitable[object]], record: Record,
        clock: Clock, *, delays: Sequence[float] = policy.DELAYS, drain: float = 5.0,
    ) -> None:  # fmt: skip
        """`flush_logs` returns once the lines that functions have written are durable."""
        self._store = store
        self._catalog = catalog
        self._run = run
        self._flush_logs = _Together(flush_logs)
        self._record = record
        self._clock = clock
        self._delays = delays
        self._drain = drain
        self._deliver: Deliver | None = None
        self._lanes: dict[Place, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = 0
        self._stopping = False

    async def __aenter__(self) -> Self:
        return self

    async def start(self, deliver: Deliver) -> None:
        """Go on with what an earlier server left."""
        self._deliver = deliver
        for number, event, progress in await self._store.load():
            event = replace(event, arn=sys.intern(event.arn))
            self._put(Entry(number, event, progress, loaded=False))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        for lane in self._lanes.values():
            if lane.timer is not None:
                lane.timer.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._drain)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # --- accepting --------------------------------------------------------------------------------------------------

    async def accept(self, event: Event) -> None:
        """Returns once the event is durable. Raises StorageError."""
        progress = Progress(due=event.accepted)
        number = await self._store.add(event, progress)
        self._record(event.key, "AsyncEventsReceived", 1, "Count")
        keep = self._held + len(event.payload) <= _MAX_HELD
        if keep:
            self._held += len(event.payload)
        self._put(Entry(number, event if keep else replace(event, payload=b""), progress, loaded=keep))

    def depth(self) -> int:
        """How many events wait or are under way."""
        return sum(len(lane.waiting) + lane.running for lane in self._lanes.values())

    def wake(self) -> None:
        """Look at everything again: the clock was turned."""
        for place in list(self._lanes):
            self._pump(place)

    # --- lanes ------------------------------------------------------------------------------------------------------

    def _put(self, entry: Entry) -> None:
        deliveries = entry.progress.deliveries
        place: Place = deliveries[0].arn if deliveries else entry.event.key
        self._lanes.setdefault(place, Lane()).push(entry)
        self._pump(place)

    def _pump(self, place: Place) -> None:
        lane = self._lanes.get(place)
        if lane is None or self._stopping or self._deliver is None:
            return
        now = milliseconds(self._clock)
        while (entry := lane.take(now)) is not None:
            lane.running += 1
            task = asyncio.ensure_future(self._work(place, lane, entry))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if lane.timer is not None:
            lane.timer.cancel()
            lane.timer = None
        if lane.waiting:
            # What is due and had to wait is looked at again when something ends, and after a second at the latest.
            wait = max((lane.waiting[0][0] - now) / 1000, 1.0 if lane.waiting[0][0] <= now else 0.0)
            lane.timer = asyncio.get_running_loop().call_later(wait, self._pump, place)
        elif not lane.running:
            del self._lanes[place]

    async def _work(self, place: Place, lane: Lane, entry: Entry) -> None:
        before = entry.progress
        try:
            await self._load(entry)
            after = await (self._attempt(entry) if before.condition is None else self._send(entry))
        except StorageError as error:
            _log.warning("an event waits", event_id=entry.event.id, reason=str(error))
            after = replace(before, due=milliseconds(self._clock) + int(_STORAGE_PAUSE * 1000))
        finally:
            lane.running -= 1
            self._pump(place)
        if after is None or (after.condition is not None and not after.deliveries):
            await self._finish(entry, after)
        else:
            await self._go_on(entry, after)

    async def _load(self, entry: Entry) -> None:
        if not entry.loaded:
            payloads = await self._store.payloads([entry.number])
            entry.event = replace(entry.event, payload=payloads[entry.number])
            entry.loaded = True
            self._held += len(entry.event.payload)

    async def _attempt(self, entry: Entry) -> Progress | None:
        """Run the function once; None if it is gone, and its events with it."""
        event, progress = entry.event, entry.progress
        rules = self._rules(event)
        if rules is None:
            return None
        now = milliseconds(self._clock)
        over = policy.before_attempt(event, progress, rules, now)
        if over is not None:
            return self._dropped(event, over)
        self._record(event.key, "AsyncEventAge", now - event.accepted, "Milliseconds")
        try:
            response = await self._run(event)
        except ResourceNotFound:
            return None
        except ServiceError as error:
            _log.debug("an event could not be run", event_id=event.id, function=event.key.name, reason=error.message)
            return policy.refused(event, progress, rules, milliseconds(self._clock))
        except Exception as error:  # one function's trouble is not the queue's
            _log.error("an event could not be run", event_id=event.id, function=event.key.name, exc_info=error)
            return policy.refused(event, progress, rules, milliseconds(self._clock))
        rules = self._rules(event) or rules
        now = milliseconds(self._clock)
        return self._dropped(event, policy.answered(event, progress, response, rules, now, self._delays))

    def _rules(self, event: Event) -> Rules | None:
        function = self._catalog.get(event.key)
        return None if function is None else Rules.of(function, event.qualifier)

    def _dropped(self, event: Event, progress: Progress) -> Progress:
        if progress.condition not in (None, Condition.SUCCESS):
            self._record(event.key, "AsyncEventsDropped", 1, "Count")
        return progress

    async def _send(self, entry: Entry) -> Progress:
        assert self._deliver is not None, "nothing is under way before start"
        event, progress = entry.event, entry.progress
        delivery = progress.deliveries[0]
        try:
            await self._deliver(event, progress, delivery)
        except DeliveryFailed as error:
            metric = "DeadLetterErrors" if delivery.dead_letter else "DestinationDeliveryFailures"
            self._record(event.key, metric, 1, "Count")
            _log.warning("a result was not delivered", event_id=event.id, destination=delivery.arn, reason=str(error))
            return policy.undelivered(progress, milliseconds(self._clock))
        return policy.delivered(progress)

    # --- writing down -----------------------------------------------------------------------------------------------

    async def _go_on(self, entry: Entry, after: Progress) -> None:
        if after.condition is not None and entry.progress.condition is None:
            await self._flush_logs()
        entry.progress = after
        try:
            await self._store.change(entry.number, after)
        except StorageError as error:
            _log.warning("the state of an event is not written", event_id=entry.event.id, reason=str(error))
        self._release(entry)
        self._put(entry)

    def _release(self, entry: Entry) -> None:
        """What waits for long need not be in memory."""
        if entry.progress.due > milliseconds(self._clock) and entry.loaded:
            self._held -= len(entry.event.payload)
            entry.event, entry.loaded = replace(entry.event, payload=b""), False

    async def _finish(self, entry: Entry, after: Progress | None) -> None:
        """An event is over once its log lines are durable."""
        if after is not None and entry.progress.condition is None:
            await self._flush_logs()
        while True:
            try:
                await self._store.remove([entry.number])
                break
            except StorageError as error:
                _log.warning("an event that is over is not removed yet", event_id=entry.event.id, reason=str(error))
                await asyncio.sleep(_STORAGE_PAUSE)
        if entry.loaded:
            self._held -= len(entry.event.payload)


class _Together:
    """Many who wait for the same work, which has to begin after they asked: one run serves all who came before it."""

    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        self._work = work
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        if self._next is None:
            self._next = asyncio.ensure_future(self._after(self._running))
        await asyncio.shield(self._next)

    async def _after(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        await self._work()
