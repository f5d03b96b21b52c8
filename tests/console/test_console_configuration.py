"""The console's settings of a function, in a browser against a real server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from access_site import Site, allow
from console.scenarios import PYTHON, needs_browser, needs_node, play
from ingle.domain import runtimes
from ingle.settings import load
from ingle.worker import families
from served import Server, create_function, package, refusal, settle

ECHO = "def handler(event, context):\n    return event\n\nother = handler\n"
DEADLINE_SECONDS = 20


def _runtime_of(family: str, fits: Callable[[str], bool] = lambda _: True) -> str | None:
    """A runtime whose interpreter is on this machine."""
    found = (item.runtime for item in families.search(load()).interpreters)
    return next((runtime for runtime in found if runtime.startswith(family) and fits(runtime)), None)


@needs_node
@needs_browser
def test_settings_are_changed_in_the_page(console_server: Server) -> None:
    client = console_server.client("lambda")
    create_function(client, "settled", ECHO, Runtime=PYTHON, Tags={"gone": "1", "kept": "1"})
    modern = _runtime_of("python", runtimes.supports_snap_start)
    assert play("configuration", {"url": console_server.url, "modern": modern}) == [
        "general settings, with a mistake", "the runtime's forms", "tags, with a mistake, in a narrow window",
        "logging",
    ]  # fmt: skip
    found = client.get_function_configuration(FunctionName="settled")
    assert (found["MemorySize"], found["Timeout"], found["Description"]) == (256, 17, "set in the page")
    assert (found["Runtime"], found["Handler"]) == (modern or PYTHON, "app.other")
    storage, snap_start = found["EphemeralStorage"]["Size"], found["SnapStart"]["ApplyOn"]
    assert (storage, snap_start) == ((512, "PublishedVersions") if modern else (1024, "None"))
    management = client.get_runtime_management_config(FunctionName="settled")
    assert management["UpdateRuntimeOn"] == "Manual"
    assert management["RuntimeVersionArn"] == found["RuntimeVersionConfig"]["RuntimeVersionArn"]
    assert client.list_tags(Resource=found["FunctionArn"])["Tags"] == {"kept": "1", "team": "blue"}
    assert found["LoggingConfig"] == {
        "LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "WARN", "LogGroup": "/of/all",
    }  # fmt: skip
    assert found["TracingConfig"] == {"Mode": "Active"}
    assert json.load(client.invoke(FunctionName="settled", Payload="7")["Payload"]) == 7


@needs_node
@needs_browser
def test_environment_variables_are_edited_and_encrypted(console_server: Server) -> None:
    client, kms = console_server.client("lambda"), console_server.client("kms")
    variables = {"OLD": "ages ago", "SAME": "as it was"}
    create_function(client, "varied", ECHO, Runtime=PYTHON, Timeout=20, Environment={"Variables": variables})
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
    snippets: dict[str, str] = {}

    def answer(asked: Any) -> str:
        if asked == "disable the key":
            kms.disable_key(KeyId=key)
        elif asked == "enable the key":
            kms.enable_key(KeyId=key)
        else:
            snippets.update(asked)
        return "done"

    assert play("variables", {"url": console_server.url, "key": key}, answer) == [
        "variables that are shown", "variables, with a mistake", "encrypting a variable",
        "variables that cannot be read",
    ]  # fmt: skip
    found = client.get_function_configuration(FunctionName="varied")
    assert found["KMSKeyArn"] == key
    assert found["Environment"]["Variables"].keys() == {"GREETING", "SAME", "SECRET"}
    assert found["Environment"]["Variables"]["SAME"] == "replaced"
    python = snippets["python"] + '\n\ndef handler(event, context):\n    return [SECRET, os.environ["GREETING"]]\n'
    assert _result_of(client, {"app.py": python}) == ["hush", "at your side"]
    runtime = _runtime_of("nodejs")
    if runtime is not None:
        client.update_function_configuration(FunctionName="varied", Runtime=runtime, Handler="app.mine")
        settle(client, "varied")
        node = snippets["node"] + "\nexport const mine = async () => SECRET;\n"
        assert _result_of(client, {"app.mjs": node}) == "hush"


def _result_of(client: Any, files: Mapping[str, str]) -> Any:
    """What the function that has secrets returns, once it is made of these files."""
    client.update_function_code(FunctionName="varied", ZipFile=package(files))
    settle(client, "varied")
    return json.load(client.invoke(FunctionName="varied")["Payload"])


@pytest.mark.thorough
@needs_node
@needs_browser
def test_concurrency_is_reserved_and_provisioned(console_server: Server) -> None:
    client = console_server.client("lambda")
    for name in ("crowded", "other"):
        create_function(client, name, ECHO, Runtime=PYTHON, Publish=True)
    client.create_alias(FunctionName="crowded", Name="live", FunctionVersion="1")
    client.put_function_concurrency(FunctionName="other", ReservedConcurrentExecutions=200)

    def answer(asked: Any) -> str:
        if asked == "throttled":
            assert refusal(client.invoke, FunctionName="crowded")[1] == "TooManyRequestsException"
        else:
            assert json.load(client.invoke(FunctionName="crowded", Payload="1")["Payload"]) == 1
        return "done"

    assert play("concurrency", {"url": console_server.url}, answer) == [
        "a reserve that is too large", "provisioned concurrency, refused", "concurrency in the dark",
    ]  # fmt: skip
    assert client.get_function_recursion_config(FunctionName="crowded")["RecursiveLoop"] == "Allow"
    assert client.list_provisioned_concurrency_configs(FunctionName="crowded")["ProvisionedConcurrencyConfigs"] == []


def _log_of(server: Server, function: str) -> str:
    logs = server.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function}")["logGroups"]:
        return ""
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    return "".join(event["message"] for event in events)


@needs_node
@needs_browser
def test_asynchronous_invocation_and_its_destinations(console_server: Server) -> None:
    client = console_server.client("lambda")
    create_function(client, "eventful", ECHO, Runtime=PYTHON, Publish=True)
    client.create_alias(FunctionName="eventful", Name="live", FunctionVersion="1")
    listener = "def handler(event, context):\n    print(event['responsePayload'])\n"
    create_function(client, "told", listener, Runtime=PYTHON)

    def deliver(_: Any) -> str:
        client.invoke(FunctionName="eventful", InvocationType="Event", Payload='"a result"')
        until = time.monotonic() + DEADLINE_SECONDS
        while "a result" not in _log_of(console_server, "told"):
            assert time.monotonic() < until
            time.sleep(0.05)
        return "done"

    assert play("events", {"url": console_server.url}, deliver) == [
        "asynchronous invocation, with a mistake", "a destination, with a mistake", "destinations",
    ]  # fmt: skip
    of_alias = client.get_function_event_invoke_config(FunctionName="eventful", Qualifier="live")
    assert (of_alias["MaximumEventAgeInSeconds"], of_alias["MaximumRetryAttempts"]) == (21600, 0)
    assert of_alias["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    found = client.get_function_event_invoke_config(FunctionName="eventful")
    assert (found["MaximumEventAgeInSeconds"], found["MaximumRetryAttempts"]) == (123, 1)
    assert found["DestinationConfig"] == {
        "OnSuccess": {"Destination": "arn:aws:lambda:us-east-1:000000000000:function:told"},
        "OnFailure": {"Destination": "arn:aws:events:us-east-1:000000000000:event-bus/failed"},
    }
    configuration = client.get_function_configuration(FunctionName="eventful")
    assert configuration["DeadLetterConfig"] == {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"}


@pytest.mark.thorough
@needs_node
@needs_browser
def test_settings_that_are_denied_are_said_where_they_would_be(directory: Path) -> None:
    server = Server(directory / "data", INGLE_AUTH="iam").start()
    try:
        site = Site(server)
        create_function(site.lambda_, "seen", ECHO, Role=site.role(), Runtime=PYTHON)
        key, secret, _ = site.user(allow(["lambda:GetFunctionConfiguration", "lambda:GetFunctionConcurrency"]))
        checked = play("limited", {"url": server.url, "key": key, "secret": secret})
        assert checked == ["concurrency that is seen in part"]
    finally:
        assert server.stop() == 0
