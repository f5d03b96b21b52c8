"""X-Ray's documents as OpenTelemetry's spans."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.observability.spans import Malformed, Source, read_datagram, spans_of
from otlp import plain

TRACE = "1-5759e988-bd862e3fe1be46a994272793"
ID, PARENT, PART = "53995c3f42cd8ad8", "0123456789abcdef", "fedcba9876543210"
HEAD = b'{"format": "json", "version": 1}\n'


def segment(**more: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "id": ID,
        "trace_id": TRACE,
        "start_time": 1478293361.271,
        "end_time": 1478293361.449,
        **more,
    }


def subsegment(**more: Any) -> dict[str, Any]:
    return segment(type="subsegment", parent_id=PARENT, **more)


def test_a_segment_is_a_span_of_a_server():
    (span,) = spans_of(segment(origin="AWS::Lambda"))
    assert span["traceId"] == "5759e988bd862e3fe1be46a994272793"
    assert (span["spanId"], span["name"], span["kind"]) == (ID, "shop", 2)
    assert "parentSpanId" not in span
    assert "status" not in span
    assert int(span["startTimeUnixNano"]) // 1_000_000 == 1478293361271
    assert int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]) == pytest.approx(178_000_000, abs=2000)
    assert plain(span["attributes"]) == {"aws.xray.origin": "AWS::Lambda"}


def test_subsegments_are_children_of_what_they_are_in():
    inner = {"name": "inner", "id": PART, "start_time": 2, "end_time": 3, "subsegments": []}
    outer, nested = spans_of(subsegment(subsegments=[inner]))
    assert (outer["parentSpanId"], outer["kind"]) == (PARENT, 1)
    assert (nested["parentSpanId"], nested["traceId"], nested["name"]) == (ID, outer["traceId"], "inner")


def test_a_call_of_aws_has_its_attributes():
    (span,) = spans_of(
        subsegment(
            namespace="aws",
            aws={"operation": "Invoke", "function_name": "other", "retries": 0, "resource_names": ["a", "b"]},
            http={"request": {"method": "POST", "url": "http://x/"}, "response": {"status": 200, "content_length": 7}},
        )
    )
    assert span["kind"] == 3
    assert plain(span["attributes"]) == {
        "aws.operation": "Invoke", "aws.function_name": "other", "aws.retries": "0",
        "aws.resource_names": {"values": [{"stringValue": "a"}, {"stringValue": "b"}]},
        "rpc.system": "aws-api", "rpc.service": "shop", "rpc.method": "Invoke", "aws.xray.namespace": "aws",
        "http.request.method": "POST", "url.full": "http://x/", "http.response.status_code": "200",
        "http.response.body.size": "7",
    }  # fmt: skip


def test_annotations_and_metadata_become_attributes_and_take_nobodys_place():
    (span,) = spans_of(
        segment(
            annotations={"user_id": 7, "paid": True, "sum": 1.5, "url.full": "mine", "": "no name"},
            metadata={"default": {"a": [1]}},
            http={"request": {"url": "theirs"}},
            sql={"sanitized_query": "select ?"},
            user="someone",
        )
    )
    assert plain(span["attributes"]) == {
        "user_id": "7", "paid": True, "sum": 1.5, "aws.xray.metadata.default": '{"a":[1]}', "url.full": "theirs",
        "db.query.text": "select ?", "enduser.id": "someone",
    }  # fmt: skip


@pytest.mark.parametrize("flag", ["error", "fault", "throttle"])
def test_what_went_wrong_is_status_and_event(flag: str):
    stack = [{"path": "app.py", "line": 3, "label": "handler"}, {}]
    cause = {"exceptions": [{"id": PART, "type": "ValueError", "message": "as asked", "stack": stack}, 7]}
    (span,) = spans_of(segment(**{flag: True}, cause=cause))
    assert span["status"] == {"code": 2, "message": "as asked"}
    (event,) = span["events"]
    assert event["name"] == "exception"
    assert plain(event["attributes"]) == {
        "exception.type": "ValueError", "exception.message": "as asked",
        "exception.stacktrace": "  at handler (app.py:3)\n  at ? (?:?)",
    }  # fmt: skip
    assert plain(span["attributes"]) == {f"aws.xray.{flag}": True}


def test_a_cause_may_be_the_id_of_an_exception_elsewhere():
    (span,) = spans_of(segment(fault=True, cause=PART))
    assert span["status"] == {"code": 2}


def test_what_is_in_progress_is_no_span_yet_but_its_parts_may_be():
    document = segment(in_progress=True, subsegments=[{"name": "p", "id": PART, "start_time": 1, "end_time": 2}])
    del document["end_time"]
    (span,) = spans_of(document)
    assert (span["name"], span["parentSpanId"]) == ("p", ID)


def nested(depth: int) -> dict[str, Any]:
    part: dict[str, Any] = {"name": "n", "id": ID, "start_time": 1, "end_time": 2}
    return part if depth == 0 else {**part, "subsegments": [nested(depth - 1)]}


@pytest.mark.parametrize(
    "change",
    [
        {"trace_id": "5759e988bd862e3fe1be46a994272793"}, {"trace_id": None}, {"id": "x"}, {"id": ID + "0"},
        {"name": ""}, {"name": 1}, {"start_time": "now"}, {"start_time": -1}, {"start_time": True},
        {"start_time": 1e300}, {"end_time": None}, {"parent_id": 5}, {"type": "subsegment"}, {"subsegments": [1]},
        {"subsegments": [nested(60)]}, {"subsegments": [nested(0)] * 1001},
        {"metadata": {"default": orjson.loads("[" * 500 + "]" * 500)}},
    ],
    ids=lambda change: str(change)[:40],
)  # fmt: skip
def test_other_documents_are_malformed(change: dict[str, Any]):
    with pytest.raises(Malformed):
        spans_of(segment(**change))


def test_a_datagram_is_a_header_and_a_document():
    assert read_datagram(HEAD + b'{"name": "x"}') == {"name": "x"}
    assert read_datagram(b'{"version":1,"format":"json"}\n{}\n') == {}


@pytest.mark.parametrize(
    "datagram",
    [b"", b"\n", b"{}", HEAD, HEAD.strip(), HEAD + b"[]", HEAD + b'{"a": NaN}', HEAD + b"\xff", b"[]\n{}", b"1\n{}",
     b'{"format": "json", "version": 2}\n{}', HEAD + b'{"a": "' + b"x" * 65_536 + b'"}', HEAD + b'{"a": "\\ud800"}',
     HEAD + b"[" * 60_000],
    ids=lambda datagram: repr(datagram[:40]),
)  # fmt: skip
def test_other_datagrams_are_malformed(datagram: bytes):
    with pytest.raises(Malformed):
        read_datagram(datagram)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abz.", max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
MEMBERS = ("aws", "http", "sql", "annotations", "metadata", "cause", "namespace", "origin", "user", "subsegments",
           "error", "type", "parent_id", "resource_arn", "in_progress", "end_time")  # fmt: skip


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=6))
def test_whatever_functions_send_becomes_json_or_is_malformed(members: dict[str, Any]):
    try:
        spans = spans_of(segment(**members))
    except Malformed:
        return
    for span in json.loads(orjson.dumps(spans)):
        for attribute in span["attributes"]:
            ((kind, value),) = attribute["value"].items()
            assert isinstance(value, {"stringValue": str, "intValue": str, "boolValue": bool, "arrayValue": dict}.get(
                kind, float | int
            ))  # fmt: skip


def test_the_resource_is_the_function_that_the_server_knows():
    source = Source(account="111122223333", region="eu-west-1", function="mine", version="7")
    assert plain(source.attributes()) == {
        "service.name": "mine", "cloud.provider": "aws", "cloud.platform": "aws_lambda",
        "cloud.account.id": "111122223333", "cloud.region": "eu-west-1", "faas.name": "mine", "faas.version": "7",
    }  # fmt: skip
