"""What the platform says about an execution environment: lines of the log, and records for telemetry.

The same events in up to three forms: text lines (LogFormat Text), JSON records filtered by the system log level
(LogFormat JSON), and documents for the extensions that subscribed. Owns their wording; `worker.environment` says what
happened. Sources: AWS's Telemetry API schema reference, and the lines that AWS writes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import orjson

from ingle.domain.clock import iso_time
from ingle.domain.function import Version
from ingle.domain.tracing import InvocationTrace
from ingle.runtime_api.extensions import Extension
from ingle.runtime_api.subscriptions import Api
from ingle.runtime_api.telemetry import Telemetry
from ingle.worker.failures import Failure, classify
from ingle.worker.output import EventWriter

PLATFORM = "platform"


class Level(IntEnum):
    DEBUG = 10
    INFO = 20
    WARN = 30
    #: In no log.
    NEVER = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeVersion:
    """What INIT_START names: the label ("python:3.12.v1") and the ARN."""

    label: str
    arn: str


@dataclass(slots=True, kw_only=True)
class Report:
    """The figures of one invocation. Milliseconds and MB; `failure` is None for a function's own error too.

    `began` and `replied` are when the reply began to arrive and when it was complete, `polled` when the runtime asked
    for more; all by `time.perf_counter`, as `started`. 0: it never did. `init_began` is when the environment began to
    initialise for this invocation, and `init_took` for how many seconds it did. `trace` is there if the invocation is
    told of in a trace; `cause` is what the runtime said of an error: its document for traces, else that for callers.
    """

    request_id: str
    trace_id: str | None
    started: float
    invoked_arn: str = ""
    trace: InvocationTrace | None = None
    init_began: float | None = None
    init_took: float = 0.0
    cause: str | bytes | None = None
    replied: float = 0.0
    began: float = 0.0
    polled: float = 0.0
    duration: float = 0.0
    init: float | None = None
    restore: float | None = None
    produced: int = 0
    error: bool = False
    error_type: str | None = None
    failure: Failure | None = None
    used_mb: int = 0
    tenant_id: str | None = None

    @property
    def billed(self) -> int:
        return math.ceil(self.duration + (self.init or 0.0) + self.billed_restore)

    @property
    def billed_restore(self) -> int:
        return math.ceil(self.restore or 0.0)

    @property
    def status(self) -> str:
        """As records have it: success, error, failure, or timeout."""
        if self.failure is None:
            return "error" if self.error else "success"
        return "timeout" if self.failure.status == "timeout" else "failure"


class PlatformLog:
    """The narrator of one environment. `initialization` is the initialisation type that records name."""

    def __init__(
        self, version: Version, writer: EventWriter, telemetry: Telemetry, runtime: RuntimeVersion,
        initialization: str = "on-demand",
    ) -> None:  # fmt: skip
        configuration = version.configuration
        self._version = version
        self._writer = writer
        self._telemetry = telemetry
        self._runtime = runtime
        self._initialization = initialization
        self._memory_mb = configuration.memory
        self._json = configuration.logging.format == "JSON"
        self._level = Level[configuration.logging.system_level or "INFO"]
        self._start_line = f"START RequestId: %s Version: {version.version}\n"
        telemetry.announce = self.subscription

    @property
    def plain(self) -> bool:
        """Text lines are all that anybody wants: the case that has to be quick."""
        return not (self._json or self._telemetry.wanted)

    # --- initialisation ---------------------------------------------------------------------------------------------

    def init_start(self, phase: str) -> None:
        runtime = self._runtime
        text = f"INIT_START Runtime Version: {runtime.label}\tRuntime Version ARN: {runtime.arn}\n"
        record = {
            "initializationType": self._initialization, "phase": phase, "functionName": self._version.key.name,
            "functionVersion": self._version.version, "runtimeVersion": runtime.label, "runtimeVersionArn": runtime.arn,
        }  # fmt: skip
        self._tell("initStart", record, Level.INFO, text)

    def init_done(self, phase: str, failure: Failure | None) -> None:
        """The runtime asked for its first invocation, or will not."""
        record = self._init_record(phase, failure)
        self._tell("initRuntimeDone", record, Level.DEBUG if failure is None else Level.WARN)

    def init_report(self, phase: str, milliseconds: float, failure: Failure | None) -> None:
        record = {**self._init_record(phase, failure), "metrics": {"durationMs": round(milliseconds, 3)}}
        on_demand = self._initialization == "on-demand"
        level = Level.WARN if failure is not None else Level.DEBUG if on_demand else Level.INFO
        text = None
        if failure is not None or not on_demand:
            ending = "" if failure is None else f"\t{_status_fields(failure)}"
            text = f"INIT_REPORT Init Duration: {milliseconds:.2f} ms\tPhase: {phase}{ending}\n"
        self._tell("initReport", record, level, text)

    def _init_record(self, phase: str, failure: Failure | None) -> dict[str, Any]:
        return {"initializationType": self._initialization, "phase": phase, **self._status_record(failure)}

    @staticmethod
    def _status_record(failure: Failure | None) -> dict[str, Any]:
        if failure is None:
            return {"status": "success"}
        timed_out = failure.status == "timeout"
        return {"status": "timeout"} if timed_out else {"status": "error", "errorType": classify(failure.kind)}

    # --- SnapStart --------------------------------------------------------------------------------------------------

    def not_cloned(self, reason: str) -> None:
        """The version was initialised when it was published, and its environments are initialised again."""
        text = f"SnapStart: this version cannot be restored from a snapshot here, because {reason}. Its environments "
        text += "are initialised instead."
        _notice(self._writer, text, "WARN", as_json=self._json)

    def restore_start(self) -> None:
        runtime = self._runtime
        text = f"RESTORE_START Runtime Version: {runtime.label}\tRuntime Version ARN: {runtime.arn}\n"
        record = {
            "functionName": self._version.key.name, "functionVersion": self._version.version,
            "runtimeVersion": runtime.label, "runtimeVersionArn": runtime.arn,
        }  # fmt: skip
        self._tell("restoreStart", record, Level.INFO, text)

    def restore_report(self, milliseconds: float, failure: Failure | None) -> None:
        """The runtime asked for its first invocation, or will not."""
        status = self._status_record(failure)
        self._tell("restoreRuntimeDone", status, Level.DEBUG if failure is None else Level.WARN)
        record = {**status, "metrics": {"durationMs": round(milliseconds, 3)}}
        ending = "" if failure is None else f"\t{_status_fields(failure)}"
        text = f"RESTORE_REPORT Restore Duration: {milliseconds:.2f} ms{ending}\n"
        self._tell("restoreReport", record, Level.INFO if failure is None else Level.WARN, text)

    # --- extensions -------------------------------------------------------------------------------------------------

    def extension(self, extension: Extension, state: str) -> None:
        """`state` is Ready, or what came of it: its error type follows then."""
        record: dict[str, Any] = {"name": extension.name, "state": state, "events": list(extension.events)}
        text = f"EXTENSION\tName: {extension.name}\tState: {state}\tEvents: [{', '.join(extension.events)}]"
        if extension.error_type is not None:
            record["errorType"] = extension.error_type
            text += f"\tError Type: {extension.error_type}"
        level = Level.INFO if extension.error_type is None else Level.WARN
        self._tell("extension", record, level, text + "\n")

    def subscription(self, api: Api, name: str, state: str, kinds: tuple[str, ...]) -> None:
        event, word = ("telemetrySubscription", "TELEMETRY") if api is Api.TELEMETRY else ("logsSubscription", "LOGS")
        names = ", ".join(kind.capitalize() for kind in kinds)
        text = f"{word}\tName: {name}\tState: {state}\tTypes: [{names}]\n"
        self._tell(event, {"name": name, "state": state, "types": list(kinds)}, Level.INFO, text)

    # --- invocations ------------------------------------------------------------------------------------------------

    def start(
        self, request_id: str, trace_id: str | None, trace: InvocationTrace | None = None, tenant_id: str | None = None
    ) -> None:
        text = self._start_line % request_id
        if self.plain:
            self._writer.write_text(text)
            return
        record: dict[str, Any] = {"requestId": request_id, "version": self._version.version}
        if trace_id:
            record["tracing"] = _tracing(trace_id, trace)
        if tenant_id:
            record["tenantId"] = tenant_id
        self._tell("start", record, Level.INFO, text)

    def finish(self, report: Report) -> None:
        """END and REPORT, and everything of their kind."""
        lines = (f"END RequestId: {report.request_id}\n", self._report_line(report))
        if self.plain:
            self._writer.write_text(*lines)
            return
        success = report.status == "success"
        self._tell("runtimeDone", self._runtime_done(report), Level.DEBUG if success else Level.WARN)
        if report.failure is not None:
            fault = f"RequestId: {report.request_id} Error: {report.failure.message}"
            self._tell("fault", fault, Level.NEVER)
        self._tell("end", {"requestId": report.request_id}, Level.NEVER, lines[0])
        self._tell("report", self._report_record(report), Level.INFO if success else Level.WARN, lines[1])

    def _runtime_done(self, report: Report) -> dict[str, Any]:
        record: dict[str, Any] = {
            "requestId": report.request_id, "status": report.status,
            "metrics": {"durationMs": _milliseconds(report.started, report.replied), "producedBytes": report.produced},
        }  # fmt: skip
        if report.began:
            epoch = time.time() - time.perf_counter()
            spans = [
                ("responseLatency", report.started, report.began), ("responseDuration", report.began, report.replied)
            ]  # fmt: skip
            if report.polled:
                spans.append(("runtimeOverhead", report.replied, max(report.polled, report.replied)))
            record["spans"] = [
                {"name": name, "start": iso_time(int((epoch + start) * 1000)), "durationMs": _milliseconds(start, end)}
                for name, start, end in spans
            ]
        return self._completed(record, report)

    def _report_record(self, report: Report) -> dict[str, Any]:
        metrics: dict[str, Any] = {
            "durationMs": round(report.duration, 3), "billedDurationMs": report.billed,
            "memorySizeMB": self._memory_mb, "maxMemoryUsedMB": report.used_mb,
        }  # fmt: skip
        if report.init is not None:
            metrics["initDurationMs"] = round(report.init, 3)
        if report.restore is not None:
            metrics["restoreDurationMs"] = round(report.restore, 3)
            metrics["billedRestoreDurationMs"] = report.billed_restore
        record = {"requestId": report.request_id, "status": report.status, "metrics": metrics}
        if report.tenant_id is not None:
            record["tenantId"] = report.tenant_id
        return self._completed(record, report)

    @staticmethod
    def _completed(record: dict[str, Any], report: Report) -> dict[str, Any]:
        if report.failure is not None and report.status == "failure":
            record["errorType"] = classify(report.failure.kind)
        elif report.status == "error":
            record["errorType"] = classify(report.error_type)
        if report.trace_id:
            record["tracing"] = _tracing(report.trace_id, report.trace)
        return record

    def _report_line(self, report: Report) -> str:
        line = (
            f"REPORT RequestId: {report.request_id}\tDuration: {report.duration:.2f} ms\t"
            f"Billed Duration: {report.billed} ms\tMemory Size: {self._memory_mb} MB\t"
            f"Max Memory Used: {report.used_mb} MB\t"
        )
        if report.init is not None:
            line += f"Init Duration: {report.init:.2f} ms\t"
        if report.restore is not None:
            line += f"Restore Duration: {report.restore:.2f} ms\t"
            line += f"Billed Restore Duration: {report.billed_restore} ms\t"
        if report.failure is not None:
            line += _status_fields(report.failure)
        if report.trace is not None:
            line += f"\nXRAY TraceId: {report.trace.root}\tSegmentId: {report.trace.function}\tSampled: true\t"
        return line + "\n"

    # --- everything -------------------------------------------------------------------------------------------------

    def _tell(self, event: str, record: Mapping[str, Any] | str, level: Level, text: str | None = None) -> None:
        """One event in every form that is asked for. `text` is its line where lines are text."""
        kind = f"platform.{event}"
        self._telemetry.publish(PLATFORM, kind, record)
        if not self._json:
            if text is not None:
                self._writer.write_text(text)
        elif level is not Level.NEVER and level >= self._level:
            document = {"time": iso_time(int(time.time() * 1000)), "type": kind, "record": record}
            self._writer.write_text(orjson.dumps(document).decode() + "\n")


def not_started(version: Version, writer: EventWriter, reason: str) -> None:
    """Why an environment of a version was not even started."""
    _notice(writer, reason, "ERROR", as_json=version.configuration.logging.format == "JSON")


def _notice(writer: EventWriter, text: str, level: str, *, as_json: bool) -> None:
    """A line of Ingle's own, which AWS does not have."""
    if as_json:
        document = {"timestamp": iso_time(int(time.time() * 1000)), "level": level, "message": text}
        text = orjson.dumps(document).decode()
    writer.write_text(text + "\n")


def _status_fields(failure: Failure) -> str:
    return "Status: timeout" if failure.status == "timeout" else f"Status: error\tError Type: {classify(failure.kind)}"


def _milliseconds(start: float, end: float) -> float:
    return round(max(end - start, 0.0) * 1000, 3)


def _tracing(trace_id: str, trace: InvocationTrace | None) -> dict[str, str]:
    span = {} if trace is None else {"spanId": trace.handler}
    return {**span, "type": "X-Amzn-Trace-Id", "value": trace_id}
