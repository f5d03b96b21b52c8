"""The rules of the CloudWatch API, over a real store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingle.domain.caller import Caller
from ingle.domain.errors import NotImplementedByIngle
from ingle.storage.metrics import MetricStore
from ingle.supporting.cloudwatch import CloudWatch
from ingle.supporting.metric_errors import (
    MetricsInvalidCombination,
    MetricsInvalidParameter,
    MetricsInvalidToken,
    MetricsMissingParameter,
    MetricsValidation,
)

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
RANGE = {"StartTime": NOW - timedelta(hours=1), "EndTime": NOW + timedelta(hours=1)}


class StoppedClock:
    def now(self) -> float:
        return NOW.timestamp()


@pytest.fixture
async def call(tmp_path: Path):
    async with MetricStore(f"sqlite:///{tmp_path / 'metrics.db'}", StoppedClock()) as store:
        handlers = CloudWatch(store, StoppedClock()).handlers()

        async def call(operation: str, caller: Caller | None = None, **params):
            return await handlers[operation](caller or Caller(), params)

        yield call


async def put(call, *data, namespace="N"):
    return await call("PutMetricData", Namespace=namespace, MetricData=list(data))


async def statistics(call, name="m", *, period=3600, names=("Sum",), **more):
    ask = {"Namespace": "N", "MetricName": name, "Period": period, **RANGE}
    found = {"Statistics": list(names)} if names else {}
    return (await call("GetMetricStatistics", **{**ask, **found, **more}))["Datapoints"]


@pytest.mark.parametrize(
    ("datum", "error", "text"),
    [
        ({}, MetricsMissingParameter, "At least one of MetricData.member.1.Value"),
        ({"Value": 1.0, "Values": [1.0]}, MetricsInvalidCombination, "are mutually exclusive"),
        ({"Value": float("nan")}, MetricsInvalidParameter, "The value NaN for parameter MetricData.member.1.Value"),
        ({"Value": float("-inf")}, MetricsInvalidParameter, "The value -Infinity for parameter"),
        ({"Value": 2.0**361}, MetricsInvalidParameter, "MetricData.member.1.Value is invalid"),
        ({"Values": [1.0, 2.0], "Counts": [1.0]}, MetricsInvalidParameter, "must be of the same size"),
        ({"Values": [1.0], "Counts": [0.0]}, MetricsInvalidParameter, "Counts.member.1 is invalid"),
        ({"Values": [1.0] * 151}, MetricsInvalidParameter, "Values must not have a size greater than 150"),
        ({"Value": 1.0, "Counts": [1.0]}, MetricsInvalidCombination, "Counts requires"),
        (
            {"StatisticValues": {"SampleCount": 0.0, "Sum": 1.0, "Minimum": 1.0, "Maximum": 1.0}},
            MetricsInvalidParameter, "SampleCount must be greater than 0",
        ),
        (
            {"StatisticValues": {"SampleCount": 1.0, "Sum": 1.0, "Minimum": 2.0, "Maximum": 1.0}},
            MetricsInvalidParameter, "Maximum must be greater than",
        ),
        ({"Value": 1.0, "Timestamp": NOW - timedelta(days=15)}, MetricsInvalidParameter, "within the past two weeks"),
        ({"Value": 1.0, "Timestamp": NOW + timedelta(hours=3)}, MetricsInvalidParameter, "two hours in the future"),
        ({"Value": 1.0, "StorageResolution": 5}, MetricsInvalidParameter, "StorageResolution is invalid"),
        ({"Value": 1.0, "Dimensions": [{"Name": ":d", "Value": "v"}]}, MetricsInvalidParameter, "1.Name is invalid"),
        ({"Value": 1.0, "Dimensions": [{"Name": "d", "Value": "é"}]}, MetricsInvalidParameter, "1.Value is invalid"),
        ({"Value": 1.0, "Dimensions": [{"Name": "d", "Value": "v"}] * 2}, MetricsInvalidParameter, "same name"),
    ],
)  # fmt: skip
async def test_data_that_break_a_rule_are_refused_and_nothing_is_stored(call, datum, error, text):
    with pytest.raises(error, match=text):
        await put(call, {"MetricName": "m", **datum}, {"MetricName": "good", "Value": 1.0})
    assert (await call("ListMetrics"))["Metrics"] == []


async def test_everything_that_is_wrong_is_told_a_line_each(call):
    old = {"MetricName": "m", "Value": 1.0, "Timestamp": NOW - timedelta(days=20)}
    with pytest.raises(MetricsInvalidParameter) as caught:
        await put(call, old, old)
    assert [line[:33] for line in caught.value.message.split("\n")] == [
        f"The parameter MetricData.member.{n}" for n in ("1", "2")
    ]


async def test_requests_without_data_or_with_too_many_or_for_aws_are_refused(call):
    with pytest.raises(MetricsMissingParameter, match="The parameter MetricData is required"):
        await put(call)
    with pytest.raises(MetricsInvalidParameter, match="must not have a size greater than 1000"):
        await put(call, *[{"MetricName": "m", "Value": 1.0}] * 1001)
    with pytest.raises(MetricsInvalidParameter, match="The value AWS/Own for parameter Namespace is invalid"):
        await put(call, {"MetricName": "m", "Value": 1.0}, namespace="AWS/Own")
    with pytest.raises(NotImplementedByIngle, match="EntityMetricData"):
        await call("PutMetricData", Namespace="N", EntityMetricData=[{}])


async def test_a_statistic_set_of_one_value_has_percentiles_and_no_other(call):
    await put(
        call,
        {"MetricName": "one", "StatisticValues": {"SampleCount": 3.0, "Sum": 6.0, "Minimum": 2.0, "Maximum": 2.0}},
        {"MetricName": "many", "StatisticValues": {"SampleCount": 3.0, "Sum": 6.0, "Minimum": 1.0, "Maximum": 3.0}},
    )
    for name, known in (("one", {"p50": 2.0}), ("many", {})):
        (point,) = await statistics(call, name, names=(), ExtendedStatistics=["p50"])
        assert point["ExtendedStatistics"] == known


async def test_units_are_points_of_their_own_unless_one_is_asked_for(call):
    await put(call, {"MetricName": "m", "Value": 1.0, "Unit": "Seconds"}, {"MetricName": "m", "Value": 2.0})
    assert sorted((p["Unit"], p["Sum"]) for p in await statistics(call)) == [("None", 2.0), ("Seconds", 1.0)]
    assert [point["Sum"] for point in await statistics(call, Unit="Seconds")] == [1.0]
    assert await statistics(call, Unit="Bytes") == []


async def test_periods_count_from_the_minute_of_the_start(call):
    for minute in (0, 1, 5):
        await put(call, {"MetricName": "m", "Value": 1.0, "Timestamp": NOW - timedelta(minutes=minute)})
    start = NOW - timedelta(minutes=5)
    points = await statistics(call, period=180, StartTime=start)
    first = start.timestamp() // 60 * 60
    assert {point["Timestamp"] - first: point["Sum"] for point in points} == {0: 1.0, 180: 2.0}


async def test_high_resolution_is_read_in_seconds(call):
    for second in (0, 6):
        moment = NOW.replace(second=0) + timedelta(seconds=second)
        await put(call, {"MetricName": "m", "Value": 1.0, "Timestamp": moment, "StorageResolution": 1})
    points = await statistics(call, period=5, StartTime=NOW.replace(second=0), EndTime=NOW)
    assert [point["Timestamp"] - NOW.replace(second=0).timestamp() for point in points] == [0, 5]
    await put(call, {"MetricName": "coarse", "Value": 1.0})
    assert await statistics(call, "coarse", period=5, StartTime=NOW - timedelta(seconds=60)) == []


@pytest.mark.parametrize(
    ("more", "error", "text"),
    [
        ({"EndTime": RANGE["StartTime"]}, MetricsInvalidParameter, "must not equal parameter EndTime"),
        ({"EndTime": NOW - timedelta(days=1)}, MetricsInvalidParameter, "must be less than the parameter EndTime"),
        ({"Period": 45}, MetricsInvalidParameter, "The value 45 for parameter Period is invalid"),
        ({"Statistics": []}, MetricsMissingParameter, "Statistics or ExtendedStatistics"),
        ({"ExtendedStatistics": ["p1"]}, MetricsInvalidCombination, "mutually exclusive"),
        (
            {"Statistics": [], "ExtendedStatistics": ["p101"]},
            MetricsInvalidParameter,
            "p101 for parameter ExtendedStat",
        ),
        ({"Statistics": [], "ExtendedStatistics": ["tm90"]}, NotImplementedByIngle, "statistic tm90"),
        ({"Statistics": [], "ExtendedStatistics": ["PR(1:2)"]}, NotImplementedByIngle, "statistic PR"),
        ({"Period": 60, "StartTime": NOW - timedelta(days=2)}, MetricsInvalidCombination, "up to 2,940 datapoints"),
    ],
)
async def test_questions_that_break_a_rule_are_refused(call, more, error, text):
    with pytest.raises(error, match=text):
        await statistics(call, **more)


def query(identifier="a", stat="Sum", period=300, name="m", **more):
    metric = {"Namespace": "N", "MetricName": name}
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **more}


@pytest.mark.parametrize(
    ("queries", "error", "text"),
    [
        (
            [query("1a")],
            MetricsValidation,
            "1a for parameter MetricDataQueries.member.1.Id is not matching the expected",
        ),
        ([query(), query()], MetricsValidation, "The values for parameter id in MetricDataQueries are not unique"),
        ([query(stat="None")], MetricsValidation, "None for parameter .*MetricStat.Stat is not a valid statistic"),
        ([query(period=7)], MetricsValidation, "The value 7 for parameter"),
        ([{"Id": "a"}], MetricsValidation, "Exactly one of the parameters"),
        ([query(Expression="x")], MetricsValidation, "Exactly one of the parameters"),
        ([query(Period=60)], MetricsValidation, "Period is for expressions"),
        ([{"Id": "e", "Expression": "a + 1"}], NotImplementedByIngle, "GetMetricData with Expression"),
        ([query(Label="${MAX}")], NotImplementedByIngle, "dynamic labels"),
        ([query(AccountId="111122223333")], NotImplementedByIngle, "AccountId"),
        ([query(f"a{n}") for n in range(501)], MetricsValidation, "must not have a size greater than 500"),
        ([], MetricsValidation, "The parameter MetricDataQueries is required"),
    ],
)
async def test_queries_that_break_a_rule_are_refused(call, queries, error, text):
    with pytest.raises(error, match=text):
        await call("GetMetricData", MetricDataQueries=queries, **RANGE)


async def test_points_of_queries_stand_at_round_times_newest_first(call):
    for minute in (0, 1, 9):
        await put(call, {"MetricName": "m", "Value": 1.0, "Timestamp": NOW - timedelta(minutes=minute)})
    answer = await call("GetMetricData", MetricDataQueries=[query(Label="mine"), query("b", ReturnData=False)], **RANGE)
    (result,) = answer["MetricDataResults"]
    assert (result["Label"], result["StatusCode"], "NextToken" in answer) == ("mine", "Complete", False)
    base = NOW.timestamp() // 300 * 300
    assert [(at - base, value) for at, value in zip(result["Timestamps"], result["Values"], strict=True)] == [
        (0, 2.0),
        (-600, 1.0),
    ]


@pytest.mark.parametrize("order", ["TimestampAscending", "TimestampDescending"])
async def test_pages_of_queries_give_every_point_once_also_when_one_comes_meanwhile(call, order):
    times = [NOW.replace(second=0) - timedelta(minutes=minute) for minute in range(5)]
    for name in ("m", "n"):
        await put(call, *[{"MetricName": name, "Value": 1.0, "Timestamp": at} for at in times])
    ask = {
        "MetricDataQueries": [query(i, period=60, name=name) for i, name in (("a", "m"), ("none", "x"), ("b", "n"))],
        "MaxDatapoints": 3, "ScanBy": order, **RANGE,
    }  # fmt: skip
    found: dict[str, list[float]] = {"a": [], "none": [], "b": []}
    token: dict[str, str] = {}
    for _ in range(10):
        answer = await call("GetMetricData", **ask, **token)
        for result in answer["MetricDataResults"]:
            found[result["Id"]] += result["Timestamps"]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
        if order == "TimestampDescending":
            await put(call, {"MetricName": "m", "Value": 1.0, "Timestamp": NOW + timedelta(minutes=5)})
    expected = sorted((at.timestamp() for at in times), reverse=order == "TimestampDescending")
    assert found == {"a": expected, "none": [], "b": expected}


async def test_tokens_that_nobody_gave_out_are_refused(call):
    for token in ("x", "bnVsbA==", "WzksMV0="):
        with pytest.raises(MetricsInvalidToken):
            await call("GetMetricData", MetricDataQueries=[query()], NextToken=token, **RANGE)
        with pytest.raises(MetricsInvalidToken):
            await call("ListMetrics", NextToken=token)


async def test_metrics_are_listed_by_their_dimensions_and_their_age(call):
    old = {"MetricName": "old", "Value": 1.0, "Timestamp": NOW - timedelta(hours=4)}
    pairs = [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}]
    both = {"MetricName": "new", "Value": 1.0, "Dimensions": pairs}
    await put(call, old, both, {**both, "Unit": "Bytes"})

    async def listed(**params):
        return [metric["MetricName"] for metric in (await call("ListMetrics", **params))["Metrics"]]

    assert await listed() == ["new", "old"]
    assert await listed(RecentlyActive="PT3H") == ["new"]
    assert await listed(Dimensions=[{"Name": "a"}]) == ["new"]
    assert await listed(Dimensions=[{"Name": "a", "Value": "2"}]) == []
    assert await listed(Dimensions=[{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]) == ["new"]
    assert await listed(MetricName="old", Namespace="N") == ["old"]
    with pytest.raises(NotImplementedByIngle, match="OwningAccount"):
        await listed(OwningAccount="111122223333")
