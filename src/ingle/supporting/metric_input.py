"""What PutMetricData takes: its rules, and the aggregates that its data come to. Pure.

Source of the rules: the operation's documentation in the service model. Source of the texts: answers that users of the
service report.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingle.domain.caller import Caller
from ingle.domain.errors import NotImplementedByIngle
from ingle.domain.metrics import Aggregate, Series
from ingle.supporting.metric_errors import (
    MetricsInvalidCombination,
    MetricsInvalidParameter,
    MetricsMissingParameter,
    raise_all,
)

MOST_DATA = 1000
MOST_VALUES = 150
_LARGEST = 2.0**360
_PAST = 14 * 24 * 3600
_FUTURE = 2 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """Values of one series at one moment, in epoch seconds. `fine`: they are also kept by the second."""

    series: Series
    moment: float
    aggregate: Aggregate
    fine: bool


@dataclass(slots=True)
class Problems:
    """Everything that is wrong with a request, by the kind of error. Missing parameters are told first."""

    missing: list[str] = field(default_factory=list)
    combination: list[str] = field(default_factory=list)
    value: list[str] = field(default_factory=list)

    def tell(self) -> None:
        raise_all(self.missing, MetricsMissingParameter)
        raise_all(self.combination, MetricsInvalidCombination)
        raise_all(self.value, MetricsInvalidParameter)


def data(caller: Caller, params: dict[str, Any], now: float) -> list[Datum]:
    """Raises the errors of `metric_errors`, NotImplementedByIngle for data of entities."""
    if params.get("EntityMetricData"):
        raise NotImplementedByIngle("Ingle does not implement PutMetricData with EntityMetricData yet.")
    problems = Problems()
    namespace, given = params["Namespace"], params.get("MetricData") or []
    if not given:
        problems.missing.append("The parameter MetricData is required.")
    if namespace.startswith("AWS/"):
        problems.value.append(f"The value {namespace} for parameter Namespace is invalid.")
    if len(given) > MOST_DATA:
        problems.value.append(f"The collection MetricData must not have a size greater than {MOST_DATA}.")
    for number, datum in enumerate(given[:MOST_DATA], 1):
        _check(datum, f"MetricData.member.{number}", now, problems)
    problems.tell()
    return [_datum(caller, namespace, datum, now) for datum in given]


def dimensions(given: list[dict[str, str]] | None) -> tuple[tuple[str, str], ...]:
    """As a series has them."""
    return tuple(sorted((item["Name"], item["Value"]) for item in given or ()))


def check_dimensions(given: list[dict[str, str]] | None, place: str) -> Iterator[str]:
    """What is wrong with dimensions at `place` of the request."""
    names = [item["Name"] for item in given or ()]
    if len(set(names)) < len(names):
        yield f"The parameter {place} must not have two dimensions of the same name."
    for number, item in enumerate(given or (), 1):
        for part in ("Name", "Value"):
            text = item[part]
            blank = not text.strip() or not text.isascii() or any(ord(character) < 32 for character in text)
            if blank or (part == "Name" and text.startswith(":")):
                yield f"The value {text} for parameter {place}.member.{number}.{part} is invalid."


def _check(datum: dict[str, Any], place: str, now: float, problems: Problems) -> None:
    forms = [name for name in ("Value", "StatisticValues", "Values") if name in datum]
    if not forms:
        problems.missing.append(f"At least one of {place}.Value, {place}.StatisticValues, {place}.Values is required.")
    if len(forms) > 1:
        problems.combination.append(
            f"The parameters {place}.{forms[0]} and {place}.{forms[1]} are mutually exclusive and you have specified "
            "both."
        )
    for name, value in _numbers(datum):
        if not -_LARGEST <= value <= _LARGEST:
            problems.value.append(f"The value {_shown(value)} for parameter {place}.{name} is invalid.")
    _check_lists(datum, place, problems)
    _check_set(datum.get("StatisticValues"), place, problems)
    _check_time(datum.get("Timestamp"), place, now, problems)
    if datum.get("StorageResolution", 60) not in (1, 60):
        problems.value.append(
            f"The value {datum['StorageResolution']} for parameter {place}.StorageResolution is invalid."
        )
    problems.value += check_dimensions(datum.get("Dimensions"), f"{place}.Dimensions")


def _numbers(datum: dict[str, Any]) -> Iterator[tuple[str, float]]:
    if "Value" in datum:
        yield "Value", datum["Value"]
    for name, value in datum.get("StatisticValues", {}).items():
        yield f"StatisticValues.{name}", value
    for number, value in enumerate(datum.get("Values", ()), 1):
        yield f"Values.member.{number}", value


def _shown(value: float) -> str:
    return (
        "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity") if math.isinf(value) else str(value)
    )


def _check_lists(datum: dict[str, Any], place: str, problems: Problems) -> None:
    values, counts = datum.get("Values"), datum.get("Counts")
    if values is not None and len(values) > MOST_VALUES:
        problems.value.append(f"The collection {place}.Values must not have a size greater than {MOST_VALUES}.")
    if values is not None and not values:
        problems.missing.append(f"The parameter {place}.Values is required.")
    if counts is None:
        return
    if values is None:
        problems.combination.append(f"The parameter {place}.Counts requires the parameter {place}.Values.")
    elif len(values) != len(counts):
        problems.value.append(f"The parameters {place}.Values and {place}.Counts must be of the same size.")
    for number, count in enumerate(counts, 1):
        if not 0 < count <= _LARGEST:
            problems.value.append(f"The value {_shown(count)} for parameter {place}.Counts.member.{number} is invalid.")


def _check_set(given: dict[str, float] | None, place: str, problems: Problems) -> None:
    if given is None:
        return
    if not given["SampleCount"] > 0:
        problems.value.append(f"The parameter {place}.StatisticValues.SampleCount must be greater than 0.")
    if given["Minimum"] > given["Maximum"]:
        problems.value.append(
            f"The parameter {place}.StatisticValues.Maximum must be greater than {place}.StatisticValues.Minimum."
        )


def _check_time(given: datetime | None, place: str, now: float, problems: Problems) -> None:
    if given is None:
        return
    if given.timestamp() < now - _PAST:
        problems.value.append(f"The parameter {place}.Timestamp must specify a time within the past two weeks.")
    elif given.timestamp() > now + _FUTURE:
        problems.value.append(
            f"The parameter {place}.Timestamp must specify a time no more than two hours in the future."
        )


def _datum(caller: Caller, namespace: str, given: dict[str, Any], now: float) -> Datum:
    series = Series(
        caller.account, caller.region, namespace, given["MetricName"], dimensions(given.get("Dimensions")),
        given.get("Unit", "None"),
    )  # fmt: skip
    moment = given["Timestamp"].timestamp() if "Timestamp" in given else now
    return Datum(series=series, moment=moment, aggregate=_aggregate(given), fine=given.get("StorageResolution") == 1)


def _aggregate(given: dict[str, Any]) -> Aggregate:
    if "Value" in given:
        return Aggregate.of([(given["Value"], 1.0)])
    if "Values" in given:
        counts = given.get("Counts") or [1.0] * len(given["Values"])
        return Aggregate.of(zip(given["Values"], counts, strict=True))
    found = given["StatisticValues"]
    whole = Aggregate(
        count=found["SampleCount"], total=found["Sum"], minimum=found["Minimum"], maximum=found["Maximum"]
    )
    if whole.minimum == whole.maximum and whole.minimum >= 0:
        whole.buckets = Aggregate.of([(whole.minimum, whole.count)]).buckets
    else:
        whole.buckets = None
    return whole
