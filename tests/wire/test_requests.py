"""Routing and malformed requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle import wire
from ingle.wire import timestamps
from ingle.wire.json_values import decode_base64
from ingle.wire.routes import LabelSlot, Routes, label_slots

LAMBDA = wire.Service.load("lambda")
LOGS = wire.Service.load("logs")
FUNCTIONS = "/2015-03-31/functions"


def parse(method, path, query="", body=b"", headers=None):
    operation = LAMBDA.route(method, path, query)
    return operation.parse(wire.HttpRequest(method=method, path=path, query=query, body=body, headers=headers or {}))


@pytest.mark.parametrize(
    ("method", "path", "query", "name"),
    [
        ("GET", "/2018-10-31/layers", "", "ListLayers"),
        ("GET", "/2018-10-31/layers", "find=LayerVersion&Arn=x", "GetLayerVersionByArn"),
        ("GET", "/2018-10-31/layers/", "Arn=x&find=Other", "ListLayers"),
        ("GET", "/2019-09-30/functions/f/provisioned-concurrency", "Qualifier=1", "GetProvisionedConcurrencyConfig"),
        (
            "GET",
            "/2019-09-30/functions/f/provisioned-concurrency",
            "MaxItems=1&List=ALL",
            "ListProvisionedConcurrencyConfigs",
        ),
        ("GET", "/2019-09-25/functions/f/event-invoke-config/list", "", "ListFunctionEventInvokeConfigs"),
        ("GET", "/2015-03-31/functions", "", "ListFunctions"),
        ("GET", "/2015-03-31/functions/", "", "ListFunctions"),
        ("GET", "/2015-03-31/functions/f/", "", "GetFunction"),
        ("GET", "/2015-03-31/event-source-mappings", "", "ListEventSourceMappings"),
    ],
)
def test_routes(method, path, query, name):
    assert LAMBDA.route(method, path, query).name == name


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", ""),
        ("PATCH", FUNCTIONS),
        ("DELETE", FUNCTIONS + "/"),
        ("GET", "/2015-03-31//f"),
        ("GET", "//"),
    ],
)
def test_unknown_routes(method, path):
    with pytest.raises(wire.UnknownOperation):
        LAMBDA.route(method, path)


@given(st.text(max_size=40))
def test_any_path_is_routed_or_unknown(path):
    try:
        LAMBDA.route("GET", path)
    except wire.UnknownOperation:
        return


def test_labels_are_decoded_after_routing():
    arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af%3A1%2Fdurable-execution%2Fn%2Fi"
    params = parse("GET", f"/2025-12-01/durable-executions/{arn}")
    assert params["DurableExecutionArn"].endswith("function:f:1/durable-execution/n/i")
    assert parse("GET", FUNCTIONS + "/f:$LATEST")["FunctionName"] == "f:$LATEST"


def test_greedy_labels_take_slashes():
    class Model:
        operations: ClassVar = {
            "Put": {"http": {"method": "PUT", "requestUri": "/{Bucket}/{Key+}"}},
            "Tag": {"http": {"method": "PUT", "requestUri": "/{Bucket}/{Key+}/tags/{Name}"}},
        }

    routes = Routes(Model)
    assert routes.find("PUT", "/b/k/l/m", "") == "Put"
    assert routes.find("PUT", "/b/k/l/tags/x", "") == "Tag"
    assert label_slots("/{Bucket}/{Key+}/tags/{Name}") == [
        LabelSlot("Bucket", 0),
        LabelSlot("Key", 1, -2),
        LabelSlot("Name", -1),
    ]


@pytest.mark.parametrize("path", ["/f%ff", "/%c3%28", "/\xff"])
def test_bad_utf8_in_a_label(path):
    with pytest.raises(wire.SerializationFailure):
        parse("GET", FUNCTIONS + path)


@pytest.mark.parametrize(
    "query", ["MaxItems=x", "MaxItems=", "MaxItems=1_0", "MaxItems=%ff", "MaxItems=1.5", "a&" * 2000]
)
def test_bad_queries(query):
    with pytest.raises(wire.SerializationFailure):
        parse("GET", FUNCTIONS, query)


def test_values_in_queries():
    params = parse(
        "GET",
        "/2025-12-01/functions/f/durable-executions",
        "Statuses=RUNNING&Statuses=FAILED&ReverseOrder=true&StartedAfter=2026-01-02T03%3A04%3A05Z&MaxItems=7",
    )
    assert params == {
        "FunctionName": "f",
        "Statuses": ["RUNNING", "FAILED"],
        "ReverseOrder": True,
        "StartedAfter": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "MaxItems": 7,
    }


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"FunctionName":7}', "NUMBER_VALUE can not be converted to a String"),
        (b'{"FunctionName":true}', "TRUE_VALUE can not be converted to a String"),
        (b'{"FunctionName":{}}', "Start of structure or map found where not expected."),
        (b'{"FunctionName":[]}', "Start of list found where not expected"),
        (b'{"Timeout":"3"}', "STRING_VALUE can not be converted to an Integer"),
        (b'{"Timeout":3.5}', "DECIMAL_VALUE can not be converted to an Integer"),
        (b'{"Timeout":99999999999}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"Publish":"true"}', "STRING_VALUE can not be converted to a Boolean"),
        (b'{"Layers":"x"}', "Expected list or null"),
        (b'{"Layers":{}}', "Start of structure or map found where not expected."),
        (b'{"Tags":1}', "Expected map or null"),
        (b'{"Tags":[]}', "Start of list found where not expected"),
        (b'{"Code":[]}', "Start of list found where not expected"),
        (b'{"Code":"x"}', "STRING_VALUE can not be converted to a structure"),
        (b'{"Code":{"ZipFile":7}}', "NUMBER_VALUE can not be converted to a Blob"),
        (b'{"Code":{"ZipFile":"%%%"}}', "Invalid base64"),
        (b'{"Code":{"ZipFile":"YQ"}}', "Invalid base64"),
        (b'{"Code":{"ZipFile":"\xc3\xa9aaa"}}', "Invalid base64"),
        (b"[]", "Start of list found where not expected"),
        (b"7", "NUMBER_VALUE can not be converted to Object"),
        (b"null", "can not be converted to Object"),
        (b'{"FunctionName":', "Could not parse request body into json: Unexpected end-of-input"),
        (b'{"FunctionName":"\xff"}', "Could not parse request body into json: Invalid UTF-8 start byte 0xff"),
    ],
)
def test_wrong_types(body, text):
    with pytest.raises(wire.SerializationFailure) as raised:
        parse("POST", FUNCTIONS, body=body)
    assert text in raised.value.message


def test_nulls_are_absent_and_unknown_members_ignored():
    body = (
        b'{"FunctionName":"f","Role":"arn:aws:iam::123456789012:role/r","Code":{"ZipFile":null},"Timeout":null,"X":1}'
    )
    assert parse("POST", FUNCTIONS, body=body) == {
        "FunctionName": "f",
        "Role": "arn:aws:iam::123456789012:role/r",
        "Code": {},
    }


def test_timestamps_in_bodies_are_epoch_seconds():
    body = b'{"FunctionName":"f","StartingPositionTimestamp":1.5}'
    params = parse("POST", "/2015-03-31/event-source-mappings", body=body)
    assert params["StartingPositionTimestamp"] == datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)
    for bad in (b'"now"', b"1e30", b"true"):
        with pytest.raises(wire.SerializationFailure):
            parse("POST", "/2015-03-31/event-source-mappings", body=body.replace(b"1.5", bad))


@pytest.mark.parametrize("style", [timestamps.UNIX, timestamps.ISO8601, timestamps.RFC822])
@given(st.integers(0, 4_000_000_000))
def test_timestamps_round_trip(style, seconds):
    moment = timestamps.from_epoch(seconds)
    assert timestamps.parse_text(timestamps.format_text(moment, style), style) == moment
    assert timestamps.format_text(seconds, style) == timestamps.format_text(moment, style)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 3 << 18, (3 << 18) + 1, (3 << 19) + 2])
def test_base64_of_any_length(length):
    import base64

    content = bytes(range(256)) * (length // 256 + 1)
    text = base64.b64encode(content[:length]).decode()
    assert decode_base64(text) == content[:length]
    if length > 3 << 18:
        with pytest.raises(wire.SerializationFailure):
            decode_base64(text[: (1 << 20) - 4] + "YQ==" + text[1 << 20 :])
        with pytest.raises(wire.SerializationFailure):
            decode_base64(text[:-1] + "\xe9")


@given(st.binary(max_size=60))
def test_any_body_is_parsed_or_refused(body):
    try:
        parse("POST", FUNCTIONS, body=body)
    except (wire.SerializationFailure, wire.ConstraintViolation):
        return


@pytest.mark.parametrize(
    ("target", "method", "path"),
    [
        ("", "POST", "/"),
        ("Logs_20140328.Nothing", "POST", "/"),
        ("Other.PutLogEvents", "POST", "/"),
        ("Logs_20140328.PutLogEvents", "GET", "/"),
        ("Logs_20140328.PutLogEvents", "POST", "/x"),
    ],
)
def test_unknown_targets(target, method, path):
    protocol = wire.choose_protocol({b"x-amz-target": b"x"})
    with pytest.raises(wire.UnknownOperation):
        LOGS.route(method, path, target=target, protocol=protocol)


def test_protocol_is_chosen_from_the_request():
    assert wire.choose_protocol({}).name == "rest-json"
    assert wire.choose_protocol({b"x-amz-target": b"a.b"}).name == "json-1.1"
    headers = {b"x-amz-target": b"a.b", b"content-type": b"application/x-amz-json-1.0; charset=utf-8"}
    assert wire.choose_protocol(headers).name == "json-1.0"


def test_status_and_empty_answers():
    assert LAMBDA.operation("DeleteAlias").serialize({}).status == 204
    deleted = LAMBDA.operation("DeleteFunction").serialize({"StatusCode": 204})
    assert (deleted.status, deleted.body, deleted.headers) == (204, b"", [])
    accepted = LAMBDA.operation("Invoke").serialize({"StatusCode": 202})
    assert (accepted.status, accepted.body) == (202, b"")
