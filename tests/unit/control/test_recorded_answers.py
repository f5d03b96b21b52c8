"""Answers compared, member by member, with recorded ones of AWS (`recorded/functions.json` says whose they are)."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import xform_name

from ingle.domain.errors import ServiceError
from ingle.invoke.qualifier import resolve
from recordings import assert_recorded, assert_recorded_error, scenarios

pytestmark = pytest.mark.asyncio

RECORDED = scenarios("functions")


async def test_the_life_of_a_function(plane: Any) -> None:
    recorded = RECORDED["test_function_lifecycle"]
    async with plane.activating():
        created = await plane.create(MemorySize=256, Timeout=5, Environment={"Variables": {}})
        assert_recorded(created, recorded["create_response"])
        await plane.settle()
        assert_recorded(await plane.call("GetFunction", FunctionName="F"), recorded["get_function_response"])
        updated = await plane.call(
            "UpdateFunctionConfiguration",
            FunctionName="F",
            Description="Changed-Description",
            MemorySize=512,
            Timeout=10,
            Environment={"Variables": {"ENV_A": "a"}},
            Runtime="python3.11",
        )
        assert_recorded(updated, recorded["update_func_conf_response"])
        await plane.settle()
        shown = await plane.call("GetFunction", FunctionName="F")
        assert_recorded(shown, recorded["get_function_response_postupdate"])
        updated = await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
        assert_recorded(updated, recorded["update_code_response"])
        await plane.settle()
        shown = await plane.call("GetFunction", FunctionName="F")
        assert_recorded(shown, recorded["get_function_response_postcodeupdate"])
        assert_recorded(await plane.call("DeleteFunction", FunctionName="F"), recorded["delete_response"])
        with pytest.raises(ServiceError) as raised:
            await plane.call("DeleteFunction", FunctionName="F")
        assert_recorded_error(raised.value, recorded["delete_postdelete"])


async def test_the_location_of_code(plane: Any) -> None:
    recorded = RECORDED["test_lambda_code_location_zipfile"]
    async with plane.active(Handler="index.handler") as created:
        assert_recorded(created, recorded["create-response-zip-file"])
        assert_recorded(await plane.call("GetFunction", FunctionName="F"), recorded["get-function-response"])
        updated = await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
        assert_recorded(updated, recorded["update-function-response"])
        shown = await plane.call("GetFunction", FunctionName="F")
        assert_recorded(shown, recorded["get-function-response-updated"])


async def test_the_location_of_code_from_s3(plane: Any) -> None:
    recorded = RECORDED["test_lambda_code_location_s3"]
    plane.objects.found = {("bucket", "k1", None): plane.ZIP, ("bucket", "k2", None): plane.OTHER_ZIP}
    async with plane.activating():
        created = await plane.create(Handler="index.handler", Code={"S3Bucket": "bucket", "S3Key": "k1"})
        assert_recorded(created, recorded["create_response_s3"])
        await plane.settle()
        assert_recorded(await plane.call("GetFunction", FunctionName="F"), recorded["get-function-response"])
        updated = await plane.call("UpdateFunctionCode", FunctionName="F", S3Bucket="bucket", S3Key="k2")
        assert_recorded(updated, recorded["update-function-response"])
        shown = await plane.call("GetFunction", FunctionName="F")
        assert_recorded(shown, recorded["get-function-response-updated"])


LONG_NAME = "a" * 65
ELSEWHERE = "arn:aws:lambda:eu-west-1:111111111111:function:F"
ERRORS: list[tuple[str, str, str, dict[str, Any]]] = [
    (
        "test_delete_on_nonexisting_version",
        "delete_function_response_non_existent",
        "DeleteFunction",
        {"FunctionName": "F"},
    ),
    (
        "test_delete_on_nonexisting_version",
        "delete_function_response_non_existent_with_qualifier",
        "DeleteFunction",
        {"FunctionName": "F", "Qualifier": "1221"},
    ),
    *(
        (
            f"test_get_function_wrong_region[{xform_name(operation)}]",
            "wrong_region_exception",
            operation,
            {"FunctionName": ELSEWHERE},
        )
        for operation in (
            "DeleteFunction",
            "GetFunction",
            "GetFunctionCodeSigningConfig",
            "GetFunctionConcurrency",
            "GetFunctionConfiguration",
            "GetFunctionUrlConfig",
        )
    ),
    *(
        (
            f"test_ops_on_nonexisting_version[{xform_name(operation)}]",
            "version_not_found_exception",
            operation,
            {"FunctionName": "F", "Qualifier": "1221"},
        )
        for operation in ("GetFunction", "GetFunctionConfiguration")
    ),
]


@pytest.mark.parametrize(("scenario", "step", "operation", "params"), ERRORS)
async def test_recorded_errors(plane: Any, scenario: str, step: str, operation: str, params: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as raised:
        await plane.call(operation, **params)
    assert_recorded_error(raised.value, RECORDED[scenario][step])


CREATE_ERRORS: list[tuple[str, str, dict[str, Any]]] = [
    ("test_function_arns", "long_function_name_exc", {"FunctionName": LONG_NAME}),
    (
        "test_function_arns",
        "function_arn_other_account_exc",
        {"FunctionName": "arn:aws:lambda:us-east-1:222222222222:function:F"},
    ),
    (
        "test_function_arns",
        "function_arn_other_region_exc",
        {"FunctionName": "arn:aws:lambda:ap-southeast-1:111111111111:function:F"},
    ),
    ("test_oversized_unzipped_lambda", "invalid_param_exc", {"Code": {"ZipFile": b"bomb"}}),
    ("test_oversized_zipped_create_lambda", "invalid_param_exc", {"Code": {"ZipFile": bytes(52_428_801)}}),
]


@pytest.mark.parametrize(("scenario", "step", "params"), CREATE_ERRORS)
async def test_recorded_errors_of_creation(plane: Any, scenario: str, step: str, params: dict[str, Any]) -> None:
    rest = {key: value for key, value in params.items() if key != "FunctionName"}
    with pytest.raises(ServiceError) as raised:
        await plane.create(params.get("FunctionName", "F"), **rest)
    assert_recorded_error(raised.value, RECORDED[scenario][step])


async def test_the_recorded_refusal_to_become_an_image(plane: Any) -> None:
    recorded = RECORDED["test_lambda_zip_file_to_image"]
    async with plane.active() as created:
        assert_recorded(created, recorded["create-image-response"])

        async def shown(suffix: str) -> None:
            code = await plane.call("GetFunction", FunctionName="F")
            assert_recorded(code, recorded[f"get-function-code-response{suffix}"])
            config = await plane.call("GetFunctionConfiguration", FunctionName="F")
            assert_recorded(config, recorded[f"get-function-config-response{suffix}"])

        await shown("")
        with pytest.raises(ServiceError) as raised:
            await plane.call("UpdateFunctionCode", FunctionName="F", ImageUri="r:1")
        assert_recorded_error(raised.value, recorded["zipfile-to-image-error"])
        await shown("-after-update")


async def test_recorded_refusals_of_updates(plane: Any) -> None:
    async with plane.active(Timeout=30, Environment={"Variables": {}}) as created:
        recorded = RECORDED["test_lambda_concurrent_config_updates"]
        assert_recorded(created, recorded["create-function-response"])
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=5)
        with pytest.raises(ServiceError) as raised:
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=6)
        assert_recorded_error(raised.value, recorded["update-during-in-progress-update-exc"])


@pytest.mark.parametrize(
    ("scenario", "step", "name"),
    [
        ("test_invoke_exceptions", "invoke_function_doesnotexist", "doesnotexist"),
        ("test_get_function_wrong_region[invoke]", "wrong_region_exception", ELSEWHERE),
    ],
)
async def test_the_recorded_refusals_of_an_invocation(plane: Any, scenario: str, step: str, name: str) -> None:
    with pytest.raises(ServiceError) as raised:
        resolve(plane.catalog, plane.CALLER, name, None)
    assert_recorded_error(raised.value, RECORDED[scenario][step])
