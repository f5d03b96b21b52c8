"""PublishVersion, versions that are published with code, ListVersionsByFunction, and deleting versions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.catalog import Prepared
from ingle.domain.errors import (
    CodeStorageExceeded,
    InvalidParameterValue,
    NotImplementedByIngle,
    PreconditionFailed,
    ResourceConflict,
    ResourceNotFound,
)
from ingle.domain.function import LATEST
from ingle.invoke.qualifier import resolve

pytestmark = pytest.mark.asyncio

ARN = "arn:aws:lambda:us-east-1:111111111111:function:F"
FAILURE = Prepared(reason_code="InvalidRuntime", reason="There is no such runtime.")


async def publish(plane: Any, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await plane.call("PublishVersion", FunctionName="F", **params)
    return answer


async def change(plane: Any, **params: Any) -> None:
    await plane.call("UpdateFunctionConfiguration", FunctionName="F", **params)
    await plane.settle()


async def numbers(plane: Any) -> list[str]:
    answer = await plane.call("ListVersionsByFunction", FunctionName="F")
    return [version["Version"] for version in answer["Versions"]]


async def shown(plane: Any, qualifier: str | None = None) -> dict[str, Any]:
    params = {} if qualifier is None else {"Qualifier": qualifier}
    answer: dict[str, Any] = await plane.call("GetFunctionConfiguration", FunctionName="F", **params)
    return answer


async def test_a_version_keeps_what_latest_was(plane: Any) -> None:
    async with plane.active(Timeout=3, Environment={"Variables": {"AB": "old"}}) as created:
        await publish(plane)
        await change(plane, Timeout=9, Environment={"Variables": {"AB": "new"}})
        await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
        await plane.settle()
        version, latest = await shown(plane, "1"), await shown(plane)
    assert (version["Timeout"], version["Environment"]) == (3, {"Variables": {"AB": "old"}})
    assert version["CodeSha256"] == created["CodeSha256"] != latest["CodeSha256"]
    assert (latest["Timeout"], latest["Environment"]) == (9, {"Variables": {"AB": "new"}})


async def test_the_description_of_a_version_is_its_own(plane: Any) -> None:
    async with plane.active(Description="latest"):
        assert (await publish(plane, Description="mine"))["Description"] == "mine"
        assert (await shown(plane))["Description"] == "latest"
        assert (await publish(plane, Description="another"))["Description"] == "mine"
        assert await numbers(plane) == [LATEST, "1"]
        await change(plane, Description="changed")
        assert (await publish(plane, Description=""))["Description"] == ""
        assert await numbers(plane) == [LATEST, "1", "2"]


@pytest.mark.parametrize(
    "change_to",
    [{"MemorySize": 256}, {"Timeout": 4}, {"Handler": "a.b"}, {"Description": "x"}, {"EphemeralStorage": {"Size": 513}},
     {"Environment": {"Variables": {}}}, {"Runtime": "python3.13"}, {"LoggingConfig": {"LogGroup": "mine"}},
     {"Role": "arn:aws:iam::111111111111:role/other"}],
)  # fmt: skip
async def test_every_setting_that_changed_makes_another_version(plane: Any, change_to: dict[str, Any]) -> None:
    async with plane.active():
        await publish(plane)
        await change(plane, **change_to)
        assert (await publish(plane))["Version"] == "2"


async def test_an_update_that_changes_nothing_makes_no_version(plane: Any) -> None:
    async with plane.active():
        first = await publish(plane)
        await change(plane, Timeout=3)
        assert await publish(plane) == first
        answer = await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.ZIP, Publish=True)
        assert (answer["Version"], answer["RevisionId"]) == ("1", first["RevisionId"])


async def test_numbers_are_never_used_again(plane: Any) -> None:
    async with plane.active():
        for timeout in (4, 5, 6):
            await publish(plane)
            await change(plane, Timeout=timeout)
        for number in ("2", "3"):
            await plane.call("DeleteFunction", FunctionName="F", Qualifier=number)
        assert await numbers(plane) == [LATEST, "1"]
        assert (await publish(plane))["Version"] == "4"
        await plane.call("DeleteFunction", FunctionName="F:4")
        assert (await publish(plane))["Version"] == "5"
        assert await numbers(plane) == [LATEST, "1", "5"]


async def test_a_function_that_is_created_anew_counts_from_one(plane: Any) -> None:
    async with plane.active():
        await publish(plane)
        await plane.call("DeleteFunction", FunctionName="F")
        await plane.create()
        await plane.settle()
        with pytest.raises(ResourceNotFound):
            await shown(plane, "1")
        assert (await publish(plane))["Version"] == "1"


async def test_publishing_renews_the_revision_of_latest_and_nothing_else(plane: Any) -> None:
    async with plane.active():
        before = await shown(plane)
        await publish(plane)
        after = await shown(plane)
        assert after.pop("RevisionId") != before.pop("RevisionId")
        assert after == before
        # What serves is still what is shown, so that no environment is given up.
        (function,) = list(plane.catalog)
        assert function.serving is function.latest


async def test_what_publishing_presupposes(plane: Any) -> None:
    with pytest.raises(ResourceNotFound, match=f"^Function not found: {ARN}$"):
        await publish(plane)
    async with plane.activating():
        created = await plane.create()
        with pytest.raises(ResourceConflict, match="Pending"):
            await publish(plane)
        await plane.settle()
        with pytest.raises(PreconditionFailed):
            await publish(plane, RevisionId=created["RevisionId"])
        with pytest.raises(InvalidParameterValue, match="is different from current CodeSHA256"):
            await publish(plane, CodeSha256="x")
        with pytest.raises(NotImplementedByIngle):
            await publish(plane, PublishTo="LATEST_PUBLISHED")
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=4)
        with pytest.raises(ResourceConflict, match="An update is in progress"):
            await publish(plane)
        await plane.settle()
        assert await numbers(plane) == [LATEST]
        revision = (await shown(plane))["RevisionId"]
        assert (await publish(plane, RevisionId=revision, CodeSha256=created["CodeSha256"]))["Version"] == "1"


async def test_every_version_takes_code_storage(plane: Any) -> None:
    async with plane.active():
        plane.quota.limit = 3 * len(plane.ZIP)
        await publish(plane)
        await change(plane, Timeout=4)
        await publish(plane)
        used = (await plane.call("GetAccountSettings"))["AccountUsage"]["TotalCodeSize"]
        assert used == 3 * len(plane.ZIP)
        await change(plane, Timeout=5)
        with pytest.raises(CodeStorageExceeded):
            await publish(plane)
        await plane.call("DeleteFunction", FunctionName="F", Qualifier="1")
        await publish(plane)
        await plane.call("DeleteFunction", FunctionName="F")
        assert (await plane.call("GetAccountSettings"))["AccountUsage"] == {"TotalCodeSize": 0, "FunctionCount": 0}


async def test_publishing_at_creation_needs_room_for_both(plane: Any) -> None:
    plane.quota.limit = 2 * len(plane.ZIP) - 1
    with pytest.raises(CodeStorageExceeded):
        await plane.create(Publish=True)
    assert not plane.store.functions
    await plane.create()


async def test_code_stays_while_a_version_has_it(plane: Any) -> None:
    async with plane.active():
        await publish(plane)
        await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
        await plane.settle()
        assert len(plane.packages.kept) == 2
        await plane.call("DeleteFunction", FunctionName="F", Qualifier="1")
        assert len(plane.packages.kept) == 1
        await publish(plane)
        await plane.call("DeleteFunction", FunctionName="F")
        assert not plane.packages.kept


async def test_versions_survive_a_restart(plane: Any, another_plane: Callable[[Any], Any]) -> None:
    async with plane.active():
        await publish(plane)
        await change(plane, Timeout=4)
        await publish(plane)
        await plane.call("DeleteFunction", FunctionName="F", Qualifier="2")
    after = another_plane(plane)
    async with after.activating():
        assert await numbers(after) == [LATEST, "1"]
        assert (await publish(after))["Version"] == "3"


async def test_a_version_published_with_an_update_becomes_active_with_it(plane: Any) -> None:
    async with plane.active():
        answer = await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP, Publish=True)
        assert (answer["FunctionArn"], answer["State"]) == (f"{ARN}:1", "Pending")
        with pytest.raises(ResourceConflict, match="Pending"):
            resolve(plane.catalog, plane.CALLER, "F", "1")
        await plane.settle()
        await plane.settle()
        assert (await shown(plane, "1"))["State"] == "Active"
        version, arn = resolve(plane.catalog, plane.CALLER, "F:1", None)
        assert (version.version, arn) == ("1", f"{ARN}:1")


async def test_a_version_that_cannot_be_prepared_fails_and_latest_stays(plane: Any) -> None:
    async with plane.active():
        await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP, Publish=True)
        await plane.settle(FAILURE)
        await plane.settle(FAILURE)
        version, latest = await shown(plane, "1"), await shown(plane)
        assert (version["State"], version["StateReason"], version["StateReasonCode"]) == (
            "Failed", FAILURE.reason, FAILURE.reason_code,
        )  # fmt: skip
        assert (latest["State"], latest["LastUpdateStatus"]) == ("Active", "Failed")
        with pytest.raises(ResourceConflict, match="Failed"):
            resolve(plane.catalog, plane.CALLER, "F", "1")
        resolve(plane.catalog, plane.CALLER, "F", None)


async def test_a_version_of_what_is_not_served_is_prepared_first(plane: Any) -> None:
    """After a failed update `$LATEST` shows what nothing ever ran."""
    async with plane.active():
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Runtime="python3.13")
        await plane.settle(FAILURE)
        assert (await publish(plane))["State"] == "Pending"
        await plane.settle(FAILURE)
        assert (await shown(plane, "1"))["State"] == "Failed"


async def test_a_pending_version_is_resumed_at_the_next_start(plane: Any, another_plane: Callable[[Any], Any]) -> None:
    await plane.create(Publish=True)
    after = another_plane(plane)
    async with after.activating():
        await after.settle()
        await after.settle()
        assert [(await shown(after, number))["State"] for number in (LATEST, "1")] == ["Active", "Active"]


async def test_the_outcome_for_a_deleted_version_is_dropped(plane: Any) -> None:
    async with plane.active():
        await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP, Publish=True)
        await plane.call("DeleteFunction", FunctionName="F", Qualifier="1")
        await plane.settle()
        await plane.settle()
        assert await numbers(plane) == [LATEST]


async def test_snap_start_is_for_published_versions_which_are_prepared_for_it(plane: Any) -> None:
    async with plane.active(SnapStart={"ApplyOn": "PublishedVersions"}) as created:
        assert created["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
        published = await publish(plane)
        assert published["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
        assert published["State"] == "Pending"
        with pytest.raises(ResourceConflict, match="Pending"):
            resolve(plane.catalog, plane.CALLER, "F", "1")
        assert (await publish(plane))["RevisionId"] == published["RevisionId"]
        request = await asyncio.wait_for(plane.catalog.preparations.get(), 5)
        assert (request.version.version, request.version.configuration.snap_start) == ("1", "PublishedVersions")
        request.outcome.set_result(Prepared())
        for _ in range(10):
            await asyncio.sleep(0)
        assert (await shown(plane, "1"))["State"] == "Active"
        await change(plane, SnapStart={"ApplyOn": "None"})
        assert (await publish(plane))["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}


@pytest.mark.parametrize("params", [{"EphemeralStorage": {"Size": 513}}, {"Runtime": "python3.11"}])
async def test_what_snap_start_does_not_go_with(plane: Any, params: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterValue, match=r"is not supported for SnapStart enabled functions\.$"):
        await plane.create(SnapStart={"ApplyOn": "PublishedVersions"}, **params)


async def test_versions_are_listed_in_pages_by_number(plane: Any) -> None:
    async with plane.active():
        for timeout in range(4, 16):
            await publish(plane)
            await change(plane, Timeout=timeout)
        pages, marker = [], {}
        while True:
            answer = await plane.call("ListVersionsByFunction", FunctionName=f"{ARN}:3", MaxItems=5, **marker)
            pages.append([version["FunctionArn"].rpartition(":")[2] for version in answer["Versions"]])
            if "NextMarker" not in answer:
                break
            marker = {"Marker": answer["NextMarker"]}
    assert pages == [[LATEST, "1", "2", "3", "4"], ["5", "6", "7", "8", "9"], ["10", "11", "12"]]


async def test_a_marker_of_another_list_is_refused(plane: Any) -> None:
    async with plane.active():
        await plane.create("G")
        marker = (await plane.call("ListFunctions", MaxItems=1))["NextMarker"]
        for operation in ("ListVersionsByFunction", "ListFunctions"):
            with pytest.raises(InvalidParameterValue, match="Invalid pagination token"):
                await plane.call(operation, FunctionName="F", FunctionVersion="ALL", Marker=marker)
        with pytest.raises(ResourceNotFound, match=r"function:none$"):
            await plane.call("ListVersionsByFunction", FunctionName="none")


async def test_functions_are_listed_with_every_version(plane: Any) -> None:
    async with plane.active():
        await publish(plane)
        await plane.create("A", Publish=True)
        await plane.create("Z")
        expected = ["A:$LATEST", "A:1", "F:$LATEST", "F:1", "Z:$LATEST"]
        for size in (1, 2, 3, 5):
            found, marker = [], {}
            while True:
                answer = await plane.call("ListFunctions", FunctionVersion="ALL", MaxItems=size, **marker)
                found += [entry["FunctionArn"].partition("function:")[2] for entry in answer["Functions"]]
                if "NextMarker" not in answer:
                    break
                marker = {"Marker": answer["NextMarker"]}
            assert found == expected


async def test_a_page_goes_on_behind_what_was_deleted_meanwhile(plane: Any) -> None:
    async with plane.active():
        await publish(plane)
        await plane.create("Z")
        marker = (await plane.call("ListFunctions", FunctionVersion="ALL", MaxItems=1))["NextMarker"]
        await plane.call("DeleteFunction", FunctionName="F")
        (entry,) = (await plane.call("ListFunctions", FunctionVersion="ALL", Marker=marker))["Functions"]
        assert entry["FunctionName"] == "Z"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.sampled_from(["publish", "publish", "change", "revert", "delete newest", "delete oldest"]), max_size=25
    )
)
async def test_versions_by_a_simple_model(plane: Any, steps: list[str]) -> None:
    """Whatever is done: a version is new exactly if something changed since the newest one, and numbers only grow."""
    plane = type(plane)()
    timeout, published, last, existing = 3, None, 0, dict[int, int]()
    async with plane.active():
        for step in steps:
            if step == "publish":
                if published != timeout:
                    last += 1
                    existing[last] = published = timeout
                assert (await publish(plane))["Version"] == str(last)
            elif step in ("change", "revert"):
                timeout = timeout + 1 if step == "change" else 3
                await change(plane, Timeout=timeout)
            elif existing:
                number = max(existing) if step == "delete newest" else min(existing)
                await plane.call("DeleteFunction", FunctionName="F", Qualifier=str(number))
                del existing[number]
                published = None if number == last else published
        listed = (await plane.call("ListVersionsByFunction", FunctionName="F"))["Versions"]
    assert {int(entry["Version"]): entry["Timeout"] for entry in listed[1:]} == existing
    assert [int(entry["Version"]) for entry in listed[1:]] == sorted(existing)
