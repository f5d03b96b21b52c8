"""The protocols of services that speak others than rest-json and JSON 1.1, with botocore as the oracle both ways."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from datetime import UTC, datetime
from urllib.parse import urlencode

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import pytest
from botocore.awsrequest import HeadersDict
from hypothesis import given
from hypothesis import strategies as st

from ingle import wire
from ingle.wire import cbor
from ingle.wire.model import load_model

from .oracle import as_sent_by_botocore
from .shapes import Samples

#: (service, protocol in botocore's words): iam and sts have no other protocol than query.
SPOKEN = [
    ("cloudwatch", "query"),
    ("cloudwatch", "json"),
    ("cloudwatch", "smithy-rpc-v2-cbor"),
    ("resourcegroupstaggingapi", "smithy-rpc-v2-cbor"),
    ("sts", "query"),
    ("iam", "query"),
]
MODELS = {name: load_model(name) for name, _ in SPOKEN}
LOADER = botocore.loaders.Loader()
ORACLES = {name: botocore.model.ServiceModel(LOADER.load_service_model(name, "service-2"), name) for name in MODELS}
OPERATIONS = [(service, protocol, name) for service, protocol in SPOKEN for name in MODELS[service].operations]
EXCEPTIONS = [
    (service, protocol, shape.name) for service, protocol in SPOKEN for shape in ORACLES[service].error_shapes
]
OURS = {
    "query": wire.QUERY,
    "smithy-rpc-v2-cbor": wire.RPC_V2_CBOR,
    "json": wire.choose_protocol({b"x-amz-target": b"x", b"content-type": b"application/x-amz-json-1.0"}),
}


def routed(service, request):
    protocol = wire.choose_protocol(request.headers, request.path, request.query)
    target = protocol.target(request)
    return wire.Service.load(service).route(
        request.method, request.path, request.query, target=target, protocol=protocol
    )


def as_read_by_botocore(service, protocol, response, operation=None):
    parser = botocore.parsers.create_parser(protocol)
    shape = None if operation is None else ORACLES[service].operation_model(operation).output_shape
    headers = HeadersDict({name.decode(): value.decode() for name, value in response.headers})
    raw = {"status_code": response.status, "headers": headers, "body": response.body}
    return parser.parse(raw, shape)


@pytest.mark.parametrize("full", [True, False], ids=["full", "required"])
@pytest.mark.parametrize(("service", "protocol", "name"), OPERATIONS, ids=lambda value: value)
def test_request_is_read_as_botocore_wrote_it(service, protocol, name, full):
    shape = MODELS[service].io_shape(name, "input")
    params = {} if shape is None else Samples(MODELS[service], full=full).structure(shape)
    if protocol == "query" and {} in params.values():
        # A structure without members leaves nothing in a form, not even if it is required.
        params = Samples(MODELS[service], full=True).structure(shape)
    request = as_sent_by_botocore(protocol, ORACLES[service].operation_model(name), params)
    operation = routed(service, request)
    assert operation.name == name
    assert operation.protocol is OURS[protocol]
    assert operation.parse(request) == params


def without_empty(members):
    """Empty lists and structures cannot be told from absent ones in XML."""
    return {name: value for name, value in members.items() if value not in ([], {})}


@pytest.mark.parametrize("full", [True, False], ids=["full", "required"])
@pytest.mark.parametrize(("service", "protocol", "name"), OPERATIONS, ids=lambda value: value)
def test_answer_is_read_by_botocore_as_we_meant_it(service, protocol, name, full):
    shape = MODELS[service].io_shape(name, "output")
    result = {} if shape is None else Samples(MODELS[service], full=full).structure(shape)
    operation = wire.Service.load(service).operation(name, OURS[protocol])
    response = operation.serialize(result)
    operation.protocol.stamp(response, "the-request")
    parsed = as_read_by_botocore(service, protocol, response, name)
    metadata = parsed.pop("ResponseMetadata", {})
    assert metadata.get("RequestId") == ("the-request" if protocol == "query" else None)
    assert without_empty(parsed) == without_empty(result)


@pytest.mark.parametrize(("service", "protocol", "code"), EXCEPTIONS, ids=lambda value: value)
def test_every_modelled_error_is_read_by_botocore_under_the_name_that_query_gives_it(service, protocol, code):
    response = wire.Service.load(service).error(code, "what <happened>", "message", protocol=OURS[protocol])
    OURS[protocol].stamp(response, "the-request")
    parsed = as_read_by_botocore(service, protocol, response)
    modelled = ORACLES[service].shape_for(code).metadata.get("error", {})
    assert parsed["Error"]["Code"] == modelled.get("code", code)
    assert parsed["Error"]["Message"] == "what <happened>"
    if protocol == "query" or "awsQueryCompatible" in MODELS[service].metadata:
        assert parsed["Error"].get("Type", "Sender") == ("Receiver" if response.status >= 500 else "Sender")
    fault = MODELS[service].shape(code).raw.get("fault") if MODELS[service].has_shape(code) else False
    assert response.status == (modelled.get("httpStatusCode") or (500 if fault else 400))
    if protocol == "query":
        assert parsed["ResponseMetadata"]["RequestId"] == "the-request"


def form(**params):
    return wire.HttpRequest(
        method="POST", path="/", headers={b"content-type": b"application/x-www-form-urlencoded"},
        body=urlencode(params).encode(),
    )  # fmt: skip


def parsed(**params):
    request = form(Action="PutMetricData", Version="2010-08-01", Namespace="N", **params)
    return routed("cloudwatch", request).parse(request)


def test_elements_of_lists_are_ordered_by_their_numbers_and_may_leave_some_out():
    found = parsed(**{f"MetricData.member.{n}.MetricName": f"m{n}" for n in (10, 9, 2)})
    assert [datum["MetricName"] for datum in found["MetricData"]] == ["m2", "m9", "m10"]


@pytest.mark.parametrize(
    "params",
    [
        {"MetricData": "text"},
        {"MetricData.member": "text"},
        {"MetricData.member.x.MetricName": "a"},
        {"MetricData.member.1.Value": "many"},
        {"MetricData.member.1.StorageResolution": "1.5"},
        {"MetricData.member.1.StorageResolution": str(2**40)},
        {"MetricData.member.1.Timestamp": "yesterday"},
        {"MetricData.member.1.MetricName.More": "a"},
        {"MetricData.member.1.MetricName": "a", "MetricData.member.1.MetricName.More": "a"},
        {"StrictEntityValidation": "maybe"},
        {".".join(["a"] * 3000): "deep"} | {"MetricData.member.1": "x"},
    ],
)
def test_parameters_that_fit_no_shape_are_refused(params):
    with pytest.raises(wire.SerializationFailure):
        parsed(**params)


def test_a_form_without_an_action_or_with_an_unknown_one_names_no_operation():
    for params in ({}, {"Action": "Nothing", "Version": "2010-08-01"}, {"Action.x": "Nothing"}):
        with pytest.raises(wire.UnknownOperation):
            routed("cloudwatch", form(**params))


def test_services_are_called_in_their_own_protocols_only():
    with pytest.raises(wire.UnknownOperation):
        routed("lambda", form(Action="Invoke", Version="2015-03-31", FunctionName="f"))
    headers = {b"smithy-protocol": b"rpc-v2-cbor"}
    path = "/service/Logs_20140328/operation/DescribeLogGroups"
    with pytest.raises(wire.UnknownOperation):
        routed("logs", wire.HttpRequest(method="POST", path=path, headers=headers))


def test_an_action_may_stand_in_the_query_string():
    request = wire.HttpRequest(method="GET", path="/", query="Action=ListMetrics&Version=2010-08-01&Namespace=N%2F1")
    operation = routed("cloudwatch", request)
    assert (operation.name, operation.parse(request)) == ("ListMetrics", {"Namespace": "N/1"})


def test_a_form_that_goes_to_another_path_is_no_query():
    headers = {b"content-type": b"application/x-www-form-urlencoded"}
    assert wire.choose_protocol(headers, "/2015-03-31/functions/f/invocations") is wire.REST_JSON


def test_constraints_are_checked_in_every_protocol():
    list_metrics = ORACLES["cloudwatch"].operation_model("ListMetrics")
    for protocol in ("query", "json", "smithy-rpc-v2-cbor"):
        request = as_sent_by_botocore(protocol, list_metrics, {"Namespace": "", "MetricName": "m"})
        with pytest.raises(wire.ConstraintViolation, match="at 'namespace' failed to satisfy constraint: Member must "):
            routed("cloudwatch", request).parse(request)


def test_what_xml_cannot_carry_is_replaced():
    operation = wire.Service.load("cloudwatch").operation("ListMetrics", wire.QUERY)
    response = operation.serialize({"NextToken": "a\x00<&>\r\n]]>\ud800"})
    read = as_read_by_botocore("cloudwatch", "query", response, "ListMetrics")
    assert read["NextToken"] == "a\ufffd<&>\r\n]]>\ufffd"


# --- compressed requests --------------------------------------------------------------------------------------------


def compressed(body, encoding=b"gzip"):
    headers = {b"x-amz-target": b"GraniteServiceVersion20100801.PutMetricData", b"content-encoding": encoding}
    return wire.HttpRequest(method="POST", path="/", headers=headers, body=body)


def test_a_compressed_request_is_unpacked_where_the_model_allows_it():
    request = compressed(gzip.compress(b'{"Namespace": "N"}'))
    assert routed("cloudwatch", request).parse(request) == {"Namespace": "N"}


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"no gzip", b"gzip"),
        (gzip.compress(b'{"Namespace": "N"}')[:-9], b"gzip"),
        (zlib.compress(b"{}"), b"deflate"),
        (gzip.compress(b" " * (17 << 20)), b"gzip"),
    ],
    ids=["not gzip", "cut short", "another encoding", "a bomb"],
)
def test_a_request_that_cannot_be_unpacked_is_refused(body, encoding):
    request = compressed(body, encoding)
    with pytest.raises(wire.SerializationFailure):
        routed("cloudwatch", request).parse(request)


# --- CBOR -----------------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
    | st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(VALUES)
def test_cbor_that_is_written_is_read_again(value):
    assert cbor.decode(cbor.encode(value)) == value


@given(st.binary(max_size=64))
def test_bytes_that_are_not_cbor_are_told_so_and_nothing_worse(data):
    with contextlib.suppress(cbor.CborError):
        cbor.decode(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xbf\x61a\x9f\x01\x02\xff\xff", {"a": [1, 2]}),
        (b"\x7f\x61a\x61b\xff", "ab"),
        (b"\x5f\x41a\x41b\xff", b"ab"),
        (b"\xf9\x3c\x00", 1.0),
        (b"\xfa\x3f\x80\x00\x00", 1.0),
        (b"\xc1\x00", datetime(1970, 1, 1, tzinfo=UTC)),
        (b"\xf7", None),
    ],
)
def test_forms_of_cbor_that_others_write_are_read(data, value):
    assert cbor.decode(data) == value


@pytest.mark.parametrize(
    "data",
    [b"", b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", b"\x81" * 100 + b"\x01", b"\x01\x01", b"\xc2\x41a", b"\xa1\x01\x02",
     b"\xc1\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00", b"\xff", b"\x61\xff"],
)  # fmt: skip
def test_cbor_that_lies_is_refused(data):
    with pytest.raises(cbor.CborError):
        cbor.decode(data)
