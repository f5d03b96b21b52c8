"""From the outcome of an invocation to its figures and to the answer that its caller gets. Pure.

Used by `worker.environment`, which says when; `worker.reporting` completes the figures.
"""

from __future__ import annotations

from ingle.domain.invocation import Invocation, InvocationResult, ResponseSink
from ingle.runtime_api.session import Reply
from ingle.worker.platform_log import Report
from ingle.worker.verdict import Outcome


def report_of(
    invocation: Invocation, started: float, init: float | None = None, restore: float | None = None
) -> Report:  # fmt: skip
    """The figures of an invocation that began at `started`. `init` and `restore` are milliseconds."""
    return Report(
        request_id=invocation.request_id, trace_id=invocation.trace_id, init=init, restore=restore, started=started,
        invoked_arn=invocation.invoked_arn, trace=invocation.trace, tenant_id=invocation.tenant_id,
    )  # fmt: skip


def note_outcome(report: Report, outcome: Outcome, sink: ResponseSink | None) -> None:
    """What came of the function; `sink`: where its response went, if it was streamed."""
    if isinstance(outcome, Reply):
        streamed = outcome.streamed
        report.began, report.produced = outcome.began, len(outcome.body) if streamed is None else streamed
        report.error, report.error_type = outcome.failed, outcome.error_type
        if outcome.failed:
            report.cause = outcome.cause or outcome.body
    else:
        report.failure = outcome
        report.produced = 0 if sink is None else sink.size


def result_of(
    report: Report, outcome: Outcome, version: str, *, failed: bool, tail: bytes | None, provisioned: bool
) -> InvocationResult:
    """`failed`: whether the function did, before anything that came after its reply."""
    return InvocationResult(
        payload=outcome.body if isinstance(outcome, Reply) else outcome.body(report.request_id),
        error="Unhandled" if failed else None,
        error_type=report.error_type if report.failure is None else report.failure.kind,
        executed_version=version, log_tail=tail,
        duration_ms=report.duration or (report.replied - report.started) * 1000, init_ms=report.init,
        provisioned=provisioned,
    )  # fmt: skip
