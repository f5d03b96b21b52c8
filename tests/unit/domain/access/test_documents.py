"""Policies that IAM refuses, and that nothing else comes of any text."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingle.domain.access.document import Document, MalformedPolicy, Use

GOOD = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}


def document(*statements: Any, version: Any = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Syntax errors in policy."),
        ("[]", "Syntax errors in policy."),
        ("{", "Syntax errors in policy."),
        ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":NaN}]}', "Syntax errors in policy."),
        (document(GOOD, version="2020-01-01"), "The policy must contain a valid version string"),
        (document(GOOD, version="2008-10-17"), "Policy document must be version 2012-10-17 or greater."),
        (json.dumps({"Statement": [GOOD]}), "Policy document must be version 2012-10-17 or greater."),
        (json.dumps({"Version": "2012-10-17"}), "Syntax errors in policy."),
        (document({**GOOD, "Effect": "Maybe"}), "Missing required field Effect cannot be empty!"),
        (document({**GOOD, "Extra": 1}), "Syntax errors in policy."),
        (document({**GOOD, "NotAction": "*"}), "Syntax errors in policy."),
        (document({**GOOD, "Action": []}), "Policy statement must contain actions."),
        (document({**GOOD, "Action": "Invoke"}),
         "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
        (document({**GOOD, "Action": 1}), "Syntax errors in policy."),
        (document({key: GOOD[key] for key in ("Effect", "Action")}), "Policy statement must contain resources."),
        (document({**GOOD, "Resource": "f"}), 'Resource f must be in ARN format or "*".'),
        (document({**GOOD, "Principal": "*"}), "Policy document should not specify a principal."),
        (document({**GOOD, "Sid": "a b"}), "Statement IDs (SID) must be alpha-numeric."),
        (document({**GOOD, "Sid": "a"}, {**GOOD, "Sid": "a"}),
         "Statement IDs (SID) in a single policy must be unique."),
        (document({**GOOD, "Condition": {"Like": {"aws:x": "y"}}}), "Invalid Condition type : Like."),
        (document({**GOOD, "Condition": {"StringLike": {"x": "y"}}}),
         "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
        (document({**GOOD, "Condition": {"StringLike": {"aws:x": {}}}}), "Syntax errors in policy."),
        (document({**GOOD, "Condition": []}), "Syntax errors in policy."),
    ],
)  # fmt: skip
def test_identity_policies_that_are_none_are_refused(text: str, message: str) -> None:
    with pytest.raises(MalformedPolicy) as refused:
        Document.parse(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({**TRUST, "Resource": "*"}, "Has prohibited field Resource"),
        ({**TRUST, "Action": "lambda:InvokeFunction"}, "AssumeRole policy may only specify STS AssumeRole actions."),
        ({key: TRUST[key] for key in ("Effect", "Action")}, "Missing required field Principal"),
        ({**TRUST, "Principal": {"AWS": "somebody"}}, 'Invalid principal in policy: "AWS":"somebody"'),
        ({**TRUST, "Principal": {"Who": "x"}}, "Invalid principal in policy."),
        ({**TRUST, "Principal": []}, "Invalid principal in policy."),
    ],
)
def test_trust_policies_that_are_none_are_refused(statement: Any, message: str) -> None:
    with pytest.raises(MalformedPolicy) as refused:
        Document.parse(document(statement), Use.TRUST)
    assert str(refused.value) == message


def test_policies_of_each_kind_are_accepted() -> None:
    Document.parse(document())
    Document.parse(document(GOOD))
    Document.parse(json.dumps({"Version": "2012-10-17", "Id": "x", "Statement": GOOD}))
    Document.parse(document(TRUST), Use.TRUST)
    Document.parse(document({**GOOD, "Principal": {"AWS": ["111111111111", "*"]}}, version="2008-10-17"), Use.RESOURCE)


def test_incomplete_arns_mean_everything_in_what_they_lack() -> None:
    policy = Document.parse(document({**GOOD, "Resource": "arn:aws:lambda"}))
    arn = "arn:aws:lambda:eu-west-1:111111111111:function:f"
    assert policy.allows[0].applies("lambda:invokefunction", arn, lambda key: None)
    assert not policy.allows[0].applies("lambda:invokefunction", arn.replace(":lambda:", ":sqs:"), lambda key: None)


_json = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
        st.sampled_from(["Allow", "*", "2012-10-17", "lambda:*", "${aws:username}", "\ud800"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["Version", "Statement", "Effect", "Action", "Resource", "Principal", "NotPrincipal", "Condition",
                 "StringLike", "aws:x", "Sid", "Id", "AWS"]
            ),
            inner, max_size=5,
        ),
    ),
    max_leaves=20,
)  # fmt: skip


@given(st.one_of(st.text(), _json.map(json.dumps), st.just("[" * 100_000)), st.sampled_from(list(Use)))
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_policy_or_is_refused(text: str, use: Use) -> None:
    with suppress(MalformedPolicy):
        Document.parse(text, use)


@given(_json.map(lambda value: json.dumps({"Version": "2012-10-17", "Statement": [value]})), st.sampled_from(list(Use)))
@settings(max_examples=500, deadline=None)
def test_any_statement_is_one_or_is_refused(text: str, use: Use) -> None:
    with suppress(MalformedPolicy):
        Document.parse(text, use)
