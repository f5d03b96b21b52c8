"""The operations on tags: their rules, what they leave alone, and what outlives them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ingle.domain.errors import AccessDenied, InvalidParameterValue, ResourceNotFound

pytestmark = pytest.mark.asyncio

ARN = "arn:aws:lambda:us-east-1:111111111111:function:F"


async def tags_of(plane: Any, arn: str = ARN) -> dict[str, str]:
    return (await plane.call("ListTags", Resource=arn))["Tags"]


async def test_tags_that_come_with_a_function(plane: Any) -> None:
    created = await plane.create(Tags={"team": "x", "empty": ""})
    assert "Tags" not in created
    assert await tags_of(plane) == {"team": "x", "empty": ""}
    assert (await plane.call("GetFunction", FunctionName="F"))["Tags"] == {"team": "x", "empty": ""}
    assert "Tags" not in await plane.call("GetFunction", FunctionName="F", Qualifier="$LATEST")
    assert "Tags" not in await plane.call("GetFunctionConfiguration", FunctionName="F")


async def test_a_function_without_tags_has_no_such_member(plane: Any) -> None:
    await plane.create(Tags={})
    assert "Tags" not in await plane.call("GetFunction", FunctionName="F")
    assert await tags_of(plane) == {}
    assert plane.catalog.get(next(iter(plane.store.functions))).tags is None


async def test_tags_are_not_part_of_what_is_versioned(plane: Any) -> None:
    async with plane.active():
        before = await plane.call("GetFunctionConfiguration", FunctionName="F")
        await plane.call("TagResource", Resource=ARN, Tags={"a": "b"})
        assert await plane.call("GetFunctionConfiguration", FunctionName="F") == before
        await plane.call("PublishVersion", FunctionName="F")
        assert "Tags" not in await plane.call("GetFunction", FunctionName="F", Qualifier="1")
        await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
        await plane.call("TagResource", Resource=ARN, Tags={"c": "d"})
        await plane.settle()
        assert await tags_of(plane) == {"a": "b", "c": "d"}


async def test_tags_while_a_function_is_being_made(plane: Any) -> None:
    async with plane.activating():
        await plane.create()
        await plane.call("TagResource", Resource=ARN, Tags={"a": "b"})
        await plane.settle()
        shown = await plane.call("GetFunction", FunctionName="F")
        assert (shown["Configuration"]["State"], shown["Tags"]) == ("Active", {"a": "b"})


@pytest.mark.parametrize(
    "tags",
    [
        {"aws:x": "y"},
        {"AWS:x": "y"},
        {"x": "aws:y"},
        {"fine": "fine", "aws:": ""},
    ],
)
async def test_the_reserved_prefix(plane: Any, tags: dict[str, str]) -> None:
    with pytest.raises(InvalidParameterValue, match="'aws:'"):
        await plane.create(Tags=tags)
    assert plane.packages.kept == set()
    await plane.create()
    with pytest.raises(InvalidParameterValue, match="'aws:'"):
        await plane.call("TagResource", Resource=ARN, Tags=tags)
    assert await tags_of(plane) == {}
    with pytest.raises(InvalidParameterValue, match="'aws:'"):
        await plane.call("UntagResource", Resource=ARN, TagKeys=["fine", "aws:cloudformation"])


async def test_a_request_without_tags(plane: Any) -> None:
    await plane.create()
    with pytest.raises(InvalidParameterValue, match="An error occurred and the request cannot be processed"):
        await plane.call("TagResource", Resource=ARN, Tags={})


async def test_a_tag_that_is_replaced_does_not_count_twice(plane: Any) -> None:
    await plane.create(Tags={f"k{number}": "v" for number in range(50)})
    await plane.call("TagResource", Resource=ARN, Tags={"k0": "other"})
    assert (await tags_of(plane))["k0"] == "other"


@pytest.mark.parametrize(
    ("arn", "error", "text"),
    [
        ("arn:aws:lambda:eu-west-1:111111111111:function:F", ResourceNotFound, "Functions from 'eu-west-1'"),
        ("arn:aws:lambda:us-east-1:222222222222:function:F", AccessDenied, "lambda:ListTags on resource"),
        (f"{ARN}:1", InvalidParameterValue, "Tags on function aliases and versions"),
        (f"{ARN}:$LATEST", InvalidParameterValue, "Tags on function aliases and versions"),
        (
            "arn:aws:lambda:us-east-1:111111111111:code-signing-config:csc-12345678901234567",
            ResourceNotFound,
            "Code signing config not found: arn:",
        ),
        ("arn:aws:lambda:us-east-1:111111111111:network-connector:c", ResourceNotFound, "Network connector not found"),
    ],
)
async def test_arns_that_mean_nothing_here(plane: Any, arn: str, error: type[Exception], text: str) -> None:
    await plane.create()
    with pytest.raises(error, match=text.replace("$", r"\$")):
        await plane.call("ListTags", Resource=arn)


async def test_a_function_that_is_made_again_starts_without_tags(plane: Any) -> None:
    await plane.create(Tags={"a": "b"})
    await plane.call("DeleteFunction", FunctionName="F")
    await plane.create()
    assert await tags_of(plane) == {}


async def test_concurrent_changes_are_all_there(plane: Any, another_plane: Callable[[Any], Any]) -> None:
    await plane.create()
    await asyncio.gather(
        *(plane.call("TagResource", Resource=ARN, Tags={f"k{number}": str(number)}) for number in range(20))
    )
    assert await tags_of(another_plane(plane)) == {f"k{number}": str(number) for number in range(20)}


async def test_a_commit_that_fails_changes_nothing(plane: Any) -> None:
    await plane.create(Tags={"a": "b"})
    plane.store.failing = True
    with pytest.raises(OSError, match="disk full"):
        await plane.call("TagResource", Resource=ARN, Tags={"c": "d"})
    assert await tags_of(plane) == {"a": "b"}


async def test_losing_the_last_tag_is_told_from_never_having_had_one(plane: Any) -> None:
    await plane.create()
    await plane.call("UntagResource", Resource=ARN, TagKeys=["a"])
    (key,) = plane.store.functions
    assert plane.catalog.get(key).tags is None
    await plane.call("TagResource", Resource=ARN, Tags={"a": "b"})
    await plane.call("UntagResource", Resource=ARN, TagKeys=["a"])
    assert plane.catalog.get(key).tags == {}
