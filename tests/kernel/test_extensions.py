"""External extensions from layers: an agent as vendors ship them, and those that fail."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kernel.sandboxed import FunctionFailed, Sandboxed
from served import package

pytestmark = pytest.mark.kernel

PYTHON = "#!/var/lang/bin/python3.11\n"
AGENT = PYTHON + (Path(__file__).parent / "telemetry_agent.py").read_text()
#: An extension in a few lines: `call(method, path, headers, body)` and what `does` says once it has registered.
SMALL = (
    PYTHON
    + """
import http.client, json, os, sys, time
NAME = os.path.basename(sys.argv[0])
def call(method, path, headers=None, body=None):
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request(method, "/2020-01-01/extension" + path, body, headers or {})
    answer = api.getresponse()
    return answer.status, answer.read().decode(), answer.headers
def register(events='["INVOKE", "SHUTDOWN"]'):
    status, body, headers = call("POST", "/register", {"Lambda-Extension-Name": NAME}, '{"events": %s}' % events)
    return {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
def next_event(me):
    return json.loads(call("GET", "/event/next", me)[1])
def fail(me, when, kind):
    return call("POST", "/%s/error" % when, {**me, "Lambda-Extension-Function-Error-Type": kind})
"""
)
HANDLER = """
import json, os, time
def handler(event, context):
    if event == "events":
        try:
            with open("/tmp/telemetry-agent") as file:
                return [json.loads(line) for line in file if line.endswith(chr(10))]
        except FileNotFoundError:
            return []
    if event == "sleep":
        time.sleep(30)
    if event == "processes":
        return sorted(open("/proc/%s/cmdline" % pid).read().replace(chr(0), " ").strip()
                      for pid in os.listdir("/proc") if pid.isdigit())
    print("the function ran")
    return {"marks": sorted(os.listdir("/tmp")), "pid": os.getpid()}
"""


@pytest.fixture
def extended(walled: Sandboxed) -> Iterator[Callable[..., str]]:
    """`extended(name=program, ...)` creates a function with a layer that holds these extensions."""
    made: list[str] = []

    def create(*, settings: dict[str, Any] | None = None, **extensions: str) -> str:
        content = package({f"extensions/{name}": program for name, program in extensions.items()})
        layer = walled.client.publish_layer_version(LayerName="extensions", Content={"ZipFile": content})
        more = {"MemorySize": 512, "Timeout": 10, **(settings or {})}
        name = walled.create(HANDLER, Layers=[layer["LayerVersionArn"]], **more)
        made.append(name)
        return name

    yield create
    for name in made:
        walled.client.delete_function(FunctionName=name)


def test_an_agent_sees_invocations_and_telemetry_and_the_end(walled: Sandboxed, extended: Callable[..., str]) -> None:
    name = extended(agent=AGENT)
    wanted = {"event", "platform.initStart", "platform.initReport", "platform.start", "platform.runtimeDone",
              "platform.report", "platform.extension", "function", "extension"}  # fmt: skip
    until = time.monotonic() + 20
    events: list[dict[str, Any]] = []
    # Again and again: while extensions are at work for one invocation, the next may get another environment.
    while time.monotonic() < until and not wanted <= {event["type"] for event in events}:
        walled.call(name, "go")
        events = walled.call(name, "events")
    assert wanted <= {event["type"] for event in events}
    told = [event["record"] for event in events if event["type"] == "event"]
    assert {item["eventType"] for item in told} == {"INVOKE"}
    assert told[0]["invokedFunctionArn"].endswith(f":function:{name}")
    assert told[0]["deadlineMs"] > time.time() * 1000 - 60_000
    started = {event["record"]["requestId"] for event in events if event["type"] == "platform.start"}
    assert told[0]["requestId"] in started
    walled.client.update_function_configuration(FunctionName=name, Description="anew")  # ends the environment
    lines = walled.log(name, "agent saw SHUTDOWN")
    assert "agent saw SHUTDOWN SPINDOWN\n" in lines
    assert "EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n" in lines
    assert "TELEMETRY\tName: agent\tState: Subscribed\tTypes: [Platform, Function, Extension]\n" in lines


def test_an_extension_has_the_documented_variables_and_no_rights(
    walled: Sandboxed, extended: Callable[..., str]
) -> None:
    program = (
        SMALL
        + """
me = register()
print(json.dumps({"variables": sorted(os.environ), "uid": os.getuid(), "cwd": os.getcwd(),
                  "status": {line.split(":")[0]: line.split()[1] for line in open("/proc/self/status")
                             if line.startswith(("CapEff", "CapBnd", "NoNewPrivs", "Seccomp:"))},
                  "hidden": os.listdir("/run") if os.access("/run", os.R_OK) else None}), flush=True)
while next_event(me)["eventType"] != "SHUTDOWN": pass
"""
    )
    name = extended(settings={"Environment": {"Variables": {"MINE": "x"}}}, facts=program)
    walled.call(name, "go")
    (line,) = [line for line in walled.log(name, '"variables"') if line.startswith("{")]
    facts = json.loads(line)
    assert {"MINE", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", "AWS_ACCESS_KEY_ID", "PATH", "TZ",
            "AWS_LAMBDA_INITIALIZATION_TYPE"} <= set(facts["variables"])  # fmt: skip
    assert not {"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "LAMBDA_TASK_ROOT",
                "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "_HANDLER"} & set(
        facts["variables"]
    )  # fmt: skip
    assert facts["uid"] != 0
    assert int(facts["status"]["CapEff"], 16) == 0
    assert facts["status"]["NoNewPrivs"] == "1"
    assert facts["status"]["Seccomp"] == "2"
    assert not facts["hidden"]


def test_the_answer_does_not_wait_for_extensions_and_the_next_invocation_does(
    walled: Sandboxed, extended: Callable[..., str]
) -> None:
    program = (
        SMALL
        + """
me = register()
while True:
    event = next_event(me)
    if event["eventType"] == "SHUTDOWN": break
    time.sleep(0.6)
    open("/tmp/mark-" + event["requestId"], "w").close()
"""
    )
    name = extended(slow=program)
    walled.call(name, "go")
    began = time.monotonic()
    first = walled.client.invoke(FunctionName=name, Payload=b'"go"')
    first_id = first["ResponseMetadata"]["RequestId"]
    assert json.loads(first["Payload"].read())
    assert time.monotonic() - began < 10
    second = walled.call(name, "go")
    # In the same environment the work for the first invocation is over before the second begins.
    if len(second["marks"]) > 1:
        assert f"mark-{first_id}" in second["marks"]
    answer = walled.client.invoke(FunctionName=name, Payload=b'"go"', LogType="Tail")
    import base64

    assert b"REPORT RequestId: " in base64.b64decode(answer["LogResult"])


@pytest.mark.parametrize(
    ("does", "kind"),
    [
        ("sys.exit(3)\n", "Extension.Crash"),
        ("me = register()\nsys.exit(3)\n", "Extension.Crash"),
        ("me = register()\nfail(me, 'init', 'Extension.Mine')\ntime.sleep(60)\n", "Extension.Mine"),
        ("me = register()\nfail(me, 'exit', 'Extension.Other')\nsys.exit(1)\n", "Extension.Other"),
    ],
)
def test_an_extension_that_fails_fails_the_initialisation(
    walled: Sandboxed, extended: Callable[..., str], does: str, kind: str
) -> None:
    name = extended(bad=SMALL + does)
    with pytest.raises(FunctionFailed) as raised:
        walled.call(name, "go")
    assert raised.value.kind == kind
    lines = walled.log(name, "INIT_REPORT")
    assert any(line.startswith("EXTENSION\tName: bad\tState: ") and kind in line for line in lines)
    assert any(line.startswith("INIT_REPORT ") and f"Error Type: {kind}" in line for line in lines)


def test_a_program_that_cannot_be_executed_is_a_launch_error(walled: Sandboxed, extended: Callable[..., str]) -> None:
    name = extended(broken="#!/no/such/interpreter\n")
    with pytest.raises(FunctionFailed) as raised:
        walled.call(name, "go")
    assert raised.value.kind == "Extension.LaunchError"


def test_an_extension_that_ends_during_an_invocation_fails_it_and_the_next_one_works(
    walled: Sandboxed, extended: Callable[..., str]
) -> None:
    program = (
        SMALL
        + """
me = register()
next_event(me)
if not os.path.exists("/tmp/ended"):
    open("/tmp/ended", "w").close()
    sys.exit(5)
while next_event(me)["eventType"] != "SHUTDOWN": pass
"""
    )
    name = extended(once=program)
    with pytest.raises(FunctionFailed) as raised:
        walled.call(name, "sleep")
    assert raised.value.kind == "Extension.Crash"
    assert "ended" in walled.call(name, "go")["marks"]  # the same sandbox, started anew


def test_a_time_out_tells_extensions(walled: Sandboxed, extended: Callable[..., str]) -> None:
    name = extended(settings={"Timeout": 1}, agent=AGENT)
    with pytest.raises(FunctionFailed, match="timed out"):
        walled.call(name, "sleep")
    assert "agent saw SHUTDOWN TIMEOUT\n" in walled.log(name, "agent saw SHUTDOWN")
    assert walled.call(name, "go")["pid"]


def test_an_extension_that_outlasts_the_time_limit_is_reset(walled: Sandboxed, extended: Callable[..., str]) -> None:
    program = (
        SMALL
        + """
me = register()
event = next_event(me)
if not os.path.exists("/tmp/slept"):
    open("/tmp/slept", "w").close()
    time.sleep(60)
while next_event(me)["eventType"] != "SHUTDOWN": pass
"""
    )
    name = extended(settings={"Timeout": 1}, slow=program)
    assert walled.call(name, "go")
    assert any("Status: timeout" in line for line in walled.log(name, "Status: timeout"))
    assert walled.call(name, "go")


def test_the_runtime_is_terminated_gently_only_with_extensions(walled: Sandboxed, extended: Callable[..., str]) -> None:
    gentle = """
import signal, sys, time
def ended(*_):
    print("told to end", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, ended)
def handler(event, context):
    return "done"
"""
    layer = walled.client.publish_layer_version(
        LayerName="extensions", Content={"ZipFile": package({"extensions/agent": AGENT})}
    )
    for layers in ([layer["LayerVersionArn"]], []):
        name = walled.create(gentle, Layers=layers, MemorySize=512)
        walled.call(name)
        walled.client.update_function_configuration(FunctionName=name, Description="anew")
        walled.call(name)
        wanted = "told to end" if layers else "REPORT"
        assert ("told to end\n" in walled.log(name, wanted)) == bool(layers)
        walled.client.delete_function(FunctionName=name)
