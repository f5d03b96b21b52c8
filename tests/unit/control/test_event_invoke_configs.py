"""Settings of asynchronous invocation: what they are of, what they may say, and AWS's recorded answers about them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingle.domain.errors import ServiceError
from recordings import assert_recorded, assert_recorded_error, scenarios

pytestmark = pytest.mark.asyncio

RECORDED = scenarios("event_invoke_configs")
ARN = "arn:aws:lambda:us-east-1:111111111111:function:F"
QUEUE = "arn:aws:sqs:us-east-1:111111111111:queue"
BUCKET = "arn:aws:s3:::bucket"
PUT, UPDATE = "PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig"
GET, DELETE = "GetFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig"
LIST = "ListFunctionEventInvokeConfigs"


async def refusal(plane: Any, operation: str, **params: Any) -> tuple[str, str | None]:
    with pytest.raises(ServiceError) as raised:
        await plane.call(operation, **{"FunctionName": "F", **params})
    return raised.value.code, raised.value.message


def present(answer: dict[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in answer.items() if value is not None}


@pytest.mark.parametrize("scenario", [name for name in RECORDED if name.startswith(("test_assess", "test_lambda"))])
async def test_recorded_answers(plane: Any, scenario: str) -> None:
    text = json.dumps(RECORDED[scenario]["put_function_event_invoke_config"])
    recorded = json.loads(text.replace("<resource:1>", "queue").replace("<resource:2>", "F"))
    await plane.create()
    retries = {key: recorded[key] for key in ("MaximumRetryAttempts",) if key in recorded}
    to = {"OnSuccess": {"Destination": QUEUE}, "OnFailure": {"Destination": QUEUE}}
    assert_recorded(present(await plane.call(PUT, FunctionName="F", DestinationConfig=to, **retries)), recorded)


async def test_recorded_refusals(plane: Any) -> None:
    await plane.create()
    wrong_region = ARN.replace("us-east-1", "eu-west-1")
    for scenario, step, params in (
        ("test_get_function_wrong_region", "wrong_region_exception", {"FunctionName": wrong_region}),
        ("test_ops_on_nonexisting_version", "version_not_found_exception", {"FunctionName": "F", "Qualifier": "1221"}),
    ):
        with pytest.raises(ServiceError) as raised:
            await plane.call(GET, **params)
        assert_recorded_error(raised.value, RECORDED[f"{scenario}[get_function_event_invoke_config]"][step])


async def test_put_replaces_and_update_merges(plane: Any) -> None:
    await plane.create()
    put = present(await plane.call(PUT, FunctionName="F", MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60))
    assert put == {
        "LastModified": plane.clock.now(), "FunctionArn": f"{ARN}:$LATEST", "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 60, "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
    }  # fmt: skip
    plane.clock.seconds += 10
    to = {"OnFailure": {"Destination": BUCKET}}
    updated = present(await plane.call(UPDATE, FunctionName="F", DestinationConfig=to))
    shown = {"OnSuccess": {}, **to}
    assert updated == {**put, "LastModified": plane.clock.now(), "DestinationConfig": shown}
    assert present(await plane.call(GET, FunctionName="F")) == updated
    put = present(await plane.call(PUT, FunctionName="F", MaximumRetryAttempts=1))
    assert "MaximumEventAgeInSeconds" not in put
    assert put["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}


async def test_function_version_and_alias_have_their_own_which_go_with_them(plane: Any) -> None:
    async with plane.active():
        await plane.call("PublishVersion", FunctionName="F")
        await plane.call("CreateAlias", FunctionName="F", Name="live", FunctionVersion="$LATEST")
        for number, qualifier in enumerate((None, "1", "live")):
            of = {} if qualifier is None else {"Qualifier": qualifier}
            await plane.call(PUT, FunctionName="F", MaximumRetryAttempts=number, **of)
        first = await plane.call(LIST, FunctionName="F", MaxItems=2)
        rest = await plane.call(LIST, FunctionName="F", Marker=first["NextMarker"])
        found = first["FunctionEventInvokeConfigs"] + rest["FunctionEventInvokeConfigs"]
        assert [(one["FunctionArn"], one["MaximumRetryAttempts"]) for one in found] == [
            (f"{ARN}:$LATEST", 0), (f"{ARN}:1", 1), (f"{ARN}:live", 2),
        ]  # fmt: skip
        await plane.call("DeleteAlias", FunctionName="F", Name="live")
        await plane.call("DeleteFunction", FunctionName="F", Qualifier="1")
        await plane.call(DELETE, FunctionName="F")
        assert await plane.call(LIST, FunctionName="F") == {"FunctionEventInvokeConfigs": []}


async def test_what_is_absent(plane: Any) -> None:
    none = ("ResourceNotFoundException", f"The function {ARN}:$LATEST doesn't have an EventInvokeConfig")
    for operation in (GET, DELETE):
        assert await refusal(plane, operation) == none
    assert await refusal(plane, UPDATE, MaximumRetryAttempts=1) == none
    assert (await refusal(plane, PUT, MaximumRetryAttempts=1))[0] == "ResourceNotFoundException"
    assert (await refusal(plane, LIST))[0] == "ResourceNotFoundException"
    await plane.create()
    assert (await refusal(plane, PUT, MaximumRetryAttempts=1, Qualifier="9"))[0] == "ResourceNotFoundException"
    assert await refusal(plane, UPDATE, MaximumRetryAttempts=1) == none
    assert (await refusal(plane, PUT))[0] == "InvalidParameterValueException"


@pytest.mark.parametrize(
    ("success", "failure", "accepted"),
    [
        (QUEUE, None, True),
        ("arn:aws:sns:us-east-1:111111111111:topic", BUCKET, True),
        ("arn:aws:events:us-east-1:111111111111:event-bus/default", "", True),
        (ARN.replace(":F", ":other"), ARN.replace(":F", ":other:$LATEST"), True),
        (BUCKET, None, False),
        (f"{QUEUE}.fifo", None, False),
        (None, "arn:aws:sns:us-east-1:111111111111:topic.fifo", False),
        (None, "arn:aws:kinesis:us-east-1:111111111111:stream/s", False),
        (None, "kafka://topic", False),
        (ARN, None, False),
        (f"{ARN}:$LATEST", None, False),
        (None, ARN.replace(":F", ":nothing"), False),
        (None, ARN.replace(":F", ":other:9"), False),
        (None, ARN.replace("us-east-1", "eu-west-1"), False),
    ],
)
async def test_destinations(plane: Any, success: str | None, failure: str | None, accepted: bool) -> None:
    await plane.create()
    await plane.create("other")
    to = {
        member: {"Destination": arn}
        for member, arn in (("OnSuccess", success), ("OnFailure", failure))
        if arn is not None
    }
    if not accepted:
        assert (await refusal(plane, PUT, DestinationConfig=to))[0] == "InvalidParameterValueException"
        assert await plane.call(LIST, FunctionName="F") == {"FunctionEventInvokeConfigs": []}
        return
    shown = (await plane.call(PUT, FunctionName="F", DestinationConfig=to))["DestinationConfig"]
    assert shown == {
        "OnSuccess": {"Destination": success} if success else {},
        "OnFailure": {"Destination": failure} if failure else {},
    }
