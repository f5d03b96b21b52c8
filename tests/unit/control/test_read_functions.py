"""GetFunction, GetFunctionConfiguration, ListFunctions, and the qualifier of an invocation."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ingle.catalog import Prepared
from ingle.domain.caller import Caller
from ingle.domain.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from ingle.invoke.qualifier import resolve

pytestmark = pytest.mark.asyncio

ARN = "arn:aws:lambda:us-east-1:111111111111:function:F"
LISTED_NEVER = {
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "RuntimeVersionConfig",
}


@pytest.mark.parametrize(
    ("params", "arn"),
    [
        ({"FunctionName": "F"}, ARN),
        ({"FunctionName": "F", "Qualifier": "$LATEST"}, f"{ARN}:$LATEST"),
        ({"FunctionName": "F:$LATEST"}, f"{ARN}:$LATEST"),
        ({"FunctionName": ARN}, ARN),
    ],
)
async def test_the_arn_echoes_the_qualifier(plane: Any, params: dict[str, Any], arn: str) -> None:
    await plane.create()
    function = await plane.call("GetFunction", **params)
    assert function["Configuration"]["FunctionArn"] == arn
    assert (await plane.call("GetFunctionConfiguration", **params))["FunctionArn"] == arn


async def test_the_code_can_be_fetched_from_its_location(plane: Any) -> None:
    created = await plane.create()
    code = (await plane.call("GetFunction", FunctionName="F"))["Code"]
    digest = base64.b64decode(created["CodeSha256"]).hex()
    assert code == {"RepositoryType": "S3", "Location": f"http://localhost:4566/packages/{digest}"}


@pytest.mark.parametrize("operation", ["GetFunction", "GetFunctionConfiguration"])
@pytest.mark.parametrize("qualifier", ["1221", "prod", "$latest", "$LATEST.PUBLISHED"])
async def test_an_absent_qualifier_is_not_found(plane: Any, operation: str, qualifier: str) -> None:
    await plane.create()
    with pytest.raises(ResourceNotFound) as raised:
        await plane.call(operation, FunctionName="F", Qualifier=qualifier)
    assert raised.value.message == f"Function not found: {ARN}:{qualifier}"


async def test_a_function_of_another_region_or_account_is_invisible(plane: Any) -> None:
    await plane.create()
    for caller in (Caller(account="111111111111", region="eu-west-1"), Caller(account="2" * 12, region="us-east-1")):
        assert await plane.call("ListFunctions", caller) == {"Functions": []}
        with pytest.raises(ResourceNotFound):
            await plane.call("GetFunction", caller, FunctionName="F")


async def test_lists_leave_states_out(plane: Any) -> None:
    created = await plane.create()
    (entry,) = (await plane.call("ListFunctions"))["Functions"]
    assert entry == {member: value for member, value in created.items() if member not in LISTED_NEVER}


async def test_all_versions_have_qualified_arns(plane: Any) -> None:
    await plane.create()
    (entry,) = (await plane.call("ListFunctions", FunctionVersion="ALL"))["Functions"]
    assert (entry["FunctionArn"], entry["Version"]) == (f"{ARN}:$LATEST", "$LATEST")


async def names(plane: Any, **params: Any) -> list[list[str]]:
    """The names on each page."""
    pages, marker = [], {}
    while True:
        answer = await plane.call("ListFunctions", **params, **marker)
        pages.append([function["FunctionName"] for function in answer["Functions"]])
        if "NextMarker" not in answer:
            return pages
        marker = {"Marker": answer["NextMarker"]}


async def test_pages_follow_each_other_by_name(plane: Any) -> None:
    for name in ("c", "a", "e", "b", "d"):
        await plane.create(name)
    assert await names(plane, MaxItems=2) == [["a", "b"], ["c", "d"], ["e"]]
    assert await names(plane, MaxItems=5) == [["a", "b", "c", "d", "e"]]


async def test_a_page_has_at_most_fifty_functions(plane: Any) -> None:
    for number in range(51):
        await plane.create(f"f{number:02d}")
    assert [len(page) for page in await names(plane, MaxItems=10000)] == [50, 1]
    assert [len(page) for page in await names(plane)] == [50, 1]


@pytest.mark.parametrize(
    "marker",
    ["garbage", "!", "é", "bnVsbA==", "W10=", base64.b64encode(b'["layers", "a"]').decode(), "W1tb" * 30000],
)
async def test_a_garbage_marker_is_refused(plane: Any, marker: str) -> None:
    with pytest.raises(InvalidParameterValue):
        await plane.call("ListFunctions", Marker=marker)


async def test_a_master_region_needs_all_versions(plane: Any) -> None:
    await plane.create()
    with pytest.raises(InvalidParameterValue):
        await plane.call("ListFunctions", MasterRegion="us-east-1")
    assert await plane.call("ListFunctions", MasterRegion="us-east-1", FunctionVersion="ALL") == {"Functions": []}


@pytest.mark.parametrize(
    ("name", "qualifier", "arn"),
    [
        ("F", None, ARN),
        ("F", "$LATEST", f"{ARN}:$LATEST"),
        (f"{ARN}:$LATEST", None, f"{ARN}:$LATEST"),
        (ARN, None, ARN),
    ],
)
async def test_an_invocation_runs_what_is_served(plane: Any, name: str, qualifier: str | None, arn: str) -> None:
    async with plane.active():
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=9)
        version, invoked = resolve(plane.catalog, plane.CALLER, name, qualifier)
        assert (version.configuration.timeout, invoked) == (3, arn)
        await plane.settle()
        assert resolve(plane.catalog, plane.CALLER, name, qualifier)[0].configuration.timeout == 9


@pytest.mark.parametrize("outcome", [None, Prepared(reason_code="InvalidRuntime", reason="nodejs22.x")])
async def test_a_function_that_is_not_active_cannot_be_invoked(plane: Any, outcome: Prepared | None) -> None:
    async with plane.activating():
        await plane.create()
        if outcome is not None:
            await plane.settle(outcome)
        state = "Pending" if outcome is None else "Failed"
        with pytest.raises(ResourceConflict) as raised:
            resolve(plane.catalog, plane.CALLER, "F", None)
        assert raised.value.message == (
            f"The operation cannot be performed at this time. The function is currently in the following state: {state}"
        )


@pytest.mark.parametrize(
    ("name", "qualifier", "arn"),
    [("G", None, ARN[:-1] + "G:$LATEST"), ("F", "1", f"{ARN}:1"), ("F:prod", None, f"{ARN}:prod")],
)
async def test_invoking_what_does_not_exist(plane: Any, name: str, qualifier: str | None, arn: str) -> None:
    async with plane.active():
        with pytest.raises(ResourceNotFound) as raised:
            resolve(plane.catalog, plane.CALLER, name, qualifier)
        assert raised.value.message == f"Function not found: {arn}"
