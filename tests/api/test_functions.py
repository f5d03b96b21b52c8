"""Functions over the API, as boto3 sees them: created, read, listed, updated and deleted on a served instance."""

from __future__ import annotations

import base64
import hashlib
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/lambda-role"
RUNTIME = "python3.11"
SOURCE = "def handler(event, context):\n    return {'version': 1}\n"
CHANGED_SOURCE = "def handler(event, context):\n    return {'version': 2}\n"

ZipOf = Callable[[dict[str, str]], bytes]
Create = Callable[..., dict[str, Any]]


@pytest.fixture
def name() -> str:
    return f"functions-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def create(lambda_client: Any, zip_of: ZipOf) -> Iterator[Create]:
    """CreateFunction with the least that is needed; what it made is deleted afterwards."""
    made: list[str] = []

    def create_function(name: str, **params: Any) -> dict[str, Any]:
        base = {
            "FunctionName": name,
            "Runtime": RUNTIME,
            "Handler": "handler.handler",
            "Role": ROLE,
            "Code": {"ZipFile": zip_of({"handler.py": SOURCE})},
        }
        answer: dict[str, Any] = lambda_client.create_function(**{**base, **params})
        made.append(answer["FunctionName"])
        return answer

    yield create_function
    for function_name in made:
        with suppress(lambda_client.exceptions.ResourceNotFoundException):
            lambda_client.delete_function(FunctionName=function_name)


@pytest.fixture
def active(create: Create, lambda_client: Any, name: str) -> str:
    """The name of an active function."""
    create(name)
    lambda_client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return name


def updated(lambda_client: Any, name: str) -> dict[str, Any]:
    """The configuration of a function once its update has ended well."""
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    configuration: dict[str, Any] = lambda_client.get_function_configuration(FunctionName=name)
    return configuration


def arn_of(name: str, region: str = "us-east-1") -> str:
    return f"arn:aws:lambda:{region}:000000000000:function:{name}"


def error_of(call: Callable[..., Any], **params: Any) -> tuple[int, str, str]:
    """The status, code and text of the error that a call ends in."""
    with pytest.raises(ClientError) as raised:
        call(**params)
    response = raised.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def test_create_answers_a_pending_function(create: Create, lambda_client: Any, name: str) -> None:
    created = create(name)
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (created["State"], created["StateReasonCode"]) == ("Pending", "Creating")
    assert created["StateReason"] == "The function is being created."
    assert "LastUpdateStatus" not in created
    assert created["FunctionArn"] == arn_of(name, lambda_client.meta.region_name)
    assert (created["Version"], created["PackageType"]) == ("$LATEST", "Zip")


def test_a_function_becomes_active(lambda_client: Any, active: str) -> None:
    configuration = lambda_client.get_function(FunctionName=active)["Configuration"]
    assert (configuration["State"], configuration["LastUpdateStatus"]) == ("Active", "Successful")
    assert not {"StateReason", "StateReasonCode"} & configuration.keys()


def test_the_other_waiters_end(lambda_client: Any, active: str) -> None:
    for waiter in ("function_exists", "function_active", "function_updated", "function_updated_v2"):
        lambda_client.get_waiter(waiter).wait(FunctionName=active, WaiterConfig={"Delay": 1})


def test_the_code_can_be_downloaded_as_it_was_given(
    create: Create, lambda_client: Any, name: str, zip_of: ZipOf
) -> None:
    code = zip_of({"handler.py": SOURCE})
    created = create(name, Code={"ZipFile": code})
    digest = base64.b64encode(hashlib.sha256(code).digest()).decode()
    assert (created["CodeSha256"], created["CodeSize"]) == (digest, len(code))
    location = lambda_client.get_function(FunctionName=name)["Code"]
    assert location["RepositoryType"] == "S3"
    with urllib.request.urlopen(location["Location"]) as download:
        assert download.read() == code


def test_the_configuration_is_what_was_given(create: Create, lambda_client: Any, name: str) -> None:
    given = {
        "Description": "what it does",
        "Timeout": 7,
        "MemorySize": 256,
        "EphemeralStorage": {"Size": 1024},
        "Environment": {"Variables": {"KEY": "välue"}},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/mine"},
        "Architectures": ["x86_64"],
    }
    created = create(name, **given)
    assert {member: created[member] for member in given} == given
    shown = lambda_client.get_function_configuration(FunctionName=name)
    assert {member: shown[member] for member in given} == given


