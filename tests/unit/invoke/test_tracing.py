"""Whether an invocation is traced, what its runtime is told, and the segment of the service."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from ingle.catalog import Catalog
from ingle.domain.function import Configuration, Function, FunctionKey, Package, State, Version
from ingle.domain.invocation import Invocation
from ingle.domain.tracing import InvocationTrace
from ingle.invoke.tracing import Sampler, Tracing, service_segment
from ingle.observability.traces import Traces

KEY = FunctionKey(account="000000000000", region="us-east-1", name="f")
VERSION = Version(
    key=KEY, version="$LATEST", revision_id="r", serial=1, last_modified=0, state=State.ACTIVE,
    configuration=Configuration(
        runtime="python3.11", handler="app.handler", role="arn:aws:iam::000000000000:role/r",
        package=Package(digest="00" * 32, size=1), tracing_mode="Active",
    ),
)  # fmt: skip
ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"


class Clock:
    time = 1_000_000.0

    def now(self) -> float:
        return self.time


class Chance:
    """The next random numbers."""

    def __init__(self, *values: float) -> None:
        self.values = list(values)

    def __call__(self) -> float:
        return self.values.pop(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tracing(clock: Clock, *chances: float, catalog: Catalog | None = None) -> Tracing:
    numbers = itertools.count(1)

    def new_id(size: int) -> str:
        return f"{next(numbers):0{2 * size}x}"

    return Tracing(catalog or Catalog(), Traces(None), clock, Sampler(clock, Chance(*chances)), new_id)


def test_the_first_of_a_second_and_one_in_twenty_of_the_rest_are_sampled(clock: Clock) -> None:
    chance = Chance(0.0499, 0.05, 0.9)
    sampler = Sampler(clock, chance)
    assert [sampler.decide(KEY) for _ in range(4)] == [True, True, False, False]
    clock.time += 1
    assert sampler.decide(KEY)
    assert sampler.decide(replace(KEY, name="another"))  # counted by itself
    assert chance.values == []


def test_a_function_that_is_gone_leaves_nothing_behind(clock: Clock) -> None:
    catalog = Catalog()
    catalog.put(Function(key=KEY, latest=VERSION, serving=VERSION))
    traced = tracing(clock, catalog=catalog)
    assert traced.begin(VERSION, None)[1] is not None
    catalog.remove(KEY)
    assert traced.begin(VERSION, None)[1] is not None  # the first again


def test_a_request_without_header_begins_a_trace(clock: Clock) -> None:
    header, trace = tracing(clock).begin(VERSION, None)
    root = "1-000f4240-000000000000000000000001"
    assert trace == InvocationTrace(
        root=root, parent=None, service="0000000000000002", function="0000000000000003", handler="0000000000000004"
    )
    assert header == f"Root={root};Parent=0000000000000003;Sampled=1"


@pytest.mark.parametrize(
    ("given", "sampled", "parent"),
    [
        (f"Root={ROOT};Parent={PARENT};Sampled=1", True, PARENT),
        (f"Root={ROOT};Parent={PARENT};Sampled=0", False, PARENT),
        (f"Root={ROOT};Parent={PARENT}", True, PARENT),
        (f"Root={ROOT};Parent={PARENT};Sampled=?", True, PARENT),
        (f"Root={ROOT};Sampled=1;Lineage=a:1", True, None),
    ],
)
def test_a_header_goes_on_completed(clock: Clock, given: str, sampled: bool, parent: str | None) -> None:
    header, trace = tracing(clock).begin(VERSION, given)
    assert (trace is not None) is sampled
    function = trace.function if trace else "0000000000000002"
    lineage = ";Lineage=a:1" if "Lineage" in given else ""
    assert header == f"Root={ROOT};Parent={function};Sampled={int(sampled)}{lineage}"
    if trace is not None:
        assert (trace.root, trace.parent) == (ROOT, parent)


def test_the_callers_decision_is_not_changed_by_chance(clock: Clock) -> None:
    traced = tracing(clock)  # asking chance would fail
    for _ in range(3):
        assert traced.begin(VERSION, f"Root={ROOT};Sampled=1")[1] is not None
        assert traced.begin(VERSION, f"Root={ROOT};Sampled=0")[1] is None


@pytest.mark.parametrize(
    ("status", "flags"), [(200, {}), (429, {"error": True, "throttle": True}), (500, {"fault": True})]
)
def test_the_segment_of_the_service(status: int, flags: dict[str, Any]) -> None:
    trace = InvocationTrace(root=ROOT, parent=PARENT, service="0" * 16, function="1" * 16, handler="2" * 16)
    invocation = Invocation(request_id="id", payload=b"", invoked_arn=ARN, trace=trace)
    segment = {
        "name": "f", "id": "0" * 16, "trace_id": ROOT, "parent_id": PARENT, "origin": "AWS::Lambda",
        "start_time": 1.0, "end_time": 2.0, "resource_arn": ARN, "http": {"response": {"status": status}},
        "aws": {"request_id": "id"},
    }  # fmt: skip
    assert service_segment(VERSION, invocation, 1.0, 2.0, status) == {**segment, **flags}
    first = replace(invocation, trace=replace(trace, parent=None))
    assert "parent_id" not in service_segment(VERSION, first, 1.0, 2.0, status)
