"""Answers about tags compared with recorded ones of AWS (`recorded/tags.json`)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from ingle import wire
from ingle.domain.errors import ServiceError
from recordings import assert_recorded, assert_recorded_error, normal, scenarios

pytestmark = pytest.mark.asyncio

RECORDED = scenarios("tags")
PREFIX = "arn:aws:lambda:us-east-1:111111111111:"
ARN = PREFIX + "function:F"

#: The steps of the lifecycle, in order.
STEPS: list[tuple[str, str, dict[str, Any]]] = [
    ("tag_single_response", "TagResource", {"Tags": {"A": "tag-a"}}),
    ("tag_multiple_response", "TagResource", {"Tags": {"B": "tag-b", "C": "tag-c"}}),
    ("tag_overlap_response", "TagResource", {"Tags": {"C": "tag-c-newsuffix", "D": "tag-d"}}),
    ("untag_single_response", "UntagResource", {"TagKeys": ["A"]}),
    ("untag_multiple_response", "UntagResource", {"TagKeys": ["B", "C"]}),
    ("untag_nonexisting_response", "UntagResource", {"TagKeys": ["F"]}),
    ("untag_existing_and_nonexisting_response", "UntagResource", {"TagKeys": ["D", "F"]}),
]


@pytest.mark.parametrize("scenario", ["test_tag_lifecycle", "test_tag_lifecycle[lambda_function]"])
async def test_the_life_of_tags(plane: Any, scenario: str) -> None:
    recorded = RECORDED[scenario]
    assert {f"{step}{suffix}" for step, _, _ in STEPS for suffix in ("", "_listtags")} == set(recorded)
    await plane.create()
    for step, operation, params in STEPS:
        assert_recorded(await plane.call(operation, Resource=ARN, **params), recorded[step])
        assert_recorded(await plane.call("ListTags", Resource=ARN), recorded[f"{step}_listtags"])


async def test_the_limit_of_tags(plane: Any) -> None:
    recorded = RECORDED["test_tag_limits"]
    most = {f"{number}_key": f"{number}_value" for number in range(50)}
    with pytest.raises(ServiceError) as raised:
        await plane.create(Tags={**most, "50_key": "50_value"})
    assert_recorded_error(raised.value, recorded["create_function_invalid_tags"])
    async with plane.active(Timeout=30, Environment={"Variables": {}}):
        for step, tags in (
            ("tag_lambda_too_many_tags", {**most, "50_key": "50_value"}),
            ("tag_response", most),
            ("tag_lambda_too_many_tags_additional", {"a": "b"}),
        ):
            if step == "tag_response":
                assert_recorded(await plane.call("TagResource", Resource=ARN, Tags=tags), recorded[step])
                continue
            with pytest.raises(ServiceError) as raised:
                await plane.call("TagResource", Resource=ARN, Tags=tags)
            assert_recorded_error(raised.value, recorded[step])
        assert_recorded(await plane.call("ListTags", Resource=ARN), recorded["list_tags_response"])
        assert_recorded(await plane.call("GetFunction", FunctionName="F"), recorded["get_fn_response"])


MEANT = [
    ("capacity_provider", PREFIX + "capacity-provider:F"),
    ("event_source_mapping", PREFIX + "event-source-mapping:F"),
    ("lambda_function", ARN),
]
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("list", "ListTags", {}),
    ("tag", "TagResource", {"Tags": {"A": "B"}}),
    ("untag", "UntagResource", {"TagKeys": ["A"]}),
]


@pytest.mark.parametrize(("kind", "arn"), MEANT)
@pytest.mark.parametrize(("step", "operation", "params"), CALLS)
async def test_resources_that_are_not_there(
    plane: Any, kind: str, arn: str, step: str, operation: str, params: dict[str, Any]
) -> None:
    with pytest.raises(ServiceError) as raised:
        await plane.call(operation, Resource=arn, **params)
    assert_recorded_error(raised.value, RECORDED[f"test_tag_exceptions[{kind}]"][f"not_found_exception_{step}"])


async def test_the_refusal_of_versions_and_aliases(plane: Any) -> None:
    recorded = RECORDED["test_tag_exceptions[lambda_function]"]["aliased_arn_exception"]
    with pytest.raises(ServiceError) as raised:
        await plane.call("TagResource", Resource=f"{ARN}:alias", Tags={"A": "B"})
    assert_recorded_error(raised.value, recorded)


@pytest.mark.parametrize(
    ("kind", "step", "arn"),
    [
        ("lambda_function", "invalid_arn_exception", PREFIX + "foobar:F"),
        ("event_source_mapping", "invalid_arn_exception", PREFIX + "foobar:F"),
        ("event_source_mapping", "aliased_arn_exception", PREFIX + "event-source-mapping:F:alias"),
        ("capacity_provider", "aliased_arn_exception", PREFIX + "capacity-provider:F:alias"),
    ],
)
async def test_what_is_no_arn_of_a_resource_with_tags(kind: str, step: str, arn: str) -> None:
    """The pattern that is printed follows the model, which has come to know more kinds since the recording."""
    service = wire.Service.load("lambda")
    path = f"/2017-03-31/tags/{quote(arn, safe='')}"
    request = wire.HttpRequest(method="GET", path=path, query="", headers={}, body=b"")
    with pytest.raises(wire.ConstraintViolation) as raised:
        service.route("GET", path).parse(request)
    recorded = normal(RECORDED[f"test_tag_exceptions[{kind}]"][step]["Error"]["Message"])
    cut = "(function:"
    assert raised.value.message.partition(cut)[0] == recorded.partition(cut)[0]
