"""Policies together, against a second evaluator that is written plainly, and the cases that people stumble over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.plain import verdict
from ingle.domain.access.document import Document
from ingle.domain.access.evaluation import Decision, Policies, Request, Source, context_of, decide
from ingle.domain.access.principals import ANONYMOUS, Kind, Principal, service

OWN, OTHER = "111111111111", "222222222222"
FUNCTION = f"arn:aws:lambda:eu-west-1:{OWN}:function:f"

_USERS = [{"arn": f"arn:aws:iam::{account}:user/ann", "account": account, "name": "ann"} for account in (OWN, OTHER)]
_SESSIONS = [
    {
        "arn": f"arn:aws:sts::{account}:assumed-role/runner/s1",
        "role": f"arn:aws:iam::{account}:role/runner",
        "account": account,
        "name": "runner",
    }
    for account in (OWN, OTHER)
]
_ACTIONS = ["lambda:InvokeFunction", "lambda:GetFunction", "iam:GetUser"]
_RESOURCES = [FUNCTION, f"{FUNCTION}:1", f"arn:aws:iam::{OWN}:user/ann", "*"]
_action_patterns = st.sampled_from([*_ACTIONS, "lambda:*", "LAMBDA:invoke*", "*", "iam:Get????", "lambda:G*n"])
_resource_patterns = st.sampled_from(
    [*_RESOURCES, f"{FUNCTION}:*", f"{FUNCTION}*", "arn:aws:lambda:*", "arn:aws:iam::*:user/${aws:username}",
     "arn:aws:lambda:*:*:function:?"]
)  # fmt: skip
_values = st.sampled_from(["ann", "red", "blue", "re*", "*", "${aws:username}"])


def _one_or_more(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(of, st.lists(of, min_size=1, max_size=3))


_operators = st.sampled_from(
    ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists", "StringNotLikeIfExists",
     "ForAllValues:StringEquals", "ForAnyValue:StringLike", "ForAnyValue:StringNotEquals",
     "ForAllValues:StringNotLikeIfExists"]
)  # fmt: skip
_keys = st.sampled_from(["aws:TagKeys", "aws:username", "aws:PrincipalTag/team", "aws:absent"])
_conditions = st.one_of(
    st.fixed_dictionaries({}),
    st.dictionaries(_operators, st.dictionaries(_keys, _one_or_more(_values), min_size=1, max_size=2), max_size=2),
    st.builds(lambda value: {"Bool": {"aws:SecureTransport": value}}, st.sampled_from([True, "false", "True"])),
    st.builds(lambda value: {"NumericLessThan": {"aws:Age": value}}, st.sampled_from(["5", 50])),
    st.builds(lambda key, value: {"Null": {key: value}}, _keys, st.sampled_from(["true", False])),
)


@st.composite
def _statements(draw: st.DrawFn, *, principal: bool = False) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    statement[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(_one_or_more(_action_patterns))
    statement[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(_one_or_more(_resource_patterns))
    condition = draw(_conditions)
    if condition:
        statement["Condition"] = condition
    if principal:
        arns = [item[key] for item in (*_USERS, *_SESSIONS) for key in ("arn", "role", "account") if key in item]
        named = st.one_of(st.just("*"), st.sampled_from([*arns, f"arn:aws:iam::{OTHER}:root"]))
        element = draw(_one_or_more(named))
        statement["Principal"] = "*" if element == "*" else {"AWS": element}
    return statement


_policies = st.lists(_statements(), min_size=1, max_size=4)
_contexts = st.fixed_dictionaries(
    {},
    optional={
        "aws:tagkeys": st.lists(st.sampled_from(["red", "blue", "green"]), min_size=1, max_size=3),
        "aws:username": st.sampled_from([["ann"], ["ben"]]),
        "aws:principaltag/team": st.sampled_from([["red"], ["blue"]]),
        "aws:securetransport": st.sampled_from([["true"], ["false"]]),
        "aws:age": st.sampled_from([["4"], ["40"]]),
    },
)
_cases = st.fixed_dictionaries(
    {
        "who": st.sampled_from([*_USERS, *_SESSIONS]),
        "action": st.sampled_from(_ACTIONS),
        "resource": st.sampled_from(_RESOURCES),
        "owner": st.just(OWN),
        "context": _contexts,
        "identity": st.lists(_policies, max_size=2),
        "boundary": st.one_of(st.none(), _policies),
        "session": st.one_of(st.none(), _policies),
        "resource_policy": st.one_of(st.none(), st.lists(_statements(principal=True), min_size=1, max_size=4)),
    }
)


def principal_of(who: dict[str, str]) -> Principal:
    return Principal(
        kind=Kind.ASSUMED_ROLE if "role" in who else Kind.USER, arn=who["arn"], account=who["account"],
        role_arn=who.get("role"), name=who["name"],
    )  # fmt: skip


def decided(case: dict[str, Any]) -> Decision:
    request = Request(
        principal=principal_of(case["who"]), action=case["action"], resource=case["resource"], account=case["owner"],
        context=context_of({key: tuple(values) for key, values in case["context"].items()}),
    )  # fmt: skip
    policies = Policies(
        identity=tuple(Document.of(policy) for policy in case["identity"]),
        boundary=None if case["boundary"] is None else Document.of(case["boundary"]),
        session=None if case["session"] is None else (Document.of(case["session"]),),
    )
    resource_policy = None if case["resource_policy"] is None else Document.of(case["resource_policy"])
    return decide(request, policies, resource_policy)


@given(_cases)
@settings(max_examples=1500, deadline=None)
def test_decisions_are_those_of_the_plain_evaluator(case: dict[str, Any]) -> None:
    assert decided(case).allowed == verdict(case)


@given(_cases)
@settings(max_examples=300, deadline=None)
def test_a_document_that_is_parsed_decides_like_its_statements(case: dict[str, Any]) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [s for policy in case["identity"] for s in policy]})
    whole = {**case, "identity": [[s for policy in case["identity"] for s in policy]]}
    request = Request(
        principal=principal_of(case["who"]), action=case["action"], resource=case["resource"],
        account=case["who"]["account"], context=context_of({k: tuple(v) for k, v in case["context"].items()}),
    )  # fmt: skip
    plain = {**whole, "owner": case["who"]["account"], "boundary": None, "session": None, "resource_policy": None}
    assert decide(request, Policies(identity=(Document.parse(text),))).allowed == verdict(plain)


def _allow(action: str = "*", resource: str = "*", **members: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **members}


def _deny(action: str = "*", resource: str = "*", **members: Any) -> dict[str, Any]:
    return {**_allow(action, resource, **members), "Effect": "Deny"}


def _case(**members: Any) -> dict[str, Any]:
    return {
        "who": _USERS[0], "action": "lambda:InvokeFunction", "resource": FUNCTION, "owner": OWN, "context": {},
        "identity": [], "boundary": None, "session": None, "resource_policy": None, **members,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("members", "source", "explicit"),
    [
        ({}, Source.IDENTITY, False),
        ({"identity": [[_allow(), _deny()]]}, Source.IDENTITY, True),
        ({"identity": [[_allow()]], "boundary": [_allow("s3:*")]}, Source.BOUNDARY, False),
        ({"identity": [[_allow()]], "boundary": [_allow(), _deny("lambda:*")]}, Source.BOUNDARY, True),
        ({"identity": [[_allow()]], "session": [_allow("s3:*")]}, Source.SESSION, False),
        ({"identity": [[_allow()]], "resource_policy": [_deny(Principal="*")]}, Source.RESOURCE, True),
        ({"who": _USERS[1], "identity": [[_allow()]]}, Source.RESOURCE, False),
        ({"who": _USERS[1], "resource_policy": [_allow(Principal="*")]}, Source.IDENTITY, False),
    ],
)
def test_a_refusal_names_the_policy_that_is_the_reason(members: Any, source: Source, explicit: bool) -> None:
    found = decided(_case(**members))
    assert (found.allowed, found.source, found.explicit, found.by is not None) == (False, source, explicit, explicit)


def test_reasons_are_in_the_words_of_aws() -> None:
    reason = decided(_case()).reason("lambda:InvokeFunction")
    assert reason == "because no identity-based policy allows the lambda:InvokeFunction action"
    explicit = Decision(False, Source.IDENTITY, explicit=True).reason("lambda:InvokeFunction")
    assert explicit == "with an explicit deny in an identity-based policy"


def test_the_session_itself_is_not_limited_where_the_resource_names_it_and_its_role_is() -> None:
    session = _SESSIONS[0]
    by_session = [_allow(Principal={"AWS": session["arn"]})]
    by_role = [_allow(Principal={"AWS": session["role"]})]
    limited = {"who": session, "boundary": [_allow("s3:*")]}
    assert decided(_case(**limited, resource_policy=by_session)).allowed
    assert not decided(_case(**limited, resource_policy=by_role)).allowed
    assert decided(_case(who=session, resource_policy=by_role)).allowed


def test_naming_the_account_leaves_the_decision_to_its_own_policies() -> None:
    policy = [_allow(Principal={"AWS": OWN})]
    assert not decided(_case(resource_policy=policy)).allowed
    assert decided(_case(resource_policy=policy, identity=[[_allow()]])).allowed


def _asked_by(principal: Principal, policy: list[dict[str, Any]], **context: str) -> bool:
    request = Request(
        principal=principal, action="lambda:InvokeFunction", resource=FUNCTION, account=OWN,
        context=context_of({key.replace("_", ":", 1): value for key, value in context.items()}),
    )  # fmt: skip
    return decide(request, Policies(), Document.of(policy)).allowed


def test_services_are_allowed_by_the_policy_of_the_resource_and_its_conditions() -> None:
    condition = {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b*"}, "StringEquals": {"AWS:SourceAccount": OWN}}
    policy = [_allow(Principal={"Service": "s3.amazonaws.com"}, Condition=condition)]
    from_bucket = {"aws_SourceArn": "arn:aws:s3:::bucket", "aws_SourceAccount": OWN}
    assert _asked_by(service("s3.amazonaws.com"), policy, **from_bucket)
    assert not _asked_by(service("sns.amazonaws.com"), policy, **from_bucket)
    assert not _asked_by(service("s3.amazonaws.com"), policy, aws_SourceArn="arn:aws:s3:::bucket")
    assert not _asked_by(service("s3.amazonaws.com"), policy, **{**from_bucket, "aws_SourceArn": "arn:aws:s3:::other"})
    assert not _asked_by(service("s3.amazonaws.com"), [_allow(Principal={"AWS": "*"})])


def test_a_condition_that_nobody_knows_never_allows_and_always_denies() -> None:
    unknown = {"StringResembles": {"aws:x": "y"}}
    assert not _asked_by(ANONYMOUS, [_allow(Principal="*", Condition=unknown)], aws_x="y")
    denied = [_allow(Principal="*"), _deny(Principal="*", Condition=unknown)]
    assert not _asked_by(ANONYMOUS, denied, aws_x="z")


def test_anonymous_requests_need_a_policy_for_everybody() -> None:
    assert _asked_by(ANONYMOUS, [_allow(Principal="*")])
    assert not _asked_by(ANONYMOUS, [_allow(Principal={"AWS": OWN})])
    assert not _asked_by(ANONYMOUS, [_allow(Principal="*"), _deny(Principal="*")])


def test_the_root_of_an_account_needs_no_policy_and_is_bound_by_denies_of_resources() -> None:
    root = Principal(kind=Kind.ROOT, arn=f"arn:aws:iam::{OWN}:root", account=OWN)
    request = Request(principal=root, action="lambda:InvokeFunction", resource=FUNCTION, account=OWN)
    assert decide(request, Policies(unlimited=True)).allowed
    assert not decide(request, Policies(unlimited=True), Document.of([_deny(Principal="*")])).allowed


def test_a_deny_with_not_principal_spares_only_those_named_with_account_and_role() -> None:
    session = _SESSIONS[0]
    entire = {"AWS": [OWN, session["role"], session["arn"]]}

    def allowed(element: Any, who: dict[str, str] = session) -> bool:
        statement = {"Effect": "Deny", "NotPrincipal": element, "Action": "*", "Resource": "*"}
        return decided(_case(who=who, identity=[[_allow()]], resource_policy=[statement])).allowed

    assert allowed(entire)
    assert not allowed({"AWS": session["role"]})
    assert not allowed(entire, _USERS[0])
    assert allowed({"AWS": [OWN, _USERS[0]["arn"]]}, _USERS[0])


def test_a_policy_that_governs_is_needed_within_the_account_too() -> None:
    request = Request(
        principal=principal_of(_USERS[0]), action="sts:AssumeRole", resource=f"arn:aws:iam::{OWN}:role/r", account=OWN
    )
    able = Policies(identity=(Document.of([_allow()]),))
    elsewhere = Document.of([{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": OTHER}}])
    account = Document.of([{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": OWN}}])
    assert decide(request, able, elsewhere, governs=True) == Decision(False, Source.RESOURCE)
    assert decide(request, able, account, governs=True).allowed
    assert not decide(request, Policies(), account, governs=True).allowed


def test_a_decision_tells_whether_it_depends_on_the_request() -> None:
    for policy, consulted in (([_allow()], False), ([_allow(Condition={"Bool": {"aws:SecureTransport": True}})], True)):
        context = context_of({})
        request = Request(
            principal=principal_of(_USERS[0]), action="lambda:GetFunction", resource=FUNCTION, account=OWN,
            context=context,
        )  # fmt: skip
        decide(request, Policies(identity=(Document.of(policy),)))
        assert context.consulted is consulted
