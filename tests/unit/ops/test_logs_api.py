"""The CloudWatch Logs API over a real log store."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingle.domain.caller import Caller
from ingle.storage.logs import LogStore
from ingle.supporting.log_errors import LogsInvalidParameter, LogsResourceAlreadyExists, LogsResourceNotFound
from ingle.supporting.logs import Logs

CALLER = Caller()
GROUP = "/aws/lambda/hello"
NOW = 1_710_000_000_000


class StoppedClock:
    def now(self) -> float:
        return NOW / 1000


@pytest.fixture
async def store(tmp_path: Path):
    async with LogStore(tmp_path, StoppedClock()) as store:
        yield store


@pytest.fixture
def call(store):
    handlers = Logs(store, StoppedClock()).handlers()

    async def call(operation: str, caller: Caller = CALLER, **params):
        return await handlers[operation](caller, params)

    return call


def write(store, stream: str, *messages: str, start: int = NOW) -> None:
    target = store.stream(CALLER.account, CALLER.region, GROUP, stream)
    for number, message in enumerate(messages):
        target.append(start + number, message)


async def test_a_group_appears_with_its_arn_once_a_function_has_logged(store, call):
    write(store, "s1", "one")
    (group,) = (await call("DescribeLogGroups"))["logGroups"]
    assert group["logGroupName"] == GROUP
    assert group["arn"] == f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}:*"
    assert (await call("DescribeLogGroups", Caller(region="eu-west-1")))["logGroups"] == []


async def test_groups_are_listed_in_pages(call):
    for name in ("a", "b", "c"):
        await call("CreateLogGroup", logGroupName=name)
    first = await call("DescribeLogGroups", limit=2)
    rest = await call("DescribeLogGroups", limit=2, nextToken=first["nextToken"])
    assert [g["logGroupName"] for g in first["logGroups"] + rest["logGroups"]] == ["a", "b", "c"]
    assert "nextToken" not in rest


async def test_streams_are_ordered_by_name_or_by_their_last_event(store, call):
    write(store, "b", "x", start=NOW)
    write(store, "a", "x", start=NOW + 10)
    by_name = await call("DescribeLogStreams", logGroupName=GROUP)
    assert [s["logStreamName"] for s in by_name["logStreams"]] == ["a", "b"]
    first = await call("DescribeLogStreams", logGroupName=GROUP, orderBy="LastEventTime", descending=True, limit=1)
    assert [s["logStreamName"] for s in first["logStreams"]] == ["a"]
    rest = await call(
        "DescribeLogStreams",
        logGroupName=GROUP,
        orderBy="LastEventTime",
        descending=True,
        nextToken=first["nextToken"],
    )
    assert [s["logStreamName"] for s in rest["logStreams"]] == ["b"]


async def test_events_are_read_forward_until_the_token_stays_the_same(store, call):
    write(store, "s", *"abcde")
    params = {"logGroupName": GROUP, "logStreamName": "s", "limit": 2, "startFromHead": True}
    seen, token = [], None
    while True:
        page = await call("GetLogEvents", **params, **({"nextToken": token} if token else {}))
        seen += [event["message"] for event in page["events"]]
        if page["nextForwardToken"] == token:
            break
        token = page["nextForwardToken"]
    assert seen == list("abcde")
    write(store, "s", "f", start=NOW + 5)
    page = await call("GetLogEvents", **params, nextToken=token)
    assert [event["message"] for event in page["events"]] == ["f"]


async def test_events_are_read_backward_from_the_newest(store, call):
    write(store, "s", *"abc")
    newest = await call("GetLogEvents", logGroupName=GROUP, logStreamName="s", limit=2)
    assert [event["message"] for event in newest["events"]] == ["b", "c"]
    token = newest["nextBackwardToken"]
    older = await call("GetLogEvents", logGroupName=GROUP, logStreamName="s", limit=2, nextToken=token)
    assert [event["message"] for event in older["events"]] == ["a"]
    end = await call("GetLogEvents", logGroupName=GROUP, logStreamName="s", nextToken=older["nextBackwardToken"])
    assert end["events"] == []
    assert end["nextBackwardToken"] == older["nextBackwardToken"]
    again = await call("GetLogEvents", logGroupName=GROUP, logStreamName="s", nextToken=end["nextForwardToken"])
    assert [event["message"] for event in again["events"]] == list("abc")


async def test_the_end_time_is_exclusive_when_getting_and_inclusive_when_filtering(store, call):
    write(store, "s", "a", "b")
    got = await call("GetLogEvents", logGroupName=GROUP, logStreamName="s", startTime=NOW, endTime=NOW + 1)
    assert [event["message"] for event in got["events"]] == ["a"]
    filtered = await call("FilterLogEvents", logGroupName=GROUP, startTime=NOW, endTime=NOW + 1)
    assert [event["message"] for event in filtered["events"]] == ["a", "b"]


async def test_filtering_pages_through_all_streams_with_stable_event_ids(store, call):
    write(store, "s1", "one ERROR", "two", "three ERROR")
    write(store, "s2", "four ERROR", start=NOW + 1)
    params = {"logGroupName": GROUP, "filterPattern": "ERROR"}
    everything = await call("FilterLogEvents", **params)
    assert [e["message"] for e in everything["events"]] == ["one ERROR", "four ERROR", "three ERROR"]
    assert "nextToken" not in everything
    events, token = [], None
    while True:
        page = await call("FilterLogEvents", **params, limit=1, **({"nextToken": token} if token else {}))
        events += page["events"]
        token = page.get("nextToken")
        if token is None:
            break
    assert events == everything["events"]


async def test_filtering_from_the_end_pages_back_to_the_beginning(store, call):
    write(store, "s1", "one ERROR", "two", "three ERROR", "four")
    write(store, "s2", "five ERROR", start=NOW + 1)
    forward = await call("FilterLogEvents", logGroupName=GROUP, filterPattern="ERROR")
    params = {"logGroupName": GROUP, "filterPattern": "ERROR", "startTime": NOW, "endTime": NOW + 9}
    newest = await call("FilterLogEvents", **params, limit=1, startFromHead=False)
    assert [e["message"] for e in newest["events"]] == ["three ERROR"]
    # The token's direction is the one that counts.
    rest = await call("FilterLogEvents", **params, nextToken=newest["nextToken"], startFromHead=True)
    assert (newest["events"] + rest["events"])[::-1] == forward["events"]
    assert "nextToken" not in rest
    with pytest.raises(LogsInvalidParameter, match="Jan 1, 2024"):
        await call("FilterLogEvents", logGroupName=GROUP, startTime=1_704_067_199_999, startFromHead=False)
    with pytest.raises(LogsInvalidParameter, match="nextToken is invalid"):
        await call("FilterLogEvents", logGroupName=GROUP, nextToken="b/f/1.2.3.4")


async def test_filtering_by_stream_names_or_prefix(store, call):
    write(store, "2024/a", "a")
    write(store, "2025/b", "b")
    by_name = await call("FilterLogEvents", logGroupName=GROUP, logStreamNames=["2024/a"])
    assert [e["message"] for e in by_name["events"]] == ["a"]
    by_prefix = await call("FilterLogEvents", logGroupName=GROUP, logStreamNamePrefix="2025")
    assert [e["message"] for e in by_prefix["events"]] == ["b"]
    with pytest.raises(LogsResourceNotFound, match="log stream does not exist"):
        await call("FilterLogEvents", logGroupName=GROUP, logStreamNames=["none"])


async def test_put_events_are_read_back_and_bad_batches_are_refused(call):
    await call("CreateLogGroup", logGroupName="g")
    await call("CreateLogStream", logGroupName="g", logStreamName="s")
    target = {"logGroupName": "g", "logStreamName": "s"}
    answer = await call("PutLogEvents", **target, logEvents=[{"timestamp": NOW, "message": "m"}])
    assert "rejectedLogEventsInfo" not in answer
    got = await call("GetLogEvents", **target)
    assert got["events"] == [{"timestamp": NOW, "message": "m", "ingestionTime": NOW}]
    backwards = [{"timestamp": NOW, "message": "m"}, {"timestamp": NOW - 1, "message": "m"}]
    with pytest.raises(LogsInvalidParameter, match="chronological"):
        await call("PutLogEvents", **target, logEvents=backwards)
    answer = await call("PutLogEvents", **target, logEvents=[{"timestamp": 5, "message": "old"}])
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}


async def test_retention_is_shown_and_taken_back(call):
    await call("CreateLogGroup", logGroupName="g")
    await call("PutRetentionPolicy", logGroupName="g", retentionInDays=7)
    assert (await call("DescribeLogGroups"))["logGroups"][0]["retentionInDays"] == 7
    await call("DeleteRetentionPolicy", logGroupName="g")
    assert "retentionInDays" not in (await call("DescribeLogGroups"))["logGroups"][0]
    with pytest.raises(LogsInvalidParameter):
        await call("PutRetentionPolicy", logGroupName="g", retentionInDays=2)


async def test_what_exists_or_does_not_is_told_as_aws_does(call):
    await call("CreateLogGroup", logGroupName="g")
    with pytest.raises(LogsResourceAlreadyExists, match="log group already exists"):
        await call("CreateLogGroup", logGroupName="g")
    await call("CreateLogStream", logGroupName="g", logStreamName="s")
    with pytest.raises(LogsResourceAlreadyExists, match="log stream already exists"):
        await call("CreateLogStream", logGroupName="g", logStreamName="s")
    await call("DeleteLogStream", logGroupName="g", logStreamName="s")
    await call("DeleteLogGroup", logGroupName="g")
    for operation in ("DeleteLogGroup", "DescribeLogStreams", "FilterLogEvents", "PutRetentionPolicy"):
        with pytest.raises(LogsResourceNotFound, match=r"The specified log group does not exist\."):
            await call(operation, logGroupName="g", retentionInDays=7)


@pytest.mark.parametrize("token", ["x", "f/", "f/zz", "b/1.2", "b/1.2.3.x"])
async def test_a_made_up_token_is_refused(store, call, token):
    write(store, "s", "a")
    with pytest.raises(LogsInvalidParameter, match="nextToken is invalid"):
        await call("GetLogEvents", logGroupName=GROUP, logStreamName="s", nextToken=token)
    with pytest.raises(LogsInvalidParameter, match="nextToken is invalid"):
        await call("DescribeLogGroups", nextToken=token)
