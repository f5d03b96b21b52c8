"""A server whose data directory is on a small file system that fills up, and empties again."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from served import Server, package

DEADLINE_SECONDS = 20
SOURCE = "def handler(event, context):\n    print('said', event['word'])\n    return event['word']\n"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    path = tmp_path / "small"
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256m,mode=755", "tmpfs", path], capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"mount refused: {done.stderr.strip()}")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture
def served(small: Path) -> Iterator[Server]:
    server = Server(small / "data").start()
    yield server
    server.stop()


def fill(path: Path) -> None:
    """Leaves no space on the file system of `path`."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 65536):
            pass


def health(server: Server) -> tuple[int, dict[str, Any]]:
    with urllib.request.urlopen(server.url + "/_ingle/health", timeout=5) as answer:
        return answer.status, json.load(answer)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def create(client: Any, name: str) -> None:
    client.create_function(
        FunctionName=name, Runtime=f"python3.{sys.version_info.minor}", Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": package({"app.py": SOURCE})},
    )  # fmt: skip
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})


def invoke(client: Any, word: str) -> str:
    answer = client.invoke(FunctionName="f", Payload=json.dumps({"word": word}))
    assert "FunctionError" not in answer
    found: str = json.loads(answer["Payload"].read())
    return found


def test_a_full_disk_refuses_new_work_keeps_functions_running_and_recovers(served: Server, small: Path) -> None:
    client, logs = served.client("lambda"), served.client("logs")
    create(client, "f")
    assert invoke(client, "before") == "before"
    fill(small / "filler")
    until(lambda: health(served)[1]["status"] == "degraded")
    status, document = health(served)
    assert (status, document["ready"], "disk is full" in document["problems"][0]) == (200, True, True)
    for refused in (
        lambda: create(client, "g"),
        lambda: client.update_function_configuration(FunctionName="f", Timeout=9),
        lambda: client.update_function_code(FunctionName="f", ZipFile=package({"app.py": SOURCE + "\n"})),
    ):
        with pytest.raises(ClientError, match="The disk that holds the data directory is full") as caught:
            refused()
        assert caught.value.response["Error"]["Code"] == "ServiceException"
    with pytest.raises(ClientError, match="ServiceUnavailableException"):
        logs.create_log_group(logGroupName="g")
    with pytest.raises(ClientError, match="InternalServiceError"):
        served.client("cloudwatch").put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Value": 1}])
    assert [invoke(client, f"full {number}") for number in range(5)] == [f"full {number}" for number in range(5)]
    assert client.get_function(FunctionName="f")["Configuration"]["Timeout"] == 3
    told = subprocess.run(
        [sys.executable, "-m", "ingle", "doctor"], capture_output=True, text=True, check=False,
        env={**os.environ, "INGLE_DATA_DIR": str(served.data_dir)},
    )  # fmt: skip
    assert "new ones and changes are refused" in told.stdout
    (small / "filler").unlink()
    until(lambda: health(served)[1]["status"] == "ok")
    create(client, "g")
    assert invoke(client, "after") == "after"

    def lines() -> list[str]:
        found = logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="said")["events"]
        return [event["message"].strip() for event in found]

    expected = ["before", *(f"full {number}" for number in range(5)), "after"]
    until(lambda: lines() == [f"said {word}" for word in expected])
    metrics = served.client("cloudwatch")
    now = time.time()
    points = metrics.get_metric_statistics(
        Namespace="AWS/Lambda", MetricName="Invocations", Dimensions=[{"Name": "FunctionName", "Value": "f"}],
        StartTime=now - 3600, EndTime=now + 3600, Period=7200, Statistics=["Sum"],
    )["Datapoints"]  # fmt: skip
    assert sum(point["Sum"] for point in points) == 7
