"""Extensions and telemetry in real environments, from within the runtime's process."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import pytest

from kernel.sandboxed import FunctionFailed, Sandboxed

pytestmark = pytest.mark.kernel

AGENT = (Path(__file__).parent / "telemetry_agent.py").read_text()
INSIDE = """
import json, os, threading
import telemetry_agent as agent

identifier = agent.register("inside", ["INVOKE"])
agent.listen_http("inside")
agent.listen_tcp("tcp", 8282)
answers = [agent.subscribe(identifier, **more) for more in json.loads(os.environ["REQUESTS"])]
print("a line of the initialisation")

def follow():
    while True:
        agent.next_event(identifier)

threading.Thread(target=follow, daemon=True).start()

def read(name):
    try:
        with open("/tmp/telemetry-" + name) as file:
            return [json.loads(line) for line in file if line.endswith(chr(10))]
    except FileNotFoundError:
        return []

def handler(event, context):
    if event == "answers":
        return answers
    if event in ("inside", "tcp"):
        return read(event)
    if event == "fail":
        raise ValueError("as asked")
    print("a line of the function")
    print(json.dumps({"level": "INFO", "message": "an object"}))
    return "done"
"""


def function(walled: Sandboxed, requests: str = "[{}]", **settings: Any) -> str:
    files = {"app.py": INSIDE, "telemetry_agent.py": AGENT}
    return walled.create(files, MemorySize=512, Environment={"Variables": {"REQUESTS": requests}}, **settings)


def received(walled: Sandboxed, name: str, where: str, *also: str) -> list[dict[str, Any]]:
    """What arrived, once a report of each of the invocations `also` is among it.

    All in one environment, which is not a matter of course: one that is not back in time gets company.
    """
    until = time.monotonic() + 20
    while True:
        for event in also:
            with contextlib.suppress(FunctionFailed):
                walled.call(name, event)
        events: list[dict[str, Any]] = walled.call(name, where)
        done = [event["record"]["status"] for event in events if event["type"] == "platform.runtimeDone"]
        if (len(done) > len(also) and ("error" in done) == ("fail" in also)) or time.monotonic() > until:
            return events
        time.sleep(0.05)


def test_a_subscriber_gets_every_kind_of_event(walled: Sandboxed) -> None:
    name = function(walled)
    assert walled.call(name, "answers") == [[200, '"OK"']]
    events = received(walled, name, "inside", "go", "fail")
    types = [event["type"] for event in events]
    assert types[0] == "platform.initStart"  # from before the subscription
    assert {"platform.telemetrySubscription", "platform.extension", "platform.initRuntimeDone", "platform.initReport",
            "platform.start", "platform.runtimeDone", "platform.report", "function"} <= set(types)  # fmt: skip
    assert "platform.end" not in types
    records = {event["type"]: event["record"] for event in reversed(events)}
    assert records["platform.initStart"]["initializationType"] == "on-demand"
    assert records["platform.initStart"]["phase"] == "init"
    assert records["platform.telemetrySubscription"] == {
        "name": "inside", "state": "Subscribed", "types": ["platform", "function", "extension"]
    }  # fmt: skip
    assert records["platform.extension"] == {"name": "inside", "state": "Ready", "events": ["INVOKE"]}
    done = [event["record"] for event in events if event["type"] == "platform.runtimeDone"]
    assert {record["status"] for record in done} == {"success", "error"}
    assert [span["name"] for span in done[0]["spans"]] == ["responseLatency", "responseDuration", "runtimeOverhead"]
    assert all(record["metrics"]["producedBytes"] > 0 for record in done)
    report = records["platform.report"]
    assert report["metrics"]["memorySizeMB"] == 512
    if walled.isolation == "root":  # elsewhere nothing counts it
        assert report["metrics"]["maxMemoryUsedMB"] > 0
    assert report["metrics"]["billedDurationMs"] >= report["metrics"]["durationMs"] > 0
    lines = [event["record"] for event in events if event["type"] == "function"]
    assert lines[0] == "a line of the initialisation\n"
    assert {"level": "INFO", "message": "an object"} in lines
    walled.client.delete_function(FunctionName=name)


def test_lines_over_tcp_and_the_older_api(walled: Sandboxed) -> None:
    older = (
        '[{"path": "/2020-08-15/logs", "schemaVersion": "2021-03-18", "types": ["platform", "function"],'
        ' "destination": {"protocol": "TCP", "port": 8282}}, {}]'
    )
    name = function(walled, older)
    (first, second) = walled.call(name, "answers")
    assert first == [200, '"OK"']
    assert second[0] == 400  # one API at a time
    events = received(walled, name, "tcp", "go")
    types = {event["type"] for event in events}
    assert {"platform.logsSubscription", "platform.start", "platform.end", "platform.runtimeDone", "platform.report",
            "platform.extension", "function"} <= types  # fmt: skip
    assert not types & {"platform.initStart", "platform.initReport", "platform.telemetrySubscription"}
    lines = [event["record"] for event in events if event["type"] == "function"]
    assert '{"level": "INFO", "message": "an object"}\n' in lines
    walled.client.delete_function(FunctionName=name)


def test_bad_subscriptions_are_refused(walled: Sandboxed) -> None:
    requests = (
        '[{"destination": {"protocol": "HTTP", "URI": "http://example.com:80/"}}, {"types": []},'
        ' {"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:9001/"}},'
        ' {"buffering": {"timeoutMs": 1}}, {"schemaVersion": "1"}]'
    )
    name = function(walled, requests)
    answers = walled.call(name, "answers")
    assert [status for status, _ in answers] == [400] * 5
    assert all('"ValidationError"' in body for _, body in answers)
    assert walled.call(name, "go") == "done"
    walled.client.delete_function(FunctionName=name)


STREAMING = """
import http.client, json, os, sys, threading
sys.path.insert(0, "/var/task")
import telemetry_agent as agent

