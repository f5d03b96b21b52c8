"""Layers: publishing, reading, listing, deleting, who may use them, and functions that do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.control import code_source
from ingle.domain.caller import Caller
from ingle.domain.errors import (
    AccessDenied,
    CodeStorageExceeded,
    InvalidParameterValue,
    PolicyLengthExceeded,
    PreconditionFailed,
    RequestEntityTooLarge,
    ResourceNotFound,
    ServiceError,
    ValidationError,
)
from ingle.domain.function import Package

pytestmark = pytest.mark.asyncio

ARN = "arn:aws:lambda:us-east-1:111111111111:layer"
STRANGER = Caller(account="222222222222", region="us-east-1")
GRANT = {"StatementId": "s1", "Action": "lambda:GetLayerVersion", "Principal": STRANGER.account}


async def publish(plane: Any, name: str = "L", zip_bytes: bytes | None = None, **params: Any) -> dict[str, Any]:
    content = {"ZipFile": plane.ZIP if zip_bytes is None else zip_bytes}
    answer: dict[str, Any] = await plane.call("PublishLayerVersion", LayerName=name, Content=content, **params)
    return answer


async def versions(plane: Any, name: str = "L", **params: Any) -> list[int]:
    answer = await plane.call("ListLayerVersions", LayerName=name, **params)
    return [version["Version"] for version in answer["LayerVersions"]]


async def newest(plane: Any, **params: Any) -> dict[str, int]:
    answer = await plane.call("ListLayers", **params)
    return {layer["LayerName"]: layer["LatestMatchingVersion"]["Version"] for layer in answer["Layers"]}


async def delete(plane: Any, number: int, name: str = "L") -> None:
    assert await plane.call("DeleteLayerVersion", LayerName=name, VersionNumber=number) == {}


async def attach(plane: Any, *arns: str, caller: Caller | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = await plane.call(
        "UpdateFunctionConfiguration", *([caller] if caller else []), FunctionName="F", Layers=list(arns)
    )
    await plane.settle()
    return answer


async def refusal(plane: Any, operation: str, *caller: Caller, **params: Any) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        await plane.call(operation, *caller, **params)
    return raised.value


async def test_a_version_is_shown_as_it_was_published(plane: Any) -> None:
    given_by_publisher = {
        "Description": "d",
        "LicenseInfo": "MIT",
        "CompatibleRuntimes": ["python3.12", "python3.13"],
        "CompatibleArchitectures": ["x86_64"],
    }
    published = await publish(plane, **given_by_publisher)
    assert (
        published.items()
        >= {
            **given_by_publisher,
            "LayerArn": f"{ARN}:L",
            "LayerVersionArn": f"{ARN}:L:1",
            "Version": 1,
            "CreatedDate": "2026-11-23T10:20:30.456+0000",
        }.items()
    )
    assert await plane.call("GetLayerVersion", LayerName="L", VersionNumber=1) == published
    assert await plane.call("GetLayerVersion", LayerName=f"{ARN}:L", VersionNumber=1) == published
    assert await plane.call("GetLayerVersionByArn", Arn=f"{ARN}:L:1") == published
    (listed,) = (await plane.call("ListLayerVersions", LayerName="L"))["LayerVersions"]
    assert listed == {key: value for key, value in published.items() if key not in ("Content", "LayerArn")}
    assert (await plane.call("ListLayers"))["Layers"] == [
        {"LayerName": "L", "LayerArn": f"{ARN}:L", "LatestMatchingVersion": listed}
    ]


async def test_what_was_not_said_is_not_shown(plane: Any) -> None:
    published = await publish(plane)
    assert published["Description"] == ""
    assert not {"LicenseInfo", "CompatibleRuntimes", "CompatibleArchitectures"} & published.keys()


async def test_every_publication_is_a_version_and_numbers_never_come_back(
    plane: Any, another_plane: Callable[[Any], Any]
) -> None:
    assert [(await publish(plane))["Version"] for _ in range(3)] == [1, 2, 3]
    await delete(plane, 3)
    assert (await publish(plane))["Version"] == 4
    for number in (1, 2, 4):
        await delete(plane, number)
    assert await newest(plane) == {}
    assert await versions(plane) == []
    after = another_plane(plane)
    assert (await publish(after))["Version"] == 5
    assert (await publish(after, "another"))["Version"] == 1


async def test_deleting_what_is_absent_succeeds(plane: Any) -> None:
    await delete(plane, 7)
    await publish(plane)
    await delete(plane, 7)
    assert await versions(plane) == [1]


@pytest.mark.parametrize(
    ("operation", "params", "error"),
    [
        ("GetLayerVersion", {"LayerName": "L", "VersionNumber": 2}, ResourceNotFound),
        ("GetLayerVersion", {"LayerName": "other", "VersionNumber": 1}, ResourceNotFound),
        ("GetLayerVersion", {"LayerName": "L", "VersionNumber": 0}, InvalidParameterValue),
        ("DeleteLayerVersion", {"LayerName": "L", "VersionNumber": 0}, InvalidParameterValue),
        ("GetLayerVersionByArn", {"Arn": f"{ARN}:L:2"}, ResourceNotFound),
        ("GetLayerVersionByArn", {"Arn": "arn:aws:lambda:::awslayer:x"}, InvalidParameterValue),
        ("GetLayerVersionByArn", {"Arn": "arn:aws:lambda:eu-west-1:111111111111:layer:L:1"}, ResourceNotFound),
        ("ListLayers", {"CompatibleRuntime": "cobol"}, ValidationError),
        ("ListLayerVersions", {"LayerName": "L", "CompatibleRuntime": "cobol"}, ValidationError),
        ("ListLayers", {"Marker": "x"}, InvalidParameterValue),
        ("ListLayerVersions", {"LayerName": "L", "Marker": "x"}, InvalidParameterValue),
    ],
)
async def test_what_is_not_there(plane: Any, operation: str, params: dict[str, Any], error: type[ServiceError]) -> None:
    await publish(plane)
    assert isinstance(await refusal(plane, operation, **params), error)
    assert await versions(plane) == [1]


async def test_what_cannot_be_published(plane: Any) -> None:
    for zip_bytes in (plane.NOT_A_ZIP, plane.BROKEN_ZIP):
        with pytest.raises(InvalidParameterValue, match="Could not unzip uploaded file"):
            await publish(plane, zip_bytes=zip_bytes)
    with pytest.raises(InvalidParameterValue, match="Unzipped size must be smaller than 262144000 bytes"):
        await publish(plane, zip_bytes=plane.BOMB)
    with pytest.raises(RequestEntityTooLarge, match="Zipped size must be smaller than 52428800 bytes"):
        await publish(plane, zip_bytes=bytes(52_428_801))
    with pytest.raises(ValidationError, match=r"Value '\[cobol\]' at 'compatibleRuntimes' failed") as raised:
        await publish(plane, CompatibleRuntimes=["cobol"])
    assert "[Member must satisfy enum value set: [nodejs20.x, " in str(raised.value.message)
    with pytest.raises(InvalidParameterValue):
        await plane.call("PublishLayerVersion", LayerName="L", Content={})
    plane.store.failing = True
    with pytest.raises(OSError, match="disk full"):
        await publish(plane)
    plane.store.failing = False
    assert not plane.packages.kept
    assert await newest(plane) == {}
    assert (await publish(plane))["Version"] == 1


async def test_lists_filter_by_what_the_publisher_named(plane: Any) -> None:
    await publish(plane, CompatibleRuntimes=["python3.12"], CompatibleArchitectures=["x86_64", "arm64"])
    await publish(plane, CompatibleRuntimes=["python3.12", "nodejs22.x"])
    await publish(plane)
    await publish(plane, "node", CompatibleRuntimes=["nodejs22.x"], CompatibleArchitectures=["arm64"])
    assert await versions(plane) == [3, 2, 1]
    assert await versions(plane, CompatibleRuntime="python3.12") == [2, 1]
    assert await versions(plane, CompatibleArchitecture="arm64") == [1]
    assert await versions(plane, CompatibleRuntime="nodejs22.x", CompatibleArchitecture="arm64") == []
    assert await newest(plane) == {"L": 3, "node": 1}
    assert await newest(plane, CompatibleRuntime="nodejs22.x") == {"L": 2, "node": 1}
    assert await newest(plane, CompatibleArchitecture="x86_64") == {"L": 1}
    assert await newest(plane, CompatibleRuntime="java21") == {}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    published=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=20),
    deleted=st.sets(st.tuples(st.sampled_from("abc"), st.integers(1, 8)), max_size=6),
    size=st.integers(1, 6),
)
async def test_pages_of_layers_are_the_lists(
    plane: Any, published: list[tuple[str, bool]], deleted: set[tuple[str, int]], size: int
) -> None:
    plane = type(plane)()
    model: dict[str, dict[int, bool]] = {}
    for name, suited in published:
        number = (await publish(plane, name, CompatibleRuntimes=["python3.12"] if suited else []))["Version"]
        model.setdefault(name, {})[number] = suited
    for name, number in deleted:
        await delete(plane, number, name)
        model.get(name, {}).pop(number, None)

    async def walk(operation: str, member: str, **params: Any) -> list[Any]:
        found: list[Any] = []
        marker: dict[str, Any] = {}
        while True:
            answer = await plane.call(operation, MaxItems=size, **params, **marker)
            found += answer[member]
            if "NextMarker" not in answer:
                return found
            assert len(answer[member]) == size
            marker = {"Marker": answer["NextMarker"]}

    for name, numbers in model.items():
        listed = await walk("ListLayerVersions", "LayerVersions", LayerName=name)
        assert [version["Version"] for version in listed] == sorted(numbers, reverse=True)
        listed = await walk("ListLayerVersions", "LayerVersions", LayerName=name, CompatibleRuntime="python3.12")
        assert [version["Version"] for version in listed] == sorted(filter(numbers.get, numbers), reverse=True)
    listed = await walk("ListLayers", "Layers", CompatibleRuntime="python3.12")
    assert {layer["LayerName"]: layer["LatestMatchingVersion"]["Version"] for layer in listed} == {
        name: max(filter(numbers.get, numbers)) for name, numbers in model.items() if any(numbers.values())
    }


async def test_layers_take_code_storage(plane: Any) -> None:
    async with plane.active():
        await publish(plane)
        await publish(plane)
        plane.quota.limit = 3 * len(plane.ZIP)
        assert (await plane.call("GetAccountSettings"))["AccountUsage"]["TotalCodeSize"] == plane.quota.limit
        with pytest.raises(CodeStorageExceeded):
            await publish(plane)
        await delete(plane, 1)
        await publish(plane)


# --- functions --------------------------------------------------------------------------------------------------------


async def test_functions_show_their_layers_in_order(plane: Any) -> None:
    first, second = await publish(plane, "B"), await publish(plane, "A", plane.OTHER_ZIP)
    arns = [first["LayerVersionArn"], second["LayerVersionArn"]]
    async with plane.active(Layers=arns) as created:
        shown = [{"Arn": arn, "CodeSize": len(plane.ZIP)} for arn in arns]
        assert created["Layers"] == shown
        assert (await plane.call("ListFunctions"))["Functions"][0]["Layers"] == shown
        assert (await attach(plane, *reversed(arns)))["Layers"] == shown[::-1]
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=9)
        await plane.settle()
        assert (await plane.call("GetFunctionConfiguration", FunctionName="F"))["Layers"] == shown[::-1]
        assert "Layers" not in await attach(plane)


async def test_versions_keep_their_layers(plane: Any) -> None:
    arn = (await publish(plane))["LayerVersionArn"]
    async with plane.active(Layers=[arn]):
        await plane.call("PublishVersion", FunctionName="F")
        await attach(plane)
        assert (await plane.call("PublishVersion", FunctionName="F"))["Version"] == "2"
        shown = [await plane.call("GetFunctionConfiguration", FunctionName="F", Qualifier=q) for q in ("1", "2")]
        assert [layer["Arn"] for layer in shown[0]["Layers"]] == [arn]
        assert "Layers" not in shown[1]


async def test_at_most_five_layers(plane: Any) -> None:
    arns = [(await publish(plane, f"L{number}"))["LayerVersionArn"] for number in range(6)]
    with pytest.raises(InvalidParameterValue, match=r"^Cannot reference more than 5 layers\.$"):
        await plane.create(Layers=arns)
    created = await plane.create(Layers=arns[:5])
    assert [layer["Arn"] for layer in created["Layers"]] == arns[:5]


async def test_code_and_layers_together_have_a_largest_size(plane: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    unzipped = 1000 * len(plane.ZIP)
    arn = (await publish(plane))["LayerVersionArn"]
    monkeypatch.setattr(code_source, "MAX_UNZIPPED", 2 * unzipped)
    async with plane.active(Layers=[arn]):
        bigger = plane.OTHER_ZIP + b"x"
        text = (
            f"^Function code combined with layers exceeds the maximum allowed size of {2 * unzipped} bytes. "
            f"The actual size is {2 * unzipped + 1000} bytes.$"
        )
        for dry in (True, False):
            with pytest.raises(InvalidParameterValue, match=text):
                await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=bigger, DryRun=dry)
        await attach(plane)
        await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=bigger)
        await plane.settle()
        with pytest.raises(InvalidParameterValue, match=text):
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", Layers=[arn])
        with pytest.raises(InvalidParameterValue, match=text):
            await plane.create("G", Code={"ZipFile": bigger}, Layers=[arn])
        assert len(plane.packages.kept) == 2


async def test_a_deleted_layer_version_stays_with_the_functions_that_have_it(plane: Any) -> None:
    arn = (await publish(plane, zip_bytes=plane.OTHER_ZIP))["LayerVersionArn"]
    async with plane.active(Layers=[arn]):
        await plane.call("PublishVersion", FunctionName="F")
        await delete(plane, 1)
        assert len(plane.packages.kept) == 2
        with pytest.raises(InvalidParameterValue, match=f"^Layer version {arn} does not exist.$"):
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", Layers=[arn])
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=5)
        await plane.settle()
        await attach(plane)
        assert len(plane.packages.kept) == 2
        await plane.call("DeleteFunction", FunctionName="F", Qualifier="1")
        assert len(plane.packages.kept) == 1


async def test_a_layer_version_that_is_deleted_while_it_is_attached_is_kept(plane: Any) -> None:
    arn = (await publish(plane, zip_bytes=plane.OTHER_ZIP))["LayerVersionArn"]
    async with plane.active():
        attaching = asyncio.ensure_future(plane.call("UpdateFunctionConfiguration", FunctionName="F", Layers=[arn]))
        await asyncio.sleep(0)
        await delete(plane, 1)
        assert (await attaching)["Layers"][0]["Arn"] == arn
        await plane.settle()
        await plane.references.sweep()
        assert len(plane.packages.kept) == 2
        await attach(plane)
        assert len(plane.packages.kept) == 1


async def test_what_environments_run_from_stays_until_they_are_gone(plane: Any) -> None:
    arns = [(await publish(plane, name, plane.OTHER_ZIP + name.encode()))["LayerVersionArn"] for name in "ab"]
    async with plane.active(Layers=arns):
        (function,) = list(plane.catalog)
        packages = function.serving.configuration.packages
        assert len(packages) == 4
        plane.packages.kept |= {package.digest for package in packages}  # the merged tree is made by the worker
        plane.in_use.update(packages)
        await plane.call("DeleteFunction", FunctionName="F")
        for name in "ab":
            await delete(plane, 1, name)
        assert len(plane.packages.kept) == 4
        plane.in_use.clear()
        await plane.references.sweep()
        assert not plane.packages.kept


# --- permissions ------------------------------------------------------------------------------------------------------


async def test_only_the_owner_manages_a_layer(plane: Any) -> None:
    await publish(plane)
    this = {"LayerName": f"{ARN}:L", "VersionNumber": 1}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("PublishLayerVersion", {"LayerName": f"{ARN}:L", "Content": {"ZipFile": plane.ZIP}}),
        ("ListLayerVersions", {"LayerName": f"{ARN}:L"}),
        ("DeleteLayerVersion", this),
        ("AddLayerVersionPermission", {**this, **GRANT}),
        ("GetLayerVersionPolicy", this),
        ("RemoveLayerVersionPermission", {**this, "StatementId": "s1"}),
    ]
    await plane.call("AddLayerVersionPermission", **this, **{**GRANT, "Principal": "*"})
    for operation, params in calls:
        error = await refusal(plane, operation, STRANGER, **params)
        assert isinstance(error, AccessDenied)
        assert error.message == (
            f"User: arn:aws:iam::222222222222:root is not authorized to perform: lambda:{operation} on resource: "
            f"{ARN}:L because no resource-based policy allows the lambda:{operation} action"
        )
    assert await versions(plane) == [1]


@pytest.mark.parametrize(
    ("grant", "allowed"),
    [
        ({"Principal": STRANGER.account}, True),
        ({"Principal": "arn:aws:iam::222222222222:root"}, True),
        ({"Principal": "*"}, True),
        ({"Principal": "333333333333"}, False),
        ({"Principal": "*", "OrganizationId": "o-1234567890"}, False),
    ],
)
async def test_another_account_uses_a_layer_version_once_it_may(
    plane: Any, grant: dict[str, str], allowed: bool
) -> None:
    await publish(plane)
    arn, this = f"{ARN}:L:1", {"LayerName": "L", "VersionNumber": 1}
    denied = (
        "User: arn:aws:iam::222222222222:root is not authorized to perform: lambda:GetLayerVersion on resource: "
        f"{arn} because no resource-based policy allows the lambda:GetLayerVersion action"
    )

    async def attempts() -> list[str | None]:
        """What refuses each way to use the layer version; None if nothing does."""
        results: list[str | None] = []
        for operation, params in (
            ("GetLayerVersionByArn", {"Arn": arn}),
            ("GetLayerVersion", {"LayerName": f"{ARN}:L", "VersionNumber": 1}),
        ):
            try:
                await plane.call(operation, STRANGER, **params)
                results.append(None)
            except AccessDenied as error:
                results.append(error.message)
        try:
            await plane.create("F", STRANGER, Layers=[arn])
            results.append(None)
            await plane.call("DeleteFunction", STRANGER, FunctionName="F")
        except AccessDenied as error:
            results.append(error.message)
        return results

    assert await attempts() == [denied] * 3
    await plane.call("AddLayerVersionPermission", **this, **{**GRANT, **grant})
    assert await attempts() == [None if allowed else denied] * 3
    await publish(plane)
    with pytest.raises(AccessDenied):  # the grant is for one version
        await plane.call("GetLayerVersionByArn", STRANGER, Arn=f"{ARN}:L:2")
    await plane.call("RemoveLayerVersionPermission", **this, StatementId="s1")
    assert await attempts() == [denied] * 3


async def test_a_function_keeps_a_layer_whose_permission_was_taken_away(plane: Any) -> None:
    await publish(plane)
    this = {"LayerName": "L", "VersionNumber": 1}
    await plane.call("AddLayerVersionPermission", **this, **GRANT)
    async with plane.activating():
        await plane.create("F", STRANGER, Layers=[f"{ARN}:L:1"])
        await plane.settle()
        await plane.call("RemoveLayerVersionPermission", **this, StatementId="s1")
        updated = await plane.call("UpdateFunctionConfiguration", STRANGER, FunctionName="F", Timeout=9)
        await plane.settle()
        assert updated["Layers"] == [{"Arn": f"{ARN}:L:1", "CodeSize": len(plane.ZIP)}]
        with pytest.raises(AccessDenied):
            await plane.call("UpdateFunctionConfiguration", STRANGER, FunctionName="F", Layers=[f"{ARN}:L:1"])


async def test_the_text_of_a_policy(plane: Any) -> None:
    await publish(plane)
    this = {"LayerName": "L", "VersionNumber": 1, "Action": "lambda:GetLayerVersion"}
    first = await plane.call("AddLayerVersionPermission", **this, StatementId="a", Principal="222222222222")
    second = await plane.call(
        "AddLayerVersionPermission", **this, StatementId="b", Principal="*", OrganizationId="o-1234567890",
        RevisionId=first["RevisionId"],
    )  # fmt: skip
    assert first["Statement"] == (
        '{"Sid":"a","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},'
        f'"Action":"lambda:GetLayerVersion","Resource":"{ARN}:L:1"}}'
    )
    assert second["Statement"] == (
        f'{{"Sid":"b","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"{ARN}:L:1",'
        '"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1234567890"}}}'
    )
    policy = await plane.call("GetLayerVersionPolicy", LayerName="L", VersionNumber=1)
    assert policy["RevisionId"] == second["RevisionId"] != first["RevisionId"]
    statements = [json.loads(answer["Statement"]) for answer in (first, second)]
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    with pytest.raises(PreconditionFailed):
        await plane.call(
            "RemoveLayerVersionPermission", LayerName="L", VersionNumber=1, StatementId="a",
            RevisionId=first["RevisionId"],
        )  # fmt: skip
    for sid in "ab":
        await plane.call("RemoveLayerVersionPermission", LayerName="L", VersionNumber=1, StatementId=sid)
    for operation in ("GetLayerVersionPolicy", "RemoveLayerVersionPermission"):
        with pytest.raises(ResourceNotFound, match=r"^No policy is associated with the given resource\.$"):
            await plane.call(operation, LayerName="L", VersionNumber=1, StatementId="a")


async def test_an_organization_goes_with_everybody_only(plane: Any) -> None:
    await publish(plane)
    with pytest.raises(InvalidParameterValue):
        await plane.call(
            "AddLayerVersionPermission", LayerName="L", VersionNumber=1, **GRANT, OrganizationId="o-1234567890"
        )


async def test_a_policy_has_a_largest_size(plane: Any) -> None:
    await publish(plane)
    with pytest.raises(PolicyLengthExceeded):
        for number in range(200):
            await plane.call(
                "AddLayerVersionPermission", LayerName="L", VersionNumber=1,
                **{**GRANT, "StatementId": f"{number:0100}"},
            )  # fmt: skip
    policy = await plane.call("GetLayerVersionPolicy", LayerName="L", VersionNumber=1)
    assert 20_000 < len(policy["Policy"]) <= 20_480


async def test_everything_survives_a_restart(plane: Any, another_plane: Callable[[Any], Any]) -> None:
    published = await publish(plane, Description="d", CompatibleRuntimes=["python3.12"], LicenseInfo="MIT")
    added = await plane.call("AddLayerVersionPermission", LayerName="L", VersionNumber=1, **GRANT)
    created = await plane.create(Layers=[published["LayerVersionArn"]])
    after = another_plane(plane)
    assert await after.call("GetLayerVersion", LayerName="L", VersionNumber=1) == published
    policy = await after.call("GetLayerVersionPolicy", LayerName="L", VersionNumber=1)
    assert policy["RevisionId"] == added["RevisionId"]
    assert (await after.call("GetFunctionConfiguration", FunctionName="F"))["Layers"] == created["Layers"]
    assert (await after.call("GetAccountSettings"))["AccountUsage"]["TotalCodeSize"] == 2 * len(plane.ZIP)
    await after.call("DeleteFunction", FunctionName="F")
    assert after.packages.kept == {next(iter(after.packages.kept))}
    await delete(after, 1)
    assert not after.packages.kept


async def test_the_tree_at_opt_depends_on_the_order_of_layers(plane: Any) -> None:
    arns = [(await publish(plane, name, plane.ZIP + name.encode()))["LayerVersionArn"] for name in "ab"]

    async def tree(*layers: str) -> Package | None:
        await plane.create("F", Layers=list(layers))
        (function,) = list(plane.catalog)
        await plane.call("DeleteFunction", FunctionName="F")
        found: Package | None = function.latest.configuration.layer_tree
        return found

    one, both, reversed_ = await tree(arns[0]), await tree(*arns), await tree(*reversed(arns))
    assert one is not None
    assert (await plane.call("GetLayerVersion", LayerName="a", VersionNumber=1))["Content"]["CodeSize"] == one.size
    assert len({one, both, reversed_}) == 3
    assert await tree() is None
