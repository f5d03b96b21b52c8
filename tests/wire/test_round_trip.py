"""Every operation of every service that is served, with botocore as the oracle in both directions."""

from __future__ import annotations

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import pytest
from botocore.awsrequest import HeadersDict
from botocore.eventstream import EventStream

from ingle import wire
from ingle.wire.model import load_model
from ingle.wire.service import REST_JSON

from .oracle import as_sent_by_botocore
from .shapes import Samples

PROTOCOLS = {"lambda": "rest-json", "logs": "json", "resourcegroupstaggingapi": "json"}
MODELS = {name: load_model(name) for name in PROTOCOLS}
LOADER = botocore.loaders.Loader()
ORACLES = {name: botocore.model.ServiceModel(LOADER.load_service_model(name, "service-2"), name) for name in PROTOCOLS}
OPERATIONS = [(service, name) for service, model in MODELS.items() for name in model.operations]
EXCEPTIONS = [(service, shape.name) for service, model in ORACLES.items() for shape in model.error_shapes if shape.name]


def routed(service, request):
    target = request.headers.get(b"x-amz-target", b"").decode()
    protocol = wire.choose_protocol(request.headers)
    return wire.Service.load(service).route(
        request.method, request.path, request.query, target=target, protocol=protocol
    )


class _Raw:
    """A body as botocore's HTTP client hands it over: read as a blob, or streamed as events."""

    def __init__(self, body):
        self.body = body

    def read(self):
        return self.body

    def stream(self):
        yield self.body

    def close(self):
        pass


def as_read_by_botocore(service, response, operation=None):
    model = None if operation is None else ORACLES[service].operation_model(operation)
    shape = None if model is None else model.output_shape
    streaming = model is not None and (model.has_streaming_output or model.has_event_stream_output)
    headers = HeadersDict({name.decode(): value.decode() for name, value in response.headers})
    body = _Raw(response.body) if streaming else response.body
    parser = botocore.parsers.create_parser(PROTOCOLS[service])
    parsed = parser.parse({"status_code": response.status, "headers": headers, "body": body, "context": {}}, shape)
    parsed.pop("ResponseMetadata")
    return {name: _read(value) for name, value in parsed.items()}


def _read(value):
    if isinstance(value, _Raw):
        return value.read()
    return list(value) if isinstance(value, EventStream) else value


@pytest.mark.parametrize("full", [True, False], ids=["full", "required"])
@pytest.mark.parametrize(("service", "name"), OPERATIONS, ids=lambda value: value)
def test_request_of_every_operation_is_read_as_botocore_wrote_it(service, name, full):
    shape = MODELS[service].io_shape(name, "input")
    params = Samples(MODELS[service], full=full).structure(shape)
    request = as_sent_by_botocore(PROTOCOLS[service], ORACLES[service].operation_model(name), params)
    operation = routed(service, request)
    assert operation.name == name
    expected = dict(params)
    if shape.payload and shape.members[shape.payload].shape.type == "structure":
        # botocore writes `{}` for a payload structure that was not given: on the wire they are the same.
        expected.setdefault(shape.payload, {})
    assert operation.parse(request) == expected


@pytest.mark.parametrize("full", [True, False], ids=["full", "required"])
@pytest.mark.parametrize(("service", "name"), OPERATIONS, ids=lambda value: value)
def test_answer_of_every_operation_is_read_by_botocore_as_we_meant_it(service, name, full):
    shape = MODELS[service].io_shape(name, "output")
    result = {} if shape is None else Samples(MODELS[service], full=full).structure(shape)
    protocol = REST_JSON if service == "lambda" else wire.choose_protocol({b"x-amz-target": b"x"})
    response = wire.Service.load(service).operation(name, protocol).serialize(result)
    parsed = as_read_by_botocore(service, response, name)
    expected = dict(result)
    for member in shape.members.values() if shape else ():
        if member.location == "statusCode":
            expected[member.name] = response.status
        elif member.location is None and parsed.get(member.name) in ([], {}, b""):
            expected.setdefault(member.name, parsed[member.name])
        elif member.wire_name == "Content-Type":
            # The header says what the body is, and another one what the function streams.
            expected[member.name] = "application/vnd.amazon.eventstream"
    assert parsed == expected


@pytest.mark.parametrize("message_member", ["message", "Message"])
@pytest.mark.parametrize(("service", "code"), EXCEPTIONS, ids=lambda value: value)
def test_every_modelled_error_is_read_by_botocore(service, code, message_member):
    protocol = REST_JSON if service == "lambda" else wire.choose_protocol({b"x-amz-target": b"x"})
    response = wire.Service.load(service).error(code, "what happened", message_member, "User", protocol=protocol)
    parsed = as_read_by_botocore(service, response)
    assert parsed["Error"]["Code"] == code
    assert parsed["Error"]["Message"] == "what happened"
    shape = ORACLES[service].shape_for(code)
    modelled = shape.metadata.get("error", {}).get("httpStatusCode")
    assert response.status == (modelled or (500 if MODELS[service].shape(code).raw.get("fault") else 400))


def test_members_of_errors_travel_where_the_model_says():
    response = wire.Service.load("lambda").error(
        "TooManyRequestsException", "Rate exceeded", "message", "User", {"retryAfterSeconds": "3", "Reason": "x"}
    )
    assert (b"retry-after", b"3") in response.headers
    assert response.status == 429
    assert response.body == b'{"message":"Rate exceeded","Type":"User","Reason":"x"}'


def test_a_null_message_is_told_as_null():
    response = wire.Service.load("lambda").error("AccessDeniedException", None, "Message", None, {}, 403)
    assert (response.status, response.body) == (403, b'{"Message":null}')
