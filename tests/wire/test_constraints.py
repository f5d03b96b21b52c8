"""Messages of broken constraints, in AWS's words. Expected texts are recorded answers where there are any."""

from __future__ import annotations

import base64
import json
import warnings

import pytest

from ingle import wire
from ingle.wire.constraints import compile_pattern
from ingle.wire.model import load_model

LAMBDA = wire.Service.load("lambda")
P1 = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
P2 = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
QUALIFIER = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
ROLE = "arn:aws:iam::123456789012:role/r"


def request(name, method, path, query="", body=b"", headers=None):
    message = wire.HttpRequest(method=method, path=path, query=query, body=body, headers=headers or {})
    operation = LAMBDA.route(method, path, query)
    assert operation.name == name
    return operation, message


def violation(*args, **kwargs):
    operation, message = request(*args, **kwargs)
    with pytest.raises(wire.ConstraintViolation) as raised:
        operation.parse(message)
    return raised.value.message


def create(members):
    body = f'{{"FunctionName":"f","Role":"{ROLE}","Code":{{}},{members}}}'.encode()
    return violation("CreateFunction", "POST", "/2015-03-31/functions", body=body)


@pytest.mark.parametrize("name", ["my-function!", "f:1:2", "function:f:$LATEST:extra", "arn:aws:s3:::f", "f\n"])
def test_bad_name(name):
    encoded = name.replace(":", "%3A").replace("\n", "%0A")
    assert violation("GetFunction", "GET", f"/2015-03-31/functions/{encoded}") == (
        f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {P2}"
    )


def test_bad_name_and_missing_members_on_create():
    message = violation("CreateFunction", "POST", "/2015-03-31/functions", body=b'{"FunctionName":"*"}')
    assert message == (
        "3 validation errors detected: Value '*' at 'functionName' failed to satisfy constraint: Member must satisfy "
        f"regular expression pattern: {P1}; Value null at 'role' failed to satisfy constraint: Member must not be "
        "null; Value null at 'code' failed to satisfy constraint: Member must not be null"
    )


def test_length_is_told_before_pattern():
    name = "!" * 141
    message = violation(
        "CreateFunction",
        "POST",
        "/2015-03-31/functions",
        body=f'{{"FunctionName":"{name}","Role":"{ROLE}","Code":{{}}}}'.encode(),
    )
    value = f"Value '{name}' at 'functionName' failed to satisfy constraint: Member must"
    assert message == (
        f"2 validation errors detected: {value} have length less than or equal to 140; "
        f"{value} satisfy regular expression pattern: {P1}"
    )


def test_qualifier_is_told_before_name():
    message = violation("GetFunction", "GET", "/2015-03-31/functions/f!", "Qualifier=invalid-qualifier-with-%3F-char")
    assert message.startswith(
        "2 validation errors detected: Value 'invalid-qualifier-with-?-char' at 'qualifier' failed to satisfy "
        f"constraint: Member must satisfy regular expression pattern: {QUALIFIER}; Value 'f!' at 'functionName'"
    )


def test_qualifier_length():
    message = violation("GetFunction", "GET", "/2015-03-31/functions/f", "Qualifier=" + "q" * 129)
    assert message.endswith(
        "at 'qualifier' failed to satisfy constraint: Member must have length less than or equal to 128"
    )


def test_enum_orders_that_aws_prints():
    assert violation(
        "CreateFunctionUrlConfig",
        "POST",
        "/2021-10-31/functions/f/url",
        body=b'{"AuthType":"NONE","InvokeMode":"UNKNOWN"}',
    ) == (
        "1 validation error detected: Value 'UNKNOWN' at 'invokeMode' failed to satisfy constraint: "
        "Member must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]"
    )
    assert "[Terminate, Allow]" in violation(
        "PutFunctionRecursionConfig", "PUT", "/2024-08-31/functions/f/recursion-config", body=b'{"RecursiveLoop":"x"}'
    )
    assert (
        "'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: "
        "[LATEST, AT_TIMESTAMP, TRIM_HORIZON]"
        in violation(
            "CreateEventSourceMapping",
            "POST",
            "/2015-03-31/event-source-mappings/",
            body=b'{"FunctionName":"f","StartingPosition":"invalid"}',
        )
    )


def test_lists():
    assert create('"Architectures":["x86_64","arm64"]') == (
        "1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: "
        "Member must have length less than or equal to 1"
    )
    assert create('"Architectures":["X"]') == (
        "1 validation error detected: Value '[X]' at 'architectures' failed to satisfy constraint: Member must satisfy "
        "constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
    )
    assert create('"Layers":["arn:aws:lambda:us-east-1:111111111111:layer:x"]') == (
        "1 validation error detected: Value '[arn:aws:lambda:us-east-1:111111111111:layer:x]' at 'layers' failed to "
        "satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 2048, "
        "Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: "
        r"(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:"
        r"[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+), Member must not be null]"
    )
    assert create('"VpcConfig":{"SubnetIds":["bad"]}') == (
        "1 validation error detected: Value '[bad]' at 'vpcConfig.subnetIds' failed to satisfy constraint: Member must "
        "satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than "
        "or equal to 0, Member must satisfy regular expression pattern: subnet-[0-9a-z]*]"
    )
    assert "Value '[null]' at 'layers'" in create('"Layers":[null]')


