"""What the platform says about an environment, in each of its forms."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from ingle.domain.function import LoggingConfig
from ingle.domain.tracing import InvocationTrace
from ingle.runtime_api.extensions import Extension
from ingle.runtime_api.subscriptions import Api
from ingle.worker.failures import Failure, timed_out
from ingle.worker.output import EventWriter
from ingle.worker.platform_log import PlatformLog, Report, RuntimeVersion
from unit.worker.versions import version_of

RUNTIME = RuntimeVersion(label="python:3.11.v1", arn="arn:aws:lambda:us-east-1::runtime:00")
TRACE = InvocationTrace(
    root="1-5759e988-bd862e3fe1be46a994272793", parent=None, service="000000000000000f", function="00000000000000ff",
    handler="0000000000000fff",
)  # fmt: skip
CRASH = Failure(kind="Runtime.ExitError", message="Runtime exited with error: exit status 1")


class Telemetry:
    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self.published: list[tuple[str, Any]] = []
        self.announce: Any = None

    def publish(self, kind: str, event_type: str, record: Any) -> None:
        assert kind == "platform"
        self.published.append((event_type, record))


class Told:
    """A platform log and what came out of it."""

    def __init__(self, level: str | None = None, *, wanted: bool = False, initialization: str = "on-demand") -> None:
        version = version_of()
        logging = LoggingConfig(format="JSON" if level else "Text", system_level=level)
        version = replace(version, configuration=replace(version.configuration, logging=logging, memory=256))
        self.lines: list[str] = []
        self.telemetry = Telemetry(wanted)
        telemetry: Any = self.telemetry
        sink: Any = self
        self.log = PlatformLog(version, EventWriter(sink), telemetry, RUNTIME, initialization)

    def append(self, timestamp_ms: int, message: str) -> None:
        self.lines.append(message)

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        """The JSON records in the log, by type."""
        found = [json.loads(line) for line in self.lines]
        assert all(set(item) == {"time", "type", "record"} and item["time"].endswith("Z") for item in found)
        return {item["type"]: item["record"] for item in found}


def report(**more: Any) -> Report:
    now = time.perf_counter()
    times = {"started": now - 0.003, "began": now - 0.002, "replied": now - 0.001, "polled": now, "duration": 3.014}
    return Report(request_id="id", trace_id="Root=1-a", used_mb=36, produced=4, **{**times, **more})


def test_text_lines_are_those_of_aws() -> None:
    told = Told()
    told.log.init_start("init")
    told.log.start("id", None)
    told.log.finish(report(init=110.1))
    assert told.lines == [
        "INIT_START Runtime Version: python:3.11.v1\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:00\n",
        "START RequestId: id Version: $LATEST\n",
        "END RequestId: id\n",
        "REPORT RequestId: id\tDuration: 3.01 ms\tBilled Duration: 114 ms\tMemory Size: 256 MB\t"
        "Max Memory Used: 36 MB\tInit Duration: 110.10 ms\t\n",
    ]


def test_a_traced_invocation_says_so() -> None:
    told = Told()
    told.log.finish(report(trace=TRACE))
    told.log.finish(report(trace=TRACE, failure=CRASH))
    assert told.lines[1].endswith(
        "Max Memory Used: 36 MB\t\nXRAY TraceId: 1-5759e988-bd862e3fe1be46a994272793\tSegmentId: 00000000000000ff\t"
        "Sampled: true\t\n"
    )
    assert "\tStatus: error\tError Type: Runtime.ExitError\nXRAY TraceId: 1-5759e988-" in told.lines[3]
    told = Told("DEBUG")
    told.log.start("id", "Root=1-a", TRACE)
    told.log.finish(report(trace=TRACE))
    tracing = {"spanId": "0000000000000fff", "type": "X-Amzn-Trace-Id", "value": "Root=1-a"}
    assert [record["tracing"] for record in told.records.values()] == [tracing] * 3


@pytest.mark.parametrize(
    ("failure", "ending"),
    [
        (timed_out(3), "\tStatus: timeout\n"),
        (CRASH, "\tStatus: error\tError Type: Runtime.ExitError\n"),
        (Failure(kind="Mine", message=""), "\tStatus: error\tError Type: Runtime.Unknown\n"),
    ],
)
def test_failures_stand_at_the_end_of_the_report(failure: Failure, ending: str) -> None:
    told = Told()
    told.log.finish(report(failure=failure))
    assert told.lines[1].endswith(f"Max Memory Used: 36 MB{ending}")


def test_a_good_initialisation_is_reported_only_where_it_is_paid_ahead() -> None:
    told = Told()
    told.log.init_report("init", 12.345, None)
    assert told.lines == []
    told = Told(initialization="provisioned-concurrency")
    told.log.init_report("init", 12.345, None)
    assert told.lines == ["INIT_REPORT Init Duration: 12.35 ms\tPhase: init\n"]


def test_a_bad_initialisation_is_reported() -> None:
    told = Told()
    told.log.init_report("invoke", 10008.116, timed_out(3))
    told.log.init_report("init", 1.0, CRASH)
    assert told.lines == [
        "INIT_REPORT Init Duration: 10008.12 ms\tPhase: invoke\tStatus: timeout\n",
        "INIT_REPORT Init Duration: 1.00 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n",
    ]


def test_a_restore_is_told_and_billed() -> None:
    told = Told(initialization="snap-start")
    told.log.init_report("snap-start", 1000.0, None)
    told.log.restore_start()
    told.log.restore_report(12.345, None)
    told.log.restore_report(10000.0, timed_out(10))
    told.log.restore_report(1.0, CRASH)
    told.log.finish(report(restore=12.345))
    assert told.lines == [
        "INIT_REPORT Init Duration: 1000.00 ms\tPhase: snap-start\n",
        "RESTORE_START Runtime Version: python:3.11.v1\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:00\n",
        "RESTORE_REPORT Restore Duration: 12.35 ms\n",
        "RESTORE_REPORT Restore Duration: 10000.00 ms\tStatus: timeout\n",
        "RESTORE_REPORT Restore Duration: 1.00 ms\tStatus: error\tError Type: Runtime.ExitError\n",
        "END RequestId: id\n",
        "REPORT RequestId: id\tDuration: 3.01 ms\tBilled Duration: 17 ms\tMemory Size: 256 MB\t"
        "Max Memory Used: 36 MB\tRestore Duration: 12.35 ms\tBilled Restore Duration: 13 ms\t\n",
    ]


def test_records_of_a_restore() -> None:
    told = Told("DEBUG", initialization="snap-start")
    told.log.restore_start()
    told.log.restore_report(12.345, None)
    told.log.finish(report(restore=12.345))
    names = {"functionName": "mine", "functionVersion": "$LATEST"}
    runtime = {"runtimeVersion": RUNTIME.label, "runtimeVersionArn": RUNTIME.arn}
    assert told.records["platform.restoreStart"] == {**names, **runtime}
    assert told.records["platform.restoreRuntimeDone"] == {"status": "success"}
    assert told.records["platform.restoreReport"] == {"status": "success", "metrics": {"durationMs": 12.345}}
    metrics = told.records["platform.report"]["metrics"]
    assert (metrics["restoreDurationMs"], metrics["billedRestoreDurationMs"]) == (12.345, 13)
    assert metrics["billedDurationMs"] == 17


def test_a_version_that_is_not_restored_says_why() -> None:
    told = Told()
    told.log.not_cloned("2 other threads are running")
    assert "because 2 other threads are running." in told.lines[0]
    told = Told("INFO")
    told.log.not_cloned("2 other threads are running")
    assert json.loads(told.lines[0])["level"] == "WARN"


def test_extensions_and_subscriptions_have_lines() -> None:
    told = Told()
    told.log.extension(Extension(name="x", external=True, events=("INVOKE", "SHUTDOWN")), "Ready")
    told.log.subscription(Api.TELEMETRY, "x", "Subscribed", ("platform", "function"))
    assert told.lines == [
        "EXTENSION\tName: x\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n",
        "TELEMETRY\tName: x\tState: Subscribed\tTypes: [Platform, Function]\n",
    ]


def everything(told: Told, **more: Any) -> None:
    failure = more.get("failure")
    told.log.init_start("init")
    told.log.init_done("init", failure)
    told.log.init_report("init", 5.0, failure)
    told.log.start("id", "Root=1-a")
    told.log.finish(report(**more))


@pytest.mark.parametrize(
    ("level", "more", "types"),
    [
        ("DEBUG", {}, "initStart initRuntimeDone initReport start runtimeDone report"),
        ("INFO", {}, "initStart start report"),
        ("WARN", {}, ""),
        ("WARN", {"failure": CRASH}, "initRuntimeDone initReport runtimeDone report"),
        ("WARN", {"error": True}, "runtimeDone report"),
    ],
)
def test_the_system_log_level_chooses_records(level: str, more: dict[str, Any], types: str) -> None:
    told = Told(level)
    everything(told, **more)
    assert list(told.records) == [f"platform.{name}" for name in types.split()]


def test_records_have_the_members_of_the_schema() -> None:
    told = Told("DEBUG")
    everything(told, init=5.0)
    records = told.records
    assert records["platform.initStart"] == {
        "initializationType": "on-demand", "phase": "init", "functionName": version_of().key.name,
        "functionVersion": "$LATEST", "runtimeVersion": RUNTIME.label, "runtimeVersionArn": RUNTIME.arn,
    }  # fmt: skip
    assert records["platform.initReport"] == {
        "initializationType": "on-demand", "phase": "init", "status": "success", "metrics": {"durationMs": 5.0},
    }  # fmt: skip
    tracing = {"type": "X-Amzn-Trace-Id", "value": "Root=1-a"}
    assert records["platform.start"] == {"requestId": "id", "version": "$LATEST", "tracing": tracing}
    done = records["platform.runtimeDone"]
    assert (done["requestId"], done["status"], done["tracing"]) == ("id", "success", tracing)
    assert done["metrics"]["producedBytes"] == 4
    assert [span["name"] for span in done["spans"]] == ["responseLatency", "responseDuration", "runtimeOverhead"]
    assert [round(span["durationMs"]) for span in done["spans"]] == [1, 1, 1]
    assert records["platform.report"] == {
        "requestId": "id", "status": "success", "tracing": tracing,
        "metrics": {"durationMs": 3.014, "billedDurationMs": 9, "memorySizeMB": 256, "maxMemoryUsedMB": 36,
                    "initDurationMs": 5.0},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "status", "kind"),
    [
        ({"failure": timed_out(3)}, "timeout", None),
        ({"failure": CRASH}, "failure", "Runtime.ExitError"),
        ({"error": True, "error_type": "ValueError"}, "error", "Runtime.Unknown"),
    ],
)
def test_records_tell_what_went_wrong(more: dict[str, Any], status: str, kind: str | None) -> None:
    told = Told("INFO")
    told.log.finish(report(**more))
    for record in told.records.values():
        assert (record["status"], record.get("errorType")) == (status, kind)


def test_telemetry_gets_everything_whatever_the_log_gets() -> None:
    told = Told("WARN", wanted=True)
    everything(told, failure=CRASH)
    assert [kind.removeprefix("platform.") for kind, _ in told.telemetry.published] == [
        "initStart", "initRuntimeDone", "initReport", "start", "runtimeDone", "fault", "end", "report"
    ]  # fmt: skip
    assert not told.log.plain


def test_nobody_listens_to_a_plain_log() -> None:
    told = Told()
    assert told.log.plain
    everything(told)
    assert all(kind.startswith("platform.init") for kind, _ in told.telemetry.published)
