"""LoggingConfig from the API to the log: formats, levels of system and application, and a log group of one's own."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from typing import Any

import pytest

Create = Callable[..., str]

PYTHON = """
import json, logging, os, sys
logger = logging.getLogger()
def handler(event, context):
    logger.debug("a debug record"); logger.info("an info record"); logger.warning("a warning record")
    stamp = "2024-01-02T03:04:05.678Z"
    for level in ("debug", "INFO", "Warn"):
        print(json.dumps({"level": level, "timestamp": stamp, "message": "printed " + level}))
    print(json.dumps({"message": "printed without a level"}))
    print("a plain line")
    if event == "fail":
        raise ValueError("as asked")
    return [os.environ.get(name) for name in ("AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL",
                                              "AWS_LAMBDA_LOG_GROUP_NAME")]
"""
NODE = """
exports.handler = async () => {
  console.debug("a debug record"); console.info("an info record"); console.warn("a warning %s", "record");
  const printed = {level: "debug", timestamp: "2024-01-02T03:04:05Z", message: "printed debug"};
  process.stdout.write(JSON.stringify(printed) + "\\n");
  process.stdout.write("a plain line\\n");
  return [process.env.AWS_LAMBDA_LOG_FORMAT, process.env.AWS_LAMBDA_LOG_LEVEL];
};
"""


@pytest.fixture
def lines(logs_client: Any) -> Callable[..., list[str]]:
    def read(group: str, last: str) -> list[str]:
        """The group's events, once one of them holds `last`."""
        until = time.monotonic() + 15
        while True:
            try:
                found = [event["message"] for event in logs_client.filter_log_events(logGroupName=group)["events"]]
            except logs_client.exceptions.ResourceNotFoundException:
                found = []
            if any(last in message for message in found):
                return found
            assert time.monotonic() < until, found
            time.sleep(0.02)

    return read


def call(client: Any, name: str, event: Any = None) -> Any:
    return json.loads(client.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read())


def system(messages: list[str]) -> list[str]:
    """The types of the platform's records."""
    documents = [json.loads(message) for message in messages if message.startswith("{")]
    return [document["type"] for document in documents if str(document.get("type", "")).startswith("platform.")]


INFO = ["platform.initStart", "platform.start", "platform.report"]
DEBUG = ["platform.initStart", "platform.initRuntimeDone", "platform.initReport", "platform.start",
         "platform.runtimeDone", "platform.report"]  # fmt: skip


@pytest.mark.parametrize(("level", "expected"), [(None, INFO), ("DEBUG", DEBUG), ("INFO", INFO), ("WARN", [])])
def test_the_system_log_level_chooses_the_platforms_records(
    function: Create, lambda_client: Any, lines: Callable[..., list[str]], level: str | None, expected: list[str]
) -> None:
    config = {"LogFormat": "JSON", **({"SystemLogLevel": level} if level else {})}
    name = function(PYTHON, LoggingConfig=config)
    call(lambda_client, name)
    group = f"/aws/lambda/{name}"
    until = time.monotonic() + 10
    found: list[str] = []
    while "platform.report" not in found and "platform.report" in expected and time.monotonic() < until:
        found = system(lines(group, "a plain line"))
    assert found == expected
    assert not [line for line in lines(group, "a plain line") if line.startswith(("START", "END", "REPORT", "INIT"))]


def test_records_of_the_platform_have_their_members(
    function: Create, lambda_client: Any, lines: Callable[..., list[str]]
) -> None:
    name = function(PYTHON, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "DEBUG"})
    call(lambda_client, name, "fail")
    records = {document["type"]: document for document in map(json.loads, (
        line for line in lines(f"/aws/lambda/{name}", "platform.report") if line.startswith('{"time"')))}  # fmt: skip
    assert {"time", "type", "record"} == set(records["platform.start"])
    assert records["platform.initStart"]["record"]["initializationType"] == "on-demand"
    report = records["platform.report"]["record"]
    assert report["status"] == "error"
    assert {"durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs"} == set(
        report["metrics"]
    )
    assert records["platform.runtimeDone"]["record"]["status"] == "error"


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("DEBUG", ["a debug record", "an info record", "a warning record", "printed debug", "printed INFO",
                   "printed Warn", "printed without a level"]),
        (None, ["an info record", "a warning record", "printed INFO", "printed Warn", "printed without a level"]),
        ("WARN", ["a warning record", "printed Warn"]),
        ("ERROR", []),
    ],
)  # fmt: skip
def test_the_application_log_level_chooses_what_python_says(
    function: Create, lambda_client: Any, lines: Callable[..., list[str]], level: str | None, expected: list[str]
) -> None:
    config = {"LogFormat": "JSON", **({"ApplicationLogLevel": level} if level else {})}
    name = function(PYTHON, LoggingConfig=config)
    assert call(lambda_client, name) == ["JSON", level or "INFO", f"/aws/lambda/{name}"]
    found = lines(f"/aws/lambda/{name}", "platform.report")
    documents = [json.loads(line) for line in found if line.startswith("{")]
    said = [document for document in documents if "message" in document]
    assert [document["message"] for document in said] == expected
    assert "a plain line\n" in found
    for document in said:
        assert "timestamp" in document
        assert "level" in document
        if document["message"].endswith("record"):
            assert {"timestamp", "level", "message", "logger", "requestId"} == set(document)


