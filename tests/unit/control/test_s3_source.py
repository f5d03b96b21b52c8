"""Packages that requests name in S3: what is asked, when, and what is told when it fails."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.companions.errors import Refused, TooLarge, Unreachable
from ingle.domain.errors import (
    AccessDenied,
    CompanionUnavailable,
    InvalidParameterValue,
    NotImplementedByIngle,
    ResourceConflict,
    ResourceNotFound,
)

pytestmark = pytest.mark.asyncio

SOURCE = {"S3Bucket": "bucket", "S3Key": "path/key"}
AT = ("bucket", "path/key", None)


async def create(plane: Any, **source: str) -> Any:
    return await plane.create(Code={**SOURCE, **source})


async def update(plane: Any, **source: str) -> Any:
    return await plane.call("UpdateFunctionCode", FunctionName="F", **SOURCE, **source)


async def publish(plane: Any, **source: str) -> Any:
    return await plane.call("PublishLayerVersion", LayerName="L", Content={**SOURCE, **source})


async def test_a_package_from_s3_is_as_one_from_a_request(plane: Any) -> None:
    plane.objects.found = {AT: plane.ZIP, ("bucket", "path/key", "v2"): plane.OTHER_ZIP}
    async with plane.activating():
        created = await create(plane)
        await plane.settle()
        assert created["CodeSha256"] == (await plane.create("G"))["CodeSha256"]
        await plane.settle()
        updated = await update(plane, S3ObjectVersion="v2")
        assert updated["CodeSha256"] != created["CodeSha256"]
        assert (await publish(plane))["Content"]["CodeSha256"] == created["CodeSha256"]
    assert plane.objects.asked == [(*AT, "us-east-1"), ("bucket", "path/key", "v2", "us-east-1"), (*AT, "us-east-1")]


GET = "Error occurred while GetObject."
FAILURES = [
    (Refused(404, "NoSuchBucket", "The specified bucket does not exist"), InvalidParameterValue,
     f"{GET} S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist"),
    (Refused(301, "PermanentRedirect", "The bucket is in this region: X."), InvalidParameterValue,
     f"{GET} S3 Error Code: PermanentRedirect. S3 Error Message: The bucket is in this region: X."),
    (Refused(403, "AccessDenied", "Access Denied"), AccessDenied,
     "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for "
     "bucket/path/key. S3 Error Code: AccessDenied. S3 Error Message: Access Denied"),
    (TooLarge("x"), InvalidParameterValue, "Unzipped size must be smaller than 262144000 bytes"),
    (Unreachable("S3 at http://x cannot be used: it does not answer in time"), CompanionUnavailable,
     f"{GET} S3 at http://x cannot be used: it does not answer in time."),
]  # fmt: skip


@pytest.mark.parametrize("ask", [create, publish])
@pytest.mark.parametrize(("failure", "error", "text"), FAILURES)
async def test_what_fails_is_told_and_changes_nothing(plane: Any, ask: Any, failure, error, text) -> None:
    plane.objects.found = {AT: failure}
    with pytest.raises(error) as caught:
        await ask(plane)
    assert caught.value.message == text
    assert (plane.store.functions, plane.store.layers, plane.packages.kept) == ({}, {}, set())


@pytest.mark.parametrize("ask", [create, publish])
async def test_what_is_no_package(plane: Any, ask: Any) -> None:
    for content in (plane.NOT_A_ZIP, plane.BROKEN_ZIP, plane.BOMB):
        plane.objects.found = {AT: content}
        with pytest.raises(InvalidParameterValue, match=r"Could not unzip|Unzipped size"):
            await ask(plane)


@pytest.mark.parametrize("ask", [create, publish])
async def test_without_a_companion_the_option_is_named(plane: Any, ask: Any) -> None:
    plane.functions._objects = plane.layers._objects = None
    with pytest.raises(NotImplementedByIngle, match=r"with S3Bucket needs .* --aws-endpoint URL"):
        await ask(plane)


async def test_references_to_objects_are_refused_before_anything_is_read(plane: Any) -> None:
    for ask in (create, publish):
        with pytest.raises(NotImplementedByIngle, match="S3ObjectStorageMode"):
            await ask(plane, S3ObjectStorageMode="REFERENCE")
    assert plane.objects.asked == []


async def test_nothing_is_read_for_a_name_that_is_taken_or_absent(plane: Any) -> None:
    await plane.create()
    with pytest.raises(ResourceConflict):
        await create(plane)
    with pytest.raises(ResourceConflict, match="Pending"):
        await update(plane)
    await plane.call("DeleteFunction", FunctionName="F")
    with pytest.raises(ResourceNotFound):
        await update(plane)
    assert plane.objects.asked == []


async def test_a_name_that_is_taken_while_its_package_is_read(plane: Any) -> None:
    plane.objects.found = {AT: plane.OTHER_ZIP}
    plane.objects.meanwhile = plane.create
    with pytest.raises(ResourceConflict, match="Function already exist: F"):
        await create(plane)
    assert len(plane.packages.kept) == 1


async def test_a_function_is_free_while_its_package_is_read(plane: Any) -> None:
    plane.objects.found = {AT: plane.OTHER_ZIP}
    async with plane.active():
        plane.objects.meanwhile = lambda: plane.call("DeleteFunction", FunctionName="F")
        with pytest.raises(ResourceNotFound):
            await update(plane)
    assert plane.packages.kept == set()