identifier = agent.register("inside", ["INVOKE"])
agent.listen_http("inside")
agent.subscribe(identifier)

def follow():
    while True:
        agent.next_event(identifier)

threading.Thread(target=follow, daemon=True).start()
api, prefix = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"]), "/2018-06-01/runtime/invocation/"
while True:
    api.request("GET", prefix + "next")
    poll = api.getresponse()
    event, request = json.loads(poll.read()), poll.headers["Lambda-Runtime-Aws-Request-Id"]
    if event == "inside":
        try:
            with open("/tmp/telemetry-inside") as file:
                found = [json.loads(line) for line in file if line.endswith(chr(10))]
        except FileNotFoundError:
            found = []
        api.request("POST", prefix + request + "/response", json.dumps(found))
    else:
        headers = {"Lambda-Runtime-Function-Response-Mode": "streaming"}
        api.request("POST", prefix + request + "/response", iter([b"12345", b"67890"]), headers, encode_chunked=True)
    api.getresponse().read()
"""


def test_a_streamed_response_is_reported_with_its_size_and_its_spans(walled: Sandboxed) -> None:
    """With an extension: the invocation is over for its caller before it is for the environment."""
    bootstrap = "#!/bin/sh\nexec /var/lang/bin/python3.11 /var/task/runtime.py\n"
    files = {"bootstrap": bootstrap, "runtime.py": STREAMING, "telemetry_agent.py": AGENT}
    name = walled.create(files, MemorySize=512, Runtime="provided.al2023")
    until, done = time.monotonic() + 20, []
    while not done and time.monotonic() < until:
        # Again, too: an environment that is not back in time gets company, which has not seen the stream.
        events = walled.client.invoke_with_response_stream(FunctionName=name, Payload=b'"go"')["EventStream"]
        *chunks, last = events
        assert b"".join(chunk["PayloadChunk"]["Payload"] for chunk in chunks) == b"1234567890"
        assert last == {"InvokeComplete": {}}
        records = [item["record"] for item in walled.call(name, "inside") if item["type"] == "platform.runtimeDone"]
        done = [record for record in records if record["metrics"].get("producedBytes") == 10]
    assert done[0]["status"] == "success"
    assert [span["name"] for span in done[0]["spans"]][:2] == ["responseLatency", "responseDuration"]
    walled.client.delete_function(FunctionName=name)
