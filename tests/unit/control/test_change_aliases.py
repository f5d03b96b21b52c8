"""Aliases: what they may stand for, what they show, and what keeps versions from being deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.domain.alias import Alias
from ingle.domain.errors import (
    InvalidParameterValue,
    PreconditionFailed,
    ResourceConflict,
    ResourceNotFound,
    ServiceError,
)
from ingle.domain.function import LATEST
from ingle.invoke.qualifier import resolve
from recordings import Revisions, assert_recorded, assert_recorded_error, scenarios

RECORDED = scenarios("versions")
ARN = "arn:aws:lambda:us-east-1:111111111111:function:F"
OTHER_ROLE = "arn:aws:iam::111111111111:role/other"


async def versions(plane: Any, count: int) -> None:
    """Publish versions of F up to `count`."""
    for number in range(1, count + 1):
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", MemorySize=128 + number)
        await plane.settle()
        assert (await plane.call("PublishVersion", FunctionName="F"))["Version"] == str(number)


async def create(plane: Any, name: str = "prod", version: str = "1", **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await plane.call(
        "CreateAlias", FunctionName="F", Name=name, FunctionVersion=version, **params
    )
    return answer


async def update(plane: Any, name: str = "prod", **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await plane.call("UpdateAlias", FunctionName="F", Name=name, **params)
    return answer


def routing(**weights: float) -> dict[str, Any]:
    return {"RoutingConfig": {"AdditionalVersionWeights": {key.strip("v"): value for key, value in weights.items()}}}


async def names(plane: Any, **params: Any) -> list[str]:
    return [alias["Name"] for alias in (await plane.call("ListAliases", FunctionName="F", **params))["Aliases"]]


async def test_the_recorded_life_of_an_alias(plane: Any) -> None:
    recorded, revisions = RECORDED["test_function_revisions_version_and_alias"], Revisions()
    async with plane.active(Timeout=30, Environment={"Variables": {}}):
        await plane.call("PublishVersion", FunctionName="F")
        before = await plane.call("GetFunction", FunctionName="F")
        created = await create(plane, "revision_alias")
        revisions.assert_recorded(created, recorded["create_alias_response_rev_a1"])
        for step, params in (
            ("get_function_published_version_rev_v3", {"Qualifier": "1"}),
            ("get_function_latest_rev4", {}),
        ):
            revisions.assert_recorded(await plane.call("GetFunction", FunctionName="F", **params), recorded[step])
        assert await plane.call("GetFunction", FunctionName="F") == before
        with pytest.raises(ServiceError) as raised:
            await update(plane, "revision_alias", RevisionId="wrong")
        assert_recorded_error(raised.value, recorded["update_alias_revision_exception"])
        updated = await update(
            plane, "revision_alias", RevisionId=created["RevisionId"], Description="something changed"
        )
        revisions.assert_recorded(updated, recorded["update_alias_response_rev_a2"])


async def test_the_recorded_refusal_to_update_what_does_not_exist(plane: Any) -> None:
    recorded = RECORDED["test_non_existent_alias_update"]
    created = await plane.create(Handler="index.handler", Environment={"Variables": {"testenv": "staging"}})
    assert_recorded(created, recorded["create_response"])
    with pytest.raises(ServiceError) as raised:
        await update(plane, "non-existent")
    assert_recorded_error(raised.value, recorded["update_alias_response"])


async def test_an_alias_is_shown_as_it_was_made(plane: Any) -> None:
    async with plane.active():
        await versions(plane, 2)
        created = await create(plane, Description="d", **routing(v2=0.25))
        assert created.pop("RevisionId")
        assert created == {
            "AliasArn": f"{ARN}:prod",
            "Name": "prod",
            "FunctionVersion": "1",
            "Description": "d",
            "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.25}},
        }
        for name in ("F", ARN, f"{ARN}:1"):
            shown = await plane.call("GetAlias", FunctionName=name, Name="prod")
            del shown["RevisionId"]
            assert shown == created


async def test_updates_change_what_they_name_and_the_revision(plane: Any) -> None:
    async with plane.active():
        await versions(plane, 3)
        created = await create(plane, Description="d", **routing(v2=0.25))
        steps: list[tuple[dict[str, Any], dict[str, Any]]] = [
            ({"Description": ""}, {"Description": ""}),
            ({"FunctionVersion": "3"}, {"FunctionVersion": "3"}),
            (routing(v1=0.5), routing(v1=0.5)),
            ({}, {}),
            ({"RoutingConfig": {}}, {"RoutingConfig": None}),
            (routing(v1=1.0), routing(v1=1.0)),
            ({"RoutingConfig": {"AdditionalVersionWeights": {}}}, {"RoutingConfig": None}),
            ({"FunctionVersion": LATEST}, {"FunctionVersion": LATEST}),
        ]
        revisions, expected = {created.pop("RevisionId")}, created
        for params, change in steps:
            updated = await update(plane, **params)
            revisions.add(updated.pop("RevisionId"))
            expected = {key: value for key, value in {**expected, **change}.items() if value is not None}
            assert updated == expected
        assert len(revisions) == len(steps) + 1


REFUSED: list[tuple[dict[str, Any], type[ServiceError], str]] = [
    ({"FunctionVersion": "9"}, ResourceNotFound, f"Function not found: {ARN}:9"),
    ({"FunctionVersion": "$LATEST.PUBLISHED"}, ResourceNotFound, f"Function not found: {ARN}:$LATEST.PUBLISHED"),
    (routing(v9=0.5), ResourceNotFound, f"Function not found: {ARN}:9"),
    (
        routing(v2=0.5, v3=0.1),
        InvalidParameterValue,
        "Number of items in AdditionalVersionWeights cannot be greater than 1",
    ),
    (
        routing(v1=0.5),
        InvalidParameterValue,
        "Invalid function version 1. Function version 1 is already included in routing configuration.",
    ),
    (
        {"FunctionVersion": LATEST, **routing(v1=0.5)},
        InvalidParameterValue,
        "$LATEST is not supported for an alias pointing to more than 1 version",
    ),
    (
        routing(v3=0.5),
        InvalidParameterValue,
        "The function versions of an alias with routing configuration must have the same execution role.",
    ),
]


@pytest.mark.parametrize(("params", "error", "message"), REFUSED)
async def test_what_an_alias_cannot_stand_for(
    plane: Any, params: dict[str, Any], error: type[ServiceError], message: str
) -> None:
    async with plane.active():
        await versions(plane, 2)
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Role=OTHER_ROLE)
        await plane.settle()
        await plane.call("PublishVersion", FunctionName="F")
        with pytest.raises(error) as raised:
            await plane.call("CreateAlias", **{"FunctionName": "F", "Name": "new", "FunctionVersion": "1", **params})
        assert raised.value.message == message
        existing = await create(plane)
        with pytest.raises(error) as raised:
            await update(plane, **params)
        assert raised.value.message == message
        assert await names(plane) == ["prod"]
        assert await plane.call("GetAlias", FunctionName="F", Name="prod") == existing


async def test_versions_whose_failures_go_elsewhere_do_not_share_an_alias(plane: Any) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html: the same queue, or both none."""
    message = "The function versions of an alias with routing configuration must have the same dead-letter queue"
    async with plane.active():
        await versions(plane, 1)
        for number, queue in enumerate(("a", "a", "b"), 2):
            target = f"arn:aws:sqs:us-east-1:111111111111:{queue}"
            config = {"DeadLetterConfig": {"TargetArn": target}, "MemorySize": 200 + number}
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", **config)
            await plane.settle()
            await plane.call("PublishVersion", FunctionName="F")
        await create(plane, "same", version="2", **routing(v3=0.5))
        for one, other in (("1", 0.5), ("4", 0.5)):
            with pytest.raises(InvalidParameterValue) as raised:
                await create(plane, "new", version=one, **routing(v2=other))
            assert str(raised.value).startswith(message)


