from __future__ import annotations

import pytest

from ingle.supporting.log_patterns import PatternError, PatternUnsupported, compile_pattern


@pytest.mark.parametrize(
    ("pattern", "message", "passes"),
    [
        ("ERROR", "an ERROR here", True),
        ("ERROR", "an error here", False),
        ("a b", "b then a", True),
        ('"a b"', "a then b", False),
        (r'"say \"x\""', 'he did say "x"', True),
        ("-DEBUG", "INFO x", True),
        ("INFO -x", "INFO x", False),
        ("?INFO ?WARN", "WARN", True),
        ("?INFO ?WARN", "ERROR", False),
        ('{ $.a = "x" }', '{"a": "x"}', True),
        ('{ $.a = "x*" }', '{"a": "xyz"}', True),
        ('{ $.a = "*y*" }', '{"a": "xyz"}', True),
        ('{ $.a = "x*z*q" }', '{"a": "xyz"}', False),
        ("{ $.a = x }", "not json", False),
        ("{ $.a.b[1] >= 2.5 }", '{"a": {"b": [0, 3]}}', True),
        ("{ $.a > 1 && $.b = 2 || $.c = 3 }", '{"c": 3}', True),
        ("{ ($.a = 1 || $.b = 1) && $.c = 1 }", '{"b": 1, "c": 2}', False),
        ("{ $.a IS TRUE }", '{"a": true}', True),
        ("{ $.a IS NULL }", '{"a": null}', True),
        ("{ $.a NOT EXISTS }", '{"b": 1}', True),
        ("{ $['a.b'] = 1 }", '{"a.b": 1}', True),
        ("{ $.a != 1 }", '{"a": true}', False),
    ],
)
def test_a_pattern_passes_what_it_should(pattern, message, passes):
    test = compile_pattern(pattern)
    assert test is not None
    assert test(message) is passes


def test_an_empty_pattern_passes_everything():
    assert compile_pattern("  ") is None


@pytest.mark.parametrize(
    "pattern",
    [
        '"open',
        "a:b",
        "{ $.a = 1",
        "{ }",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a > x }",
        "{ $.a ~ 1 }",
        "{ $.a IS RED }",
        "{" + "(" * 500 + "$.a = 1" + ")" * 500 + "}",
    ],
)
def test_a_wrong_pattern_is_refused(pattern):
    with pytest.raises(PatternError):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["[ip, user]", "%a.*b%"])
def test_kinds_that_are_not_implemented_are_refused_by_name(pattern):
    with pytest.raises(PatternUnsupported, match="not implemented"):
        compile_pattern(pattern)
