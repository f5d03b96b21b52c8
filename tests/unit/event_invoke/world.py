"""A queue over a store in memory, with a clock that is turned by hand and functions that answer when they are told."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

from ingle.catalog import Catalog
from ingle.domain.event import Event, Progress, Response
from ingle.event_invoke.queue import EventQueue
from ingle.storage.errors import StorageFull

from .events import THEN, event, function

GOOD = Response(version="$LATEST", payload=b"1")
BAD = Response(version="$LATEST", payload=b'{"errorMessage": "no"}', error="Unhandled")


class HandClock:
    def __init__(self) -> None:
        self.ms = THEN

    def now(self) -> float:
        return self.ms / 1000


class MemoryEvents:
    """As `storage.event_store`. `failing`: the names of calls that fail; `hold`: additions wait for `release`."""

    def __init__(self) -> None:
        self.events: dict[int, Event] = {}
        self.progress: dict[int, Progress] = {}
        self.failing: set[str] = set()
        self.hold = False
        self.held: list[tuple[int, Event, asyncio.Future[None]]] = []
        self.calls = 0
        self._last = 0
        self.opened = 0

    def _check(self, name: str) -> None:
        self.calls += 1
        if name in self.failing:
            raise StorageFull(name)

    def begin_add(self, event):
        self._last += 1
        durable = asyncio.get_running_loop().create_future()
        self.held.append((self._last, event, durable))
        if not self.hold:
            asyncio.get_running_loop().call_soon(self.release)
        return self._last, durable

    def release(self):
        held, self.held = self.held, []
        for number, added, durable in held:
            if "add" in self.failing:
                durable.set_exception(StorageFull("add"))
                durable.exception()
            else:
                self.events[number] = added
                durable.set_result(None)

    async def change(self, number, progress):
        await asyncio.sleep(0)
        self._check("change")
        assert number in self.events
        self.progress[number] = progress

    async def remove(self, numbers):
        await asyncio.sleep(0)
        self._check("remove")
        for number in numbers:
            self.events.pop(number, None)
            self.progress.pop(number, None)

    async def load(self, after=0):
        await asyncio.sleep(0)
        self._check("load")
        found = [number for number in sorted(self.events) if after < number <= self.opened][:3]
        return [(n, replace(self.events[n], payload=b""), self._bare(n), False) for n in found]

    def _bare(self, number):
        progress = self.progress.get(number) or Progress(due=self.events[number].accepted)
        return progress if progress.response is None else replace(
            progress, response=replace(progress.response, payload=b"")
        )  # fmt: skip

    async def bodies(self, number):
        await asyncio.sleep(0)
        self._check("bodies")
        if number not in self.events:
            return None
        progress = self.progress.get(number)
        response = None if progress is None or progress.response is None else progress.response.payload
        return self.events[number].payload, response

    def reopen(self):
        """What a crash leaves."""
        after = MemoryEvents()
        after.events, after.progress = dict(self.events), dict(self.progress)
        after._last = after.opened = max(self.events, default=0)
        return after


class World:
    """`async with World() as world`. `outcomes` are what runs answer, by function; then GOOD. `gate`: they wait."""

    def __init__(self, store: MemoryEvents | None = None, clock: HandClock | None = None, **settings) -> None:
        self.store = store or MemoryEvents()
        self.clock = clock or HandClock()
        self.catalog = Catalog()
        self.catalog.put(function())
        self.metrics: Counter[tuple[str, str]] = Counter()
        self.ages: list[float] = []
        self.outcomes: dict[str, list] = {}
        self.ran: list[Event] = []
        self.sent: list[tuple[str, str, Progress, bool]] = []
        self.refusing: dict[str, Exception] = {}
        self.gate: dict[str, asyncio.Event] = {}
        self.running: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self.flushes = 0
        self.durable_logs = True
        self.pauses = 0
        self.resume = asyncio.Event()
        self.queue = EventQueue(
            self.store, self.catalog, self._run, self._flush, self._record, self.clock, drain=0.5,
            sleep=self._pause, **settings,
        )  # fmt: skip

    async def __aenter__(self):
        await self.queue.__aenter__()
        self.queue.start(self._deliver)
        return self

    async def __aexit__(self, *_):
        for gate in self.gate.values():
            gate.set()
        await self.queue.__aexit__(None, None, None)

    def put(self, **settings):
        self.catalog.put(function(**settings))

    async def accept(self, count=1, **changes):
        for number in range(count):
            await self.queue.accept(event(number, accepted=self.clock.ms, **changes))
        await self.settle()

    async def settle(self):
        """Until nothing moves: everything here is a matter of turns of the loop."""
        still, seen, turns = 0, None, 0
        while still < 15 and turns < 400:
            turns += 1
            await asyncio.sleep(0)
            now = (len(self.ran), len(self.sent), self.flushes, self.pauses, self.store.calls, self.metrics.total(),
                   len(self.queue._tasks))  # fmt: skip
            still, seen = still + 1 if now == seen else 0, now

    async def turn(self, seconds):
        self.clock.ms += int(seconds * 1000)
        self.queue.wake()
        await self.settle()

    async def _run(self, event):
        name = event.key.name
        self.running[name] += 1
        self.peak[name] = max(self.peak[name], self.running[name])
        try:
            self.ran.append(event)
            await asyncio.sleep(0)
            if name in self.gate:
                await self.gate[name].wait()
        finally:
            self.running[name] -= 1
        outcomes = self.outcomes.get(name)
        outcome = outcomes.pop(0) if outcomes else GOOD
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _flush(self):
        await asyncio.sleep(0)
        self.flushes += 1
        return self.durable_logs

    def _record(self, key, name, value, unit):
        if name == "AsyncEventAge":
            self.ages.append(value)
        self.metrics[key.name, name] += 1

    async def _deliver(self, event, progress, delivery):
        await asyncio.sleep(0)
        if (error := self.refusing.get(delivery.arn)) is not None:
            raise error
        self.sent.append((delivery.arn, event.id, progress, delivery.dead_letter))

    async def _pause(self, seconds):
        self.pauses += 1
        await self.resume.wait()

    def let_go(self):
        """Those that pause go on; who pauses later waits for the next time."""
        paused, self.resume = self.resume, asyncio.Event()
        paused.set()