async def test_an_update_must_fit_what_stays(plane: Any) -> None:
    async with plane.active():
        await versions(plane, 2)
        await create(plane, **routing(v2=0.5))
        for version in ("2", LATEST):
            with pytest.raises(InvalidParameterValue):
                await update(plane, FunctionVersion=version)
        await update(plane, FunctionVersion="2", **routing(v1=0.5))


async def test_names_are_unique_within_a_function(plane: Any) -> None:
    async with plane.active():
        await versions(plane, 1)
        await create(plane)
        with pytest.raises(ResourceConflict, match=f"^Alias already exists: {ARN}:prod$"):
            await create(plane)
        await create(plane, "Prod")
        await plane.create("G")
        await plane.call("CreateAlias", FunctionName="G", Name="prod", FunctionVersion=LATEST)


async def test_what_is_absent(plane: Any) -> None:
    async with plane.active():
        with pytest.raises(ResourceNotFound, match=f"^Cannot find alias arn: {ARN}:none$"):
            await plane.call("GetAlias", FunctionName="F", Name="none")
        assert await plane.call("DeleteAlias", FunctionName="F", Name="none") == {}
        for operation in ("GetAlias", "UpdateAlias", "DeleteAlias", "ListAliases"):
            with pytest.raises(ResourceNotFound, match=r"^Function not found: .*:function:G$"):
                await plane.call(operation, FunctionName="G", Name="prod")
        with pytest.raises(ResourceNotFound, match=r"^Function not found: .*:function:G:\$LATEST$"):
            await plane.call("CreateAlias", FunctionName="G", Name="prod", FunctionVersion=LATEST)


