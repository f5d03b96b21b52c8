"""CreateFunction: what is validated, in which order, and what a new function is."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.domain.caller import Caller
from ingle.domain.errors import (
    AccessDenied,
    CodeStorageExceeded,
    InvalidParameterValue,
    NotImplementedByIngle,
    RequestEntityTooLarge,
    ResourceConflict,
    ResourceNotFound,
    ServiceError,
    ValidationError,
)
from ingle.domain.function import State

pytestmark = pytest.mark.asyncio

ARN = "arn:aws:lambda:us-east-1:111111111111:function"


async def test_a_new_function_has_the_defaults(plane: Any) -> None:
    created = await plane.create()
    assert created["FunctionArn"] == f"{ARN}:F"
    assert (created["Timeout"], created["MemorySize"], created["Description"]) == (3, 128, "")
    assert created["EphemeralStorage"] == {"Size": 512}
    assert created["Architectures"] == ["x86_64"]
    assert created["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/F"}
    assert created["LastModified"] == "2026-11-23T10:20:30.456+0000"
    assert (created["State"], created["StateReasonCode"]) == ("Pending", "Creating")
    assert not {"Environment", "VpcConfig", "LastUpdateStatus", "Layers"} & created.keys()
    assert created["CodeSize"] == len(plane.ZIP)


@pytest.mark.parametrize("given", [{}, {"Variables": {}}])
async def test_an_empty_environment_is_echoed(plane: Any, given: dict[str, Any]) -> None:
    assert (await plane.create(Environment=given))["Environment"] == {"Variables": {}}


@pytest.mark.parametrize("name", [f"{ARN}:F", "111111111111:function:F", "function:F"])
async def test_an_arn_as_name_makes_the_function_it_names(plane: Any, name: str) -> None:
    created = await plane.create(name)
    assert (created["FunctionName"], created["FunctionArn"]) == ("F", f"{ARN}:F")


async def test_a_name_exists_once(plane: Any) -> None:
    await plane.create()
    with pytest.raises(ResourceConflict, match=r"^Function already exist: F$"):
        await plane.create()


async def test_a_name_exists_once_for_each_account_and_region(plane: Any) -> None:
    await plane.create()
    elsewhere = await plane.create(caller=Caller(account="111111111111", region="eu-west-1"))
    assert elsewhere["FunctionArn"].startswith("arn:aws:lambda:eu-west-1:")
    await plane.create(caller=Caller(account="222222222222", region="us-east-1"))


BAD_REQUESTS: list[tuple[dict[str, Any], type[ServiceError], str | None]] = [
    (
        {"FunctionName": "a" * 65},
        InvalidParameterValue,
        f"1 validation error detected: Value '{'a' * 65}' at 'functionName' failed to satisfy constraint: "
        "Member must have length less than or equal to 64",
    ),
    (
        {"FunctionName": "arn:aws:lambda:ap-southeast-1:111111111111:function:F"},
        ResourceNotFound,
        "Functions from 'ap-southeast-1' are not reachable in this region ('us-east-1')",
    ),
    ({"FunctionName": "arn:aws:lambda:us-east-1:222222222222:function:F"}, AccessDenied, None),
    ({"FunctionName": "F:1"}, InvalidParameterValue, "A function name with a version or an alias cannot be created."),
    (
        {"Runtime": None},
        InvalidParameterValue,
        "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
    ),
    (
        {"Handler": None},
        InvalidParameterValue,
        "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
    ),
    (
        {"Runtime": "go1.x"},
        InvalidParameterValue,
        "The runtime parameter of go1.x is no longer supported for creating or updating AWS Lambda functions. We "
        "recommend you use a supported runtime while creating or updating functions.",
    ),
    (
        {"Timeout": 901, "MemorySize": 10241},
        ValidationError,
        "2 validation errors detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value "
        "less than or equal to 900; Value '10241' at 'memorySize' failed to satisfy constraint: Member must have value "
        "less than or equal to 10240",
    ),
    (
        {"EphemeralStorage": {"Size": 10241}},
        ValidationError,
        "1 validation error detected: Value '10241' at 'ephemeralStorage.size' failed to satisfy constraint: Member "
        "must have value less than or equal to 10240",
    ),
    (
        {"Environment": {"Variables": {"AWS_REGION": "x", "MINE": "y", "LAMBDA_TASK_ROOT": "z"}}},
        InvalidParameterValue,
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: "
        "AWS_REGION, LAMBDA_TASK_ROOT",
    ),
    (
        {"LoggingConfig": {"ApplicationLogLevel": "DEBUG"}},
        InvalidParameterValue,
        'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the '
        'LogFormat to "JSON" and try again.',
    ),
    (
        {"SnapStart": {"ApplyOn": "PublishedVersions"}, "Runtime": "python3.11"},
        InvalidParameterValue,
        "python3.11 is not supported for SnapStart enabled functions.",
    ),
    ({"Code": {}}, InvalidParameterValue, "Please provide a source for function code."),
    ({"Code": {"S3Bucket": "bucket"}}, InvalidParameterValue, "Please provide a source for function code."),
    ({"Code": {"ZipFile": b""}}, InvalidParameterValue, "Uploaded file must be a non-empty zip"),
    (
        {"Code": {"ZipFile": b"x", "S3Bucket": "bucket", "S3Key": "key"}},
        InvalidParameterValue,
        "Please do not provide other FunctionCode parameters when providing a ZipFile.",
    ),
    (
        {"Code": {"ZipFile": bytes(52_428_801)}},
        RequestEntityTooLarge,
        "Zipped size must be smaller than 52428800 bytes",
    ),
    (
        {"Code": {"ZipFile": b"not a zip"}},
        InvalidParameterValue,
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    ),
    (
        {"Code": {"ZipFile": b"broken"}},
        InvalidParameterValue,
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    ),
    (
        {"Code": {"ZipFile": b"bomb"}},
        InvalidParameterValue,
        "Unzipped size must be smaller than 262144000 bytes",
    ),
    (
        {"PackageType": "Image"},
        InvalidParameterValue,
        "Please provide ImageUri when creating a function with packageType Image.",
    ),
    (
        {"Code": {"ImageUri": "repository:latest"}},
        InvalidParameterValue,
        "Please don't provide ImageUri when creating a function with packageType Zip.",
    ),
]


@pytest.mark.parametrize(("params", "error", "message"), BAD_REQUESTS)
async def test_a_bad_request_gets_the_error_of_aws_and_leaves_nothing(
    plane: Any, params: dict[str, Any], error: type[ServiceError], message: str | None
) -> None:
    name = params.get("FunctionName", "F")
    rest = {key: value for key, value in params.items() if key != "FunctionName"}
    with pytest.raises(ServiceError) as raised:
        await plane.create(name, **rest)
    assert (type(raised.value), raised.value.message) == (error, message)
    assert not plane.store.functions
    assert not plane.packages.kept


VARIABLE_ROOM = 4096 - len('{"LARGE_VAR":""}')


async def test_variables_of_exactly_4096_bytes_fit(plane: Any) -> None:
    variables = {"LARGE_VAR": "x" * VARIABLE_ROOM}
    assert (await plane.create(Environment={"Variables": variables}))["Environment"] == {"Variables": variables}


@pytest.mark.parametrize("value", ["x" * (VARIABLE_ROOM + 1), "ä" * (VARIABLE_ROOM // 2 + 1)])
async def test_variables_over_4096_bytes_of_utf8_do_not_fit(plane: Any, value: str) -> None:
    with pytest.raises(InvalidParameterValue) as raised:
        await plane.create(Environment={"Variables": {"LARGE_VAR": value}})
    assert raised.value.message == (
        "Lambda was unable to configure your environment variables because the environment variables you have "
        f'provided exceeded the 4KB limit. String measured: {{"LARGE_VAR":"{value}"}}'
    )


UNSUPPORTED: list[tuple[dict[str, Any], str]] = [
    ({"PackageType": "Image", "Code": {"ImageUri": "r:1"}, "Runtime": None, "Handler": None}, "PackageType"),
    ({"DurableConfig": {"ExecutionTimeout": 5}}, "DurableConfig"),
    ({"CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {}}}, "CapacityProviderConfig"),
    ({"AcceleratorConfig": {"AcceleratorMemorySize": 1}}, "AcceleratorConfig"),
    ({"Runtime": "custom"}, "Runtime custom"),
]


@pytest.mark.parametrize(("params", "named"), UNSUPPORTED)
async def test_a_setting_without_effect_is_refused_by_name(plane: Any, params: dict[str, Any], named: str) -> None:
    with pytest.raises(NotImplementedByIngle, match=f"CreateFunction with {named} "):
        await plane.create(**params)
    assert not plane.store.functions
    assert not plane.packages.kept


async def test_settings_that_ask_for_nothing_are_accepted(plane: Any) -> None:
    created = await plane.create(
        Publish=False,
        PackageType="Zip",
        Layers=[],
        VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
        FileSystemConfigs=[],
        KMSKeyArn="",
        DeadLetterConfig={"TargetArn": ""},
        SnapStart={"ApplyOn": "None"},
        TracingConfig={"Mode": "PassThrough"},
        Tags={},
        ImageConfig={},
        LoggingConfig={"LogFormat": "Text"},
    )
    assert not {"Layers", "VpcConfig", "FileSystemConfigs", "KMSKeyArn", "DeadLetterConfig"} & created.keys()


async def test_a_log_group_of_ones_own_is_kept(plane: Any) -> None:
    created = await plane.create(LoggingConfig={"LogGroup": "/mine"})
    assert created["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/mine"}


async def test_a_bad_value_is_told_before_what_is_not_implemented(plane: Any) -> None:
    with pytest.raises(ValidationError):
        await plane.create(PublishTo="LATEST_PUBLISHED", Timeout=901)


async def test_a_commit_that_fails_changes_nothing(plane: Any) -> None:
    plane.store.failing = True
    with pytest.raises(OSError, match="disk full"):
        await plane.create()
    assert list(plane.catalog) == []
    assert not plane.packages.kept


async def test_the_account_has_a_limit_for_code(plane: Any) -> None:
    plane.quota.limit = len(plane.ZIP)
    await plane.create()
    with pytest.raises(CodeStorageExceeded):
        await plane.create("G")


async def test_the_catalog_has_the_function_before_the_answer(plane: Any) -> None:
    await plane.create()
    (function,) = list(plane.catalog)
    assert function.latest.state is State.PENDING
    assert function.serving is None


async def test_account_settings_count_what_is_there(plane: Any) -> None:
    await plane.create()
    await plane.create("G")
    settings = await plane.call("GetAccountSettings")
    assert settings["AccountUsage"] == {"TotalCodeSize": 2 * len(plane.ZIP), "FunctionCount": 2}
    assert settings["AccountLimit"] == {
        "TotalCodeSize": 80530636800,
        "CodeSizeUnzipped": 262144000,
        "CodeSizeZipped": 52428800,
        "ConcurrentExecutions": 1000,
        "UnreservedConcurrentExecutions": 1000,
    }
