"""Resource policies as documents: what is one, what is none, and that none of them is changed on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.domain.errors import InvalidParameterValue
from ingle.domain.policy import Policy

ALLOW: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "*"}


def document(*statements: Any, **members: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **members})


def without(member: str) -> dict[str, Any]:
    return {key: value for key, value in ALLOW.items() if key != member}


@pytest.mark.parametrize(
    "statement",
    [
        ALLOW,
        {**ALLOW, "Effect": "Deny"},
        {**without("Principal"), "NotPrincipal": {"AWS": "*"}, "Effect": "Deny"},
        {**ALLOW, "Action": ["lambda:Get*", "lambda:Invoke?unction"]},
        {**without("Action"), "NotAction": "lambda:DeleteFunction"},
        {**ALLOW, "Principal": {"AWS": ["1", "2"], "Service": "s3.amazonaws.com"}},
        {**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": True}, "NumericLessThan": {"k": [1, 2.5]}}},
    ],
)
def test_what_is_a_policy(statement: dict[str, Any]) -> None:
    text = document(statement, Id="mine")
    assert json.loads(Policy.parse(text).text) == json.loads(text)


def test_one_statement_need_not_be_in_a_list() -> None:
    assert Policy.parse(json.dumps({"Version": "2012-10-17", "Statement": ALLOW})).statements == (ALLOW,)


@pytest.mark.parametrize(
    "text",
    [
        "", "nothing", "[]", "{}", "null", '{"Version": "2012-10-17"}', "[" * 20_000, "9" * 10_000,
        document(), document("statement"), document(ALLOW, Version="2012"), document(ALLOW, Id=1),
        document(ALLOW, Other=1), document({**ALLOW, "Sid": "a"}, {**ALLOW, "Sid": "a"}),
        document({**ALLOW, "Sid": 1}), document({**ALLOW, "Effect": "Perhaps"}), document({**ALLOW, "Other": 1}),
        document(without("Principal")), document(without("Action")), document(without("Resource")),
        document({**ALLOW, "NotAction": "lambda:Invoke"}), document({**ALLOW, "Principal": "someone"}),
        document({**ALLOW, "Principal": {}}), document({**ALLOW, "Principal": {"Nobody": "x"}}),
        document({**ALLOW, "Principal": {"AWS": []}}), document({**ALLOW, "Action": "s3:GetObject"}),
        document({**ALLOW, "Action": []}), document({**ALLOW, "Resource": 1}),
        document({**ALLOW, "Condition": {"Bool": "x"}}), document({**ALLOW, "Condition": {"Bool": {"k": {}}}}),
        document({**ALLOW, "Condition": {"Bool": {"k": None}}}), document({**ALLOW, "Sid": "\ud800"}),
        document({**ALLOW, "Condition": {"NumericEquals": {"k": float("nan")}}}),
        document({**ALLOW, "Condition": {"StringResembles": {"k": "x"}}}),
        document({**ALLOW, "Condition": {"Some:StringEquals": {"k": "x"}}}),
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidParameterValue, match="malformed"):
        Policy.parse(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ALLOW, "Sid", "AWS"]), inner),
    max_leaves=8,
)


@given(
    document=st.dictionaries(st.sampled_from(["Version", "Id", "Statement"]), _json)
    | st.fixed_dictionaries({"Version": st.just("2012-10-17"), "Statement": st.lists(_json, max_size=2)})
)
def test_any_document_is_a_policy_or_refused(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    try:
        policy = Policy.parse(text)
    except InvalidParameterValue:
        return
    assert Policy.parse(policy.text) == policy
    assert len([*policy.document.allows, *policy.document.denies]) == len(policy.statements)


@given(sids=st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=6, unique=True), data=st.data())
def test_statements_come_in_order_and_go_one_by_one(sids: list[str], data: st.DataObject) -> None:
    policy: Policy | None = Policy(statements=({**ALLOW, "Sid": sids[0]},))
    for sid in sids[1:]:
        assert policy is not None
        assert not policy.has(sid)
        policy = policy.having({**ALLOW, "Sid": sid})
    left = list(sids)
    for sid in data.draw(st.permutations(sids)):
        assert policy is not None
        assert [statement["Sid"] for statement in policy.statements] == left
        left.remove(sid)
        policy = policy.without(sid)
    assert policy is None
