"""The condition operators one by one, and wildcards."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.plain import glob
from ingle.domain.access.conditions import UnknownOperator, compile_conditions
from ingle.domain.access.evaluation import context_of
from ingle.domain.access.patterns import Pattern, wildcard

ARN = "arn:aws:s3:::bucket/key"


def holds(operator: str, wanted: Any, given: str | tuple[str, ...] | None, **others: str) -> bool:
    values: dict[str, str | tuple[str, ...]] = {f"aws:{name}": value for name, value in others.items()}
    if given is not None:
        values["aws:key"] = given
    (condition,) = compile_conditions({operator: {"AWS:Key": wanted}}, variables=True)
    return condition.holds(context_of(values).lookup)


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("StringEquals", "a*", "a*", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["x", "ab"], "ab", True),
        ("StringNotEquals", ["x", "ab"], "ab", False),
        ("StringNotEquals", ["x", "y"], "ab", True),
        ("StringEqualsIgnoreCase", "AB", "ab", True),
        ("StringNotEqualsIgnoreCase", "AB", "ab", False),
        ("StringLike", "a?c*", "abcd", True),
        ("StringLike", "a${*}", "ab", False),
        ("StringLike", "a${*}", "a*", True),
        ("StringNotLike", "a*", "b", True),
        ("NumericEquals", 5, "5.0", True),
        ("NumericEquals", "5", "five", False),
        ("NumericNotEquals", "5", "6", True),
        ("NumericLessThan", "5", "4", True),
        ("NumericLessThanEquals", "5", "5", True),
        ("NumericGreaterThan", "5", "5", False),
        ("NumericGreaterThanEquals", "5", "5", True),
        ("NumericEquals", "nan", "nan", False),
        ("DateEquals", "2024-01-01", "2024-01-01T00:00:00Z", True),
        ("DateNotEquals", "2024-01-01", "2024-01-02", True),
        ("DateLessThan", "2024-01-01T00:00:00Z", "1704067199", True),
        ("DateGreaterThan", "2024-01-01T00:00:00+01:00", "2023-12-31T23:30:00Z", True),
        ("DateGreaterThanEquals", "soon", "2024-01-01", False),
        ("DateLessThanEquals", "2024-01-01", "2024-01-01", True),
        ("Bool", True, "true", True),
        ("Bool", "false", "true", False),
        ("Bool", "maybe", "maybe", False),
        ("BinaryEquals", "QUI=", "QUI=", True),
        ("BinaryEquals", "QUI=", "QUJD", False),
        ("BinaryEquals", "!", "!", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.9", True),
        ("IpAddress", "203.0.113.9", "203.0.113.9", True),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
        ("IpAddress", "203.0.113.0/24", "2001:db8::1", False),
        ("IpAddress", "nowhere", "203.0.113.9", False),
        ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
        ("ArnLike", "arn:aws:s3:::buck*", ARN, True),
        ("ArnEquals", "arn:aws:s3:::*/key", ARN, True),
        ("ArnLike", "arn:*:bucket/key", ARN, False),
        ("ArnLike", "*", ARN, False),
        ("ArnNotLike", "arn:aws:sns:*:*:x", ARN, True),
        ("ArnNotEquals", ARN, ARN, False),
    ],
)
def test_operators_compare_as_documented(operator: str, wanted: Any, given: str, expected: bool) -> None:
    assert holds(operator, wanted, given) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", True),
        ("NumericLessThan", False),
        ("NotIpAddress", True),
        ("ArnNotLike", True),
    ],
)
def test_a_key_that_the_request_lacks_counts_as_documented(operator: str, expected: bool) -> None:
    assert holds(operator, "x", None) is expected


def test_null_asks_whether_the_key_is_there() -> None:
    assert holds("Null", "true", None)
    assert not holds("Null", "true", "x")
    assert holds("Null", False, "x")
    assert not holds("Null", False, None)


def test_sets_ask_for_every_value_or_for_any() -> None:
    assert holds("ForAllValues:StringEquals", ["a", "b"], ("a", "b"))
    assert not holds("ForAllValues:StringEquals", ["a"], ("a", "b"))
    assert holds("ForAnyValue:StringEquals", ["a"], ("a", "b"))
    assert not holds("ForAnyValue:StringEquals", ["c"], ("a", "b"))
    assert holds("ForAnyValue:StringNotEquals", ["a"], ("a", "b"))
    assert not holds("ForAllValues:StringNotEquals", ["a"], ("a", "b"))


def test_variables_stand_for_the_values_of_the_request_and_have_defaults() -> None:
    assert holds("StringEquals", "${aws:username}", "ann", username="ann")
    assert not holds("StringEquals", "${aws:username}", "ann", username="ben")
    assert not holds("StringEquals", "${aws:username}", "")
    assert holds("StringLike", "home/${aws:username, 'anyone'}/*", "home/anyone/x")
    assert not holds("StringLike", "${aws:username}", "anything", username="*")
    assert holds("ArnLike", "arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::ann/x", username="ann")


def test_in_the_older_version_variables_are_text() -> None:
    (condition,) = compile_conditions({"StringEquals": {"aws:key": "${aws:username}"}}, variables=False)
    assert condition.holds(context_of({"aws:key": "${aws:username}", "aws:username": "ann"}).lookup)


@pytest.mark.parametrize("name", ["StringEqual", "ForSome:StringEquals", "Like", "", "IfExists", "NullIfExists"])
def test_operators_that_do_not_exist_are_refused(name: str) -> None:
    with pytest.raises(UnknownOperator):
        compile_conditions({name: {"aws:key": "x"}}, variables=True)


@given(st.text("ab*?", max_size=7), st.text("ab\n", max_size=9))
def test_wildcards_match_what_trying_every_split_matches(pattern: str, text: str) -> None:
    assert wildcard(pattern)(text) == glob(pattern, text)
    assert Pattern(pattern).matches(text, lambda key: None) == glob(pattern, text)


def test_patterns_made_to_be_slow_are_not() -> None:
    assert not wildcard("*a" * 200 + "b")("a" * 5000)