def test_maps():
    assert create('"Environment":{"Variables":{"1a":"v"}}') == (
        "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys "
        "must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"
    )
    assert create('"Environment":{"Variables":{"ab":null}}') == (
        "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: "
        "Map value must satisfy constraint: [Member must not be null]"
    )


def test_a_value_that_the_model_calls_sensitive_is_in_no_message():
    encrypt = wire.Service.load("kms").operation("Encrypt", wire.choose_protocol({b"x-amz-target": b""}))

    def refused(members):
        body = json.dumps({"KeyId": "k", **members}).encode()
        with pytest.raises(wire.ConstraintViolation) as raised:
            encrypt.parse(wire.HttpRequest(method="POST", path="/", body=body))
        return raised.value.message

    marker = base64.b64encode(b"marker" * 1000).decode()
    prefix = "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must "
    assert refused({"Plaintext": marker}) == prefix + "have length less than or equal to 4096"
    assert refused({}) == prefix + "not be null"


def test_numbers():
    assert create('"MemorySize":127') == (
        "1 validation error detected: Value '127' at 'memorySize' failed to satisfy constraint: "
        "Member must have value greater than or equal to 128"
    )
    assert create('"EphemeralStorage":{"Size":99999}').endswith("less than or equal to 32768")
    assert "'maxItems'" in violation("ListFunctions", "GET", "/2015-03-31/functions/", "MaxItems=10001")


def test_nested_members_and_list_positions():
    assert create('"SnapStart":{"ApplyOn":"invalidOption"}') == (
        "1 validation error detected: Value 'invalidOption' at 'snapStart.applyOn' failed to satisfy constraint: "
        "Member must satisfy enum value set: [PublishedVersions, None]"
    )
    assert create('"CapacityProviderConfig":{}').endswith(
        "Value null at 'capacityProviderConfig.lambdaManagedInstancesCapacityProviderConfig' failed to satisfy "
        "constraint: Member must not be null"
    )
    assert "at 'fileSystemConfigs.1.member.localMountPath' failed" in create('"FileSystemConfigs":[{"Arn":"x"}]')


def test_runtime_is_left_to_the_control_plane():
    body = f'{{"FunctionName":"f","Role":"{ROLE}","Code":{{}},"Runtime":"cobol"}}'.encode()
    operation, message = request("CreateFunction", "POST", "/2015-03-31/functions", body=body)
    assert operation.parse(message)["Runtime"] == "cobol"


def test_tag_patterns_take_letters_of_every_script():
    body = '{"Tags":{"städte":"日本 1"}}'.encode()
    path = "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af"
    operation, message = request("TagResource", "POST", path, body=body)
    assert operation.parse(message)["Tags"] == {"städte": "日本 1"}
    message.body = b'{"Tags":{"a;b":"x"}}'
    with pytest.raises(wire.ConstraintViolation, match="Map keys must satisfy"):
        operation.parse(message)


@pytest.mark.parametrize("service", ["lambda", "logs"])
def test_every_pattern_compiles_and_classes_with_letters_have_digits(service):
    model = load_model(service)
    for shape in (model.shape(name) for name in model._raw_shapes):
        pattern = shape.raw.get("pattern")
        if pattern is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                compile_pattern(pattern)
            if r"\p{L}" in pattern:
                assert r"[\p{L}\p{Z}\p{N}_" in pattern


def test_long_values_do_not_keep_the_matcher_busy():
    body = f'{{"FunctionName":"{"a-" * 500_000}","Role":"{ROLE}","Code":{{}}}}'.encode()
    operation, message = request("CreateFunction", "POST", "/2015-03-31/functions", body=body)
    with pytest.raises(wire.ConstraintViolation, match="1 validation error"):
        operation.parse(message)


@pytest.mark.parametrize("end", ["\n", "\r", "\x85", "\u2028", "\u2029"])
def test_a_dot_is_no_end_of_a_line(end):
    """Java's meaning: what is to become a header has no second line."""
    body = json.dumps({"AuthType": "NONE", "Cors": {"AllowHeaders": [f"a{end}b"]}}).encode()
    message = violation("CreateFunctionUrlConfig", "POST", "/2021-10-31/functions/f/url", body=body)
    assert "'cors.allowHeaders'" in message
    matches = compile_pattern(r"[^.]\..+").fullmatch
    assert [bool(matches(text)) for text in ("a.b", "a..", "..b", "axb", f"a.{end}")] == [
        True,
        True,
        False,
        False,
        False,
    ]
