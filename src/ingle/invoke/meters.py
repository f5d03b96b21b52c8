"""Counts invocations, on their way: the metrics of namespace AWS/Lambda.

An invocation costs a look-up and a few additions in memory; `storage.metrics` fetches what has gathered every two
seconds and works it out in a thread of its own. Metrics have the time at which their invocation began, as on AWS. Each
is recorded for the account's functions together, for the function, for what was invoked of it (dimension Resource: the
function, or `function:qualifier`), and for what a qualifier led to (ExecutedVersion). Single-threaded but for `_expand`
and `Totals`. Called by the invoker.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ingle.catalog import Catalog
from ingle.domain.clock import Clock
from ingle.domain.concurrency import provisioned_versions
from ingle.domain.function import Function, FunctionKey, Version
from ingle.domain.invocation import InvocationResult
from ingle.domain.metrics import PER_LOG, ZERO, Aggregate, Series
from ingle.placement.provisioning import ProvisionedUse
from ingle.storage.metrics import MINUTE, MetricStore, Points

NAMESPACE = "AWS/Lambda"
COUNT = "Count"
MILLISECONDS = "Milliseconds"

_log = math.log
_ceil = math.ceil


class Cell:
    """What one minute brought to one meter. `buckets`: of durations in milliseconds, and so of all invocations."""

    __slots__ = (
        "buckets", "errors", "init", "longest", "provisioned", "shortest", "spilled", "throttles", "total",
    )  # fmt: skip

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.total = 0.0
        self.shortest = math.inf
        self.longest = 0.0
        self.errors = 0
        self.throttles = 0
        self.provisioned = 0
        self.spilled = 0
        self.init: list[float] = []


class Gauge:
    """How many run now, and how many did at the most since the last look."""

    __slots__ = ("peak", "promised", "running")

    def __init__(self) -> None:
        self.running = 0
        self.peak = 0
        #: Of a function: the versions that have provisioned concurrency, by number.
        self.promised: Mapping[str, int] = {}

    def look(self) -> int:
        peak, self.peak = self.peak, self.running
        return peak


class Target(NamedTuple):
    """What a meter counts. `qualifier` None: the caller named none."""

    key: FunctionKey
    qualifier: str | None
    version: str


class Meter:
    """Counts one target's invocations; a context around the running of one."""

    __slots__ = ("_cells", "_dirty", "_function", "_scope", "target")

    def __init__(self, target: Target, function: Gauge, scope: Gauge, dirty: list[Meter]) -> None:
        self.target = target
        self._function = function
        self._scope = scope
        self._dirty = dirty
        self._cells: dict[int, Cell] = {}

    def __enter__(self) -> None:
        function, scope = self._function, self._scope
        function.running += 1
        if function.running > function.peak:
            function.peak = function.running
        scope.running += 1
        if scope.running > scope.peak:
            scope.peak = scope.running

    def __exit__(self, *_: object) -> None:
        self._function.running -= 1
        self._scope.running -= 1

    def completed(self, began: float, result: InvocationResult) -> None:
        """`began`: epoch seconds."""
        minute = int(began) // MINUTE
        cell = self._cells.get(minute) or self._cell(minute)
        duration = result.duration_ms
        bucket = _ceil(_log(duration) * PER_LOG) if duration > 0 else ZERO
        buckets = cell.buckets
        buckets[bucket] = buckets.get(bucket, 0) + 1
        cell.total += duration
        if duration < cell.shortest:
            cell.shortest = duration
        if duration > cell.longest:
            cell.longest = duration
        if result.error is not None:
            cell.errors += 1
        if result.provisioned:
            cell.provisioned += 1
        elif self._function.promised and self.target.version in self._function.promised:
            cell.spilled += 1
        if result.init_ms is not None:
            cell.init.append(result.init_ms)

    def throttled(self, began: float) -> None:
        minute = int(began) // MINUTE
        (self._cells.get(minute) or self._cell(minute)).throttles += 1

    def _cell(self, minute: int) -> Cell:
        if not self._cells:
            self._dirty.append(self)
        cell = self._cells[minute] = Cell()
        return cell

    def take(self) -> dict[int, Cell]:
        cells, self._cells = self._cells, {}
        return cells


