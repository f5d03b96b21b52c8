"""Answers about versions compared with recorded ones of AWS (`recorded/versions.json`)."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.domain.errors import ServiceError
from recordings import Revisions, assert_recorded, assert_recorded_error, scenarios

pytestmark = pytest.mark.asyncio

RECORDED = scenarios("versions")


async def test_a_version_that_is_published_with_its_function(plane: Any) -> None:
    recorded, revisions = RECORDED["test_publish_version_on_create"], Revisions()
    async with plane.activating():
        created = await plane.create(Handler="index.handler", Publish=True)
        revisions.assert_recorded(created, recorded["create_response"])
        await plane.settle()
        await plane.settle()
        for step, params in (
            ("get_function_result", {}),
            ("get_function_version_result", {"Qualifier": "1"}),
            ("get_function_latest_result", {"Qualifier": "$LATEST"}),
        ):
            revisions.assert_recorded(await plane.call("GetFunction", FunctionName="F", **params), recorded[step])
        listed = await plane.call("ListVersionsByFunction", FunctionName="F")
        revisions.assert_recorded(listed, recorded["list_versions_result"])
        repeated = await plane.call("PublishVersion", FunctionName="F")
        revisions.assert_recorded(repeated, recorded["repeated_publish_response"])
        listed = await plane.call("ListVersionsByFunction", FunctionName="F")
        revisions.assert_recorded(listed, recorded["list_versions_result_after_publish"])


async def test_versions_of_changing_code(plane: Any) -> None:
    recorded = RECORDED["test_lambda_versions_with_code_changes"]
    async with plane.active(Description="No version :(") as created:
        assert_recorded(created, recorded["create_response"])
        first = await plane.call("PublishVersion", FunctionName="F", Description="First version description :)")
        assert_recorded(first, recorded["first_publish_response"])
        updated = await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
        assert_recorded(updated, recorded["update_lambda_response"])
        await plane.settle()
        second = await plane.call("PublishVersion", FunctionName="F", Description="Second version description :)")
        assert_recorded(second, recorded["second_publish_response"])
        third = await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.ZIP, Publish=True)
        assert_recorded(third, recorded["update_lambda_response_with_publish"])


async def test_the_revisions_of_a_function_and_its_version(plane: Any) -> None:
    recorded, revisions = RECORDED["test_function_revisions_version_and_alias"], Revisions()
    async with plane.active(Timeout=30, Environment={"Variables": {}}) as created:
        revisions.assert_recorded(created, recorded["create_function_response_rev1"]["CreateFunctionResponse"])
        shown = await plane.call("GetFunction", FunctionName="F")
        revisions.assert_recorded(shown, recorded["get_function_active_rev2"])
        with pytest.raises(ServiceError) as raised:
            await plane.call("PublishVersion", FunctionName="F", RevisionId="wrong")
        assert_recorded_error(raised.value, recorded["publish_version_revision_exception"])
        published = await plane.call(
            "PublishVersion", FunctionName="F", RevisionId=shown["Configuration"]["RevisionId"]
        )
        revisions.assert_recorded(published, recorded["publish_version_response_rev_v1"])
        shown = await plane.call("GetFunction", FunctionName="F", Qualifier="1")
        revisions.assert_recorded(shown, recorded["get_function_published_version_rev_v2"])
        shown = await plane.call("GetFunction", FunctionName="F")
        revisions.assert_recorded(shown, recorded["get_function_latest_rev3"])


async def test_publishing_other_code_than_was_expected(plane: Any) -> None:
    recorded = RECORDED["test_lambda_image_versions"]["invalid_sha_publish"]
    async with plane.active() as created:
        with pytest.raises(ServiceError) as raised:
            await plane.call("PublishVersion", FunctionName="F", CodeSha256="a" * 64)
        assert raised.value.message is not None
        raised.value.message = raised.value.message.replace(created["CodeSha256"], "<code-sha256:1>")
        assert_recorded_error(raised.value, recorded)