def test_an_update_of_code(lambda_client: Any, active: str, zip_of: ZipOf) -> None:
    code = zip_of({"handler.py": CHANGED_SOURCE})
    answer = lambda_client.update_function_code(FunctionName=active, ZipFile=code)
    assert (answer["State"], answer["LastUpdateStatus"]) == ("Active", "InProgress")
    assert answer["LastUpdateStatusReasonCode"] == "Creating"
    after = updated(lambda_client, active)
    assert after["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
    assert after["RevisionId"] != answer["RevisionId"]


def test_a_dry_run_changes_nothing(lambda_client: Any, active: str, zip_of: ZipOf) -> None:
    before = lambda_client.get_function_configuration(FunctionName=active)
    code = zip_of({"handler.py": CHANGED_SOURCE})
    answer = lambda_client.update_function_code(FunctionName=active, ZipFile=code, DryRun=True)
    assert answer["CodeSha256"] != before["CodeSha256"]
    after = lambda_client.get_function_configuration(FunctionName=active)
    assert (after["CodeSha256"], after["RevisionId"]) == (before["CodeSha256"], before["RevisionId"])


def test_an_update_of_the_configuration(lambda_client: Any, active: str) -> None:
    answer = lambda_client.update_function_configuration(
        FunctionName=active, Timeout=11, Environment={"Variables": {"KEY": "new"}}
    )
    assert (answer["Timeout"], answer["LastUpdateStatus"]) == (11, "InProgress")
    after = updated(lambda_client, active)
    assert (after["Timeout"], after["MemorySize"], after["Environment"]) == (11, 128, {"Variables": {"KEY": "new"}})


def test_a_stale_revision_is_refused(lambda_client: Any, active: str) -> None:
    status, code, message = error_of(
        lambda_client.update_function_configuration,
        FunctionName=active,
        Timeout=5,
        RevisionId="00000000-0000-0000-0000-000000000000",
    )
    assert (status, code) == (412, "PreconditionFailedException")
    assert message.startswith("The Revision Id provided does not match the latest Revision Id.")


def test_delete(create: Create, lambda_client: Any, name: str) -> None:
    create(name)
    assert lambda_client.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    missing = (404, "ResourceNotFoundException", f"Function not found: {arn_of(name, lambda_client.meta.region_name)}")
    assert error_of(lambda_client.delete_function, FunctionName=name) == missing
    assert error_of(lambda_client.get_function, FunctionName=name) == missing
    create(name)


def test_a_name_exists_once(create: Create, name: str) -> None:
    create(name)
    assert error_of(create, name=name) == (409, "ResourceConflictException", f"Function already exist: {name}")


@pytest.mark.parametrize("form", ["{name}:$LATEST", "function:{name}", "000000000000:function:{name}", "{arn}"])
def test_every_form_of_a_name_works(create: Create, lambda_client: Any, name: str, form: str) -> None:
    arn = create(name)["FunctionArn"]
    shown = lambda_client.get_function_configuration(FunctionName=form.format(name=name, arn=arn))
    assert shown["FunctionName"] == name
    assert shown["FunctionArn"] == (f"{arn}:$LATEST" if "$LATEST" in form else arn)


def test_a_function_of_another_region_is_not_reachable(lambda_client: Any) -> None:
    region = lambda_client.meta.region_name
    assert error_of(lambda_client.get_function, FunctionName=arn_of("f", "ap-southeast-1")) == (
        404,
        "ResourceNotFoundException",
        f"Functions from 'ap-southeast-1' are not reachable in this region ('{region}')",
    )


def test_regions_are_apart(create: Create, lambda_client: Any, name: str) -> None:
    create(name)
    elsewhere = boto3.client(
        "lambda",
        region_name="eu-west-1" if lambda_client.meta.region_name != "eu-west-1" else "us-east-1",
        endpoint_url=lambda_client.meta.endpoint_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 1}),
    )
    status, code, _ = error_of(elsewhere.get_function, FunctionName=name)
    assert (status, code) == (404, "ResourceNotFoundException")
    listed = elsewhere.get_paginator("list_functions").paginate().build_full_result()["Functions"]
    assert name not in [function["FunctionName"] for function in listed]


