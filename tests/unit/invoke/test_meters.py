"""What an invocation leaves in the metrics, with a store on a real file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ingle.catalog import Catalog
from ingle.domain.concurrency import Provisioned
from ingle.domain.function import Function
from ingle.domain.invocation import InvocationResult
from ingle.domain.metrics import Series
from ingle.invoke.meters import Meters
from ingle.placement.provisioning import ProvisionedUse
from ingle.storage.metrics import MetricStore
from unit.invoke.test_invoker import KEY, VERSION

NOW = 1_700_000_040
ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"


class Clock:
    time = float(NOW)

    def now(self) -> float:
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def catalog():
    catalog = Catalog()
    catalog.put(Function(key=KEY, latest=VERSION, serving=VERSION))
    return catalog


@pytest.fixture
async def store(tmp_path: Path, clock):
    async with MetricStore(f"sqlite:///{tmp_path / 'metrics.db'}", clock) as store:
        yield store


@pytest.fixture
def meters(catalog, store, clock):
    return Meters(catalog, store, clock)


@pytest.fixture
def read(store):
    async def read(name, *dimensions, start=NOW):
        unit = "Milliseconds" if name.endswith("Duration") else "Count"
        series = Series(KEY.account, KEY.region, "AWS/Lambda", name, tuple(sorted(dimensions)), unit)
        return (await store.read(series, start, start + 60, 60)).get(start)

    return read


FUNCTION = ("FunctionName", "f")


def result(duration=10.0, **more):
    return InvocationResult(payload=b"", duration_ms=duration, **more)


async def test_an_invocation_counts_for_its_function_its_resource_and_all_functions(meters, read):
    meters.of(VERSION, ARN).completed(NOW, result(12.0))
    meters.of(VERSION, ARN).completed(NOW + 59.9, result(20.0, error="Unhandled"))
    for dimensions in ((), (FUNCTION,), (FUNCTION, ("Resource", "f"))):
        assert (await read("Invocations", *dimensions)).total == 2
        errors = await read("Errors", *dimensions)
        assert (errors.total, errors.average) == (1, 0.5)
        assert (await read("Throttles", *dimensions)).total == 0
        duration = await read("Duration", *dimensions)
        assert (duration.minimum, duration.maximum, duration.total) == (12, 20, 32)
    assert await read("InitDuration", FUNCTION) is None


async def test_a_qualifier_is_a_resource_and_tells_which_version_ran(meters, read):
    for number, version in enumerate(("1", "2", "2")):
        meters.of(replace(VERSION, version=version), f"{ARN}:live").completed(NOW, result(number))
    live = (FUNCTION, ("Resource", "f:live"))
    assert (await read("Invocations", *live)).total == 3
    assert (await read("Invocations", *live, ("ExecutedVersion", "1"))).total == 1
    assert (await read("Invocations", *live, ("ExecutedVersion", "2"))).total == 2
    assert await read("Invocations", FUNCTION, ("Resource", "f")) is None
    assert (await read("Invocations", FUNCTION)).total == 3


async def test_the_minute_of_an_invocation_is_that_in_which_it_began(meters, read, clock):
    clock.time = NOW + 300
    meters.of(VERSION, ARN).completed(NOW + 59, result())
    meters.of(VERSION, ARN).completed(NOW + 60, result())
    assert (await read("Invocations", FUNCTION)).total == 1
    assert (await read("Invocations", FUNCTION, start=NOW + 60)).total == 1


async def test_a_throttled_invocation_is_neither_an_invocation_nor_an_error(meters, read):
    meters.of(VERSION, ARN).throttled(NOW)
    assert (await read("Throttles", FUNCTION)).total == 1
    assert await read("Invocations", FUNCTION) is None
    assert await read("Errors", FUNCTION) is None


async def test_a_cold_start_has_the_time_of_its_initialisation(meters, read):
    meters.of(VERSION, ARN).completed(NOW, result(init_ms=80.0))
    assert (await read("InitDuration", FUNCTION)).total == 80


async def test_the_most_that_ran_at_one_time_is_told_while_they_run_and_no_longer(meters, read, store, clock):
    meter, other = meters.of(VERSION, ARN), meters.of(VERSION, f"{ARN}:$LATEST")
    with meter, other:
        pass
    with meter:
        assert (await read("ConcurrentExecutions", FUNCTION)).maximum == 2
        assert (await read("ConcurrentExecutions")).maximum == 2
        clock.time += 60
        assert (await read("ConcurrentExecutions", FUNCTION, start=NOW + 60)).maximum == 1
        assert meters.running() == {KEY: 1}
    clock.time += 60
    await store.flush()
    clock.time += 60
    assert await read("ConcurrentExecutions", FUNCTION, start=NOW + 180) is None


async def test_what_runs_unreserved_and_what_is_provisioned(catalog, store, clock, read):
    version = replace(VERSION, version="1")
    function = Function(key=KEY, latest=VERSION, serving=VERSION, versions={"1": version},
                        provisioned={"1": Provisioned(requested=4, last_modified=0)})  # fmt: skip
    catalog.put(function)
    uses = [ProvisionedUse(key=KEY, version="1", allocated=4, peak=3)]
    meters = Meters(catalog, store, clock, lambda: [(KEY.account, KEY.region, 5)], lambda: uses)
    resource = ("Resource", "f:1")
    meter = meters.of(version, f"{ARN}:1")
    meter.completed(NOW, result(provisioned=True))
    meter.completed(NOW, result())
    meter.completed(NOW, result())
    meters.of(VERSION, ARN).completed(NOW, result())
    assert (await read("UnreservedConcurrentExecutions")).maximum == 5
    assert (await read("ProvisionedConcurrencyInvocations", FUNCTION, resource)).total == 1
    assert (await read("ProvisionedConcurrencySpilloverInvocations", FUNCTION)).total == 2
    assert (await read("ProvisionedConcurrencyUtilization", FUNCTION, resource)).maximum == 0.75
    assert (await read("ProvisionedConcurrentExecutions", FUNCTION)).maximum == 3
    catalog.put(replace(function, provisioned={}))
    meter.completed(NOW, result())
    assert (await read("ProvisionedConcurrencySpilloverInvocations", FUNCTION)).total == 2


async def test_any_other_value_counts_for_its_function_and_for_all(meters, read):
    meters.record(KEY, "AsyncEventsReceived", 1)
    meters.record(KEY, "AsyncEventsReceived", 1)
    assert (await read("AsyncEventsReceived", FUNCTION)).total == 2
    assert (await read("AsyncEventsReceived")).total == 2


async def test_totals_grow_from_flush_to_flush_and_end_with_their_function(meters, catalog, read):
    for _ in range(2):
        meters.of(VERSION, ARN).completed(NOW, result(5.0, error="Unhandled", init_ms=7.0))
        await read("Errors", FUNCTION)
    total = (await meters.totals())[KEY, "$LATEST"]
    assert (total.invocations, total.errors, total.duration.total, total.init.count) == (2, 2, 10, 2)
    catalog.remove(KEY)
    assert await meters.totals() == {}
    assert meters.running() == {}
    assert (await read("Invocations", FUNCTION)).total == 2
