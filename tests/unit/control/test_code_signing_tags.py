"""Tags of code signing configurations: by their own operations, and in searches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ingle.catalog.tags import TagFilter, TagIndex
from ingle.domain.caller import Caller
from ingle.domain.errors import InvalidParameterValue, ResourceNotFound

pytestmark = pytest.mark.asyncio

PUBLISHERS = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:111111111111:/signing-profiles/test/AbCdEfGhIj"]}
ACCOUNT, REGION = "111111111111", "us-east-1"


async def make(plane: Any, **params: Any) -> str:
    created = await plane.call("CreateCodeSigningConfig", AllowedPublishers=PUBLISHERS, **params)
    assert "Tags" not in created["CodeSigningConfig"]
    arn: str = created["CodeSigningConfig"]["CodeSigningConfigArn"]
    return arn


async def tags_of(plane: Any, arn: str) -> dict[str, str]:
    return (await plane.call("ListTags", Resource=arn))["Tags"]


def found(index: TagIndex, *filters: TagFilter) -> dict[str, Any]:
    return dict(index.find(ACCOUNT, REGION, filters))


async def test_tags_come_with_a_configuration_change_and_outlive_the_server(plane: Any, another_plane: Any) -> None:
    arn = await make(plane, Tags={"team": "x", "empty": ""})
    before = await plane.call("GetCodeSigningConfig", CodeSigningConfigArn=arn)
    plane.clock.seconds += 60
    assert await plane.call("TagResource", Resource=arn, Tags={"team": "y", "new": "z"}) == {}
    assert await plane.call("UntagResource", Resource=arn, TagKeys=["empty", "never there"]) == {}
    await plane.call("UpdateCodeSigningConfig", CodeSigningConfigArn=arn)
    assert await plane.call("GetCodeSigningConfig", CodeSigningConfigArn=arn) == before
    for server in (plane, another_plane(plane)):
        assert await tags_of(server, arn) == {"team": "y", "new": "z"}


async def test_searches_follow_the_tags(plane: Any) -> None:
    early = await make(plane, Tags={"stage": "test"})
    index = TagIndex(plane.catalog)
    assert found(index) == {early: {"stage": "test"}}
    await make(plane)
    await plane.create(Tags={"stage": "test"})
    late = await make(plane)
    await plane.call("TagResource", Resource=late, Tags={"stage": "live"})
    assert list(found(index, TagFilter(key="stage", values=frozenset({"live"})))) == [late]
    assert index.values(ACCOUNT, REGION, "stage", None, 5) == ["live", "test"]
    await plane.call("UntagResource", Resource=late, TagKeys=["stage"])
    assert found(index)[late] == {}
    await plane.call("DeleteCodeSigningConfig", CodeSigningConfigArn=early)
    assert sorted(found(index)) == sorted([late, f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:F"])


@pytest.mark.parametrize("tags", [{"aws:x": "y"}, {"x": "AWS:y"}, {f"k{number}": "" for number in range(51)}])
async def test_tags_that_cannot_be(plane: Any, tags: dict[str, str]) -> None:
    with pytest.raises(InvalidParameterValue):
        await make(plane, Tags=tags)
    assert plane.store.code_signing == {}
    arn = await make(plane, Tags={"kept": ""})
    with pytest.raises(InvalidParameterValue):
        await plane.call("TagResource", Resource=arn, Tags=tags)
    assert await tags_of(plane, arn) == {"kept": ""}


async def test_fifty_tags_are_not_too_many(plane: Any) -> None:
    arn = await make(plane, Tags={f"k{number}": "v" for number in range(50)})
    await plane.call("TagResource", Resource=arn, Tags={"k0": "other"})
    with pytest.raises(InvalidParameterValue, match="exceeds resource tag limit"):
        await plane.call("TagResource", Resource=arn, Tags={"one more": ""})


@pytest.mark.parametrize(
    "caller", [Caller(account="222222222222", region=REGION), Caller(account=ACCOUNT, region="eu-west-1")]
)
async def test_another_account_or_region_finds_none(plane: Any, caller: Caller) -> None:
    arn = await make(plane, Tags={"a": "b"})
    for operation, params in (
        ("ListTags", {}),
        ("TagResource", {"Tags": {"a": "c"}}),
        ("UntagResource", {"TagKeys": ["a"]}),
    ):
        with pytest.raises(ResourceNotFound, match=f"Code signing config not found: {arn}"):
            await plane.call(operation, caller, Resource=arn, **params)
    assert await tags_of(plane, arn) == {"a": "b"}


async def test_concurrent_changes_are_all_there(plane: Any, another_plane: Callable[[Any], Any]) -> None:
    arn = await make(plane)
    await asyncio.gather(
        *(plane.call("TagResource", Resource=arn, Tags={f"k{number}": str(number)}) for number in range(20))
    )
    assert await tags_of(another_plane(plane), arn) == {f"k{number}": str(number) for number in range(20)}


async def test_a_commit_that_fails_changes_nothing(plane: Any) -> None:
    arn = await make(plane, Tags={"a": "b"})
    plane.store.failing = True
    with pytest.raises(OSError, match="disk full"):
        await plane.call("TagResource", Resource=arn, Tags={"c": "d"})
    assert await tags_of(plane, arn) == {"a": "b"}
