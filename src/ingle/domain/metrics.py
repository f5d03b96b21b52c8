"""Metrics as values: which series there is, and what a minute of one holds.

An `Aggregate` can be merged with another without loss, except for its distribution, which is kept in buckets: every
bucket is 2 % wide, so a percentile is off by 1 % of its value at most. Pure; `storage.metrics` keeps aggregates,
`invoke.meters` makes those of functions, `supporting.cloudwatch` those that callers send.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

#: A percentile differs from the true one by this part of it, at most.
RELATIVE_ERROR = 0.01
_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
#: `ceil(log(value) * PER_LOG)` is the bucket of a value.
PER_LOG = 1 / math.log(_GAMMA)
#: The bucket of zero, below that of every other value.
ZERO = -(1 << 30)


class Series(NamedTuple):
    """One metric of one account in one region. `dimensions` are (name, value) pairs, sorted; no two share a name."""

    account: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str


def bucket_of(value: float) -> int:
    """The bucket of a value that is not negative."""
    return math.ceil(math.log(value) * PER_LOG) if value > 0 else ZERO


def _middle(bucket: int) -> float:
    """The value that stands for a bucket: as far from its lower end as from its upper end, relatively."""
    return 0.0 if bucket == ZERO else math.exp(bucket / PER_LOG) * 2 / (1 + _GAMMA)


@dataclass(slots=True, kw_only=True)
class Aggregate:
    """What many values come to. `buckets`: how many of them each bucket has; None if that is not known.

    It is not known for values that were sent as a statistic set, and not kept for negative ones.
    """

    count: float = 0.0
    total: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    buckets: dict[int, float] | None = field(default_factory=dict)

    @classmethod
    def of(cls, values: Iterable[tuple[float, float]]) -> Aggregate:
        """Of (value, how many times) pairs."""
        found = cls()
        for value, times in values:
            found.add(value, times)
        return found

    def add(self, value: float, times: float = 1.0) -> None:
        self.count += times
        self.total += value * times
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        if value < 0:
            self.buckets = None
        elif self.buckets is not None:
            bucket = bucket_of(value)
            self.buckets[bucket] = self.buckets.get(bucket, 0.0) + times

    def merge(self, other: Aggregate) -> None:
        """Takes in what `other` holds; `other` stays as it is."""
        self.count += other.count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        if self.buckets is None or other.buckets is None:
            self.buckets = None
            return
        for bucket, times in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0.0) + times

    @property
    def average(self) -> float:
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float | None:
        """The value below which `percent` of the values lie, within RELATIVE_ERROR; None if it cannot be told."""
        if self.count and self.minimum == self.maximum:
            return self.minimum
        if not self.buckets:
            return None
        if percent >= 100:
            return self.maximum
        rank = percent / 100 * sum(self.buckets.values())
        seen = 0.0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= rank:
                return min(max(_middle(bucket), self.minimum), self.maximum)
        return self.maximum


def below(buckets: Mapping[int, float], bound: float) -> float:
    """How many values are at most `bound`, within RELATIVE_ERROR of it."""
    last = bucket_of(bound)
    return sum(times for bucket, times in buckets.items() if bucket <= last)
