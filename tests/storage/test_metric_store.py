"""Metrics on disk: what is added comes back, merged by minute, also after a restart, until it is too old."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.domain.metrics import Aggregate, Series
from ingle.storage.errors import StorageFull, StorageUnavailable
from ingle.storage.metric_points import decode_buckets, encode_buckets
from ingle.storage.metrics import MINUTES_KEPT, SECONDS_KEPT, MetricStore, by_start

NOW = 1_700_000_040
SERIES = Series("000000000000", "us-east-1", "AWS/Lambda", "Duration", (("FunctionName", "f"),), "Milliseconds")


class Clock:
    def __init__(self) -> None:
        self.time = float(NOW)

    def now(self) -> float:
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def url(tmp_path: Path):
    return f"sqlite:///{tmp_path / 'metrics.db'}"


@pytest.fixture
async def store(url, clock):
    async with MetricStore(url, clock) as store:
        yield store


def of(*values):
    return Aggregate.of([(value, 1) for value in values])


def told(points):
    return {at: (found.count, found.total, found.minimum, found.maximum) for at, found in points.items()}


async def test_what_is_added_in_a_minute_is_one_point(store):
    store.add(SERIES, NOW, of(1, 2))
    store.add(SERIES, NOW, of(3))
    await store.flush()
    store.add(SERIES, NOW, of(6))
    store.add(SERIES, NOW + 60, of(9))
    found = await store.read(SERIES, NOW, NOW + 120, 60)
    assert told(found) == {NOW: (4, 12, 1, 6), NOW + 60: (1, 9, 9, 9)}
    assert found[NOW].percentile(50) == pytest.approx(2, rel=0.01)


async def test_periods_are_counted_from_the_start_and_the_end_is_exclusive(store):
    for minute in range(6):
        store.add(SERIES, NOW + minute * 60, of(minute))
    found = await store.read(SERIES, NOW + 60, NOW + 300, 180)
    assert {at - NOW: point.total for at, point in found.items()} == {60: 1 + 2 + 3, 240: 4}


async def test_metrics_are_there_after_a_restart_and_grow_on(url, clock):
    async with MetricStore(url, clock) as store:
        store.add(SERIES, NOW, of(1, 5))
    async with MetricStore(url, clock) as store:
        store.add(SERIES, NOW, of(9))
        found = await store.read(SERIES, NOW, NOW + 60, 60)
        assert told(found) == {NOW: (3, 15, 1, 9)}
        assert found[NOW].percentile(100) == 9


async def test_data_that_are_put_are_committed_when_the_call_returns(store, url, clock):
    await store.put(by_start([(SERIES, NOW + 5.5, of(1)), (SERIES, NOW + 59.9, of(2))], 60), {})
    async with MetricStore(url, clock) as other:
        assert told(await other.read(SERIES, NOW, NOW + 60, 60)) == {NOW: (2, 3, 1, 2)}


async def test_high_resolution_is_kept_by_the_second_beside_the_minute(store, clock):
    values = [(SERIES, NOW + second, of(second)) for second in (0, 3, 7)]
    await store.put(by_start(values, 60), by_start(values, 1))
    fine = await store.read(SERIES, NOW, NOW + 10, 5, fine=True)
    assert {at - NOW: point.total for at, point in fine.items()} == {0: 3, 5: 7}
    assert told(await store.read(SERIES, NOW, NOW + 60, 60)) == {NOW: (3, 10, 0, 7)}
    clock.time += SECONDS_KEPT + 60
    await store.prune()
    assert await store.read(SERIES, NOW, NOW + 10, 5, fine=True) == {}
    assert told(await store.read(SERIES, NOW, NOW + 60, 60)) == {NOW: (3, 10, 0, 7)}


async def test_what_is_too_old_goes_and_its_series_with_it(store, clock):
    newer = SERIES._replace(name="Errors")
    store.add(SERIES, NOW, of(1))
    store.add(newer, NOW + 600, of(1))
    await store.flush()
    clock.time += MINUTES_KEPT + 300
    await store.prune()
    assert await store.read(SERIES, NOW, NOW + 60, 60) == {}
    assert await store.series(SERIES.account, SERIES.region, since=0, namespace=None, name=None) == [newer]
    store.add(SERIES, NOW + 900, of(4))
    assert told(await store.read(SERIES, NOW + 900, NOW + 960, 60)) == {NOW + 900: (1, 4, 4, 4)}


async def test_series_are_listed_by_account_region_namespace_name_and_time(store):
    others = [
        SERIES._replace(account="111122223333"),
        SERIES._replace(region="eu-west-1"),
        SERIES._replace(namespace="Own"),
        SERIES._replace(name="Errors", unit="Count"),
    ]
    for number, series in enumerate([SERIES, *others]):
        store.add(series, NOW + number * 60, of(1))

    async def found(since=0, namespace=None, name=None):
        return await store.series(SERIES.account, SERIES.region, since=since, namespace=namespace, name=name)

    assert await found() == [SERIES, others[3], others[2]]
    assert await found(namespace="AWS/Lambda") == [SERIES, others[3]]
    assert await found(name="Errors") == [others[3]]
    assert await found(since=NOW + 240) == [others[3]]


async def test_units_of_a_metric_are_told_apart(store):
    store.add(SERIES, NOW, of(1))
    store.add(SERIES._replace(unit="Seconds"), NOW, of(2))
    assert await store.units(SERIES._replace(unit="")) == ["Milliseconds", "Seconds"]


async def test_what_a_source_has_is_fetched_with_every_flush(store):
    pending = [{(SERIES, NOW): of(1)}, {(SERIES, NOW): of(2)}, {}]
    store.collect_from(lambda: pending.pop(0).copy if pending else dict)
    store.add(SERIES, NOW, of(10))
    await store.flush()
    assert told(await store.read(SERIES, NOW, NOW + 60, 60)) == {NOW: (3, 13, 1, 10)}


async def test_a_closed_store_says_so(url, clock):
    async with MetricStore(url, clock) as store:
        pass
    with pytest.raises(StorageUnavailable):
        await store.put({(SERIES, NOW): of(1)}, {})


def fill(path: Path) -> None:
    """Leaves no space on the file system of `path`."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 4096):
            pass


