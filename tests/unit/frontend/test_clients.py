"""boto3 clients, unmodified, against a served application."""

from __future__ import annotations

import asyncio
import base64

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError


def client(served, service="lambda", region="eu-west-3", key="123456789012"):
    return boto3.client(
        service,
        endpoint_url=served.url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )


async def test_invoke(served):
    answer = await asyncio.to_thread(client(served).invoke, FunctionName="f", Payload=b"[1]", LogType="Tail")
    assert answer["Payload"].read() == b"[1]"
    assert (answer["StatusCode"], answer["ExecutedVersion"], answer["LogResult"]) == (200, "$LATEST", "eHg=")
    caller, params = served.fakes.calls[0]
    assert (caller.account, caller.region, caller.access_key_id) == ("123456789012", "eu-west-3", "123456789012")
    assert answer["ResponseMetadata"]["RequestId"] == caller.request_id
    assert caller.base_url == served.url
    assert params == {"FunctionName": "f", "Payload": b"[1]", "LogType": "Tail"}


async def test_arn_as_name(served):
    arn = "arn:aws:lambda:eu-west-3:123456789012:function:f:prod"
    await asyncio.to_thread(client(served).invoke, FunctionName=arn)
    assert served.fakes.calls[0][1]["FunctionName"] == arn


async def test_errors(served):
    with pytest.raises(ClientError) as raised:
        await asyncio.to_thread(client(served).get_function, FunctionName="f")
    assert raised.value.response["Error"] == {"Code": "ResourceNotFoundException", "Message": "Function not found: f"}
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert raised.value.response["Type"] == "User"


async def test_two_violations_are_told_together(served):
    with pytest.raises(ClientError) as raised:
        await asyncio.to_thread(client(served).get_function, FunctionName="f!", Qualifier="q!")
    assert raised.value.response["Error"]["Code"] == "ValidationException"
    message = raised.value.response["Error"]["Message"]
    assert message.startswith("2 validation errors detected: Value 'q!' at 'qualifier' failed")
    assert "; Value 'f!' at 'functionName' failed" in message
    assert "Type" not in raised.value.response


async def test_large_package_is_parsed(served):
    content = base64.b64encode(b"p" * 3_000_001)
    answer = await asyncio.to_thread(
        client(served).create_function,
        FunctionName="f",
        Role="arn:aws:iam::123456789012:role/r",
        Code={"ZipFile": content},
    )
    assert answer["CodeSize"] == len(content)


async def test_logs_speak_json(served):
    answer = await asyncio.to_thread(client(served, "logs").describe_log_groups, logGroupNamePrefix="/aws/")
    assert answer["logGroups"] == [{"logGroupName": "/aws/lambda/f", "creationTime": 12}]
    with pytest.raises(ClientError) as raised:
        await asyncio.to_thread(client(served, "logs").delete_log_group, logGroupName="x")
    assert raised.value.response["Error"]["Code"] == "NotImplementedException"


async def test_members_that_the_model_lacks_are_not_answered(served):
    answer = await asyncio.to_thread(client(served).list_functions)
    assert answer["Functions"] == [{"FunctionName": "f", "CodeSize": 3}]
