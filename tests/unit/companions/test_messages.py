"""What results are sent with, against moto."""

from __future__ import annotations

import json

import pytest

from ingle.companions import messages
from ingle.companions.caller import ServiceCaller
from ingle.companions.endpoint import Credentials, Endpoint
from ingle.companions.errors import Refused, Unreachable
from ingle.domain.clock import SystemClock
from mock_aws import MockAws

ATTRIBUTES = {
    "RequestID": ("String", "an-id"),
    "ErrorCode": ("Number", "200"),
    "ErrorMessage": ("String", "größe & co"),
}
TEXT = json.dumps({"a": "größe & co+%=?", "b": "\n\t<x>"}, ensure_ascii=False)


@pytest.fixture(scope="module")
def aws():
    running = MockAws()
    yield running
    running.stop()


@pytest.fixture
def call(aws):
    credentials = Credentials(access_key_id="test", secret_access_key="test", session_token="")

    async def no_pause(seconds):
        pass

    return lambda service, url=aws.url: ServiceCaller(
        service, Endpoint.of(url), credentials, SystemClock(), sleep=no_pause
    )


async def test_a_message_arrives_as_it_was_sent(aws, call):
    queue = aws.queue()
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    await messages.send_message(call("sqs"), queue.arn, TEXT, ATTRIBUTES, trace)
    (message,) = queue.receive()
    assert message["Body"] == TEXT
    assert message["Attributes"]["AWSTraceHeader"] == trace
    assert {
        name: (value["DataType"], value["StringValue"]) for name, value in message["MessageAttributes"].items()
    } == ATTRIBUTES


async def test_a_message_without_attributes(aws, call):
    queue = aws.queue()
    await messages.send_message(call("sqs"), queue.arn, "[1]", {})
    (message,) = queue.receive()
    assert (message["Body"], message.get("MessageAttributes")) == ("[1]", None)


async def test_a_notification_arrives_with_its_attributes(aws, call):
    queue = aws.queue()
    await messages.publish(call("sns"), aws.topic(queue), TEXT, ATTRIBUTES)
    (message,) = queue.receive()
    assert message["Body"] == TEXT
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "größe & co"
    assert message["MessageAttributes"]["ErrorCode"]["DataType"] == "Number"


async def test_an_event_on_a_bus_arrives_through_its_rule(aws, call):
    queue = aws.queue()
    entry = {"Source": "lambda", "DetailType": "d", "Detail": TEXT, "Resources": ["arn:a"], "Time": 1_700_000_000.123}
    await messages.put_event(call("events"), aws.bus(queue), entry)
    (message,) = queue.receive()
    event = json.loads(message["Body"])
    assert (event["source"], event["detail-type"], event["resources"]) == ("lambda", "d", ["arn:a"])
    assert event["detail"] == json.loads(TEXT)


async def test_an_object_is_there(aws, call):
    bucket, key, body = aws.bucket(), "aws/lambda/async/f/a b+ü", TEXT.encode() * 20_000
    await messages.put_object(call("s3"), bucket, key, body, region="us-east-1")
    found = aws.s3.get_object(Bucket=bucket, Key=key)
    assert (found["Body"].read(), found["ContentType"]) == (body, "application/json")


async def test_what_is_not_there_is_refused_in_the_words_of_its_service(aws, call):
    with pytest.raises(Refused) as raised:
        await messages.send_message(call("sqs"), "arn:aws:sqs:us-east-1:123456789012:absent", "1", {})
    assert "NonExistentQueue" in raised.value.code or "QueueDoesNotExist" in raised.value.code
    with pytest.raises(Refused) as raised:
        await messages.publish(call("sns"), "arn:aws:sns:us-east-1:123456789012:absent", "1", {})
    assert raised.value.code in ("NotFound", "NotFoundException")
    with pytest.raises(Refused) as raised:
        await messages.put_object(call("s3"), "absent-bucket", "k", b"1", region="us-east-1")
    assert raised.value.code == "NoSuchBucket"


async def test_what_does_not_answer_is_named(call):
    with pytest.raises(Unreachable, match=r"EventBridge at http://127\.0\.0\.1:1 cannot be used"):
        await messages.put_event(call("events", "http://127.0.0.1:1"), "arn:aws:events:us-east-1:1:event-bus/b", {})
