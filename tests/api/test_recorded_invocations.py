"""Invocations over the API compared, member by member, with answers that were recorded from AWS."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from recordings import scenarios

Create = Callable[..., str]
ZipOf = Callable[[dict[str, str]], bytes]

RECORDED = scenarios("invocations")
OFTEN = {"Delay": 0.05, "MaxAttempts": 200}
CONTEXT = """
import logging

logging.getLogger().setLevel(logging.INFO)

def handler(event, context):
    print("Lambda log message - print function")
    logging.info("Lambda log message - logging module")
    names = ("aws_request_id", "client_context", "function_name", "function_version", "invoked_function_arn",
             "log_group_name", "log_stream_name", "memory_limit_in_mb")
    return {"event": event, "context": {name: getattr(context, name) for name in names}}
"""
VERSIONED = """
def handler(event, context):
    return {"version_id": %r, "version_from_ctx": context.function_version, "invoked_arn": context.invoked_function_arn}
"""
TWO_HANDLERS = """
def handler(event, context):
    return {"handler": "handler"}

def handler_two(event, context):
    return {"handler": "handler_two"}
"""
UPDATED = """
import os, time

def handler(event, context):
    time.sleep(event["sleep"])
    return {"function_version": context.function_version, "request_id": context.aws_request_id,
            "request_prefix": event["prefix"], "function_variant": os.environ["VARIANT"]}
"""


def seen(answer: dict[str, Any]) -> dict[str, Any]:
    """What Invoke answered, as recordings have it: a payload that is an object opened, other ones as text."""
    text = answer["Payload"].read().decode()
    found = {member: value for member, value in answer.items() if member not in ("ResponseMetadata", "Payload")}
    found["Payload"] = json.loads(text) if text.startswith("{") else text
    return {**found, "status": answer["ResponseMetadata"]["HTTPStatusCode"]}


def recorded_answer(scenario: str, step: str, name: str) -> dict[str, Any]:
    recorded = {**RECORDED[scenario][step]}
    status = recorded.pop("ResponseMetadata")["HTTPStatusCode"]
    text = json.dumps({**recorded, "status": status})
    for placeholder, value in (
        ("<partition>", "aws"), ("<region>", "us-east-1"), ("111111111111", "000000000000"),
        ("<function-name:1>", name),
    ):  # fmt: skip
        text = text.replace(placeholder, value)
    found: dict[str, Any] = json.loads(text)
    return found


def assert_answered(answer: dict[str, Any], scenario: str, step: str, name: str, **varying: Any) -> None:
    """`varying`: values of the payload's members that differ each time, by their names."""
    recorded = recorded_answer(scenario, step, name)
    if varying:
        recorded["Payload"].update(varying)
    assert seen(answer) == recorded


def updated(client: Any, name: str, **params: Any) -> None:
    client.update_function_configuration(FunctionName=name, **params)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)


def test_a_version_and_its_context(lambda_client: Any, function: Create) -> None:
    scenario, event = "test_invocation_with_qualifier", {"foo": "bar with 'quotes\""}
    name = function(CONTEXT, Timeout=10)
    lambda_client.publish_version(FunctionName=name)
    answer = lambda_client.invoke(FunctionName=name, Qualifier="1", LogType="Tail", Payload=json.dumps(event))
    log = base64.b64decode(answer["LogResult"]).decode()
    found, recorded = seen(answer), recorded_answer(scenario, "invocation-response", name)
    request = answer["ResponseMetadata"]["RequestId"]
    stream = found["Payload"]["context"]["log_stream_name"]
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[1\][0-9a-f]{32}", stream)
    recorded["Payload"]["context"].update(aws_request_id=request, log_stream_name=stream)
    recorded["LogResult"] = answer["LogResult"]
    assert found == recorded
    plain = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "date", log).replace(request, "<uuid:2>")
    assert plain.splitlines()[:4] == RECORDED[scenario]["log_result"]["log_result"]


def test_a_dry_run_and_a_result_of_nothing(lambda_client: Any, function: Create) -> None:
    name = function("def handler(event, context):\n    pass\n")
    for scenario, kind in (
        ("test_invocation_type_dry_run[python3.10]", "DryRun"),
        ("test_invocation_type_no_return_payload[python-RequestResponse]", "RequestResponse"),
    ):
        answer = lambda_client.invoke(FunctionName=name, InvocationType=kind, Payload=b"{}")
        assert_answered(answer, scenario, "invoke-result", name)


def test_versions_of_changing_code(lambda_client: Any, function: Create, zip_of: ZipOf) -> None:
    scenario = "test_lambda_versions_with_code_changes"
    name = function(VERSIONED % "version1")

    def check(step: str, **params: str) -> None:
        assert_answered(lambda_client.invoke(FunctionName=name, **params), scenario, f"invocation_result_{step}", name)

    lambda_client.publish_version(FunctionName=name)
    for number in (2, 3):
        code = zip_of({"app.py": VERSIONED % f"version{number}"})
        lambda_client.update_function_code(FunctionName=name, ZipFile=code)
        lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
        lambda_client.publish_version(FunctionName=name)
        check("latest" if number == 2 else "latest_end")
        for older in range(1, number):
            check(f"v{older}" if number == 2 else f"v{older}_end", Qualifier=str(older))
    check("v2", Qualifier="2")
    check("v3", Qualifier="3")


