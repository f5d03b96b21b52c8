"""Functions that invoke themselves: by the API, by events, and by their own destination."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from mock_aws import wait_until
from served import Server

SELF = """
import boto3, json, os
client = boto3.client("lambda")
def handler(event, context):
    depth = event["depth"] + 1
    if depth > 20:
        return {"depth": depth}
    name, kind = os.environ["AWS_LAMBDA_FUNCTION_NAME"], event.get("kind", "RequestResponse")
    print("depth %d" % depth)
    try:
        answer = client.invoke(FunctionName=name, InvocationType=kind, Payload=json.dumps({**event, "depth": depth}))
    except client.exceptions.RecursiveInvocationException as stopped:
        return {"depth": depth, "stopped": str(stopped)}
    return json.loads(answer["Payload"].read() or b"{}")
"""
PLAIN = "def handler(event, context):\n    print('pass')\n"
Make = Callable[..., str]


def call(client: Any, name: str, **event: Any) -> Any:
    answer = client.invoke(FunctionName=name, Payload=json.dumps({"depth": 0, **event}))
    content = json.loads(answer["Payload"].read())
    if "No module named 'boto3'" in str(content):
        pytest.skip("no boto3 for functions here: ingle runtimes install python3.11")
    assert "FunctionError" not in answer, content
    return content


def lines(logs: Any, name: str, text: str) -> int:
    try:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}", filterPattern=text)
        return sum(len(page["events"]) for page in pages)
    except logs.exceptions.ResourceNotFoundException:
        return 0


def test_a_function_that_calls_itself_is_stopped(lambda_client: Any, function: Make) -> None:
    name = function(SELF, Timeout=60, MemorySize=256)
    found = call(lambda_client, name)
    assert found["depth"] == 16
    assert "recursive loop" in found["stopped"]


def test_a_function_that_may_call_itself_does(lambda_client: Any, function: Make) -> None:
    name = function(SELF, Timeout=60, MemorySize=256)
    lambda_client.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    assert call(lambda_client, name) == {"depth": 21}


def test_events_that_a_function_sends_itself_end_in_its_failure_destination(
    server: Server, lambda_client: Any, logs_client: Any, function: Make
) -> None:
    end = function("def handler(event, context):\n    print('ended ' + event['requestContext']['condition'])\n")
    name = function(SELF, Timeout=60, MemorySize=256)
    arn = lambda_client.get_function_configuration(FunctionName=end)["FunctionArn"]
    lambda_client.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    call(lambda_client, name, kind="Event")
    wait_until(lambda: lines(logs_client, end, '"ended RecursiveInvocation"'))
    # The invocation that began it, and those that its 15 successors made.
    assert lines(logs_client, name, '"depth"') == 16
    metric = {"Namespace": "AWS/Lambda", "MetricName": "RecursiveInvocationsDropped", "Statistics": ["Sum"],
              "Dimensions": [{"Name": "FunctionName", "Value": name}], "Period": 60}  # fmt: skip
    cloudwatch = server.client("cloudwatch")

    def dropped() -> float:
        points = cloudwatch.get_metric_statistics(
            **metric, StartTime=time.time() - 600, EndTime=time.time() + 60
        )  # fmt: skip
        return float(sum(point["Sum"] for point in points["Datapoints"]))

    assert wait_until(dropped) == 1


def test_functions_that_are_each_other_s_destinations_are_a_loop(
    lambda_client: Any, logs_client: Any, function: Make
) -> None:
    end = function("def handler(event, context):\n    print('ended ' + event['requestContext']['condition'])\n")
    there, back = function(PLAIN), function(PLAIN)
    arns = {
        name: lambda_client.get_function_configuration(FunctionName=name)["FunctionArn"] for name in (there, back, end)
    }
    for name, other in ((there, back), (back, there)):
        lambda_client.put_function_event_invoke_config(
            FunctionName=name,
            DestinationConfig={"OnSuccess": {"Destination": arns[other]}, "OnFailure": {"Destination": arns[end]}},
        )
    lambda_client.invoke(FunctionName=there, InvocationType="Event", Payload=b"{}")
    wait_until(lambda: lines(logs_client, end, '"ended RecursiveInvocation"'))
    assert (lines(logs_client, there, '"pass"'), lines(logs_client, back, '"pass"')) == (16, 16)
