"""Answers compared, member by member, with recorded ones of AWS (`recorded/functions.json` says whose they are)."""

from __future__ import annotations

from typing import Any

import pytest
from recordings import assert_recorded, assert_recorded_error, scenarios

from ingle.domain.errors import ServiceError
from ingle.invoke.qualifier import resolve

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
    (
        "test_get_function_wrong_region[get_function]",
        "wrong_region_exception",
        "GetFunction",
        {"FunctionName": "arn:aws:lambda:eu-west-1:111111111111:function:F"},
    ),
    (
        "test_ops_on_nonexisting_version[get_function]",
        "version_not_found_exception",
        "GetFunction",
        {"FunctionName": "F", "Qualifier": "1221"},
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


async def test_recorded_refusals_of_updates(plane: Any) -> None:
    async with plane.active():
        with pytest.raises(ServiceError) as raised:
            await plane.call("UpdateFunctionCode", FunctionName="F", ImageUri="r:1")
        assert_recorded_error(raised.value, RECORDED["test_lambda_zip_file_to_image"]["zipfile-to-image-error"])
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=5)
        with pytest.raises(ServiceError) as raised:
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=6)
        recorded = RECORDED["test_lambda_concurrent_config_updates"]["update-during-in-progress-update-exc"]
        assert_recorded_error(raised.value, recorded)


async def test_the_recorded_refusal_of_an_invocation(plane: Any) -> None:
    with pytest.raises(ServiceError) as raised:
        resolve(plane.catalog, plane.CALLER, "doesnotexist", None)
    assert_recorded_error(raised.value, RECORDED["test_invoke_exceptions"]["invoke_function_doesnotexist"])
