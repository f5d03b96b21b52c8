"""The queue of asynchronous events: accepts them durably, runs each when it is due, and sees to it until it is over.

Each function has a lane of its own, and each destination another (`lanes`). What is under way is known in memory only;
the store has what an event is, and after a crash all of them are due again. So every event runs at least once, and
twice only if the server ended between its answer and the next write. An event is removed once it is over, and nothing
but `purge` and the deletion of its function ends it earlier.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from ingle.catalog import Catalog
from ingle.domain.clock import Clock, milliseconds
from ingle.domain.event import Condition, Event, Progress
from ingle.domain.function import Function, FunctionKey
from ingle.event_invoke import policy
from ingle.event_invoke.lanes import Entry, Lane, Place, Share
from ingle.event_invoke.ports import Deliver, Record, Run, Store
from ingle.event_invoke.steps import Steps, Tally
from ingle.event_invoke.together import Together
from ingle.observability.log import Logger
from ingle.storage.errors import StorageError

_log = Logger("event_invoke")

#: Bytes of payloads kept in memory; those of more events are read again when their time comes.
_MAX_HELD = 64 << 20
#: Results that are on their way to destinations at one time.
_MOST_DELIVERIES = 128
#: Seconds that results on their way get when the server stops.
_LAST_DELIVERIES = 2.0
#: Events that are purged without a turn of the loop in between.
_PURGED_AT_ONCE = 2000
#: Seconds after which a write that failed is tried again.
_STORAGE_PAUSE = 1.0


class EventQueue:
    """`async with EventQueue(...) as queue`, then `start()`. Leaving waits `drain` seconds for what is under way.

    `flush_logs` returns once the lines that functions have written are durable, or False if they are not. `most`:
    events that may run at one time, all functions together.
    """

    def __init__(
        self, store: Store, catalog: Catalog, run: Run, flush_logs: Callable[[], Awaitable[bool]], record: Record,
        clock: Clock, *, delays: Sequence[float] = policy.DELAYS, drain: float = 5.0, most: int = 1000,
        max_held: int = _MAX_HELD, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._store = store
        self._catalog = catalog
        self._flush_logs = Together(flush_logs)
        self._record = record
        self._clock = clock
        self._drain = drain
        self._max_held = max_held
        self._sleep = sleep
        self._functions = Share(most)
        self._destinations = Share(_MOST_DELIVERIES)
        self._entries: dict[int, Entry] = {}
        self._lanes: dict[Place, Lane] = {}
        self._timers: dict[Place, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending: set[asyncio.Task[None]] = set()  # those of them that deliver
        self._held = 0
        self._stopping = False
        self.tally = Tally()
        self._steps = Steps(catalog, run, record, clock, delays, self.tally)
        self.waiting: Counter[FunctionKey] = Counter()

    async def __aenter__(self) -> Self:
        return self

    def start(self, deliver: Deliver) -> None:
        """Begin, with what an earlier server left first."""
        self._steps.deliver = deliver
        self._catalog.subscribe(self._function_changed)
        self._start(self._load_all())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        for timer in self._timers.values():
            timer.cancel()
        # Functions get their time; a destination that is slow does not: its result is sent by the next server.
        quick = min(self._drain, _LAST_DELIVERIES)
        await self._wait_for_tasks(quick)
        _cancel(self._sending)
        await self._wait_for_tasks(self._drain - quick)
        _cancel(self._tasks)
        await self._wait_for_tasks(None)
        await self._flush_logs.close()

    async def _wait_for_tasks(self, timeout: float | None) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout)

    # --- for those who have events ----------------------------------------------------------------------------------

    async def accept(self, event: Event) -> None:
        """Returns once the event is durable. Raises StorageError."""
        number, durable = self._store.begin_add(event)
        try:
            await asyncio.shield(durable)
        except asyncio.CancelledError:
            # Nobody waits any more, and the event is written all the same.
            durable.add_done_callback(lambda _: self._accepted(number, event) if not durable.exception() else None)
            raise
        self._accepted(number, event)

    def _accepted(self, number: int, event: Event) -> None:
        self.tally.received += 1
        self._record(event.key, "AsyncEventsReceived", 1, "Count")
        self._admit(number, event, Progress(due=event.accepted), complete=True)

    async def _load_all(self) -> None:
        """Page by page: what comes meanwhile is not held up by what is there."""
        after = 0
        while not self._stopping:
            try:
                page = await self._store.load(after)
            except StorageError as error:
                _log.warning("earlier events are not loaded yet", reason=str(error))
                await self._sleep(_STORAGE_PAUSE)
                continue
            for number, event, progress, complete in page:
                self._admit(number, replace(event, arn=sys.intern(event.arn)), progress, complete=complete)
            if not page:
                return
            after = page[-1][0]

    # --- for people -------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """How many events are not over."""
        return len(self._entries)

    def entries(self) -> Iterator[Entry]:
        """The oldest first, about. Not while the loop turns."""
        return iter(self._entries.values())

    async def bodies(self, entry: Entry) -> tuple[bytes, bytes | None] | None:
        """The payload of an event and of the last response to it; None once it is gone. Raises StorageError."""
        return await self._store.bodies(entry.number)

    def oldest(self) -> int | None:
        """When the event that is here for longest was accepted, about; epoch milliseconds."""
        first = next(iter(self._entries.values()), None)
        return None if first is None else first.event.accepted

    def failing(self) -> Mapping[str, str]:
        """The destinations that take nothing at the moment, and why."""
        return {str(lane.place): lane.failing for lane in self._lanes.values() if lane.failing is not None}

    def retry(self, wanted: Callable[[Entry], bool]) -> int:
        """What waits is due at once; how much that was."""
        now = milliseconds(self._clock)
        found = [entry for entry in self._entries.values() if not entry.running and wanted(entry)]
        for place, numbers in _by_place(found).items():
            self._lanes[place].hurry(now, numbers)
            self._pump(place)
        return len(found)

    async def purge(self, wanted: Callable[[Entry], bool]) -> int:
        """Events are no more: what runs of them ends without a trace here. How many. Raises StorageError."""
        found = [entry for entry in self._entries.values() if wanted(entry)]
        count = 0
        for start in range(0, len(found), _PURGED_AT_ONCE):
            some = found[start : start + _PURGED_AT_ONCE]
            await self._store.remove([entry.number for entry in some])
            count += self._purged([entry for entry in some if entry.number in self._entries])
        return count

    def _purged(self, entries: Sequence[Entry]) -> int:
        for place, numbers in _by_place(entries).items():
            if (lane := self._lanes.get(place)) is not None:
                lane.withdraw(numbers)
                self._pump(place)
        for entry in entries:
            self._forget(entry)
            if entry.progress.condition is None:
                self._count_dropped(entry.event, "Purged")
        return len(entries)

    def wake(self) -> None:
        """Look at everything again: the clock was turned."""
        for place in list(self._lanes):
            self._pump(place)

    # --- lanes ------------------------------------------------------------------------------------------------------

    def _admit(self, number: int, event: Event, progress: Progress, *, complete: bool) -> None:
        """`complete`: its payloads are in memory, where they stay while there is room for them."""
        keep = complete and self._held + len(event.payload) <= self._max_held
        if keep:
            self._held += len(event.payload)
        elif event.payload:
            event = replace(event, payload=b"")
        entry = self._entries[number] = Entry(number, event, progress, loaded=keep)
        self.waiting[event.key] += 1
        self._put(entry)

    def _forget(self, entry: Entry) -> None:
        del self._entries[entry.number]
        key = entry.event.key
        self.waiting[key] -= 1
        if not self.waiting[key]:
            del self.waiting[key]
        if entry.loaded:
            self._held -= entry.size

    def _put(self, entry: Entry) -> None:
        place = _place(entry)
        lane = self._lanes.get(place)
        if lane is None:
            share = self._destinations if isinstance(place, str) else self._functions
            lane = self._lanes[place] = Lane(place, share)
        lane.push(entry)
        self._pump(place)

    def _pump(self, place: Place) -> None:
        """Begin what is due and may be begun, and see to it that the rest is looked at in time."""
        lane = self._lanes.get(place)
        if lane is None or self._stopping or self._steps.deliver is None:
            return
        now = milliseconds(self._clock)
        while (entry := lane.take(now)) is not None:
            self._start(self._work(lane, entry), sending=entry.progress.condition is not None)
        if (timer := self._timers.pop(place, None)) is not None:
            timer.cancel()
        if (seconds := lane.seconds(now)) is not None:
            self._timers[place] = asyncio.get_running_loop().call_later(seconds, self._pump, place)
        elif lane.empty:
            del self._lanes[place]

    def _start(self, work: Coroutine[Any, Any, None], *, sending: bool = False) -> None:
        task = asyncio.ensure_future(work)
        for tasks in (self._tasks, self._sending) if sending else (self._tasks,):
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    def _function_changed(self, key: FunctionKey, function: Function | None) -> None:
        """Events of a function that is gone, or may not run, are over at once and not when they would be due."""
        lane = self._lanes.get(key)
        if lane is not None and (function is None or function.reserved == 0):
            lane.hurry(milliseconds(self._clock))
            self._pump(key)

    # --- what becomes of one event ----------------------------------------------------------------------------------

    async def _work(self, lane: Lane, entry: Entry) -> None:
        try:
            after = await self._step(lane, entry)
        finally:
            lane.leave()
            self._pump(lane.place)
        try:
            if entry.number in self._entries:
                await self._write_down(entry, after)
        finally:
            lane.written()
            if lane.empty and self._lanes.get(lane.place) is lane:
                self._pump(lane.place)

    async def _step(self, lane: Lane, entry: Entry) -> Progress | None:
        """How far the event is after one attempt or delivery; None if its function is gone."""
        before, steps = entry.progress, self._steps
        try:
            if not await self._load(entry):
                return None
            return await (steps.attempt(lane, entry) if before.condition is None else steps.send(lane, entry))
        except StorageError as error:
            _log.warning("an event waits", event_id=entry.event.id, reason=str(error))
            return replace(entry.progress, due=milliseconds(self._clock) + int(_STORAGE_PAUSE * 1000))
        except Exception as error:  # one event's trouble is not the queue's
            _log.error("an event could not be handled", event_id=entry.event.id, exc_info=error)
            return policy.postponed(entry.progress, milliseconds(self._clock))

    async def _load(self, entry: Entry) -> bool:
        """Have payloads in memory; False if the event is not there any more."""
        if entry.loaded:
            return True
        bodies = await self._store.bodies(entry.number)
        if bodies is None:
            return False
        payload, answer = bodies
        entry.event = replace(entry.event, payload=payload)
        if entry.progress.response is not None:
            response = replace(entry.progress.response, payload=answer or b"")
            entry.progress = replace(entry.progress, response=response)
        entry.loaded = True
        self._held += entry.size
        return True

    # --- writing down -----------------------------------------------------------------------------------------------

    async def _write_down(self, entry: Entry, after: Progress | None) -> None:
        """An event is over once its log lines are durable."""
        before = entry.progress
        if before.condition is None and (after is None or after.condition is not None):
            if (before if after is None else after).attempts:
                await self._logs_are_durable()
            self._count_end(entry.event, after)
        if after is None or (after.condition is not None and not after.deliveries):
            await self._remove(entry)
        elif entry.number in self._entries:
            await self._go_on(entry, after)

    def _count_end(self, event: Event, after: Progress | None) -> None:
        if after is None:
            _log.warning("an event is dropped: its function is gone", event_id=event.id, function=event.key.name)
        if after is None or after.condition is not Condition.SUCCESS:
            self._count_dropped(event, "FunctionDeleted" if after is None else str(after.condition))

    def _count_dropped(self, event: Event, why: str) -> None:
        self._record(event.key, "AsyncEventsDropped", 1, "Count")
        if why == Condition.RECURSIVE:
            self._record(event.key, "RecursiveInvocationsDropped", 1, "Count")
        self.tally.dropped[why] += 1

    async def _logs_are_durable(self) -> None:
        while True:
            try:
                if await self._flush_logs():
                    return
            except StorageError as error:
                _log.warning("log lines are not written yet", reason=str(error))
            await self._sleep(_STORAGE_PAUSE)

    async def _go_on(self, entry: Entry, after: Progress) -> None:
        if entry.loaded:
            self._held -= entry.size
        entry.progress = after
        if entry.loaded:
            self._held += entry.size
        try:
            await self._store.change(entry.number, after)
        except StorageError as error:
            # What is in memory goes on. After a crash the event would be where it was before.
            _log.warning("the state of an event is not written", event_id=entry.event.id, reason=str(error))
        else:
            self._shed(entry)
        if entry.number in self._entries:
            self._put(entry)

    def _shed(self, entry: Entry) -> None:
        """What waits need not be in memory."""
        later = entry.progress.due > milliseconds(self._clock)
        if not entry.loaded or (not later and self._held <= self._max_held) or entry.number not in self._entries:
            return
        self._held -= entry.size
        entry.event, entry.loaded = replace(entry.event, payload=b""), False
        if entry.progress.response is not None:
            entry.progress = replace(entry.progress, response=replace(entry.progress.response, payload=b""))

    async def _remove(self, entry: Entry) -> None:
        while entry.number in self._entries:
            try:
                await self._store.remove([entry.number])
            except StorageError as error:
                _log.warning("an event that is over is not removed yet", event_id=entry.event.id, reason=str(error))
                await self._sleep(_STORAGE_PAUSE)
            else:
                if entry.number in self._entries:
                    self._forget(entry)


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


def _place(entry: Entry) -> Place:
    deliveries = entry.progress.deliveries
    return deliveries[0].arn if deliveries else entry.event.key


def _by_place(entries: Iterable[Entry]) -> dict[Place, set[int]]:
    found: dict[Place, set[int]] = {}
    for entry in entries:
        found.setdefault(_place(entry), set()).add(entry.number)
    return found
