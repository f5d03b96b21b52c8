"""Aggregates: what they promise of sums, extremes and percentiles."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.domain.metrics import RELATIVE_ERROR, Aggregate, below

VALUES = st.lists(st.floats(1e-6, 1e9) | st.just(0.0), min_size=1, max_size=60)


def of(values):
    return Aggregate.of([(value, 1) for value in values])


def rank(values, percent):
    """The value that `percent` of the values do not exceed."""
    return sorted(values)[max(math.ceil(percent / 100 * len(values)), 1) - 1]


@given(VALUES, st.sampled_from([0, 50, 90, 99, 99.9, 100]))
def test_a_percentile_is_off_by_its_error_at_most(values, percent):
    true = rank(values, percent)
    assert of(values).percentile(percent) == pytest.approx(true, rel=RELATIVE_ERROR * 1.001)


@given(VALUES, VALUES)
def test_merging_is_the_same_as_adding_all_values(first, second):
    merged, whole = of(first), of(first + second)
    merged.merge(of(second))
    assert (merged.count, merged.minimum, merged.maximum) == (whole.count, whole.minimum, whole.maximum)
    assert merged.total == pytest.approx(whole.total)
    assert merged.buckets == whole.buckets


def test_merging_leaves_the_other_as_it_was():
    first, second = of([1]), of([2])
    first.merge(second)
    assert (second.count, second.buckets) == (1, of([2]).buckets)


def test_an_average_of_weighed_values():
    assert Aggregate.of([(1, 3), (5, 1)]).average == statistics.mean([1, 1, 1, 5])


def test_negative_values_have_no_percentiles_unless_they_are_all_the_same():
    assert of([-1, 2]).percentile(50) is None
    assert of([-1, -1]).percentile(50) == -1


def test_values_up_to_a_bound_are_counted_within_the_error():
    buckets = of([0.0, 1.0, 10.0, 100.0]).buckets
    assert [below(buckets, bound) for bound in (0.5, 1.0, 10.0, 99, 1000)] == [1, 2, 3, 3, 4]
