"""Configurations of function URLs: AWS's recorded answers, CORS, and what belongs to what."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ingle.domain.errors import ServiceError
from recordings import assert_recorded_error, normal, scenarios

pytestmark = pytest.mark.asyncio

RECORDED = scenarios("function_urls")
ARN = "arn:aws:lambda:us-east-1:111111111111:function:F"
CREATE, UPDATE = "CreateFunctionUrlConfig", "UpdateFunctionUrlConfig"
GET, DELETE, LIST = "GetFunctionUrlConfig", "DeleteFunctionUrlConfig", "ListFunctionUrlConfigs"
VARYING = {"CreationTime", "LastModifiedTime", "FunctionUrl"}


def plain(value: Any) -> Any:
    """An answer without what varies: of that, only that it is there."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value.replace(":lambda-role", ":F") if isinstance(value, str) else value
    found = {key: "*" if key in VARYING else plain(item) for key, item in value.items()}
    return {key: item for key, item in found.items() if value[key] is not None}


def assert_recorded(answer: dict[str, Any], recorded: dict[str, Any]) -> None:
    assert plain(answer) == plain(normal(recorded))


async def refusal(plane: Any, operation: str, **params: Any) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        await plane.call(operation, **{"FunctionName": "F", **params})
    return raised.value


async def with_alias(plane: Any, name: str = "urlalias") -> None:
    await plane.call("CreateAlias", FunctionName="F", Name=name, FunctionVersion="$LATEST")


async def test_recorded_updates(plane: Any) -> None:
    recorded = RECORDED["test_lambda_update_function_url_config"]
    await plane.create()
    created = await plane.call(CREATE, FunctionName="F", AuthType="NONE", InvokeMode="BUFFERED")
    assert_recorded(created, recorded["create_lambda_url_config"])
    assert_recorded(await plane.call(GET, FunctionName="F"), recorded["get_url_config"])
    updated = await plane.call(UPDATE, FunctionName="F", AuthType="NONE", InvokeMode="RESPONSE_STREAM")
    assert_recorded(updated, recorded["modify_lambda_url_config"])
    assert_recorded(await plane.call(GET, FunctionName="F"), recorded["get_url_config_2"])
    updated = await plane.call(UPDATE, FunctionName="F", AuthType="NONE")
    assert_recorded(updated, recorded["modify_lambda_url_config_none"])
    assert_recorded(await plane.call(GET, FunctionName="F"), recorded["get_url_config_3"])


@pytest.mark.parametrize("scenario", ["test_url_config_list_paging", "test_url_config_exceptions"])
async def test_the_recorded_version_and_alias(plane: Any, scenario: str) -> None:
    recorded = RECORDED[scenario]
    settings = {"Handler": "lambda_handler.handler", "Runtime": "nodejs20.x", "Timeout": 30}
    async with plane.active(Environment={"Variables": {}}, **settings):
        recorded["fn_version_result"]["Role"] = plane.ROLE
        published = await plane.call("PublishVersion", FunctionName="F")
        assert_recorded(normal(published), recorded["fn_version_result"])
        alias = await plane.call("CreateAlias", FunctionName="F", Name="urlalias", FunctionVersion="1")
        assert_recorded(normal(alias), recorded["create_alias_result"])


async def test_recorded_lists(plane: Any) -> None:
    recorded = RECORDED["test_url_config_list_paging"]
    assert_recorded_error(await refusal(plane, LIST), recorded["list_function_notfound"])
    await plane.create()
    await with_alias(plane)
    assert_recorded(await plane.call(LIST, FunctionName="F"), recorded["list_all_empty"])
    of_function = await plane.call(CREATE, FunctionName="F", AuthType="NONE")
    assert_recorded(of_function, recorded["url_config_fn"])
    of_alias = await plane.call(CREATE, FunctionName="F", AuthType="NONE", Qualifier="urlalias")
    assert_recorded(of_alias, recorded["url_config_alias"])
    everything = await plane.call(LIST, FunctionName="F")
    assert_recorded(everything, recorded["list_all"])
    first = await plane.call(LIST, FunctionName="F", MaxItems=1)
    rest = await plane.call(LIST, FunctionName="F", MaxItems=1, Marker=first["NextMarker"])
    assert first["FunctionUrlConfigs"] + rest["FunctionUrlConfigs"] == everything["FunctionUrlConfigs"]
    assert "NextMarker" not in rest