async def test_on_a_full_disk_metrics_wait_until_there_is_space(small_disk, clock):
    async with MetricStore(f"sqlite:///{small_disk / 'metrics.db'}", clock) as store:
        store.add(SERIES, NOW, of(1))
        assert await store.flush()
        filler = small_disk / "filler"
        fill(filler)
        for number in range(400):
            store.add(SERIES._replace(name=f"metric {number} {'x' * 200}"), NOW, of(number))
        assert not await store.flush()
        with pytest.raises(StorageFull):
            await store.put({(SERIES._replace(name=f"{n} {'x' * 200}"), NOW): of(1) for n in range(2000)}, {})
        filler.unlink()
        assert await store.flush()
        last = SERIES._replace(name=f"metric 399 {'x' * 200}")
        assert told(await store.read(last, NOW, NOW + 60, 60)) == {NOW: (1, 399, 399, 399)}
        assert store.dropped == 0


@given(st.dictionaries(st.integers(-3000, 15_000), st.integers(1, 2**40).map(float), min_size=1))
def test_a_distribution_is_written_and_read_again(buckets):
    aggregate = Aggregate(count=1, total=1, minimum=1, maximum=2, buckets=buckets)
    assert decode_buckets(encode_buckets(aggregate), 1, 1) == buckets


def test_distributions_that_the_extremes_tell_take_no_space():
    for values in ((0,), (5, 5, 5), (-2, -2)):
        aggregate = of(*values)
        assert encode_buckets(aggregate) is None
        assert decode_buckets(None, aggregate.count, aggregate.minimum) == aggregate.buckets
    unknown = Aggregate(count=2, total=3, minimum=1, maximum=2, buckets=None)
    assert decode_buckets(encode_buckets(unknown), 2, 1) is None
    zero = of(0, 1)
    assert decode_buckets(encode_buckets(zero), 2, 0) == zero.buckets


def test_a_busy_minute_takes_little_space():
    durations = [2 + math.sin(number) for number in range(10_000)]
    assert len(encode_buckets(of(*durations))) < 300