@dataclass(slots=True, kw_only=True)
class Total:
    """What a version of a function came to since the server started. Durations in milliseconds."""

    invocations: int = 0
    errors: int = 0
    throttles: int = 0
    duration: Aggregate = field(default_factory=Aggregate)
    init: Aggregate = field(default_factory=Aggregate)


class Meters:
    """The meters of all functions. They go with their function.

    `unreserved` and `provisioned` tell, for every account and region, and for every provisioned version, the most that
    was in use since they were asked before.
    """

    def __init__(
        self, catalog: Catalog, store: MetricStore, clock: Clock,
        unreserved: Callable[[], Iterable[tuple[str, str, int]]] = tuple,
        provisioned: Callable[[], Iterable[ProvisionedUse]] = tuple,
    ) -> None:  # fmt: skip
        self._catalog = catalog
        self._unreserved = unreserved
        self._provisioned = provisioned
        self._clock = clock
        self._store = store
        self._meters: dict[tuple[str, str], Meter] = {}
        self._functions: dict[FunctionKey, Gauge] = {}
        self._scopes: dict[tuple[str, str], Gauge] = {}
        self._dirty: list[Meter] = []
        self._recorded: dict[tuple[FunctionKey, str, str, int], list[float]] = {}
        self._totals: dict[tuple[FunctionKey, str], Total] = {}
        self._lock = threading.Lock()
        catalog.subscribe(self._catalog_changed)
        store.collect_from(self._take)

    def of(self, version: Version, arn: str) -> Meter:
        """The meter for a version that is invoked as `arn`."""
        return self._meters.get((arn, version.version)) or self._new(version, arn)

    def _new(self, version: Version, arn: str) -> Meter:
        key = version.key
        parts = arn.split(":", 7)
        target = Target(key, parts[7] if len(parts) > 7 else None, version.version)
        function = self._functions.get(key)
        if function is None:
            function = self._functions[key] = Gauge()
            known = self._catalog.get(key)
            function.promised = {} if known is None else provisioned_versions(known)
        scope = self._scopes.setdefault((key.account, key.region), Gauge())
        meter = self._meters[arn, version.version] = Meter(target, function, scope, self._dirty)
        return meter

    def record(self, key: FunctionKey, name: str, value: float, unit: str = COUNT) -> None:
        """One value of a metric that is kept for the function and for all functions together."""
        place = (key, name, unit, int(self._clock.now()) // MINUTE * MINUTE)
        values = self._recorded.get(place)
        if values is None:
            values = self._recorded[place] = []
        values.append(value)

    def running(self) -> dict[FunctionKey, int]:
        """How many invocations of each function run now."""
        return {key: gauge.running for key, gauge in self._functions.items()}

    async def totals(self) -> dict[tuple[FunctionKey, str], Total]:
        """By function and executed version, since the server started."""
        await self._store.flush()
        with self._lock:
            return dict(self._totals)

    def _catalog_changed(self, key: FunctionKey, function: Function | None) -> None:
        if function is not None and key in self._functions:
            self._functions[key].promised = provisioned_versions(function)
        if function is None:
            self._meters = {place: meter for place, meter in self._meters.items() if meter.target.key != key}
            self._functions.pop(key, None)
            with self._lock:
                self._totals = {place: total for place, total in self._totals.items() if place[0] != key}

    def _take(self) -> Callable[[], Points]:
        minute = int(self._clock.now()) // MINUTE * MINUTE
        cells = [(meter.target, meter.take()) for meter in self._dirty]
        # In place: every meter holds this list.
        self._dirty.clear()
        concurrency = list(self._concurrency())
        recorded, self._recorded = self._recorded, {}
        return lambda: self._expand(cells, concurrency, minute, recorded)

    def _concurrency(self) -> Iterator[tuple[Series, float]]:
        for key, gauge in self._functions.items():
            if peak := gauge.look():
                dimensions = (("FunctionName", key.name),)
                yield Series(key.account, key.region, NAMESPACE, "ConcurrentExecutions", dimensions, COUNT), peak
        for (account, region), gauge in self._scopes.items():
            if peak := gauge.look():
                yield Series(account, region, NAMESPACE, "ConcurrentExecutions", (), COUNT), peak
        for account, region, peak in self._unreserved():
            if peak:
                yield Series(account, region, NAMESPACE, "UnreservedConcurrentExecutions", (), COUNT), peak
        for use in self._provisioned():
            yield from self._provisioned_series(use)

    def _provisioned_series(self, use: ProvisionedUse) -> Iterator[tuple[Series, float]]:
        """For the function, and for what of it is provisioned: a version or an alias."""
        function = self._catalog.get(use.key)
        if function is None:
            return
        name, share = ("FunctionName", use.key.name), use.peak / use.allocated
        for qualifier in function.provisioned:
            version = function.qualified(qualifier)
            if version is None or version.version != use.version:
                continue
            for dimensions in ((name,), (name, ("Resource", f"{use.key.name}:{qualifier}"))):
                where = (use.key.account, use.key.region, NAMESPACE)
                yield Series(*where, "ProvisionedConcurrencyUtilization", dimensions, COUNT), share
                if use.peak:
                    yield Series(*where, "ProvisionedConcurrentExecutions", dimensions, COUNT), use.peak

    def _expand(
        self, cells: list[tuple[Target, dict[int, Cell]]], concurrency: list[tuple[Series, float]], minute: int,
        recorded: Mapping[tuple[FunctionKey, str, str, int], list[float]],
    ) -> Points:  # fmt: skip
        """In the store's thread: the points of all dimensions."""
        points: Points = {}
        for (key, name, unit, when), values in recorded.items():
            found = Aggregate.of(Counter(values).items())
            for of_one in ((), (("FunctionName", key.name),)):
                series = Series(key.account, key.region, NAMESPACE, name, of_one, unit)
                points.setdefault((series, when), Aggregate()).merge(found)
        for series, peak in concurrency:
            points.setdefault((series, minute), Aggregate()).merge(Aggregate.of([(peak, 1)]))
        for target, minutes in cells:
            for number, cell in minutes.items():
                metrics = list(_metrics(cell))
                self._add_to_total(target, cell)
                for dimensions in _dimensions(target):
                    for name, unit, aggregate in metrics:
                        series = Series(target.key.account, target.key.region, NAMESPACE, name, dimensions, unit)
                        points.setdefault((series, number * MINUTE), Aggregate()).merge(aggregate)
        return points

    def _add_to_total(self, target: Target, cell: Cell) -> None:
        with self._lock:
            total = self._totals.setdefault((target.key, target.version), Total())
            total.invocations += sum(cell.buckets.values())
            total.errors += cell.errors
            total.throttles += cell.throttles
            total.duration.merge(_durations(cell))
            total.init.merge(Aggregate.of([(value, 1) for value in cell.init]))


def _dimensions(target: Target) -> Iterator[tuple[tuple[str, str], ...]]:
    """Sorted by name, as a Series has them."""
    name, qualifier = target.key.name, target.qualifier
    function = ("FunctionName", name)
    resource = ("Resource", name if qualifier is None else f"{name}:{qualifier}")
    yield ()
    yield (function,)
    yield (function, resource)
    if qualifier is not None:
        yield (("ExecutedVersion", target.version), function, resource)


def _durations(cell: Cell) -> Aggregate:
    count = sum(cell.buckets.values())
    return Aggregate(
        count=count, total=cell.total, minimum=cell.shortest, maximum=cell.longest, buckets=dict(cell.buckets)
    ) if count else Aggregate()  # fmt: skip


def _metrics(cell: Cell) -> Iterator[tuple[str, str, Aggregate]]:
    """Name, unit and values. Errors and Throttles have a value for every invocation: their average is a rate."""
    count = sum(cell.buckets.values())
    if count:
        yield "Invocations", COUNT, Aggregate.of([(1, count)])
        yield (
            "Errors",
            COUNT,
            Aggregate.of([(value, n) for value, n in ((0, count - cell.errors), (1, cell.errors)) if n]),
        )
        yield "Duration", MILLISECONDS, _durations(cell)
    if cell.provisioned:
        yield "ProvisionedConcurrencyInvocations", COUNT, Aggregate.of([(1, cell.provisioned)])
    if cell.spilled:
        yield "ProvisionedConcurrencySpilloverInvocations", COUNT, Aggregate.of([(1, cell.spilled)])
    if cell.init:
        yield "InitDuration", MILLISECONDS, Aggregate.of([(value, 1) for value in cell.init])
    yield "Throttles", COUNT, Aggregate.of([(value, n) for value, n in ((0, count), (1, cell.throttles)) if n])