@pytest.mark.parametrize(
    ("prefix", "operation"), [("create", CREATE), ("get", GET), ("update", UPDATE), ("delete", DELETE)]
)
async def test_recorded_refusals(plane: Any, prefix: str, operation: str) -> None:
    recorded = RECORDED["test_url_config_exceptions"]
    await plane.create()
    await with_alias(plane)
    auth = {"AuthType": "NONE"} if operation == CREATE else {}
    cases: dict[str, dict[str, Any]] = {
        "name_doesnotexist": {"FunctionName": "doesnotexist"},
        "arn_doesnotexist": {"FunctionName": ARN.replace(":F", ":doesnotexist")},
        "qualifier_alias_doesnotexist": {"Qualifier": "doesnotexist"},
        "qualifier_alias_doesnotmatch_arn": {"FunctionName": f"{ARN}:code", "Qualifier": "live"},
        "config_doesnotexist": {},
    }
    for name, params in cases.items():
        step = recorded.get(f"{prefix}_function_url_config_{name}")
        if isinstance(step, dict):
            assert_recorded_error(await refusal(plane, operation, **auth, **params), step)


async def test_a_second_url(plane: Any) -> None:
    await plane.create()
    await plane.call(CREATE, FunctionName="F", AuthType="NONE")
    error = await refusal(plane, CREATE, AuthType="AWS_IAM")
    assert error.code == "ResourceConflictException"
    assert error.message == (
        f"Failed to create function url config for [functionArn = {ARN}]. Error message:  FunctionUrlConfig exists for "
        "this Lambda function"
    )


async def test_address_and_times(plane: Any) -> None:
    await plane.create()
    created = await plane.call(CREATE, FunctionName="F", AuthType="NONE")
    assert re.fullmatch(r"http://[0-9a-z]{32}\.lambda-url\.us-east-1\.localhost:4566/", created["FunctionUrl"])
    assert re.fullmatch(r"2026-11-23T10:20:30\.45\d{4}Z", created["CreationTime"])
    plane.clock.seconds += 60
    updated = await plane.call(UPDATE, FunctionName="F", AuthType="AWS_IAM")
    assert [updated[key] for key in ("FunctionUrl", "CreationTime")] == [
        created[key] for key in ("FunctionUrl", "CreationTime")
    ]
    assert updated["LastModifiedTime"].startswith("2026-11-23T10:21:30.")
    await plane.call(DELETE, FunctionName="F")
    assert (await refusal(plane, DELETE)).code == "ResourceNotFoundException"
    again = await plane.call(CREATE, FunctionName="F", AuthType="NONE")
    assert again["FunctionUrl"] != created["FunctionUrl"]


async def test_cors_is_kept_as_given_and_cleared_when_empty(plane: Any, another_plane: Any) -> None:
    await plane.create()
    cors = {
        "AllowOrigins": ["https://a.example:8443", "http://localhost"], "AllowMethods": ["GET", "*"],
        "AllowHeaders": [], "MaxAge": 0, "AllowCredentials": False,
    }  # fmt: skip
    created = await plane.call(CREATE, FunctionName="F", AuthType="NONE", Cors=cors)
    shown = {member: value for member, value in created["Cors"].items() if value is not None}
    assert shown == cors
    await plane.call(UPDATE, FunctionName="F", AuthType="AWS_IAM")
    kept = await another_plane(plane).call(GET, FunctionName="F")
    assert (kept["Cors"], kept["AuthType"]) == (created["Cors"], "AWS_IAM")
    assert (await plane.call(UPDATE, FunctionName="F", Cors={}))["Cors"] is None


@pytest.mark.parametrize(
    "cors",
    [
        {"AllowMethods": ["get"]},
        {"AllowMethods": ["TRACE"]},
        {"AllowOrigins": ["example.com"]},
        {"AllowOrigins": ["https://example.com/path"]},
        {"AllowOrigins": ["ftp://example.com"]},
    ],
)
async def test_cors_that_is_refused(plane: Any, cors: dict[str, Any]) -> None:
    await plane.create()
    assert (await refusal(plane, CREATE, AuthType="NONE", Cors=cors)).code == "InvalidParameterValueException"
    assert await plane.call(LIST, FunctionName="F") == {"FunctionUrlConfigs": []}


async def test_a_url_goes_with_its_alias_and_its_function(plane: Any) -> None:
    await plane.create()
    await with_alias(plane)
    for qualifier in ({}, {"Qualifier": "urlalias"}):
        await plane.call(CREATE, FunctionName="F", AuthType="NONE", **qualifier)
    await plane.call("DeleteAlias", FunctionName="F", Name="urlalias")
    await with_alias(plane)
    assert [url["FunctionArn"] for url in (await plane.call(LIST, FunctionName="F"))["FunctionUrlConfigs"]] == [ARN]
    await plane.call("DeleteFunction", FunctionName="F")
    await plane.create()
    assert await plane.call(LIST, FunctionName="F") == {"FunctionUrlConfigs": []}
