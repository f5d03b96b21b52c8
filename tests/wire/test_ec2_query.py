"""EC2's dialect of the query protocol, with botocore as the oracle both ways."""

from __future__ import annotations

from urllib.parse import urlencode

import botocore.loaders
import botocore.model
import botocore.parsers
import pytest
from botocore.awsrequest import HeadersDict

from ingle import wire
from ingle.wire.model import load_model

from .oracle import as_sent_by_botocore
from .shapes import Samples as SamplesOfModel

MODEL = load_model("ec2")
ORACLE = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ec2", "service-2"), "ec2")
#: All operations, a part of them for each test.
PARTS = [sorted(MODEL.operations)[start::10] for start in range(10)]


class Samples(SamplesOfModel):
    """Of texts without their patterns, which no protocol of EC2's checks."""

    def value(self, shape, depth):
        return "text" if shape.type == "string" and "enum" not in shape.raw else super().value(shape, depth)


def routed(request):
    protocol = wire.choose_protocol(request.headers, request.path, request.query)
    target = protocol.target(request)
    return wire.Service.load("ec2").route(request.method, request.path, request.query, target=target, protocol=protocol)


def as_read_by_botocore(response, operation=None):
    shape = None if operation is None else ORACLE.operation_model(operation).output_shape
    headers = HeadersDict({name.decode(): value.decode() for name, value in response.headers})
    raw = {"status_code": response.status, "headers": headers, "body": response.body}
    return botocore.parsers.create_parser("ec2").parse(raw, shape)


def without_empty(value):
    """Empty lists and structures cannot be told from absent ones in a form."""
    if isinstance(value, list):
        return [without_empty(item) for item in value]
    if isinstance(value, dict):
        kept = {name: without_empty(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in ([], {}, [{}])}
    return value


@pytest.mark.parametrize("full", [True, False], ids=["full", "required"])
@pytest.mark.parametrize("names", PARTS, ids=lambda names: names[0])
def test_requests_of_all_operations_are_read_as_botocore_wrote_them(names, full):
    for name in names:
        shape = MODEL.io_shape(name, "input")
        params = {} if shape is None else without_empty(Samples(MODEL, full=full).structure(shape))
        request = as_sent_by_botocore("ec2", ORACLE.operation_model(name), params)
        operation = routed(request)
        assert operation.name == name
        missing = set(shape.required if shape else ()) - set(params)
        if not missing:
            assert operation.parse(request) == params, name


@pytest.mark.parametrize("full", [True, False], ids=["full", "required"])
@pytest.mark.parametrize("names", PARTS, ids=lambda names: names[0])
def test_answers_of_all_operations_are_read_by_botocore_as_we_meant_them(names, full):
    for name in names:
        shape = MODEL.io_shape(name, "output")
        result = {} if shape is None else Samples(MODEL, full=full).structure(shape)
        operation = wire.Service.load("ec2").operation(name, wire.QUERY)
        response = operation.serialize(result)
        operation.protocol.stamp(response, "the-request")
        parsed = as_read_by_botocore(response, name)
        assert parsed.pop("ResponseMetadata")["RequestId"] == "the-request"
        assert without_empty(parsed) == without_empty(result), name


def test_errors_have_ec2s_form_and_names():
    response = wire.Service.load("ec2").error("InvalidVpcID.NotFound", "no <vpc>", http_status=400, protocol=wire.QUERY)
    wire.QUERY.stamp(response, "the-request")
    parsed = as_read_by_botocore(response)
    assert response.status == 400
    assert parsed["Error"] == {"Code": "InvalidVpcID.NotFound", "Message": "no <vpc>"}
    assert parsed["ResponseMetadata"]["RequestId"] == "the-request"
    refused = wire.Service.load("ec2").error("UnrecognizedClientException", "x", http_status=403, protocol=wire.QUERY)
    assert (refused.status, as_read_by_botocore(refused)["Error"]["Code"]) == (401, "AuthFailure")


def form(**params):
    return wire.HttpRequest(
        method="POST", path="/", headers={b"content-type": b"application/x-www-form-urlencoded"},
        body=urlencode({"Version": "2016-11-15", **params}).encode(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"Action": "DeleteVpc"}, "MissingParameter", "The request must contain the parameter vpcId"),
        ({"Action": "DescribeVpcs", "Vpcs.1": "a"}, "UnknownParameter", "The parameter Vpcs is not recognized"),
        ({"Action": "DescribeVpcs", "MaxResults": "4"}, "InvalidParameterValue",
         r"Value \( 4 \) for parameter maxResults is invalid. Expecting a value greater than or equal to 5."),
        ({"Action": "CreateVpc", "InstanceTenancy": "odd"}, "InvalidParameterValue",
         "Value .odd. for parameter instanceTenancy is invalid"),
    ],
)  # fmt: skip
def test_the_first_parameter_that_is_wrong_is_named(params, code, text):
    request = form(**params)
    with pytest.raises(wire.ConstraintViolation, match=text) as raised:
        routed(request).parse(request)
    assert raised.value.code == code


@pytest.mark.parametrize("params", [{"VpcId": "x"}, {"VpcId.a": "x"}, {"DryRun": "perhaps"}, {"MaxResults": "many"}])
def test_parameters_of_the_wrong_form_are_refused(params):
    request = form(Action="DescribeVpcs", **params)
    with pytest.raises(wire.SerializationFailure):
        routed(request).parse(request)


def test_an_unknown_action_is_named():
    with pytest.raises(wire.UnknownOperation, match="The action Nothing is not valid for this web service"):
        routed(form(Action="Nothing"))


def test_a_large_model_waits_until_it_is_needed():
    service = wire.Service("ec2")
    assert (service.signing_name, service.api_version, service.is_prepared) == ("ec2", "2016-11-15", False)
    assert "DescribeVpcs" in service.operation_names
    assert service.is_prepared
