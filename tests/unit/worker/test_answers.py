"""The figures of an invocation, and what its caller gets, by what came of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingle.domain.invocation import Invocation, InvocationResult
from ingle.domain.tracing import InvocationTrace
from ingle.runtime_api.session import Reply
from ingle.worker.answers import note_outcome, report_of, result_of
from ingle.worker.failures import Failure, timed_out
from ingle.worker.platform_log import Report
from ingle.worker.verdict import Outcome

TRACE = InvocationTrace(
    root="1-5759e988-bd862e3fe1be46a994272793", parent=None, service="000000000000000f", function="00000000000000ff",
    handler="0000000000000fff",
)  # fmt: skip
INVOCATION = Invocation(
    request_id="id", payload=b"{}", invoked_arn="arn:mine", trace_id="Root=1-a", trace=TRACE, tenant_id="blue"
)
CRASH = Failure(kind="Runtime.ExitError", message="Runtime exited with error: exit status 1")


class Sink:
    size = 70

    def begin(self, content_type: str | None, source: Any) -> None: ...
    def write(self, data: bytes) -> None: ...


def noted(outcome: Outcome, sink: Sink | None = None) -> Report:
    report = report_of(INVOCATION, 2.0)
    note_outcome(report, outcome, sink)
    return report


def answer(report: Report, outcome: Outcome, *, failed: bool) -> InvocationResult:
    return result_of(report, outcome, "7", failed=failed, tail=b"tail", provisioned=True)


def test_a_report_names_its_invocation() -> None:
    report = report_of(INVOCATION, 2.0, 110.0, 12.0)
    assert (report.request_id, report.trace_id, report.invoked_arn) == ("id", "Root=1-a", "arn:mine")
    assert (report.trace, report.tenant_id) == (TRACE, "blue")
    assert (report.started, report.init, report.restore) == (2.0, 110.0, 12.0)
    assert (report_of(INVOCATION, 2.0).init, report_of(INVOCATION, 2.0).restore) == (None, None)


def test_a_reply() -> None:
    reply = Reply(body=b'"hello"', failed=False, began=2.5)
    report = noted(reply)
    assert (report.status, report.began, report.produced, report.cause) == ("success", 2.5, 7, None)
    report.replied = 3.0
    assert answer(report, reply, failed=False) == InvocationResult(
        payload=b'"hello"', executed_version="7", log_tail=b"tail", duration_ms=1000.0, provisioned=True
    )


def test_a_duration_that_is_known_stays() -> None:
    reply = Reply(body=b"", failed=False)
    report = report_of(INVOCATION, 2.0, 110.0)
    report.replied, report.duration = 3.0, 1200.5
    result = answer(report, reply, failed=False)
    assert (result.duration_ms, result.init_ms) == (1200.5, 110.0)


@pytest.mark.parametrize(
    ("cause", "told"), [('{"exceptions": []}', '{"exceptions": []}'), (None, b'{"errorType": "E"}')]
)
def test_an_error_of_the_function(cause: str | None, told: str | bytes) -> None:
    reply = Reply(body=b'{"errorType": "E"}', failed=True, error_type="E", cause=cause)
    report = noted(reply)
    assert (report.status, report.error_type, report.cause, report.failure) == ("error", "E", told, None)
    result = answer(report, reply, failed=True)
    assert (result.payload, result.error, result.error_type) == (reply.body, "Unhandled", "E")


def test_a_streamed_reply_produced_what_went_into_the_sink() -> None:
    assert noted(Reply(body=b"", failed=False, streamed=70), Sink()).produced == 70
    assert noted(Reply(body=b'{"errorType": "E"}', failed=True, streamed=70), Sink()).produced == 70


@pytest.mark.parametrize(("sink", "produced"), [(None, 0), (Sink(), 70)])
def test_a_runtime_that_ended(sink: Sink | None, produced: int) -> None:
    report = noted(CRASH, sink)
    assert (report.status, report.failure, report.produced, report.error) == ("failure", CRASH, produced, False)
    result = answer(report, CRASH, failed=True)
    assert json.loads(result.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: id Error: Runtime exited with error: exit status 1",
    }
    assert (result.error, result.error_type) == ("Unhandled", "Runtime.ExitError")


def test_a_reply_stays_one_though_extensions_took_too_long() -> None:
    reply = Reply(body=b"1", failed=False)
    report = noted(reply)
    report.failure = timed_out(3.0)
    result = answer(report, reply, failed=False)
    assert (result.payload, result.error, result.error_type) == (b"1", None, "Sandbox.Timedout")
