"""New functions of every runtime, compared with answers that were recorded from AWS (`recorded/creations.json`)."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.domain.errors import ServiceError
from recordings import assert_recorded, assert_recorded_error, normal, scenarios, steps

pytestmark = pytest.mark.asyncio

RECORDED = scenarios("creations")
#: What was asked for, as the answers to it show.
ASKED = ("Architectures", "Description", "Environment", "Handler", "MemorySize", "Runtime", "Timeout")
CREATIONS = [(scenario, step) for scenario, step in steps("creations") if step.startswith(("crea", "successful"))]
REFUSALS = [scenario for scenario, step in steps("creations") if step == "deprecation_error"]
SNAP_START = [scenario for scenario, step in steps("creations") if step == "update_function_response"]


def asked(recorded: dict[str, Any]) -> dict[str, Any]:
    return {member: recorded[member] for member in ASKED if member in recorded}


@pytest.mark.parametrize(("scenario", "step"), CREATIONS)
async def test_a_new_function(plane: Any, scenario: str, step: str) -> None:
    recorded = RECORDED[scenario][step]
    created = await plane.create(normal(recorded["FunctionArn"]), **asked(recorded))
    assert_recorded(created, recorded)


@pytest.mark.parametrize("scenario", SNAP_START)
async def test_a_function_that_begins_to_start_from_snapshots(plane: Any, scenario: str) -> None:
    recorded = RECORDED[scenario]
    async with plane.active(**asked(recorded["create_function_response"])):
        on = {"ApplyOn": "PublishedVersions"}
        updated = await plane.call("UpdateFunctionConfiguration", FunctionName="F", SnapStart=on)
        assert_recorded(updated, recorded["update_function_response"])


@pytest.mark.parametrize("scenario", REFUSALS)
async def test_a_runtime_that_creates_nothing_any_more(plane: Any, scenario: str) -> None:
    recorded = RECORDED[scenario]["deprecation_error"]
    runtime = scenario.rpartition("[")[2].rstrip("]")
    with pytest.raises(ServiceError) as raised:
        await plane.create(Runtime=runtime)
    assert_recorded_error(raised.value, recorded)


async def test_partial_arns_name_a_new_function(plane: Any) -> None:
    recorded = RECORDED["test_function_arns"]["create-function-partial-arn-response"]
    assert_recorded(await plane.create("111111111111:function:F", **asked(recorded)), recorded)