async def test_a_version_that_an_alias_names_cannot_be_deleted(plane: Any) -> None:
    async with plane.active():
        await versions(plane, 2)
        await create(plane, "b", "1")
        await create(plane, "a", "2", **routing(v1=0.0))
        for number, referring in (("1", "a, b"), ("2", "a")):
            with pytest.raises(ResourceConflict) as raised:
                await plane.call("DeleteFunction", FunctionName="F", Qualifier=number)
            assert raised.value.message == (
                f"Unable to delete version because the following aliases reference it: [{referring}]"
            )
        await plane.call("DeleteAlias", FunctionName="F", Name="a")
        await plane.call("DeleteFunction", FunctionName="F", Qualifier="2")
        with pytest.raises(ResourceConflict):
            await plane.call("DeleteFunction", FunctionName="F", Qualifier="1")
        with pytest.raises(InvalidParameterValue, match="Deletion of aliases"):
            await plane.call("DeleteFunction", FunctionName="F", Qualifier="b")
        await plane.call("DeleteFunction", FunctionName="F")
        assert not plane.store.functions


async def test_functions_are_read_by_alias(plane: Any) -> None:
    async with plane.active():
        await versions(plane, 2)
        await create(plane, "prod", "1", **routing(v2=0.9))
        await create(plane, "dev", LATEST)
        for name, version, memory in (("prod", "1", 129), ("dev", LATEST, 130)):
            shown = await plane.call("GetFunctionConfiguration", FunctionName="F", Qualifier=name)
            assert (shown["Version"], shown["MemorySize"], shown["FunctionArn"]) == (version, memory, f"{ARN}:{name}")
            shown = await plane.call("GetFunction", FunctionName=f"{ARN}:{name}")
            assert shown["Configuration"]["Version"] == version
        for operation in ("UpdateFunctionConfiguration", "PublishVersion"):
            with pytest.raises(ResourceNotFound):
                await plane.call(operation, FunctionName="F:prod")


async def test_aliases_are_listed_by_name_and_by_version(plane: Any) -> None:
    async with plane.active():
        await versions(plane, 2)
        for name, version in (("c", "1"), ("a", "2"), ("B", "1"), ("d", LATEST)):
            await create(plane, name, version, **(routing(v2=0.1) if name == "c" else {}))
        assert await names(plane) == ["B", "a", "c", "d"]
        assert await names(plane, FunctionVersion="1") == ["B", "c"]
        assert await names(plane, FunctionVersion="2") == ["a"]
        assert await names(plane, FunctionVersion="7") == []
        first = await plane.call("ListAliases", FunctionName="F", MaxItems=3)
        assert await names(plane, Marker=first["NextMarker"]) == ["d"]


async def test_aliases_survive_a_restart(plane: Any, another_plane: Callable[[Any], Any]) -> None:
    async with plane.active():
        await versions(plane, 2)
        created = await create(plane, **routing(v2=0.25))
    after = another_plane(plane)
    assert await after.call("GetAlias", FunctionName="F", Name="prod") == created
    with pytest.raises(ResourceConflict):
        await after.call("DeleteFunction", FunctionName="F", Qualifier="2")


