"""The segment of a function's invocation, and the socket that the X-Ray SDK sends to."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import time
from typing import Any

import pytest

from ingle.domain.tracing import InvocationTrace
from ingle.observability.spans import spans_of
from ingle.worker import segments
from ingle.worker.failures import Failure, timed_out
from ingle.worker.platform_log import Report
from ingle.worker.segments import SegmentReceiver, function_segment
from unit.worker.versions import version_of

TRACE = InvocationTrace(
    root="1-5759e988-bd862e3fe1be46a994272793", parent=None, service="000000000000000f", function="00000000000000ff",
    handler="0000000000000fff",
)  # fmt: skip
ARN = "arn:aws:lambda:eu-west-1:111122223333:function:mine"
CRASH = Failure(kind="Runtime.ExitError", message="Runtime exited with error: exit status 1")


def made(**more: Any) -> dict[str, Any]:
    """The segment of a report: called 3 s ago, answered 2 s ago, polled 1 s ago, unless told otherwise."""
    now = time.perf_counter()
    times: dict[str, Any] = {"started": now - 3, "replied": now - 2, "polled": now - 1, **more}
    if times.pop("initialised", False):
        times |= {"init_began": now - 4, "init_took": 0.5}
    numbers = itertools.count(1)
    report = Report(request_id="id", trace_id="Root=1-a", trace=TRACE, invoked_arn=ARN, **times)
    document = function_segment(version_of(), report, lambda size: f"{next(numbers):0{2 * size}x}")
    assert spans_of(document)  # it is well-formed
    return document


def length(part: dict[str, Any]) -> float:
    return round(part["end_time"] - part["start_time"], 2)


def test_a_warm_invocation() -> None:
    document = made()
    parts = document.pop("subsegments")
    assert round(time.time() - document.pop("start_time")) == 3
    assert round(time.time() - document.pop("end_time")) == 1
    assert document == {
        "name": "mine", "id": TRACE.function, "trace_id": TRACE.root, "parent_id": TRACE.service,
        "origin": "AWS::Lambda::Function", "resource_arn": ARN,
        "aws": {"account_id": "111122223333", "function_arn": ARN, "request_id": "id", "resource_names": ["mine"]},
    }  # fmt: skip
    assert [(part["name"], length(part)) for part in parts] == [("Invocation", 1), ("Overhead", 1)]
    assert parts[0]["id"] == TRACE.handler


def test_a_cold_start_has_its_initialisation() -> None:
    document = made(initialised=True)
    assert length(document) == 3
    assert [(part["name"], length(part)) for part in document["subsegments"]] == [
        ("Initialization", 0.5), ("Invocation", 1), ("Overhead", 1)
    ]  # fmt: skip


def test_initialisation_inside_the_invocation_is_not_counted_twice() -> None:
    now = time.perf_counter()
    document = made(started=now - 3, init_began=now - 3, init_took=0.75)
    assert length(document) == 2
    assert [length(part) for part in document["subsegments"]] == [0.75, 0.25, 1]


def test_the_functions_own_error_has_the_cause_that_the_runtime_told() -> None:
    frame = {"label": "handler", "path": "/var/task/app.py", "line": 3}
    cause = {"working_directory": "/var/task", "paths": ["/var/task/app.py"],
             "exceptions": [{"message": "as asked", "type": "ValueError", "stack": [frame]}]}  # fmt: skip
    document = made(error=True, error_type="ValueError", cause=json.dumps(cause))
    for part in (document, document["subsegments"][0]):
        assert part["fault"] is True
        (exception,) = part["cause"]["exceptions"]
        assert (exception["type"], exception["message"], exception["stack"]) == ("ValueError", "as asked", [frame])
        assert len(exception["id"]) == 16
    assert "fault" not in document["subsegments"][1]


@pytest.mark.parametrize(
    "cause", [None, "", "[]", '{"exceptions": 7}', '{"exceptions": [7]}', '{"message": "\\ud800"}']
)
def test_a_cause_that_is_of_no_use_is_left_out(cause: str | None) -> None:
    assert made(error=True, cause=cause)["fault"] is True


def test_a_runtime_that_tells_traces_nothing_has_told_its_callers() -> None:
    document = made(error=True, cause=b'{"errorType": "ValueError", "errorMessage": "as asked", "stackTrace": []}')
    (exception,) = document["cause"]["exceptions"]
    assert (exception["type"], exception["message"]) == ("ValueError", "as asked")
    assert "cause" not in made(error=True, cause=b'{"errorType": "%s"}' % (b"x" * 70_000))


@pytest.mark.parametrize(("failure", "kind"), [(CRASH, "Runtime.ExitError"), (timed_out(3), "Sandbox.Timedout")])
def test_what_the_platform_saw_is_a_fault(failure: Failure, kind: str) -> None:
    document = made(failure=failure, polled=0.0)
    assert document["cause"]["exceptions"][0]["type"] == kind
    assert [(part["name"], part["fault"]) for part in document["subsegments"]] == [("Invocation", True)]


def test_a_runtime_that_does_not_come_up_has_no_invocation() -> None:
    now = time.perf_counter()
    document = made(
        started=now, replied=0.0, polled=0.0, init_began=now - 1, init_took=0.5, duration=500.0, failure=CRASH
    )
    assert [(part["name"], part["fault"]) for part in document["subsegments"]] == [("Initialization", True)]
    assert length(document) == 0.5


@pytest.fixture
def pair() -> Any:
    """(the receiver's socket, one that is connected to it)"""
    ours, theirs = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    ours.bind(("127.0.0.1", 0))
    theirs.connect(ours.getsockname())
    with ours, theirs:
        yield ours, theirs


async def test_datagrams_are_handed_on_as_they_came(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "_AT_ONCE", 3)
    ours, theirs = pair
    got: list[bytes] = []
    receiver = SegmentReceiver(asyncio.get_running_loop(), ours, got.append)
    sent = [b"%d" % number for number in range(10)]
    for datagram in sent:
        theirs.send(datagram)
    async with asyncio.timeout(20):
        while len(got) < len(sent):  # noqa: ASYNC110 - the receiver sets no events
            await asyncio.sleep(0.005)
    assert got == sent
    receiver.close()


async def test_what_has_arrived_before_the_end_is_not_lost(pair: Any) -> None:
    ours, theirs = pair
    got: list[bytes] = []
    receiver = SegmentReceiver(asyncio.get_running_loop(), ours, got.append)
    theirs.send(b"last words")
    receiver.close()
    assert got == [b"last words"]
    assert ours.fileno() == -1
