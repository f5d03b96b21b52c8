"""Reading metrics over the CloudWatch API: GetMetricStatistics and GetMetricData.

Metric math, Metrics Insights and dynamic labels are refused by name. GetMetricStatistics counts its periods from the
start of the minute of StartTime, GetMetricData from the epoch, so that its points stand at round times.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingle.domain.caller import Caller
from ingle.domain.errors import NotImplementedByIngle
from ingle.domain.metrics import Aggregate, Series
from ingle.storage.metrics import MINUTE, MetricStore
from ingle.supporting import page_tokens
from ingle.supporting.metric_errors import (
    MetricsInvalidCombination,
    MetricsInvalidParameter,
    MetricsMissingParameter,
    MetricsValidation,
    invalid_token,
    raise_all,
)
from ingle.supporting.metric_input import check_dimensions, dimensions
from ingle.supporting.metric_statistics import SIMPLE, Statistic, percentile, statistic

Answer = dict[str, Any]

MOST_DATAPOINTS = 1_440
MOST_QUERIES = 500
MOST_DATA = 100_800
#: Periods below a minute, of metrics in high resolution.
_FINE = frozenset({1, 5, 10, 20, 30})
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*\Z")


class MetricQueries:
    def __init__(self, store: MetricStore) -> None:
        self._store = store

    async def get_metric_statistics(self, caller: Caller, params: dict[str, Any]) -> Answer:
        simple, extended = params.get("Statistics") or [], params.get("ExtendedStatistics") or []
        _check_statistics(simple, extended)
        period, problems = params["Period"], list(_check_times(params))
        problems += _check_period(period, "Period")
        problems += check_dimensions(params.get("Dimensions"), "Dimensions")
        raise_all(problems)
        percentiles = dict(_percentiles(extended))
        step = period if period < MINUTE else MINUTE
        start, end = _seconds(params["StartTime"]) // step * step, _end(params["EndTime"])
        _check_amount(math.ceil((params["EndTime"] - params["StartTime"]).total_seconds() / period))
        metric = _series(caller, params, params.get("Unit"))
        points = []
        for unit in [params["Unit"]] if "Unit" in params else await self._store.units(metric):
            found = await self._store.read(metric._replace(unit=unit), start, end, period, fine=period < MINUTE)
            points += [_datapoint(at, point, unit, simple, percentiles) for at, point in sorted(found.items())]
        return {"Label": params["MetricName"], "Datapoints": points}

    async def get_metric_data(self, caller: Caller, params: dict[str, Any]) -> Answer:
        queries = _queries(caller, params)
        most = params.get("MaxDatapoints", MOST_DATA)
        page = _Page(most, params.get("ScanBy") == "TimestampAscending", _place(params.get("NextToken"), len(queries)))
        start, end = _seconds(params["StartTime"]), _end(params["EndTime"])
        results = []
        for number, query in enumerate(queries):
            if number < page.first or not query.returned:
                continue
            if page.full:
                break
            values = await self._values(query, start, end)
            times = page.take(number, values)
            results.append(
                {
                    "Id": query.id,
                    "Label": query.label,
                    "Timestamps": times,
                    "Values": [values[at] for at in times],
                    "StatusCode": "PartialData" if page.full else "Complete",
                }
            )
        answer: Answer = {"MetricDataResults": results, "Messages": []}
        return answer if page.token is None else {**answer, "NextToken": page.token}

    async def _values(self, query: _Query, start: int, end: int) -> dict[int, float]:
        """The query's values by their time; of all units together if it names none."""
        period = query.period
        first = start // period * period
        merged: dict[int, Aggregate] = {}
        for unit in [query.metric.unit] if query.metric.unit else await self._store.units(query.metric):
            series = query.metric._replace(unit=unit)
            for at, found in (await self._store.read(series, first, end, period, fine=period < MINUTE)).items():
                merged.setdefault(at, Aggregate()).merge(found)
        values = {at: query.statistic(found) for at, found in merged.items()}
        return {at: value for at, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """`metric.unit` is empty if the request names none."""

    id: str
    label: str
    metric: Series
    period: int
    statistic: Statistic
    returned: bool


class _Page:
    """Fills a page with points of one query after another. `token` is set once something is left for another page."""

    def __init__(self, most: int, ascending: bool, place: tuple[int, int | None]) -> None:
        self._left = most
        self._ascending = ascending
        self.first, self._after = place
        self.token: str | None = None

    @property
    def full(self) -> bool:
        return self.token is not None

    def take(self, number: int, values: Mapping[int, float]) -> list[int]:
        """The times of query `number` that belong on this page, in order."""
        times = sorted(values, reverse=not self._ascending)
        if number == self.first and self._after is not None:
            after = self._after
            times = [at for at in times if (at > after if self._ascending else at < after)]
        taken = times[: self._left]
        self._left -= len(taken)
        if len(taken) < len(times):
            self.token = page_tokens.encode(number, taken[-1] if taken else -1)
        return taken


def _place(token: str | None, count: int) -> tuple[int, int | None]:
    """Which query a page starts in, and after which of its times; None for its first. Raises MetricsInvalidToken."""
    if token is None:
        return 0, None
    key = page_tokens.decode(token, int, int)
    if key is None or not 0 <= key[0] < count:
        raise invalid_token()
    return key[0], None if key[1] < 0 else key[1]


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp() // 1)


def _end(moment: datetime) -> int:
    """Exclusive, so parts of a second count."""
    return -int(-moment.timestamp() // 1)


def _series(caller: Caller, metric: dict[str, Any], unit: str | None) -> Series:
    place = (caller.account, caller.region, metric["Namespace"], metric["MetricName"])
    return Series(*place, dimensions(metric.get("Dimensions")), unit or "")


def _check_times(params: dict[str, Any]) -> Iterator[str]:
    if params["StartTime"] == params["EndTime"]:
        yield "The parameter StartTime must not equal parameter EndTime."
    elif params["StartTime"] > params["EndTime"]:
        yield "The parameter StartTime must be less than the parameter EndTime."


def _check_period(period: int, place: str) -> Iterator[str]:
    if period % MINUTE and period not in _FINE:
        yield f"The value {period} for parameter {place} is invalid."


def _check_statistics(simple: Sequence[str], extended: Sequence[str]) -> None:
    if not simple and not extended:
        raise MetricsMissingParameter("The parameter Statistics or ExtendedStatistics is required.")
    if simple and extended:
        raise MetricsInvalidCombination(
            "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both."
        )


def _check_amount(count: int) -> None:
    if count > MOST_DATAPOINTS:
        raise MetricsInvalidCombination(
            f"You have requested up to {count:,} datapoints, which exceeds the limit of {MOST_DATAPOINTS:,}. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
        )


def _percentiles(names: Sequence[str]) -> Iterator[tuple[str, Statistic]]:
    for number, name in enumerate(names, 1):
        found = percentile(name)
        if found is None:
            place = f"ExtendedStatistics.member.{number}"
            raise MetricsInvalidParameter(f"The value {name} for parameter {place} is not a valid statistic.")
        yield name, found


def _datapoint(
    at: int, point: Aggregate, unit: str, simple: Sequence[str], percentiles: Mapping[str, Statistic]
) -> Answer:
    answer: Answer = {"Timestamp": at, "Unit": unit, **{name: SIMPLE[name](point) for name in simple}}
    values = {name: of(point) for name, of in percentiles.items()}
    known = {name: value for name, value in values.items() if value is not None}
    return {**answer, "ExtendedStatistics": known} if percentiles else answer


def _queries(caller: Caller, params: dict[str, Any]) -> list[_Query]:
    """Raises MetricsValidation with everything that is wrong, NotImplementedByIngle."""
    given = params["MetricDataQueries"]
    problems = list(_check_times(params))
    most = params.get("MaxDatapoints", MOST_DATA)
    if not 0 < most <= MOST_DATA:
        problems.append(f"The value {most} for parameter MaxDatapoints is invalid.")
    if not given:
        problems.append("The parameter MetricDataQueries is required.")
    if len(given) > MOST_QUERIES:
        problems.append(f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.")
    if len({query["Id"] for query in given}) < len(given):
        problems.append("The values for parameter id in MetricDataQueries are not unique.")
    queries = []
    for number, query in enumerate(given, 1):
        place = f"MetricDataQueries.member.{number}"
        found = list(_check_query(caller, query, place))
        problems += found
        if not found:
            queries.append(_query(caller, query))
    raise_all(problems, MetricsValidation)
    return queries


def _check_query(caller: Caller, query: dict[str, Any], place: str) -> Iterator[str]:
    if not _ID.match(query["Id"]):
        yield (
            f"The value {query['Id']} for parameter {place}.Id is not matching the expected pattern "
            "^[a-z][a-zA-Z0-9_]*$."
        )
    if ("Expression" in query) == ("MetricStat" in query):
        yield f"Exactly one of the parameters {place}.Expression and {place}.MetricStat must be specified."
        return
    if "Expression" in query:
        raise NotImplementedByIngle("Ingle does not implement GetMetricData with Expression yet.")
    if query.get("AccountId", caller.account) != caller.account:
        raise NotImplementedByIngle("Ingle does not implement GetMetricData with AccountId yet.")
    if "${" in query.get("Label", ""):
        raise NotImplementedByIngle("Ingle does not implement GetMetricData with dynamic labels yet.")
    if "Period" in query:
        yield f"The parameter {place}.Period is for expressions; a metric has {place}.MetricStat.Period."
    yield from _check_metric(query["MetricStat"], f"{place}.MetricStat")


def _check_metric(wanted: dict[str, Any], place: str) -> Iterator[str]:
    metric = wanted["Metric"]
    for name in ("Namespace", "MetricName"):
        if name not in metric:
            yield f"The parameter {place}.Metric.{name} is required."
    yield from check_dimensions(metric.get("Dimensions"), f"{place}.Metric.Dimensions")
    yield from _check_period(wanted["Period"], f"{place}.Period")
    if statistic(wanted["Stat"]) is None:
        yield f"The value {wanted['Stat']} for parameter {place}.Stat is not a valid statistic."


def _query(caller: Caller, query: dict[str, Any]) -> _Query:
    wanted = query["MetricStat"]
    of = statistic(wanted["Stat"])
    assert of is not None, "checked before"
    return _Query(
        id=query["Id"],
        label=query.get("Label") or wanted["Metric"]["MetricName"],
        metric=_series(caller, wanted["Metric"], wanted.get("Unit")),
        period=wanted["Period"],
        statistic=of,
        returned=query.get("ReturnData", True),
    )