def test_an_error_in_json_is_one_record(function: Create, lambda_client: Any, lines: Callable[..., list[str]]) -> None:
    name = function(PYTHON, LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "ERROR"})
    assert call(lambda_client, name, "fail")["errorType"] == "ValueError"
    found = lines(f"/aws/lambda/{name}", "platform.report")
    (error,) = [document for document in map(json.loads, (line for line in found if line.startswith("{")))
                if document.get("errorType") == "ValueError" and "errorMessage" in document]  # fmt: skip
    assert error["errorMessage"] == "as asked"
    assert error["stackTrace"]


@pytest.mark.parametrize(
    ("level", "expected"),
    [("DEBUG", ["a debug record", "an info record", "a warning record", "printed debug"]),
     ("WARN", ["a warning record"])],
)  # fmt: skip
def test_the_application_log_level_chooses_what_nodejs_says(
    function: Create, lambda_client: Any, lines: Callable[..., list[str]], level: str, expected: list[str]
) -> None:
    if shutil.which("node") is None:
        pytest.skip("no Node.js on this machine")
    config = {"LogFormat": "JSON", "ApplicationLogLevel": level}
    name = function({"app.js": NODE}, Runtime="nodejs20.x", LoggingConfig=config)
    assert call(lambda_client, name) == ["JSON", level]
    found = lines(f"/aws/lambda/{name}", "platform.report")
    said = [json.loads(line) for line in found if line.startswith("{") and '"message"' in line]
    assert [document["message"] for document in said] == expected
    assert "a plain line\n" in found


def test_text_is_not_filtered_by_what_it_says(
    function: Create, lambda_client: Any, lines: Callable[..., list[str]]
) -> None:
    name = function(PYTHON)
    assert call(lambda_client, name) == [None, None, f"/aws/lambda/{name}"]
    found = lines(f"/aws/lambda/{name}", "REPORT")
    assert len([line for line in found if '"printed ' in line]) == 4
    assert not system(found)


def test_a_log_group_of_ones_own(function: Create, lambda_client: Any, lines: Callable[..., list[str]]) -> None:
    group = f"mine/{time.time_ns()}"
    names = [function(PYTHON, LoggingConfig={"LogGroup": group}) for _ in range(2)]
    for name in names:
        assert call(lambda_client, name)[2] == group
    until = time.monotonic() + 10
    while sum("REPORT" in line for line in lines(group, "REPORT")) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    assert sum("REPORT" in line for line in lines(group, "REPORT")) == 2


def test_streams_of_a_shared_group_name_their_function(
    function: Create, lambda_client: Any, logs_client: Any, lines: Callable[..., list[str]]
) -> None:
    group = f"mine/{time.time_ns()}"
    name = function(PYTHON, LoggingConfig={"LogGroup": group})
    call(lambda_client, name)
    lines(group, "REPORT")
    (stream,) = logs_client.describe_log_streams(logGroupName=group)["logStreams"]
    assert f"/{name}[$LATEST]" in stream["logStreamName"]


def test_a_change_of_the_format_reaches_the_next_invocation(
    function: Create, lambda_client: Any, lines: Callable[..., list[str]]
) -> None:
    name = function(PYTHON)
    assert call(lambda_client, name)[0] is None
    lambda_client.update_function_configuration(FunctionName=name, LoggingConfig={"LogFormat": "JSON"})
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    assert call(lambda_client, name)[:2] == ["JSON", "INFO"]
    assert "platform.start" in system(lines(f"/aws/lambda/{name}", "platform.report"))
