"""UpdateFunctionCode, UpdateFunctionConfiguration and DeleteFunction."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ingle.catalog import Prepared
from ingle.control.function_view import code_sha256
from ingle.domain.errors import (
    InvalidParameterValue,
    NotImplementedByIngle,
    PreconditionFailed,
    ResourceConflict,
    ResourceNotFound,
    ServiceError,
    ValidationError,
)

pytestmark = pytest.mark.asyncio

ARN = "arn:aws:lambda:us-east-1:111111111111:function:F"
FAILURE = Prepared(reason_code="InvalidRuntime", reason="No interpreter for python3.13 was found.")


async def test_an_update_takes_effect_in_two_steps(plane: Any) -> None:
    async with plane.active() as created:
        before = await plane.call("GetFunctionConfiguration", FunctionName="F")
        updated = await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=10, Description="new")
        assert (updated["LastUpdateStatus"], updated["LastUpdateStatusReasonCode"]) == ("InProgress", "Creating")
        assert updated["LastUpdateStatusReason"] == "The function is being created."
        assert (updated["State"], updated["Timeout"]) == ("Active", 10)
        (function,) = list(plane.catalog)
        assert function.serving.configuration.timeout == 3
        await plane.settle()
        after = await plane.call("GetFunctionConfiguration", FunctionName="F")
        assert after["LastUpdateStatus"] == "Successful"
        (function,) = list(plane.catalog)
        assert function.serving.configuration.timeout == 10
        revisions = [answer["RevisionId"] for answer in (created, before, updated, after)]
        assert len(set(revisions)) == 4


async def test_absent_members_stay_and_present_ones_replace(plane: Any) -> None:
    async with plane.active(Environment={"Variables": {"AA": "1", "BB": "2"}}, Timeout=7):
        updated = await plane.call(
            "UpdateFunctionConfiguration", FunctionName="F", Environment={"Variables": {"CC": "3"}}
        )
        assert (updated["Environment"], updated["Timeout"]) == ({"Variables": {"CC": "3"}}, 7)
        await plane.settle()
        cleared = await plane.call("UpdateFunctionConfiguration", FunctionName="F", Environment={"Variables": {}})
        assert cleared["Environment"] == {"Variables": {}}


async def test_tracing_is_switched_on_and_off(plane: Any) -> None:
    async with plane.active(TracingConfig={"Mode": "Active"}) as created:
        assert created["TracingConfig"] == {"Mode": "Active"}
        kept = await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=7)
        assert kept["TracingConfig"] == {"Mode": "Active"}
        await plane.settle()
        off = {"Mode": "PassThrough"}
        updated = await plane.call("UpdateFunctionConfiguration", FunctionName="F", TracingConfig=off)
        assert updated["TracingConfig"] == off


async def test_logging_merges(plane: Any) -> None:
    async with plane.active(LoggingConfig={"LogGroup": "/mine"}):
        updated = await plane.call("UpdateFunctionConfiguration", FunctionName="F", LoggingConfig={"LogFormat": "Text"})
        assert updated["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/mine"}


async def test_new_code_has_a_new_hash(plane: Any) -> None:
    async with plane.active() as created:
        updated = await plane.call(
            "UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP, Architectures=["arm64"]
        )
        assert updated["CodeSha256"] != created["CodeSha256"]
        assert updated["Architectures"] == ["arm64"]
        (function,) = list(plane.catalog)
        assert code_sha256(function.serving.configuration.package) == created["CodeSha256"]


async def test_the_same_code_is_an_update_too(plane: Any) -> None:
    async with plane.active() as created:
        updated = await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.ZIP)
        assert updated["LastUpdateStatus"] == "InProgress"
        assert updated["RevisionId"] != created["RevisionId"]


async def test_a_dry_run_changes_nothing(plane: Any) -> None:
    async with plane.active() as created:
        before = await plane.call("GetFunctionConfiguration", FunctionName="F")
        answer = await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP, DryRun=True)
        assert answer["CodeSha256"] != created["CodeSha256"]
        assert await plane.call("GetFunctionConfiguration", FunctionName="F") == before
        assert len(plane.packages.kept) == 1
        with pytest.raises(InvalidParameterValue, match="Could not unzip"):
            await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.NOT_A_ZIP, DryRun=True)


async def test_old_code_goes_when_nothing_needs_it(plane: Any) -> None:
    async with plane.active():
        await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
        assert len(plane.packages.kept) == 2
        await plane.settle()
        assert len(plane.packages.kept) == 1


async def test_code_that_environments_run_from_goes_at_a_later_sweep(plane: Any) -> None:
    async with plane.active():
        (function,) = list(plane.catalog)
        plane.in_use.add(function.latest.configuration.package)
        await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
        await plane.settle()
        assert len(plane.packages.kept) == 2
        plane.in_use.clear()
        await plane.references.sweep()
        assert len(plane.packages.kept) == 1


async def test_code_that_another_function_has_stays(plane: Any) -> None:
    async with plane.active():
        await plane.create("G")
        await plane.call("DeleteFunction", FunctionName="F")
        assert len(plane.packages.kept) == 1
        await plane.call("DeleteFunction", FunctionName="G")
        assert not plane.packages.kept


async def test_deleting_never_takes_code_that_is_being_uploaded(plane: Any) -> None:
    for _ in range(20):
        await plane.create()
        await asyncio.gather(plane.create("G"), plane.call("DeleteFunction", FunctionName="F"))
        assert len(plane.packages.kept) == 1
        await asyncio.gather(plane.call("DeleteFunction", FunctionName="G"), plane.create())
        assert len(plane.packages.kept) == 1
        await plane.call("DeleteFunction", FunctionName="F")


UPDATES: list[tuple[str, dict[str, Any]]] = [
    ("UpdateFunctionCode", {"ZipFile": b"zip two"}),
    ("UpdateFunctionConfiguration", {"Timeout": 10}),
]


@pytest.mark.parametrize(("operation", "params"), UPDATES)
async def test_no_update_while_pending(plane: Any, operation: str, params: dict[str, Any]) -> None:
    await plane.create()
    with pytest.raises(ResourceConflict, match=r"currently in the following state: Pending$"):
        await plane.call(operation, FunctionName="F", **params)


@pytest.mark.parametrize(("operation", "params"), UPDATES)
async def test_no_update_during_an_update(plane: Any, operation: str, params: dict[str, Any]) -> None:
    async with plane.active():
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=5)
        with pytest.raises(ResourceConflict, match=rf"An update is in progress for resource: {ARN}$"):
            await plane.call(operation, FunctionName="F", **params)


@pytest.mark.parametrize(("operation", "params"), UPDATES)
async def test_a_stale_revision_is_refused(plane: Any, operation: str, params: dict[str, Any]) -> None:
    async with plane.active() as created:
        with pytest.raises(PreconditionFailed) as raised:
            await plane.call(operation, FunctionName="F", RevisionId=created["RevisionId"], **params)
        assert raised.value.message == (
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
            "retrieve the latest Revision Id"
        )
        current = await plane.call("GetFunctionConfiguration", FunctionName="F")
        await plane.call(operation, FunctionName="F", RevisionId=current["RevisionId"], **params)


@pytest.mark.parametrize(("operation", "params"), UPDATES)
@pytest.mark.parametrize(("name", "arn"), [("G", ARN[:-1] + "G"), ("F:7", f"{ARN}:7")])
async def test_only_the_latest_version_of_an_existing_function_is_updated(
    plane: Any, operation: str, params: dict[str, Any], name: str, arn: str
) -> None:
    async with plane.active():
        with pytest.raises(ResourceNotFound, match=rf"^Function not found: {arn}$"):
            await plane.call(operation, FunctionName=name, **params)


BAD_CODE: list[tuple[dict[str, Any], type[ServiceError], str]] = [
    (
        {"ImageUri": "r:1"},
        InvalidParameterValue,
        "Please don't provide ImageUri when updating a function with packageType Zip.",
    ),
    ({}, InvalidParameterValue, "Please provide a source for function code."),
    ({"ZipFile": b"zip two", "PublishTo": "LATEST_PUBLISHED"}, NotImplementedByIngle, "Ingle does not implement Upd"),
    ({"ZipFile": b"bomb"}, InvalidParameterValue, "Unzipped size must be smaller than 262144000 bytes"),
]


@pytest.mark.parametrize(("params", "error", "message"), BAD_CODE)
async def test_bad_code_changes_nothing(
    plane: Any, params: dict[str, Any], error: type[ServiceError], message: str
) -> None:
    async with plane.active():
        before = await plane.call("GetFunctionConfiguration", FunctionName="F")
        with pytest.raises(error) as raised:
            await plane.call("UpdateFunctionCode", FunctionName="F", **params)
        assert str(raised.value.message).startswith(message)
        assert await plane.call("GetFunctionConfiguration", FunctionName="F") == before


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"Timeout": 901}, ValidationError),
        ({"Runtime": "python2.7"}, InvalidParameterValue),
        ({"Runtime": "nonsense"}, InvalidParameterValue),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, InvalidParameterValue),
        ({"LoggingConfig": {"SystemLogLevel": "INFO"}}, InvalidParameterValue),
        ({"ImageConfig": {"Command": ["x"]}}, InvalidParameterValue),
    ],
)
async def test_bad_settings_change_nothing(plane: Any, params: dict[str, Any], error: type[ServiceError]) -> None:
    async with plane.active():
        before = await plane.call("GetFunctionConfiguration", FunctionName="F")
        with pytest.raises(error):
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", **params)
        assert await plane.call("GetFunctionConfiguration", FunctionName="F") == before


async def test_after_its_update_block_a_runtime_can_only_be_left(plane: Any) -> None:
    async with plane.active(Runtime="python3.9"):
        plane.clock.seconds += 200 * 86400
        with pytest.raises(InvalidParameterValue, match=r"python3.9 is no longer supported"):
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=5)
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Runtime="python3.13")


async def test_a_failed_update_is_told_and_the_old_configuration_serves(plane: Any) -> None:
    async with plane.active():
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Runtime="python3.13")
        await plane.settle(FAILURE)
        shown = await plane.call("GetFunctionConfiguration", FunctionName="F")
        assert (shown["State"], shown["LastUpdateStatus"]) == ("Active", "Failed")
        assert (shown["LastUpdateStatusReasonCode"], shown["LastUpdateStatusReason"]) == (
            FAILURE.reason_code,
            FAILURE.reason,
        )
        (function,) = list(plane.catalog)
        assert function.serving.configuration.runtime == "python3.12"


async def test_an_update_whose_commit_fails_changes_nothing(plane: Any) -> None:
    async with plane.active():
        before = list(plane.catalog)
        plane.store.failing = True
        with pytest.raises(OSError, match="disk full"):
            await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
        with pytest.raises(OSError, match="disk full"):
            await plane.call("DeleteFunction", FunctionName="F")
        assert list(plane.catalog) == before
        assert len(plane.packages.kept) == 1


async def test_a_deleted_function_is_gone_and_can_be_created_again(plane: Any) -> None:
    await plane.create()
    assert await plane.call("DeleteFunction", FunctionName="F") == {"StatusCode": 204}
    for operation in ("GetFunction", "GetFunctionConfiguration", "DeleteFunction"):
        with pytest.raises(ResourceNotFound, match=rf"^Function not found: {ARN}$"):
            await plane.call(operation, FunctionName="F")
    await plane.create()


DELETIONS: list[tuple[str, type[ServiceError], str]] = [
    ("$LATEST", InvalidParameterValue, "$LATEST version cannot be deleted without deleting the function."),
    ("prod", InvalidParameterValue, "Deletion of aliases is not currently supported."),
    ("$latest", ResourceNotFound, f"Function not found: {ARN}"),
]


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize(("qualifier", "error", "message"), DELETIONS)
async def test_what_cannot_be_deleted(
    plane: Any, qualifier: str, error: type[ServiceError], message: str, exists: bool
) -> None:
    if exists:
        await plane.create()
    with pytest.raises(error) as raised:
        await plane.call("DeleteFunction", FunctionName="F", Qualifier=qualifier)
    assert raised.value.message == message
    assert len(plane.store.functions) == exists


async def test_deleting_an_absent_version_succeeds_if_the_function_exists(plane: Any) -> None:
    await plane.create()
    assert await plane.call("DeleteFunction", FunctionName="F", Qualifier="7") == {"StatusCode": 204}
    assert plane.store.functions
    with pytest.raises(ResourceNotFound, match=r"^Function not found: .*:function:G$"):
        await plane.call("DeleteFunction", FunctionName="G", Qualifier="7")
