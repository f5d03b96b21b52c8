"""ListEnvironments of Ingle's own service, as its users see it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingle.models import DIRECTORY
from served import refusal, settle

ECHO = "def handler(event, context):\n    return event\n"
HUNGRY = """
kept = []
def handler(event, context):
    kept.append(bytearray(event["mb"] << 20))
    for page in range(0, len(kept[-1]), 4096):
        kept[-1][page] = 1
    if event.get("drop"):
        kept.clear()
    return context.log_stream_name
"""


@pytest.fixture(scope="module")
def client(server):
    return server.client("ingle")


def environments(client, **params):
    return client.list_environments(**params)["Environments"]


def test_an_environment_is_told_from_its_start_on(client, lambda_client, function):
    name = function(ECHO, MemorySize=256)
    assert environments(client, FunctionName=name) == []
    before = time.time()
    for _ in range(3):
        lambda_client.invoke(FunctionName=name, Payload="{}")
    (found,) = environments(client, FunctionName=name)
    assert found["FunctionName"] == name
    assert found["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}:$LATEST"
    assert (found["Version"], found["Runtime"], found["MemorySize"]) == ("$LATEST", "python3.11", 256)
    assert found["Invocations"] == 3
    assert found["State"] in ("idle", "frozen")
    assert found["InitializationType"] == "on-demand"
    assert (found["Provisioned"], found["SnapStart"], found["SnapshotTemplate"]) == (False, False, False)
    assert before - 1 <= found["StartedAt"].timestamp() <= found["LastUsedAt"].timestamp() <= time.time()
    assert 0 <= found["Age"] <= time.time() - before + 1
    assert found["LogStreamName"].endswith(found["EnvironmentId"])
    assert found["LogGroupName"] == f"/aws/lambda/{name}"


def test_memory_is_what_it_uses_now_and_used_at_the_most(client, lambda_client, function):
    name = function(HUNGRY, MemorySize=512)
    stream = json.load(lambda_client.invoke(FunctionName=name, Payload='{"mb": 100, "drop": true}')["Payload"])
    (found,) = environments(client, FunctionName=name)
    assert found["LogStreamName"] == stream
    if "MemoryUsed" not in found:
        pytest.skip("no control group counts memory here")
    assert 0 < found["MemoryUsed"] <= found["MemoryPeak"]
    assert found["MemoryPeak"] > 100 << 20
    assert found["MemoryUsed"] < found["MemoryPeak"] - (50 << 20)


def test_a_busy_environment_is_told_to_be(client, lambda_client, function, tmp_path):
    name = function("import time\ndef handler(event, context):\n    time.sleep(event)\n", Timeout=30)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(lambda_client.invoke, FunctionName=name, Payload="5")
        until = time.monotonic() + 20
        while [item["State"] for item in environments(client, FunctionName=name)] != ["busy"]:
            assert time.monotonic() < until
            assert not running.done()
        running.result()


def test_provisioned_environments_are_told_to_be(client, lambda_client, function):
    name = function(ECHO)
    lambda_client.publish_version(FunctionName=name)
    settle(lambda_client, name)
    lambda_client.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=2
    )
    get = lambda_client.get_provisioned_concurrency_config
    while get(FunctionName=name, Qualifier="1")["Status"] == "IN_PROGRESS":
        pass
    found = environments(client, FunctionName=name)
    assert [(item["Version"], item["Provisioned"], item["Invocations"]) for item in found] == [("1", True, 0)] * 2
    assert all(item["InitializationType"] == "provisioned-concurrency" for item in found)
    assert all("LastUsedAt" not in item for item in found)


def test_what_comes_from_a_snapshot_is_told_to(client, lambda_client, function):
    name = function(ECHO, Runtime="python3.12", SnapStart={"ApplyOn": "PublishedVersions"}, Publish=True)
    lambda_client.get_waiter("published_version_active").wait(
        FunctionName=name, Qualifier="1", WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
    )
    lambda_client.invoke(FunctionName=name, Qualifier="1")
    found = environments(client, FunctionName=name)
    if not any(item["SnapshotTemplate"] for item in found):
        pytest.skip("environments cannot be cloned here")
    told = {(item["SnapshotTemplate"], item["SnapStart"], item["Invocations"], item["Version"]) for item in found}
    assert told == {(True, False, 0, "1"), (False, True, 1, "1")}
    assert {item["InitializationType"] for item in found} == {"snap-start"}


def test_pages_have_every_environment_once(client, lambda_client, function):
    name = function("import time\ndef handler(event, context):\n    time.sleep(0.3)\n")
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: lambda_client.invoke(FunctionName=name), range(5)))
    every = environments(client, FunctionName=name)
    paginator = client.get_paginator("list_environments")
    pages = list(paginator.paginate(FunctionName=name, PaginationConfig={"PageSize": 2}))
    paged = [item["EnvironmentId"] for page in pages for item in page["Environments"]]
    assert paged == [item["EnvironmentId"] for item in every]
    assert len(set(paged)) == len(paged) == 5
    assert [len(page["Environments"]) for page in pages] == [2, 2, 1]
    assert every == sorted(every, key=lambda item: item["StartedAt"])


def test_others_see_nothing_of_it(server, client, lambda_client, function):
    name = function(ECHO)
    lambda_client.invoke(FunctionName=name)
    assert name in {item["FunctionName"] for item in environments(client)}
    assert environments(server.client("ingle", account="222222222222")) == []
    assert environments(server.client("ingle", region="eu-west-1")) == []


def test_what_cannot_be_meant_is_refused(server, client):
    call = server.client("ingle", checking=False).list_environments
    assert refusal(call, FunctionName="nobody") == (
        404, "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody",
    )  # fmt: skip
    assert refusal(call, FunctionName="nobody:1")[:2] == (400, "ValidationException")
    assert refusal(call, MaxResults=0)[:2] == (400, "ValidationException")
    assert refusal(call, MaxResults=1001)[:2] == (400, "ValidationException")
    assert refusal(call, MaxResults="3")[:2] == (400, "SerializationException")
    assert refusal(call, NextToken="?")[:2] == (400, "InvalidParameterValueException")
    there = "arn:aws:lambda:eu-west-1:000000000000:function:f"
    assert refusal(call, FunctionName=there)[:2] == (404, "ResourceNotFoundException")
    theirs = "arn:aws:lambda:us-east-1:222222222222:function:f"
    assert refusal(call, FunctionName=theirs)[1] == "AccessDeniedException"


def test_plain_boto3_has_the_service_from_its_model(server):
    program = (
        "import boto3, sys\n"
        "found = boto3.client('ingle', endpoint_url=sys.argv[1], region_name='us-east-1').list_environments()\n"
        "print(sorted(found))"
    )
    environ = {
        **os.environ, "AWS_DATA_PATH": str(DIRECTORY), "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"
    }  # fmt: skip
    command = [sys.executable, "-W", "ignore", "-c", program, server.url]
    shown = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "['Environments', 'ResponseMetadata']"