def test_lists_come_in_pages_by_name(create: Create, lambda_client: Any, name: str) -> None:
    names = [f"{name}-{letter}" for letter in "cab"]
    for each in names:
        create(each)
    pages = list(lambda_client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    assert all(len(page["Functions"]) <= 2 for page in pages)
    listed = [function for page in pages for function in page["Functions"] if function["FunctionName"] in names]
    assert [function["FunctionName"] for function in listed] == sorted(names)
    for function in listed:
        assert not {"State", "LastUpdateStatus", "RuntimeVersionConfig"} & function.keys()


def test_a_list_of_all_versions_has_qualified_arns(create: Create, lambda_client: Any, name: str) -> None:
    arn = create(name)["FunctionArn"]
    listed = lambda_client.get_paginator("list_functions").paginate(FunctionVersion="ALL").build_full_result()
    assert f"{arn}:$LATEST" in [function["FunctionArn"] for function in listed["Functions"]]


BAD_LISTS: list[tuple[dict[str, Any], str]] = [
    ({"Marker": "garbage"}, "InvalidParameterValueException"),
    ({"MaxItems": 10001}, "ValidationException"),
    ({"FunctionVersion": "SOME"}, "ValidationException"),
]


@pytest.mark.parametrize(("params", "code"), BAD_LISTS)
def test_bad_lists(lambda_client: Any, params: dict[str, Any], code: str) -> None:
    assert error_of(lambda_client.list_functions, **params)[:2] == (400, code)


BAD_FUNCTIONS: list[tuple[dict[str, Any], int, str, str]] = [
    (
        {"Runtime": "PYTHON3.12"},
        400,
        "InvalidParameterValueException",
        "Value PYTHON3.12 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [",
    ),
    (
        {"Runtime": "go1.x"},
        400,
        "InvalidParameterValueException",
        "The runtime parameter of go1.x is no longer supported for creating or updating AWS Lambda functions.",
    ),
    (
        {"Role": "r1"},
        400,
        "ValidationException",
        "1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular "
        r"expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
    ),
    (
        {"Timeout": 901},
        400,
        "ValidationException",
        "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value "
        "less than or equal to 900",
    ),
    (
        {"Code": {"ZipFile": b"this is not a zip"}},
        400,
        "InvalidParameterValueException",
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    ),
    (
        {"Environment": {"Variables": {"AWS_REGION": "x"}}},
        400,
        "InvalidParameterValueException",
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: "
        "AWS_REGION",
    ),
    (
        {"SnapStart": {"ApplyOn": "invalidOption"}},
        400,
        "ValidationException",
        "1 validation error detected: Value 'invalidOption' at 'snapStart.applyOn' failed to satisfy constraint: "
        "Member must satisfy enum value set: [PublishedVersions, None]",
    ),
    (
        {"PublishTo": "LATEST_PUBLISHED"},
        501,
        "NotImplementedException",
        "Ingle does not implement CreateFunction with PublishTo yet.",
    ),
]


@pytest.mark.parametrize(("params", "status", "code", "message"), BAD_FUNCTIONS)
def test_bad_functions(create: Create, name: str, params: dict[str, Any], status: int, code: str, message: str) -> None:
    found_status, found_code, found_message = error_of(create, name=name, **params)
    assert (found_status, found_code) == (status, code)
    assert found_message.startswith(message)


def test_a_long_name_has_an_error_code_of_its_own(create: Create) -> None:
    assert error_of(create, name="a" * 65) == (
        400,
        "InvalidParameterValueException",
        f"1 validation error detected: Value '{'a' * 65}' at 'functionName' failed to satisfy constraint: "
        "Member must have length less than or equal to 64",
    )


def test_account_settings(create: Create, lambda_client: Any, name: str) -> None:
    before = lambda_client.get_account_settings()
    size = create(name)["CodeSize"]
    after = lambda_client.get_account_settings()
    assert after["AccountLimit"]["CodeSizeZipped"] == 52428800
    assert after["AccountUsage"]["FunctionCount"] == before["AccountUsage"]["FunctionCount"] + 1
    assert after["AccountUsage"]["TotalCodeSize"] == before["AccountUsage"]["TotalCodeSize"] + size
