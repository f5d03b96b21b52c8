"""Code signing configurations and what is bound to them, with AWS's recorded answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingle.domain.caller import Caller
from ingle.domain.errors import ServiceError
from recordings import assert_recorded_error, normal, scenarios

pytestmark = pytest.mark.asyncio

RECORDED = scenarios("code_signing")
ABSENT = "arn:aws:lambda:us-east-1:111111111111:code-signing-config:csc-00000000000000000"
PUBLISHERS = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:111111111111:/signing-profiles/test"]}
NEW = {"Description": "Testing CodeSigning Config", "AllowedPublishers": PUBLISHERS}
ENFORCE = {"UntrustedArtifactOnDeployment": "Enforce"}
WARN = {"UntrustedArtifactOnDeployment": "Warn"}


def assert_recorded(answer: Any, recorded: Any, arn: str) -> None:
    text = json.dumps(recorded).replace("csc-test-doesnotexist", "doesnotexist")
    identity = arn.rpartition(":")[2]
    assert normal(answer) == normal(json.loads(text.replace("<resource:1>", identity)))


async def assert_refused(recorded: dict[str, Any], plane: Any, operation: str, **params: Any) -> None:
    with pytest.raises(ServiceError) as raised:
        await plane.call(operation, **params)
    text = json.dumps(recorded).replace("<csc_arn_invalid>", ABSENT).replace("csc-test-doesnotexist", "doesnotexist")
    assert_recorded_error(raised.value, json.loads(text))


async def refusal(plane: Any, operation: str, **params: Any) -> str:
    with pytest.raises(ServiceError) as raised:
        await plane.call(operation, **params)
    return raised.value.code


async def make(plane: Any, **params: Any) -> str:
    made = await plane.call("CreateCodeSigningConfig", **{**NEW, **params})
    arn: str = made["CodeSigningConfig"]["CodeSigningConfigArn"]
    return arn


async def test_the_recorded_life_of_a_configuration(plane: Any) -> None:
    recorded = RECORDED["test_function_code_signing_config"]
    await plane.create()
    created = await plane.call("CreateCodeSigningConfig", **NEW, CodeSigningPolicies=ENFORCE)
    arn = created["CodeSigningConfig"]["CodeSigningConfigArn"]
    this, both = {"CodeSigningConfigArn": arn}, {"CodeSigningConfigArn": arn, "FunctionName": "F"}
    assert_recorded(created, recorded["create_code_signing_config"], arn)
    for step, operation, params in (
        ("update_code_signing_config", "UpdateCodeSigningConfig", {**this, "CodeSigningPolicies": WARN}),
        ("get_code_signing_config", "GetCodeSigningConfig", this),
        ("put_function_code_signing_config", "PutFunctionCodeSigningConfig", both),
        ("get_function_code_signing_config", "GetFunctionCodeSigningConfig", {"FunctionName": "F"}),
        ("list_functions_by_code_signing_config", "ListFunctionsByCodeSigningConfig", this),
    ):
        assert_recorded(await plane.call(operation, **params), recorded[step], arn)
    (listed,) = (await plane.call("ListCodeSigningConfigs"))["CodeSigningConfigs"]
    assert_recorded(listed, recorded["list_code_signing_configs"], arn)
    assert await refusal(plane, "DeleteCodeSigningConfig", **this) == "ResourceConflictException"
    for step, operation, params in (
        ("delete_function_code_signing_config", "DeleteFunctionCodeSigningConfig", {"FunctionName": "F"}),
        ("delete_code_signing_config", "DeleteCodeSigningConfig", this),
    ):
        assert_recorded(await plane.call(operation, **params), recorded[step], arn)
    assert await refusal(plane, "GetCodeSigningConfig", **this) == "ResourceNotFoundException"


async def test_recorded_refusals(plane: Any) -> None:
    recorded = RECORDED["test_code_signing_not_found_excs"]
    await plane.create()
    arn = await make(plane, CodeSigningPolicies=WARN)
    absent, nobody = {"CodeSigningConfigArn": ABSENT}, {"FunctionName": "doesnotexist"}
    for step, operation, params in (
        ("delete_csc_notfound", "DeleteCodeSigningConfig", absent),
        ("get_csc_invalid", "GetCodeSigningConfig", absent),
        ("update_csc_invalid_csc_arn", "UpdateCodeSigningConfig", {**absent, "Description": "x"}),
        ("update_csc_noupdates", "UpdateCodeSigningConfig", absent),
        ("list_functions_by_csc_invalid_cscarn", "ListFunctionsByCodeSigningConfig", absent),
        ("put_function_csc_invalid_both", "PutFunctionCodeSigningConfig", {**absent, **nobody}),
        ("put_function_csc_invalid_csc_arn", "PutFunctionCodeSigningConfig", {**absent, "FunctionName": "F"}),
        ("put_function_csc_invalid_fnname", "PutFunctionCodeSigningConfig", {"CodeSigningConfigArn": arn, **nobody}),
        ("get_function_csc_nonexistingfn", "GetFunctionCodeSigningConfig", nobody),
        ("delete_function_csc_fnnotfound", "DeleteFunctionCodeSigningConfig", nobody),
    ):
        await assert_refused(recorded[step], plane, operation, **params)
    created = await plane.call("CreateCodeSigningConfig", **NEW, CodeSigningPolicies=ENFORCE)
    arn = created["CodeSigningConfig"]["CodeSigningConfigArn"]
    assert_recorded(created, recorded["create_code_signing_config"], arn)
    for step, operation, params in (
        ("update_csc_noupdate_response", "UpdateCodeSigningConfig", {"CodeSigningConfigArn": arn}),
        ("get_function_csc_fnwithoutcsc", "GetFunctionCodeSigningConfig", {"FunctionName": "F"}),
        ("nothing_to_delete_response", "DeleteFunctionCodeSigningConfig", {"FunctionName": "F"}),
        ("list_functions_by_csc_fnwithoutcsc", "ListFunctionsByCodeSigningConfig", {"CodeSigningConfigArn": arn}),
    ):
        assert_recorded(await plane.call(operation, **params), recorded[step], arn)


async def test_an_update_that_says_nothing_changes_nothing(plane: Any) -> None:
    arn = await make(plane)
    before = await plane.call("GetCodeSigningConfig", CodeSigningConfigArn=arn)
    assert before["CodeSigningConfig"]["CodeSigningPolicies"] == WARN
    plane.clock.seconds += 60
    assert await plane.call("UpdateCodeSigningConfig", CodeSigningConfigArn=arn) == before
    changed = await plane.call("UpdateCodeSigningConfig", CodeSigningConfigArn=arn, Description="other")
    assert changed["CodeSigningConfig"]["LastModified"] != before["CodeSigningConfig"]["LastModified"]
    assert changed["CodeSigningConfig"]["AllowedPublishers"] == PUBLISHERS


async def test_configurations_are_an_account_s_and_a_region_s_own(plane: Any) -> None:
    arn = await make(plane)
    for caller in (
        Caller(account="222222222222", region="us-east-1"),
        Caller(account="111111111111", region="eu-west-1"),
    ):
        assert await plane.call("ListCodeSigningConfigs", caller) == {"CodeSigningConfigs": []}
        with pytest.raises(ServiceError) as raised:
            await plane.call("GetCodeSigningConfig", caller, CodeSigningConfigArn=arn)
        assert raised.value.code == "ResourceNotFoundException"


async def test_a_deleted_function_is_bound_no_more_and_pages_find_the_others(plane: Any, another_plane: Any) -> None:
    arns = sorted([await make(plane) for _ in range(3)])
    first = await plane.call("ListCodeSigningConfigs", MaxItems=2)
    rest = await plane.call("ListCodeSigningConfigs", Marker=first["NextMarker"])
    listed = [config["CodeSigningConfigArn"] for config in first["CodeSigningConfigs"] + rest["CodeSigningConfigs"]]
    assert listed == arns
    for name in ("A", "B", "C"):
        await plane.create(name)
        await plane.call("PutFunctionCodeSigningConfig", FunctionName=name, CodeSigningConfigArn=arns[0])
    await plane.call("DeleteFunction", FunctionName="B")
    plane = another_plane(plane)
    first = await plane.call("ListFunctionsByCodeSigningConfig", CodeSigningConfigArn=arns[0], MaxItems=1)
    rest = await plane.call(
        "ListFunctionsByCodeSigningConfig", CodeSigningConfigArn=arns[0], Marker=first["NextMarker"]
    )
    assert [arn[-1] for arn in first["FunctionArns"] + rest["FunctionArns"]] == ["A", "C"]