def test_another_handler(lambda_client: Any, function: Create) -> None:
    scenario = "test_lambda_handler_update"
    name = function(TWO_HANDLERS)

    def check(step: str) -> None:
        assert_answered(lambda_client.invoke(FunctionName=name), scenario, f"invoke_result_handler_{step}", name)

    check("one")
    updated(lambda_client, name, Handler="app.handler_two")
    check("two")
    lambda_client.publish_version(FunctionName=name)
    check("two_postpublish")


def test_an_update_beside_an_invocation_leaves_it_what_it_began_with(
    lambda_client: Any, function: Create, logs_client: Any
) -> None:
    scenario = "test_function_update_during_invoke"
    name = function(UPDATED, Timeout=30, Environment={"Variables": {"VARIANT": "variant-1"}})
    answers: list[dict[str, Any]] = []

    def invoke() -> None:
        event = json.dumps({"sleep": 2, "prefix": "1-sleep"})
        answers.append(lambda_client.invoke(FunctionName=name, Payload=event))

    thread = threading.Thread(target=invoke)
    thread.start()
    # The group is there with its first line.
    while not logs_client.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]:
        time.sleep(0.02)
    updated(lambda_client, name, Environment={"Variables": {"VARIANT": "variant-2"}})
    after = lambda_client.invoke(FunctionName=name, Payload=b'{"sleep": 0, "prefix": "2"}')
    assert json.loads(after["Payload"].read())["function_variant"] == "variant-2"
    thread.join()
    (answer,) = answers
    request = answer["ResponseMetadata"]["RequestId"]
    assert_answered(answer, scenario, "invoke_response_before", name, request_id=request)


@pytest.mark.parametrize(
    ("scenario", "step", "payload"),
    [
        (scenario, step, b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt" if "body" in step else b"\x99\xeb,j\x07\xa1zYh")
        for scenario, steps in RECORDED.items()
        if "encoding_error" in scenario
        for step in steps
    ],
)
def test_payloads_that_are_no_json(
    lambda_client: Any, function: Create, scenario: str, step: str, payload: bytes
) -> None:
    name = function("def handler(event, context):\n    return event\n")
    with pytest.raises(ClientError) as raised:
        lambda_client.invoke(FunctionName=name, Payload=payload)
    assert error_of(raised.value) == without_headers(RECORDED[scenario][step])


def test_the_refusals_of_a_reserve_that_is_used_up(lambda_client: Any, function: Create) -> None:
    name = function("def handler(event, context):\n    return event\n")
    lambda_client.publish_version(FunctionName=name)

    def refused(scenario: str, step: str) -> None:
        with pytest.raises(ClientError) as raised:
            lambda_client.invoke(FunctionName=name)
        assert error_of(raised.value) == without_headers(RECORDED[scenario][step])

    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    refused("test_reserved_concurrency", "exc_no_cap_requestresponse")
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    lambda_client.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1
    )
    refused("test_reserved_provisioned_overlap", "reserved_equals_provisioned_latest_invoke_exc")
    refused("test_reserved_concurrency_async_queue", "too_many_requests_exc")


def error_of(error: ClientError) -> dict[str, Any]:
    return without_headers(error.response)


def without_headers(response: dict[str, Any]) -> dict[str, Any]:
    return {**response, "ResponseMetadata": response["ResponseMetadata"]["HTTPStatusCode"]}


def test_a_response_that_is_too_large(lambda_client: Any, function: Create) -> None:
    name = function("def handler(event, context):\n    return 'x' * (6 * 1024 * 1024 + 100 - 1)\n")
    for step in ("invoke_result", "invoke_result_2"):
        assert_answered(lambda_client.invoke(FunctionName=name), "test_lambda_too_large_response", step, name)


def test_a_time_out(lambda_client: Any, function: Create) -> None:
    name = function("import time\ndef handler(event, context):\n    time.sleep(20)\n", Timeout=1)
    answer = lambda_client.invoke(FunctionName=name)
    request = answer["ResponseMetadata"]["RequestId"]
    message = f"RequestId: {request} Error: Task timed out after 1.00 seconds"
    assert_answered(answer, "test_lambda_invoke_with_timeout", "invoke-result", name, errorMessage=message)


def test_code_that_fails_when_it_is_imported(lambda_client: Any, function: Create) -> None:
    name = function('raise Exception("Runtime startup fails")\n')
    answer = lambda_client.invoke(FunctionName=name)
    found, recorded = seen(answer), recorded_answer("test_lambda_runtime_error", "invocation_error", name)
    # Frames of the interpreter's own differ between versions of Python; the last one is the function's.
    theirs, ours = recorded["Payload"].pop("stackTrace"), found["Payload"].pop("stackTrace")
    assert ours[-1] == theirs[-1].replace("lambda_runtime_error.py", "app.py")
    assert found == recorded
