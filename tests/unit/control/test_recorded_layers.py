"""Answers about layers compared with recorded ones of AWS (`recorded/layers.json`)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingle.domain.errors import ServiceError
from recordings import assert_recorded, assert_recorded_error, scenarios

pytestmark = pytest.mark.asyncio

RECORDED = scenarios("layers")
ARN = "arn:aws:lambda:us-east-1:111111111111:layer"


async def publish(plane: Any, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await plane.call(
        "PublishLayerVersion", LayerName="lambda-role", Content={"ZipFile": plane.ZIP}, **params
    )
    return answer


async def assert_refused(recorded: dict[str, Any], plane: Any, operation: str, **params: Any) -> None:
    with pytest.raises(ServiceError) as raised:
        await plane.call(operation, **params)
    assert_recorded_error(raised.value, recorded)


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_every_runtime_can_be_named_as_compatible(plane: Any, number: int) -> None:
    recorded = RECORDED[f"test_layer_compatibilities[runtimes{number}]"]["publish_result"]
    published = await publish(
        plane, CompatibleRuntimes=recorded["CompatibleRuntimes"], CompatibleArchitectures=["arm64", "x86_64"]
    )
    assert_recorded(published, recorded)


async def test_functions_and_the_layers_that_they_cannot_have(plane: Any) -> None:
    recorded = RECORDED["test_layer_function_exceptions"]
    async with plane.active(Timeout=30, Environment={"Variables": {}}):
        for step in ("publish_result", "publish_result_2", "publish_result_3"):
            published = await publish(plane, CompatibleRuntimes=[], CompatibleArchitectures=["x86_64"])
            assert_recorded(published, recorded[step])
        refused = {
            "add_nonexistent_layer_exc": [f"{ARN}:doesnotexist:1"],
            "add_nonexistent_layer_version_exc": [f"{ARN}:lambda-role:9"],
            "two_identical_layer_versions_single_function_exc": [f"{ARN}:lambda-role:1"] * 2,
            "two_layer_versions_single_function_exc": [f"{ARN}:lambda-role:{number}" for number in (1, 2)],
            "three_layer_versions_single_function_exc": [f"{ARN}:lambda-role:{number}" for number in (1, 2, 3)],
            "create_function_with_layer_in_different_region": ["arn:aws:lambda:eu-west-1:111111111111:layer:other:1"],
        }
        for step, arns in refused.items():
            await assert_refused(recorded[step], plane, "UpdateFunctionConfiguration", FunctionName="F", Layers=arns)
        shown = await plane.call("GetFunction", FunctionName="F")
        recorded["get_fn_result"]["Configuration"]["Role"] = shown["Configuration"]["Role"]
        assert_recorded(shown, recorded["get_fn_result"])


async def test_the_policy_of_a_layer_version(plane: Any) -> None:
    recorded = RECORDED["test_layer_policy_exceptions"]
    published = await publish(plane, CompatibleRuntimes=["python3.12"], CompatibleArchitectures=["x86_64"])
    assert_recorded(published, recorded["publish_result"])
    this = {"LayerName": "lambda-role", "VersionNumber": 1}
    grant = {"StatementId": "s1", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    prefix = "layer_permission_"
    await assert_refused(recorded[f"{prefix}nopolicy_get"], plane, "GetLayerVersionPolicy", **this)
    added = await plane.call("AddLayerVersionPermission", **this, **grant)
    assert_recorded({**added, "Statement": json.loads(added["Statement"])}, recorded["add_layer_permission_result"])
    await assert_refused(recorded[f"{prefix}duplicate_statement"], plane, "AddLayerVersionPermission", **this, **grant)
    await assert_refused(
        recorded[f"{prefix}wrong_revision"], plane, "AddLayerVersionPermission", **this,
        **{**grant, "StatementId": "s2"}, RevisionId="wrong",
    )  # fmt: skip
    await assert_refused(
        recorded[f"{prefix}wrong_revision_remove"], plane, "RemoveLayerVersionPermission", **this, StatementId="s1",
        RevisionId="wrong",
    )  # fmt: skip
    await assert_refused(
        recorded[f"{prefix}statementid_doesnotexist_remove"], plane, "RemoveLayerVersionPermission", **this,
        StatementId="doesnotexist",
    )  # fmt: skip
    for what, absent in (
        ("layername", {**this, "LayerName": "lambda-role-doesnotexist"}),
        ("layerversion", {**this, "VersionNumber": 2}),
    ):
        step = f"{prefix}{what}_doesnotexist"
        await assert_refused(recorded[f"{step}_add"], plane, "AddLayerVersionPermission", **absent, **grant)
        await assert_refused(recorded[f"{step}_get"], plane, "GetLayerVersionPolicy", **absent)
        await assert_refused(
            recorded[f"{step}_remove"], plane, "RemoveLayerVersionPermission", **absent, StatementId="s1"
        )
