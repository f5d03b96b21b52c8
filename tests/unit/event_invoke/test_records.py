"""What destinations get, beside what AWS was seen to send."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ingle.domain.event import Condition, Progress, Response
from ingle.event_invoke import records

from .events import THEN, event

BAD = Response(version="$LATEST", payload=b'{"errorMessage":"no","errorType":"E"}', error="Unhandled")
OVER = Progress(due=THEN, attempts=1, condition=Condition.SUCCESS, ended=THEN,
                response=Response(version="$LATEST", payload=b'{"a": 1}'))  # fmt: skip


def test_the_record_of_a_success():
    assert json.loads(records.record(event(payload=b'{"b":  2}'), OVER)) == {
        "version": "1.0",
        "timestamp": "2023-11-14T22:13:20.123Z",
        "requestContext": {
            "requestId": "id-1",
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST",
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"b": 2},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": {"a": 1},
    }


def test_the_record_of_a_failure_names_the_error_and_the_qualifier():
    failed = replace(OVER, condition=Condition.RETRIES_EXHAUSTED, attempts=3, response=replace(BAD, version="7"))
    record = json.loads(records.record(event(qualifier="live"), failed))
    assert record["requestContext"] == {
        "requestId": "id-1", "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:f:live",
        "condition": "RetriesExhausted", "approximateInvokeCount": 3,
    }  # fmt: skip
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "7", "functionError": "Unhandled"}
    assert record["responsePayload"]["errorMessage"] == "no"


@pytest.mark.parametrize("condition", [Condition.AGE_EXCEEDED, Condition.ZERO_RESERVED])
def test_the_record_of_what_never_ran_has_no_response(condition):
    record = json.loads(records.record(event(), Progress(due=THEN, condition=condition, ended=THEN)))
    assert record["requestContext"]["condition"] == condition.value
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert record.keys() == {"version", "timestamp", "requestContext", "requestPayload"}


@pytest.mark.parametrize("payload", ['{"ü": 1e400}', "[1.10, 12345678901234567890]", "null", '"\\ud800"'])
def test_payloads_stand_in_the_record_as_they_are(payload):
    made = records.record(
        event(payload=payload.encode()), replace(OVER, response=replace(BAD, payload=payload.encode()))
    )
    assert made.count(payload.encode()) == 2


@pytest.mark.parametrize(
    ("payload", "text"), [(b"plain", "plain"), (b"", ""), (b"\xff", "�"), (b"NaN", "NaN"), (b'{"a":1}x', '{"a":1}x')]
)
def test_a_response_that_is_no_json_is_a_string(payload, text):
    record = json.loads(records.record(event(), replace(OVER, response=replace(BAD, payload=payload))))
    assert record["responsePayload"] == text


def test_an_event_on_a_bus_tells_how_it_went():
    assert records.detail_type(OVER) == "Lambda Function Invocation Result - Success"
    failed = replace(OVER, condition=Condition.AGE_EXCEEDED)
    assert records.detail_type(failed) == "Lambda Function Invocation Result - Failure"


def test_the_key_of_an_object_has_the_time_and_is_unique():
    assert records.object_key(event(), OVER, "u") == "aws/lambda/async/f/2023/11/14/2023-11-14T22.13.20-u"


@pytest.mark.parametrize(
    ("response", "code", "message"),
    [
        (BAD, "200", "no"),
        (replace(BAD, payload=b'{"errorMessage":"' + "ü".encode() * 600 + b'"}'), "200", "ü" * 512),
        (replace(BAD, payload=b'{"errorMessage":{"a":1}}'), "200", '{"a": 1}'),
        (replace(BAD, payload=b"[]"), "200", None),
        (replace(BAD, payload=b"none"), "200", None),
        (None, "429", "Rate Exceeded."),
    ],
)
def test_a_dead_letter_has_attributes(response, code, message):
    attributes = records.dead_letter_attributes(event(), replace(OVER, response=response))
    assert attributes["RequestID"] == ("String", "id-1")
    assert attributes["ErrorCode"] == ("Number", code)
    assert attributes.get("ErrorMessage", ("String", None)) == ("String", message)
