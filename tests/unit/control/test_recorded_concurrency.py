"""The operations on concurrency: answers as recorded from AWS, limits in their order, and what goes with what."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.domain.concurrency import Allocation, AllocationStatus
from ingle.domain.errors import ServiceError
from recordings import assert_recorded, assert_recorded_error, scenarios

pytestmark = pytest.mark.asyncio

RECORDED = {name.split("::")[1]: steps for name, steps in scenarios("concurrency").items()}
ARN = "arn:aws:lambda:us-east-1:111111111111:function:F"
LATEST_TEXT = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."


async def refusal(plane: Any, operation: str, **params: Any) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        await plane.call(operation, FunctionName="F", **params)
    return raised.value


async def reserve(plane: Any, number: int) -> Any:
    return await plane.call("PutFunctionConcurrency", FunctionName="F", ReservedConcurrentExecutions=number)


async def provision(plane: Any, qualifier: str, number: int) -> Any:
    return await plane.call("PutProvisionedConcurrencyConfig", **asked(qualifier, number), FunctionName="F")


def asked(qualifier: str, number: int) -> dict[str, Any]:
    return {"Qualifier": qualifier, "ProvisionedConcurrentExecutions": number}


async def get(plane: Any, qualifier: str) -> Any:
    return await plane.call("GetProvisionedConcurrencyConfig", FunctionName="F", Qualifier=qualifier)


def report(plane: Any, version: str, **values: Any) -> None:
    (function,) = plane.catalog
    plane.catalog.concurrency.report(function.key, version, Allocation(**values))


def unreserved(plane: Any) -> int:
    return int(plane.catalog.concurrency.unreserved("111111111111", "us-east-1"))


async def test_the_recorded_life_of_a_reserve(plane: Any) -> None:
    crud, update = RECORDED["test_lambda_concurrency_crud"], RECORDED["test_lambda_concurrency_update"]
    async with plane.active(Timeout=30, Environment={"Variables": {}}):
        got = await plane.call("GetFunctionConcurrency", FunctionName="F")
        assert_recorded(got, crud["get_function_concurrency_default"])
        assert_recorded(await reserve(plane, 0), crud["put_function_concurrency"])
        got = await plane.call("GetFunctionConcurrency", FunctionName="F")
        assert_recorded(got, crud["get_function_concurrency_updated"])
        await plane.call("DeleteFunctionConcurrency", FunctionName="F")
        got = await plane.call("GetFunctionConcurrency", FunctionName="F")
        assert_recorded(got, crud["get_function_concurrency_deleted"])
        assert_recorded(await reserve(plane, 3), update["put_function_concurrency"])
        got = await plane.call("GetFunctionConcurrency", FunctionName="F")
        assert_recorded(got, update["get_function_concurrency_updated"])
        shown = await plane.call("GetFunction", FunctionName="F")
        recorded = update["get_function_concurrency_info"]
        assert shown["Concurrency"] == recorded["Concurrency"]
        assert shown.keys() == recorded.keys() - {"ResponseMetadata"}
        await plane.call("DeleteFunctionConcurrency", FunctionName="F")
        got = await plane.call("GetFunctionConcurrency", FunctionName="F")
        assert_recorded(got, update["get_function_concurrency_deleted"])


async def test_the_recorded_life_of_a_small_reserve(plane: Any) -> None:
    recorded = RECORDED["test_function_concurrency"]
    async with plane.active():
        for number in (0, 1):
            put = recorded[f"put_function_concurrency_with_reserved_{number}"]
            assert_recorded(await reserve(plane, number), put)
        got = await plane.call("GetFunctionConcurrency", FunctionName="F")
        assert_recorded(got, recorded["get_function_concurrency"])
        deleted = await plane.call("DeleteFunctionConcurrency", FunctionName="F")
        assert_recorded(deleted, recorded["delete_response"])
        got = await plane.call("GetFunctionConcurrency", FunctionName="F")
        assert_recorded(got, recorded["get_function_concurrency_after_delete"])


@pytest.mark.parametrize(
    ("scenario", "timeout", "put", "reserved"),
    [
        ("test_reserved_concurrency", 20, "put_reserved", 0),
        ("test_reserved_concurrency_async_queue", 30, "put_fn_concurrency", 1),
    ],
)
async def test_the_recorded_function_with_a_reserve(
    plane: Any, scenario: str, timeout: int, put: str, reserved: int
) -> None:
    recorded = RECORDED[scenario]
    async with plane.active(Timeout=timeout, Environment={"Variables": {}}):
        shown = await plane.call("GetFunctionConfiguration", FunctionName="F", Qualifier="$LATEST")
        assert_recorded(shown, recorded["fn"])
        assert_recorded(await reserve(plane, reserved), recorded[put])


async def test_the_recorded_life_of_provisioned_concurrency(plane: Any) -> None:
    recorded = RECORDED["test_provisioned_concurrency"]
    async with plane.active(Publish=True):
        await plane.settle()
        assert_recorded(await provision(plane, "1", 5), recorded["put_provisioned_5"])
        assert_recorded(await get(plane, "1"), recorded["get_provisioned_prewait"])
        report(plane, "1", status=AllocationStatus.READY, allocated=5, available=5)
        assert_recorded(await get(plane, "1"), recorded["get_provisioned_postwait"])


async def test_the_recorded_failure_of_an_allocation(plane: Any) -> None:
    recorded = RECORDED["test_provisioned_concurrency_init_failure"]
    async with plane.active(Publish=True):
        await plane.settle()
        assert_recorded(await provision(plane, "1", 1), recorded["put_provisioned"])
        assert_recorded(await get(plane, "1"), recorded["get_provisioned_prewait"])
        report(plane, "1", status=AllocationStatus.FAILED, reason="FUNCTION_ERROR_INIT_FAILURE")
        assert_recorded(await get(plane, "1"), recorded["get_provisioned_postwait"])


async def test_the_recorded_interplay_of_both(plane: Any) -> None:
    recorded = RECORDED["test_reserved_provisioned_overlap"]
    async with plane.active(Publish=True, Environment={"Variables": {}}):
        await plane.settle()
        updated = await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=15)
        assert_recorded(updated, recorded["update_func_config"])
        await plane.settle()
        await plane.call("PublishVersion", FunctionName="F")
        assert_recorded(await provision(plane, "1", 2), recorded["put_provisioned_5"])
        assert_recorded(await get(plane, "1"), recorded["get_provisioned_prewait"])
        report(plane, "1", status=AllocationStatus.READY, allocated=2, available=2)
        assert_recorded(await get(plane, "1"), recorded["get_provisioned_postwait"])
        error = await refusal(plane, "PutFunctionConcurrency", ReservedConcurrentExecutions=1)
        assert_recorded_error(error, recorded["reserved_lower_than_provisioned_exc"])
        await reserve(plane, 2)
        for step, wanted in (
            ("reserved_equals_provisioned_another_provisioned_exc", asked("2", 1)),
            ("reserved_equals_provisioned_increase_provisioned_exc", asked("1", 3)),
        ):
            assert_recorded_error(await refusal(plane, "PutProvisionedConcurrencyConfig", **wanted), recorded[step])
        got = await plane.call("GetFunctionConcurrency", FunctionName="F")
        assert_recorded(got, recorded["get_concurrency"])


async def test_the_recorded_limits_of_the_account(plane: Any) -> None:
    recorded = RECORDED["test_provisioned_concurrency_limits"]
    async with plane.active(Publish=True):
        await plane.settle()
        for step, wanted, placeholder, value in (
            ("put_provisioned_concurrency_account_limit_exceeded", 1001, "<unreserved_concurrency>", "1000"),
            ("put_provisioned_concurrency_below_unreserved_min_value", 901, "<min_unreserved_concurrency>", "100"),
        ):
            text = recorded[step]["Error"]["Message"].replace(placeholder, value)
            expected = {**recorded[step], "Error": {**recorded[step]["Error"], "Message": text}}
            error = await refusal(plane, "PutProvisionedConcurrencyConfig", **asked("1", wanted))
            assert_recorded_error(error, expected)
        await provision(plane, "1", 900)
        assert unreserved(plane) == 100


async def test_the_recorded_use_of_code_storage(plane: Any) -> None:
    """Recorded: what a zip adds when a function is made of it, when a version is, and for each version of a layer."""

    async def used() -> int:
        return int((await plane.call("GetAccountSettings"))["AccountUsage"]["TotalCodeSize"])

    recorded = RECORDED["test_account_settings_total_code_size"]
    zips = {name.replace("total_code_size_diff_", ""): bytes(size) for name, size in recorded.items()}
    layer = {"LayerName": "layer", "Content": {"ZipFile": zips["publish_layer"]}}
    before = await used()
    async with plane.active(Code={"ZipFile": zips["create_function"]}):
        assert await used() - before == len(zips["create_function"])
        before = await used()
        await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=zips["update_function"], Publish=True)
        assert await used() - before == len(zips["update_function"])
        for step in ("publish_layer", "publish_layer_version"):
            before = await used()
            await plane.call("PublishLayerVersion", **layer)
            assert await used() - before == len(zips[step])


async def test_a_reserve_leaves_the_minimum_and_counts_its_own(plane: Any) -> None:
    async with plane.active():
        text = (
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            "below its minimum value of [100]."
        )
        for number in (901, 5000):
            error = await refusal(plane, "PutFunctionConcurrency", ReservedConcurrentExecutions=number)
            assert (error.code, error.message, error.type) == ("InvalidParameterValueException", text, None)
        await reserve(plane, 900)
        await reserve(plane, 899)
        await reserve(plane, 900)
        settings = await plane.call("GetAccountSettings")
        assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 100
        await plane.call("DeleteFunction", FunctionName="F")
        assert unreserved(plane) == 1000


async def test_what_does_not_exist(plane: Any) -> None:
    for operation, params in (
        ("PutFunctionConcurrency", {"ReservedConcurrentExecutions": 99999}),
        ("GetFunctionConcurrency", {}),
        ("DeleteFunctionConcurrency", {}),
    ):
        assert (await refusal(plane, operation, **params)).message == f"Function not found: {ARN}:$LATEST"
    listed = await refusal(plane, "ListProvisionedConcurrencyConfigs")
    assert listed.message == f"Function not found: {ARN}"
    async with plane.active():
        for operation, params in (
            ("PutProvisionedConcurrencyConfig", {"ProvisionedConcurrentExecutions": 1}),
            ("GetProvisionedConcurrencyConfig", {}),
            ("DeleteProvisionedConcurrencyConfig", {}),
        ):
            error = await refusal(plane, operation, Qualifier="live", **params)
            assert (error.code, error.message) == ("ResourceNotFoundException", f"Cannot find alias arn: {ARN}:live")
            error = await refusal(plane, operation, Qualifier="7", **params)
            assert error.message == f"Function not found: {ARN}:7"


async def test_a_reserve_is_a_functions_and_not_a_versions(plane: Any) -> None:
    async with plane.active():
        with pytest.raises(ServiceError) as raised:
            await plane.call("PutFunctionConcurrency", FunctionName="F:1", ReservedConcurrentExecutions=1)
        assert raised.value.message is not None
        assert raised.value.message.startswith("This operation is permitted on Lambda functions only.")


async def test_latest_cannot_be_provisioned(plane: Any) -> None:
    async with plane.active():
        await plane.call("CreateAlias", FunctionName="F", Name="live", FunctionVersion="$LATEST")
        for qualifier in ("$LATEST", "live"):
            error = await refusal(plane, "PutProvisionedConcurrencyConfig", **asked(qualifier, 1))
            assert error.message == LATEST_TEXT
        for operation in ("GetProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig"):
            error = await refusal(plane, operation, Qualifier="$LATEST")
            assert error.message == "The function resource provided must be an alias or a published version."


async def test_a_version_is_provisioned_through_one_name(plane: Any) -> None:
    async with plane.active(Publish=True):
        await plane.settle()
        for name in ("a", "b"):
            await plane.call("CreateAlias", FunctionName="F", Name=name, FunctionVersion="1")
        await provision(plane, "1", 1)
        taken = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
        error = await refusal(plane, "PutProvisionedConcurrencyConfig", **asked("a", 1))
        assert (error.code, error.message) == ("ResourceConflictException", taken)
        await plane.call("DeleteProvisionedConcurrencyConfig", FunctionName="F", Qualifier="1")
        await provision(plane, "a", 1)
        error = await refusal(plane, "PutProvisionedConcurrencyConfig", **asked("1", 1))
        assert error.message == "Version is pointed by a Provisioned Concurrency alias"
        assert (await refusal(plane, "PutProvisionedConcurrencyConfig", **asked("b", 1))).message == taken
        await provision(plane, "a", 2)


async def test_an_alias_with_weights_is_not_provisioned_and_one_that_is_moves_where_it_can(plane: Any) -> None:
    async with plane.active(Publish=True):
        await plane.settle()
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=15)
        await plane.settle()
        await plane.call("PublishVersion", FunctionName="F")
        await plane.call("CreateAlias", FunctionName="F", Name="live", FunctionVersion="1",
                         RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})  # fmt: skip
        error = await refusal(plane, "PutProvisionedConcurrencyConfig", **asked("live", 1))
        assert error.message == "Alias with weights can not be used with Provisioned Concurrency"
        await plane.call("UpdateAlias", FunctionName="F", Name="live", RoutingConfig={})
        await provision(plane, "live", 1)
        error = await refusal(plane, "UpdateAlias", Name="live", FunctionVersion="$LATEST")
        assert error.message == LATEST_TEXT
        report(plane, "1", status=AllocationStatus.READY, allocated=1, available=1)
        await plane.call("UpdateAlias", FunctionName="F", Name="live", FunctionVersion="2")
        assert (await get(plane, "live"))["Status"] == "IN_PROGRESS"


async def test_snap_start_and_provisioned_concurrency_exclude_each_other(plane: Any) -> None:
    async with plane.active(Publish=True, SnapStart={"ApplyOn": "PublishedVersions"}):
        await plane.settle()
        error = await refusal(plane, "PutProvisionedConcurrencyConfig", **asked("1", 1))
        assert error.message == "Provisioned concurrency is not supported for SnapStart enabled functions."


async def test_what_is_provisioned_goes_with_its_version_or_alias(plane: Any) -> None:
    async with plane.active(Publish=True):
        await plane.settle()
        await provision(plane, "1", 5)
        await plane.call("DeleteFunction", FunctionName="F", Qualifier="1")
        assert unreserved(plane) == 1000
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=15)
        await plane.settle()
        number = (await plane.call("PublishVersion", FunctionName="F"))["Version"]
        await plane.call("CreateAlias", FunctionName="F", Name="live", FunctionVersion=number)
        await provision(plane, "live", 5)
        assert unreserved(plane) == 995
        await plane.call("DeleteAlias", FunctionName="F", Name="live")
        assert unreserved(plane) == 1000
        error = await refusal(plane, "GetProvisionedConcurrencyConfig", Qualifier=number)
        assert (error.code, error.message) == (
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
        )


async def test_the_list_has_pages_and_qualified_arns(plane: Any) -> None:
    async with plane.active(Publish=True):
        await plane.settle()
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=15)
        await plane.settle()
        await plane.call("PublishVersion", FunctionName="F")
        before = (await plane.call("GetFunction", FunctionName="F", Qualifier="1"))["Configuration"]["RevisionId"]
        for number in ("1", "2"):
            await provision(plane, number, 1)
        after = (await plane.call("GetFunction", FunctionName="F", Qualifier="1"))["Configuration"]["RevisionId"]
        assert after != before
        first = await plane.call("ListProvisionedConcurrencyConfigs", FunctionName="F", MaxItems=1)
        rest = await plane.call("ListProvisionedConcurrencyConfigs", FunctionName="F", Marker=first["NextMarker"])
        found = first["ProvisionedConcurrencyConfigs"] + rest["ProvisionedConcurrencyConfigs"]
        assert [item["FunctionArn"] for item in found] == [f"{ARN}:1", f"{ARN}:2"]
        assert found[0]["LastModified"] == "2026-11-23T10:20:30+0000"
        assert "NextMarker" not in rest
