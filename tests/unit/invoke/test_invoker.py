"""Invocations on their way to an environment, over a worker without sandboxes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingle.catalog import Catalog
from ingle.domain.attachments import Attachments
from ingle.domain.caller import Caller
from ingle.domain.clock import SystemClock
from ingle.domain.errors import (
    InternalFailure,
    InvalidRequestContent,
    NotImplementedByIngle,
    RecursiveInvocation,
    ResourceConflict,
    ResourceNotFound,
    TooManyRequests,
)
from ingle.domain.event import Event
from ingle.domain.function import LATEST, Configuration, Function, FunctionKey, Package, State, Version
from ingle.domain.recursion import Recursion
from ingle.invoke.admission import Admission
from ingle.invoke.invoker import Invoker
from ingle.invoke.meters import Meters
from ingle.invoke.tracing import Sampler, Tracing
from ingle.observability.traces import Traces
from ingle.placement.placement import Placement
from ingle.storage.metrics import MetricStore
from ingle.testing.fake_worker import FakeWorker

KEY = FunctionKey(account="000000000000", region="us-east-1", name="f")
VERSION = Version(
    key=KEY, version="$LATEST", revision_id="r", serial=1, last_modified=0, state=State.ACTIVE,
    configuration=Configuration(
        runtime="python3.11", handler="app.handler", role="arn:aws:iam::000000000000:role/r",
        package=Package(digest="00" * 32, size=1),
    ),
)  # fmt: skip


class Invoked:
    """An invoker with one function, and its callers."""

    def __init__(
        self, invoker: Invoker, worker: FakeWorker, catalog: Catalog, meters: Meters, accepted: list[Event]
    ) -> None:
        self.invoker = invoker
        self.accepted = accepted
        self.meters = meters
        self.worker = worker
        self.catalog = catalog

    async def __call__(self, **params: Any) -> dict[str, Any]:
        caller = Caller(
            request_id=params.pop("request_id", str(uuid.uuid4())), trace_header=params.pop("trace_header", None)
        )
        return await self.invoker.invoke(caller, {"FunctionName": "f", "Payload": b"{}", **params})


@pytest.fixture
async def invoke(tmp_path: Path) -> AsyncIterator[Invoked]:
    worker, catalog = FakeWorker(), Catalog(3)
    catalog.put(Function(key=KEY, latest=VERSION, serving=VERSION))
    async with (
        MetricStore(f"sqlite:///{tmp_path / 'metrics.db'}", SystemClock()) as metrics,
        Placement(catalog, worker, limit=10, idle_timeout=1000, lifetime=1000) as placement,
    ):
        meters = Meters(catalog, metrics, SystemClock())
        tracing = Tracing(catalog, Traces(None), SystemClock(), Sampler(SystemClock()))
        accepted: list[Event] = []

        async def accept(event: Event) -> None:
            accepted.append(event)

        invoker = Invoker(catalog, Admission(catalog), placement, meters, tracing, accept)
        yield Invoked(invoker, worker, catalog, meters, accepted)


def test_permits_are_counted_and_give_themselves_back() -> None:
    admission = Admission(Catalog(2))
    with admission.admit(VERSION), admission.admit(VERSION):
        with pytest.raises(TooManyRequests) as raised:
            admission.admit(VERSION)
        assert raised.value.members == {"Reason": "ConcurrentInvocationLimitExceeded", "retryAfterSeconds": "1"}
    with pytest.raises(RuntimeError), admission.admit(VERSION):
        raise RuntimeError
    with admission.admit(VERSION), admission.admit(VERSION):
        pass


@pytest.mark.parametrize("other", [replace(KEY, region="eu-west-1"), replace(KEY, account="111122223333")])
def test_accounts_and_regions_are_counted_by_themselves(other: FunctionKey) -> None:
    admission = Admission(Catalog(1))
    with admission.admit(VERSION), admission.admit(replace(VERSION, key=other)), pytest.raises(TooManyRequests):
        admission.admit(replace(VERSION, key=replace(KEY, name="another")))


async def test_the_result_is_what_the_environment_answered(invoke: Invoked) -> None:
    answer = await invoke(Payload=b"[1]", request_id="some-id")
    assert answer == {"StatusCode": 200, "Payload": b"[1]", "ExecutedVersion": "$LATEST"}
    (invocation,) = invoke.worker.environments[0].invocations
    assert invocation.request_id == "some-id"
    assert invocation.invoked_arn == "arn:aws:lambda:us-east-1:000000000000:function:f"


async def test_what_ran_is_counted_and_what_was_refused_is_a_throttle(invoke: Invoked) -> None:
    await invoke()
    invoke.worker.hold = True
    invoke.worker.environments[0].lost = True
    waiting = [asyncio.create_task(invoke()) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests):
        await invoke()
    assert invoke.meters.running() == {KEY: 3}
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    total = (await invoke.meters.totals())[KEY, "$LATEST"]
    assert (total.invocations, total.throttles, total.errors) == (1, 1, 0)
    assert invoke.meters.running() == {KEY: 0}


async def test_a_dry_run_runs_nothing(invoke: Invoked) -> None:
    assert await invoke(InvocationType="DryRun") == {"StatusCode": 204}
    assert invoke.worker.environments == []


@pytest.mark.parametrize(
    "params", [{"DurableExecutionName": "d"}]
)  # fmt: skip
async def test_what_is_not_there_yet_says_so_by_name(invoke: Invoked, params: dict[str, str]) -> None:
    with pytest.raises(NotImplementedByIngle) as raised:
        await invoke(**params)
    assert next(iter(params)) in (raised.value.message or "")
    assert invoke.worker.environments == []


async def test_an_event_is_accepted_and_runs_later(invoke: Invoked) -> None:
    answer = await invoke(InvocationType="Event", Qualifier="$LATEST", Payload=b"[1]", request_id="an-id")
    assert answer == {"StatusCode": 202}
    assert invoke.worker.environments == []
    (event,) = invoke.accepted
    assert (event.id, event.key, event.qualifier, event.payload) == ("an-id", KEY, "$LATEST", b"[1]")
    response = await invoke.invoker.run(event)
    assert (response.version, response.error) == ("$LATEST", None)
    assert len(invoke.worker.environments) == 1


async def test_what_cannot_be_invoked_is_not_accepted(invoke: Invoked) -> None:
    for params in ({"FunctionName": "g"}, {"Qualifier": "1"}):
        with pytest.raises(ResourceNotFound):
            await invoke(InvocationType="Event", **params)
    with pytest.raises(InvalidRequestContent):
        await invoke(InvocationType="Event", ClientContext="?")
    assert invoke.accepted == []


async def test_an_absent_function_is_not_found(invoke: Invoked) -> None:
    for params in ({"FunctionName": "g"}, {"Qualifier": "1"}, {"Qualifier": "alias"}):
        with pytest.raises(ResourceNotFound):
            await invoke(**params)


async def test_a_function_that_never_was_active_is_in_conflict(invoke: Invoked) -> None:
    pending = replace(VERSION, state=State.PENDING)
    invoke.catalog.put(Function(key=KEY, latest=pending, serving=None))
    with pytest.raises(ResourceConflict):
        await invoke()


@pytest.mark.parametrize("text", ['{"custom": {"a": "b"}}', "{}", '{"x": "ü"}'])
async def test_the_client_context_is_decoded(invoke: Invoked, text: str) -> None:
    await invoke(ClientContext=base64.b64encode(text.encode()).decode())
    assert invoke.worker.environments[0].invocations[0].client_context == text


async def test_a_client_context_of_many_lines_travels_as_one(invoke: Invoked) -> None:
    await invoke(ClientContext=base64.b64encode(b'{\r\n "a":\n 1}\n').decode())
    assert invoke.worker.environments[0].invocations[0].client_context == '{"a": 1}'


@pytest.mark.parametrize(
    "given", ["{}", "not base64!", "YQ", "bm90IGpzb24=", "bnVsbA==", "WzFd", "ü",
              base64.b64encode(b"\xff\xfe").decode(),
              base64.b64encode(b"[" * 2600).decode(),
              base64.b64encode(b'{"a": "%s"}' % (b"x" * 2700)).decode()]
)  # fmt: skip
async def test_a_client_context_that_is_none_is_refused(invoke: Invoked, given: str) -> None:
    with pytest.raises(InvalidRequestContent, match="Client context must be a valid Base64-encoded JSON object"):
        await invoke(ClientContext=given)
    assert invoke.worker.environments == []


async def test_a_trace_is_made_of_the_request_id(invoke: Invoked) -> None:
    await invoke(request_id="01234567-89ab-cdef-0123-456789abcdef")
    trace = invoke.worker.environments[0].invocations[0].trace_id
    assert trace is not None
    pattern = r"Root=1-[0-9a-f]{8}-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0"
    assert re.fullmatch(pattern + r";Lineage=[0-9a-f]{8}:0", trace)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", True), ("a\r\nB: c", False),
     ("ü", False), ("", False), ("x" * 1025, False)],
)  # fmt: skip
async def test_a_trace_that_came_along_goes_on(invoke: Invoked, given: str, kept: bool) -> None:
    await invoke(trace_header=given)
    trace = invoke.worker.environments[0].invocations[0].trace_id or ""
    assert (trace.partition(";Lineage=")[0] == given) is kept


async def test_a_function_that_comes_back_too_often_is_stopped(invoke: Invoked) -> None:
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"
    for _ in range(16):
        await invoke(trace_header=trace)
        trace = invoke.worker.environments[0].invocations[-1].trace_id or ""
    with pytest.raises(RecursiveInvocation):
        await invoke(trace_header=trace)
    allowed = Function(
        key=KEY, latest=VERSION, serving=VERSION, attachments=Attachments().having(LATEST, Recursion(loop="Allow"))
    )
    invoke.catalog.put(allowed)
    assert (await invoke(trace_header=trace))["StatusCode"] == 200


async def test_active_tracing_completes_the_header_and_names_its_segments(invoke: Invoked) -> None:
    active = replace(VERSION, serial=2, configuration=replace(VERSION.configuration, tracing_mode="Active"))
    invoke.catalog.put(Function(key=KEY, latest=active, serving=active))
    await invoke(trace_header="Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
    await invoke(trace_header="Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")
    sampled, unsampled = invoke.worker.environments[0].invocations
    assert sampled.trace is not None
    root = "Root=1-5759e988-bd862e3fe1be46a994272793"
    assert str(sampled.trace_id).startswith(f"{root};Parent={sampled.trace.function};Sampled=1;Lineage=")
    assert unsampled.trace is None
    assert re.fullmatch(f"{root};Parent=[0-9a-f]{{16}};Sampled=0;Lineage=[0-9a-f]{{8}}:0", unsampled.trace_id or "")


@pytest.mark.parametrize(("lost", "status"), [(0, 200), (1, 200), (9, 500)])
async def test_a_traced_invocation_ends_with_its_status(
    invoke: Invoked, monkeypatch: pytest.MonkeyPatch, lost: int, status: int
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(Tracing, "end", lambda self, version, invocation, began, status: ended.append(status))
    active = replace(VERSION, serial=2, configuration=replace(VERSION.configuration, tracing_mode="Active"))
    invoke.catalog.put(Function(key=KEY, latest=active, serving=active))
    start, left = invoke.worker.start, [lost]

    async def start_some_lost(version: Version) -> Any:
        environment = await start(version)
        left[0] -= 1
        environment.lost = left[0] >= 0
        return environment

    monkeypatch.setattr(invoke.worker, "start", start_some_lost)
    with contextlib.suppress(InternalFailure):
        await invoke()
    assert ended == [status]


async def test_a_traced_throttle_is_told(invoke: Invoked, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(Tracing, "end", lambda self, version, invocation, began, status: ended.append(status))
    active = replace(VERSION, serial=2, configuration=replace(VERSION.configuration, tracing_mode="Active"))
    invoke.catalog.put(Function(key=KEY, latest=active, serving=active))
    invoke.worker.hold = True
    waiting = [asyncio.create_task(invoke()) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests):
        await invoke(trace_header="Sampled=1")
    assert ended == [429]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_lost_environment_is_replaced(invoke: Invoked) -> None:
    await invoke()
    invoke.worker.environments[0].lost = True
    assert (await invoke(Payload=b"2"))["Payload"] == b"2"
    assert len(invoke.worker.environments) == 2
    assert invoke.worker.alive == [invoke.worker.environments[1]]


async def test_environments_that_are_always_lost_end_in_our_failure(
    invoke: Invoked, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = invoke.worker.start

    async def start_lost(version: Version) -> Any:
        environment = await start(version)
        environment.lost = True
        return environment

    monkeypatch.setattr(invoke.worker, "start", start_lost)
    with pytest.raises(InternalFailure):
        await invoke()
    assert invoke.worker.alive == []


async def test_the_limit_counts_what_runs(invoke: Invoked) -> None:
    invoke.worker.hold = True
    running = [asyncio.ensure_future(invoke()) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests):
        await invoke()
    running[0].cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for _ in range(3):
        invoke.worker.finish()
    answers = await asyncio.gather(*running, return_exceptions=True)
    assert [isinstance(answer, dict) for answer in answers] == [False, True, True]
    invoke.worker.hold = False
    assert (await invoke())["StatusCode"] == 200