async def test_a_change_that_is_not_committed_changes_nothing(plane: Any) -> None:
    async with plane.active():
        await versions(plane, 1)
        created = await create(plane)
        plane.store.failing = True
        for operation in ("UpdateAlias", "DeleteAlias"):
            with pytest.raises(OSError, match="disk full"):
                await plane.call(operation, FunctionName="F", Name="prod")
        plane.store.failing = False
        assert await plane.call("GetAlias", FunctionName="F", Name="prod") == created


# --- invocations ------------------------------------------------------------------------------------------------------


async def test_an_invocation_runs_what_its_alias_stands_for(plane: Any) -> None:
    async with plane.active():
        await versions(plane, 2)
        await create(plane, "prod", "1")
        await create(plane, "dev", LATEST)
        version, arn = resolve(plane.catalog, plane.CALLER, "F", "prod")
        assert (version.version, arn) == ("1", f"{ARN}:prod")
        assert resolve(plane.catalog, plane.CALLER, "F:dev", None)[0].version == LATEST
        await update(plane, FunctionVersion="2")
        assert resolve(plane.catalog, plane.CALLER, "F", "prod")[0].version == "2"
        await plane.call("DeleteAlias", FunctionName="F", Name="prod")
        with pytest.raises(ResourceNotFound, match=f"^Function not found: {ARN}:prod$"):
            resolve(plane.catalog, plane.CALLER, "F", "prod")


@pytest.mark.parametrize(("drawn", "version"), [(0.0, "2"), (0.2499, "2"), (0.25, "1"), (0.5, "1"), (0.9999999, "1")])
async def test_an_additional_version_gets_its_share(plane: Any, drawn: float, version: str) -> None:
    async with plane.active():
        await versions(plane, 2)
        await create(plane, **routing(v2=0.25))
        assert resolve(plane.catalog, plane.CALLER, "F", "prod", lambda: drawn)[0].version == version


@given(weight=st.floats(0, 1), drawn=st.floats(0, 1, exclude_max=True))
def test_shares_are_exact(weight: float, drawn: float) -> None:
    alias = Alias(name="a", version="1", revision_id="r", weights={"2": weight})
    assert alias.choose(drawn) == ("2" if drawn < weight else "1")


_step = st.one_of(
    st.tuples(st.just("publish")),
    st.tuples(st.just("delete"), st.integers(1, 5)),
    st.tuples(st.just("alias"), st.sampled_from("ab"), st.integers(0, 5), st.none() | st.integers(1, 5)),
    st.tuples(st.just("remove"), st.sampled_from("ab")),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_step, max_size=20))
async def test_aliases_always_stand_for_versions_that_exist(plane: Any, steps: list[tuple[Any, ...]]) -> None:
    """Whatever is tried, in any order: what is refused changes nothing, and every alias can be invoked."""
    plane = type(plane)()
    async with plane.active():
        for count, step in enumerate(steps):
            before = list(plane.catalog)
            try:
                match step:
                    case ("publish",):
                        await plane.call("UpdateFunctionConfiguration", FunctionName="F", MemorySize=200 + count)
                        await plane.settle()
                        await plane.call("PublishVersion", FunctionName="F")
                    case ("delete", number):
                        await plane.call("DeleteFunction", FunctionName="F", Qualifier=str(number))
                    case ("remove", name):
                        await plane.call("DeleteAlias", FunctionName="F", Name=name)
                    case (_, name, main, additional):
                        (function,) = list(plane.catalog)
                        change = update if name in function.aliases else create
                        weights = {} if additional is None else {str(additional): 0.5}
                        version = str(main) if main else LATEST
                        key = "FunctionVersion" if change is update else "version"
                        config = {"AdditionalVersionWeights": weights}
                        await change(plane, name, **{key: version}, RoutingConfig=config)
            except (ResourceNotFound, ResourceConflict, InvalidParameterValue, PreconditionFailed):
                assert list(plane.catalog) == before
            (function,) = list(plane.catalog)
            for alias in function.aliases.values():
                chosen = {
                    resolve(plane.catalog, plane.CALLER, "F", alias.name, lambda drawn=drawn: drawn)[0].version
                    for drawn in (0.0, 0.99)
                }
                assert chosen == set(alias.versions)
                assert len(alias.versions) == 1 or LATEST not in alias.versions
