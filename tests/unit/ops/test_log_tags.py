"""Tags of log groups, and what is refused by name, over a real log store."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingle.domain.caller import Caller
from ingle.domain.errors import NotImplementedByIngle
from ingle.storage.logs import LogStore
from ingle.supporting.log_errors import LogsInvalidParameter, LogsResourceNotFound, LogsTooManyTags
from ingle.supporting.logs import Logs

GROUP = "/aws/lambda/hello"
ARN = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"


class StoppedClock:
    def now(self) -> float:
        return 1_700_000_000.0


@pytest.fixture
async def call(tmp_path: Path):
    async with LogStore(tmp_path, StoppedClock()) as store:
        handlers = Logs(store, StoppedClock()).handlers()

        async def call(operation: str, caller: Caller | None = None, **params):
            return await handlers[operation](caller or Caller(), params)

        yield call


async def test_a_group_is_made_with_tags_which_are_added_to_and_removed(call, tmp_path):
    await call("CreateLogGroup", logGroupName=GROUP, tags={"a": "1", "b": "2"})
    await call("TagLogGroup", logGroupName=GROUP, tags={"b": "3"})
    await call("TagResource", resourceArn=ARN, tags={"c": ""})
    await call("UntagLogGroup", logGroupName=GROUP, tags=["a", "never there"])
    assert await call("ListTagsLogGroup", logGroupName=GROUP) == {"tags": {"b": "3", "c": ""}}
    await call("UntagResource", resourceArn=f"{ARN}:*", tagKeys=["c"])
    assert await call("ListTagsForResource", resourceArn=ARN) == {"tags": {"b": "3"}}
    async with LogStore(tmp_path, StoppedClock()) as reopened:
        assert await reopened.tags("000000000000", "us-east-1", GROUP) == {"b": "3"}


async def test_tags_go_with_their_group(call):
    await call("CreateLogGroup", logGroupName=GROUP, tags={"a": "1"})
    await call("DeleteLogGroup", logGroupName=GROUP)
    await call("CreateLogGroup", logGroupName=GROUP)
    assert await call("ListTagsForResource", resourceArn=ARN) == {"tags": {}}


async def test_a_group_has_fifty_tags_at_most_and_a_refusal_changes_nothing(call):
    await call("CreateLogGroup", logGroupName=GROUP, tags={f"k{n}": "" for n in range(49)})
    with pytest.raises(LogsTooManyTags):
        await call("TagResource", resourceArn=ARN, tags={"x": "", "y": ""})
    with pytest.raises(LogsInvalidParameter, match="at most 50"):
        await call("TagLogGroup", logGroupName=GROUP, tags={"x": "", "y": ""})
    assert len((await call("ListTagsLogGroup", logGroupName=GROUP))["tags"]) == 49


@pytest.mark.parametrize("key", ["aws:x", "AWS:x"])
async def test_reserved_keys_are_refused(call, key):
    with pytest.raises(LogsInvalidParameter, match="reserved"):
        await call("CreateLogGroup", logGroupName=GROUP, tags={key: "1"})
    await call("CreateLogGroup", logGroupName=GROUP)
    with pytest.raises(LogsInvalidParameter, match="reserved"):
        await call("TagResource", resourceArn=ARN, tags={key: "1"})


async def test_what_is_not_there_or_elsewhere_is_not_found(call):
    await call("CreateLogGroup", logGroupName=GROUP)
    others = [ARN + "x", ARN.replace("us-east-1", "eu-west-1"), ARN.replace("000000000000", "111122223333")]
    for arn in others:
        with pytest.raises(LogsResourceNotFound):
            await call("ListTagsForResource", resourceArn=arn)
        with pytest.raises(LogsResourceNotFound):
            await call("FilterLogEvents", logGroupIdentifier=arn)
    for arn in (GROUP, "arn:aws:logs:us-east-1:000000000000:destination:d"):
        with pytest.raises(LogsInvalidParameter, match="ARN"):
            await call("TagResource", resourceArn=arn, tags={"a": "1"})


@pytest.mark.parametrize(
    "params",
    [{"kmsKeyId": "k"}, {"deletionProtectionEnabled": True}, {"logGroupClass": "INFREQUENT_ACCESS"}],
)
async def test_settings_that_would_not_be_kept_are_refused_by_name(call, params):
    with pytest.raises(NotImplementedByIngle, match=str(next(iter(params))).replace("logGroupClass", "INFREQUENT")):
        await call("CreateLogGroup", logGroupName=GROUP, **params)
    assert (await call("DescribeLogGroups"))["logGroups"] == []


async def test_groups_are_found_by_pattern_identifier_and_alternatives(call):
    names = ["/aws/lambda/one", "/aws/lambda/two", "other"]
    for name in names:
        await call("CreateLogGroup", logGroupName=name)

    async def described(**params):
        return [group["logGroupName"] for group in (await call("DescribeLogGroups", **params))["logGroups"]]

    assert await described(logGroupNamePattern="lambda/t") == ["/aws/lambda/two"]
    assert await described(logGroupNamePattern="LAMBDA") == []
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/one"
    assert await described(logGroupIdentifiers=[arn, "other", "absent"]) == ["/aws/lambda/one", "other"]

    async def listed(**params):
        return [group["logGroupName"] for group in (await call("ListLogGroups", **params))["logGroups"]]

    assert await listed() == names
    assert await listed(logGroupNamePattern="^/aws/lambda/o|the") == ["/aws/lambda/one", "other"]
    assert await listed(logGroupClass="DELIVERY") == []
    first = await call("ListLogGroups", limit=2)
    assert await listed(limit=2, nextToken=first["nextToken"]) == ["other"]
    with pytest.raises(NotImplementedByIngle, match="logGroupTags"):
        await listed(logGroupTags=[{"key": "a"}])
