"""Runtime management, recursion, and dead letter targets."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.domain.errors import ServiceError

pytestmark = pytest.mark.asyncio

ARN = "arn:aws:lambda:us-east-1:111111111111:function:F"
QUEUE = "arn:aws:sqs:us-east-1:111111111111:queue"
OTHER_RUNTIME = "arn:aws:lambda:us-east-1::runtime:" + "0" * 64


async def refusal(plane: Any, operation: str, **params: Any) -> str:
    with pytest.raises(ServiceError) as raised:
        await plane.call(operation, **{"FunctionName": "F", **params})
    return raised.value.code


async def test_runtime_management_of_latest_and_of_a_version(plane: Any, another_plane: Any) -> None:
    async with plane.active() as created:
        await plane.call("PublishVersion", FunctionName="F")
        default = {"UpdateRuntimeOn": "Auto", "FunctionArn": f"{ARN}:$LATEST", "RuntimeVersionArn": None}
        assert await plane.call("GetRuntimeManagementConfig", FunctionName="F") == default
        own = created["RuntimeVersionConfig"]["RuntimeVersionArn"]
        put = await plane.call(
            "PutRuntimeManagementConfig", FunctionName="F", Qualifier="1", UpdateRuntimeOn="Manual",
            RuntimeVersionArn=own,
        )  # fmt: skip
        assert put == {"UpdateRuntimeOn": "Manual", "FunctionArn": f"{ARN}:1", "RuntimeVersionArn": own}
        restarted = another_plane(plane)
        assert await restarted.call("GetRuntimeManagementConfig", FunctionName="F", Qualifier="1") == put
        assert await restarted.call("GetRuntimeManagementConfig", FunctionName="F", Qualifier="$LATEST") == default


async def test_runtime_management_that_is_refused(plane: Any) -> None:
    operation = "PutRuntimeManagementConfig"
    assert await refusal(plane, operation, UpdateRuntimeOn="Auto") == "ResourceNotFoundException"
    async with plane.activating():
        await plane.create()
        assert await refusal(plane, operation, UpdateRuntimeOn="Auto") == "ResourceConflictException"
        await plane.settle()
    for params in (
        {"UpdateRuntimeOn": "Manual"},
        {"UpdateRuntimeOn": "Auto", "RuntimeVersionArn": OTHER_RUNTIME},
        {"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": OTHER_RUNTIME},
    ):
        assert await refusal(plane, operation, **params) == "InvalidParameterValueException"
    assert await refusal(plane, "GetRuntimeManagementConfig", Qualifier="7") == "ResourceNotFoundException"


async def test_recursion(plane: Any, another_plane: Any) -> None:
    for operation in ("GetFunctionRecursionConfig", "PutFunctionRecursionConfig"):
        assert await refusal(plane, operation, RecursiveLoop="Allow") == "ResourceNotFoundException"
    await plane.create()
    assert await plane.call("GetFunctionRecursionConfig", FunctionName="F") == {"RecursiveLoop": "Terminate"}
    put = await plane.call("PutFunctionRecursionConfig", FunctionName="F", RecursiveLoop="Allow")
    assert put == {"RecursiveLoop": "Allow"}
    assert await another_plane(plane).call("GetFunctionRecursionConfig", FunctionName="F") == put
    await plane.call("DeleteFunction", FunctionName="F")
    await plane.create()
    assert await plane.call("GetFunctionRecursionConfig", FunctionName="F") == {"RecursiveLoop": "Terminate"}


async def test_a_dead_letter_target_is_shown_published_and_cleared(plane: Any) -> None:
    async with plane.active(DeadLetterConfig={"TargetArn": QUEUE}) as created:
        assert created["DeadLetterConfig"] == {"TargetArn": QUEUE}
        assert (await plane.call("PublishVersion", FunctionName="F"))["DeadLetterConfig"] == {"TargetArn": QUEUE}
        kept = await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=4)
        assert kept["DeadLetterConfig"] == {"TargetArn": QUEUE}
        await plane.settle()
        cleared = await plane.call("UpdateFunctionConfiguration", FunctionName="F", DeadLetterConfig={"TargetArn": ""})
        assert "DeadLetterConfig" not in cleared


@pytest.mark.parametrize("arn", [f"{QUEUE}.fifo", ARN, "arn:aws:s3:::bucket"])
async def test_dead_letter_targets_that_are_refused(plane: Any, arn: str) -> None:
    with pytest.raises(ServiceError) as raised:
        await plane.create(DeadLetterConfig={"TargetArn": arn})
    assert raised.value.code == "InvalidParameterValueException"


async def test_functions_without_managed_instances_have_no_scaling(plane: Any) -> None:
    bounds = {"MinExecutionEnvironments": 1, "MaxExecutionEnvironments": 5}
    for params in ({"Qualifier": "1"}, {"Qualifier": "$LATEST.PUBLISHED"}):
        for operation in ("GetFunctionScalingConfig", "PutFunctionScalingConfig"):
            refused = await refusal(plane, operation, FunctionScalingConfig=bounds, **params)
            assert refused == "ResourceNotFoundException"
    async with plane.active(Publish=True):
        for operation in ("GetFunctionScalingConfig", "PutFunctionScalingConfig"):
            with pytest.raises(ServiceError, match="isn't supported for Lambda Default functions") as raised:
                await plane.call(operation, FunctionName="F", Qualifier="1", FunctionScalingConfig=bounds)
            assert raised.value.code == "InvalidParameterValueException"
            assert await refusal(plane, operation, Qualifier="2") == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("least", "most"), [(5, 4), (None, 2), (0, 5), (0, None)], ids=["crossed", "below the default", "zero", "none"]
)
async def test_bounds_of_scaling_that_exclude_each_other(plane: Any, least: int | None, most: int | None) -> None:
    given = {"MinExecutionEnvironments": least, "MaxExecutionEnvironments": most}
    bounds = {name: value for name, value in given.items() if value is not None}
    with pytest.raises(ServiceError, match="MinExecutionEnvironments") as raised:
        await plane.call("PutFunctionScalingConfig", FunctionName="F", Qualifier="1", FunctionScalingConfig=bounds)
    assert raised.value.code == "InvalidParameterValueException"
