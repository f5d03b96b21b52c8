"""Metrics on disk: an aggregate for each series and minute, in a database of its own.

`add` gathers on the event loop and a background task writes every two seconds, so a kill of the server loses at most
what came in those; `put` returns after its commit. Minutes are kept for 15 days, as CloudWatch keeps them; values that
were sent in high resolution are kept by the second for three hours besides. Written by `invoke.meters`, read by
`supporting.cloudwatch`. All SQL runs in one thread that owns the one connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from ingle.domain.clock import Clock
from ingle.domain.metrics import Aggregate, Series
from ingle.storage import metric_tables as tables
from ingle.storage.errors import StorageError, StorageUnavailable
from ingle.storage.sql_engine import named_error, open_engine

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)

MINUTE = 60
MINUTES_KEPT = 15 * 24 * 3600
SECONDS_KEPT = 3 * 3600
FLUSH_SECONDS = 2.0
_PRUNE_SECONDS = 600.0
#: Aggregates that wait while the disk is full. More of them are dropped: new ones, and counted.
_MOST_WAITING = 100_000

#: (series, start of the minute or second as epoch seconds) -> what came since.
Points = dict[tuple[Series, int], Aggregate]
#: Called on the event loop; hands out what it has gathered. The result is called in the store's thread.
Source = Callable[[], Callable[[], Points]]


class MetricStore:
    """`async with MetricStore(url, clock) as metrics`; leaving writes what waits. Calls after that raise.

    Every call but `add` may raise StorageFull or StorageUnavailable.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._engine: Engine | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: Points = {}
        self._flushing = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._sources: list[Source] = []
        self._cache = tables.PointCache()
        self.dropped = 0

    async def __aenter__(self) -> Self:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ingle-metrics")
        try:
            await self._run(self._open)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        await self._tasks.__aenter__()
        self._tasks.create_task(self._flusher(), name="metric-flusher")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        finally:
            if not await self._flush():
                _log.error("metrics were lost at shutdown: %d aggregates", len(self._waiting))
            await self._run(self._dispose)
            thread, self._thread = self._thread, None
            if thread is not None:
                thread.shutdown(wait=False)

    def collect_from(self, source: Source) -> None:
        """`source` is called with every flush. It gives its points away: they are kept here until they are written."""
        self._sources.append(source)

    def add(self, series: Series, minute: int, aggregate: Aggregate) -> None:
        """Event loop only; never waits. `minute` is its start in epoch seconds. Takes `aggregate` over."""
        found = self._waiting.get((series, minute))
        if found is not None:
            found.merge(aggregate)
        elif len(self._waiting) < _MOST_WAITING:
            self._waiting[series, minute] = aggregate
        else:
            self.dropped += 1

    async def put(self, minutes: Points, seconds: Points) -> None:
        """Durable when it returns. `seconds`: the same values once more, for series in high resolution."""

        def write(connection: Connection) -> None:
            self._cache.write(connection, minutes)
            self._cache.write(connection, seconds, fine=True)

        await self._transaction(write)

    async def flush(self) -> bool:
        """Returns when all that was added is written. False if it could not be: it is kept for later."""
        return await asyncio.shield(asyncio.ensure_future(self._flush()))

    async def read(
        self, series: Series, start: int, end: int, period: int, *, fine: bool = False
    ) -> Mapping[int, Aggregate]:
        """Aggregates of `period` seconds, by their start: periods are counted from `start`; `end` is exclusive.

        `fine`: from what was sent in high resolution, which `period` below a minute needs.
        """
        await self.flush()

        def read(connection: Connection) -> dict[int, Aggregate]:
            number = tables.find(connection, series)
            found: dict[int, Aggregate] = {}
            for at, aggregate in tables.points(connection, number, start, end, fine=fine) if number else ():
                found.setdefault(start + (at - start) // period * period, Aggregate()).merge(aggregate)
            return found

        return await self._transaction(read)

    async def units(self, series: Series) -> Sequence[str]:
        """The units that values of this metric came with; `series.unit` does not matter."""
        await self.flush()
        return await self._transaction(lambda connection: tables.units(connection, series))

    async def series(self, account: str, region: str, *, since: int, **wanted: str | None) -> list[Series]:
        """Series with a point since then, in a fixed order. `wanted`: `namespace` and `name`."""
        await self.flush()
        return await self._transaction(
            lambda connection: tables.series_since(connection, account, region, since, **wanted)
        )

    async def prune(self) -> None:
        """Deletes what is too old. The store does it by itself every ten minutes."""
        now = int(self._clock.now())

        def prune(connection: Connection) -> None:
            tables.prune(connection, now - MINUTES_KEPT, now - SECONDS_KEPT)
            self._cache.clear()

        await self._transaction(prune)

    async def _flusher(self) -> None:
        pruned = 0.0
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._stopping.wait()
            await self._flush()
            if abs(self._clock.now() - pruned) >= _PRUNE_SECONDS:
                pruned = self._clock.now()
                try:
                    await self.prune()
                except StorageError as error:
                    _log.warning("old metrics could not be deleted: %s", error)

    async def _flush(self) -> bool:
        async with self._flushing:
            waiting, self._waiting = self._waiting, {}
            taken = [source() for source in self._sources]
            gathered: Points = {}

            def write(connection: Connection) -> None:
                self._cache.write(connection, gathered)

            try:
                await self._run(lambda: _gather(gathered, waiting, taken))
                await self._transaction(write)
            except StorageError as error:
                _log.warning("metrics wait: %s", error)
                for (series, minute), aggregate in gathered.items():
                    self.add(series, minute, aggregate)
                return False
            return True

    async def _transaction(self, work: Callable[[Connection], _Result]) -> _Result:
        def transact() -> _Result:
            assert self._engine is not None, "the thread runs nothing before _open"
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except BaseException:
                # It remembers what this transaction, which does not commit, has made.
                self._cache.clear()
                raise

        return await self._run(transact)

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        if self._thread is None:
            raise StorageUnavailable("The metrics are closed.")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except SQLAlchemyError as error:
            raise named_error(error) from error

    def _open(self) -> None:
        # What the last seconds held may be lost with the machine anyway: a sync for each flush would gain nothing.
        self._engine = open_engine(self._url, synchronous="NORMAL")
        with self._engine.begin() as connection:
            tables.metadata.create_all(connection)

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _gather(gathered: Points, waiting: Points, taken: Iterable[Callable[[], Points]]) -> None:
    """Into `gathered`: what waits, and what the sources have."""
    gathered.update(waiting)
    for points in taken:
        for place, aggregate in points().items():
            found = gathered.get(place)
            if found is None:
                gathered[place] = aggregate
            else:
                found.merge(aggregate)


def by_start(values: Iterable[tuple[Series, float, Aggregate]], length: int) -> Points:
    """Points from (series, epoch seconds, aggregate), each at the start of its `length` seconds."""
    points: Points = {}
    for series, moment, aggregate in values:
        points.setdefault((series, int(moment // length) * length), Aggregate()).merge(aggregate)
    return points
