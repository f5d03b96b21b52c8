"""Sessions: who may assume a role, and what limits and ends it."""

from __future__ import annotations

from typing import Any

from access_site import ACCOUNT, Site, allow, document, trust
from served import refusal


def assume(site: Site, keys: tuple[str, ...], role: str, **params: Any) -> tuple[str, str, str]:
    found = site.client("sts", keys).assume_role(RoleArn=role, RoleSessionName="s1", **params)["Credentials"]
    return found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]


def test_a_role_is_assumed_by_whom_it_trusts(site: Site, function: str) -> None:
    key, secret, name = site.user()
    other = site.user(allow("sts:AssumeRole"))
    role = site.role(allow("lambda:*"), trusted=trust(AWS=f"arn:aws:iam::{ACCOUNT}:user/{name}"))
    client = site.client("lambda", assume(site, (key, secret), role))
    client.get_function(FunctionName=function)
    status, code, message = refusal(
        site.client("sts", other[:2]).assume_role, RoleArn=role, RoleSessionName="s1"
    )  # fmt: skip
    assert (status, code) == (403, "AccessDenied")
    assert message.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {role}")
    assert refusal(site.sts.assume_role, RoleArn=role, RoleSessionName="s1")[:2] == (403, "AccessDenied")
    # Trusting the account leaves it to the policies of its users.
    shared = site.role(trusted=trust(AWS=ACCOUNT))
    assume(site, other[:2], shared)
    assert refusal(site.client("sts", (key, secret)).assume_role, RoleArn=shared, RoleSessionName="s1")[1] == (
        "AccessDenied"
    )


def test_an_external_id_is_a_condition_of_trust(site: Site) -> None:
    key, secret, name = site.user()
    statement = {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"},
        "Condition": {"StringEquals": {"sts:ExternalId": "e1"}},
    }  # fmt: skip
    role = site.role(trusted=document(statement))
    assume(site, (key, secret), role, ExternalId="e1")
    sts = site.client("sts", (key, secret))
    for params in ({}, {"ExternalId": "e2"}):
        assert refusal(sts.assume_role, RoleArn=role, RoleSessionName="s1", **params)[1] == "AccessDenied"


def test_a_session_policy_limits_and_a_deleted_role_ends_its_sessions(site: Site, function: str) -> None:
    key, secret, name = site.user()
    role = site.role(allow("lambda:*"), trusted=trust(AWS=f"arn:aws:iam::{ACCOUNT}:user/{name}"), log=False)
    limited = site.client("lambda", assume(site, (key, secret), role, Policy=document(allow("lambda:Get*"))))
    limited.get_function(FunctionName=function)
    assert refusal(limited.invoke, FunctionName=function)[2].endswith(
        "because no session policy allows the lambda:InvokeFunction action"
    )
    site.iam.delete_role_policy(RoleName=role.rpartition("/")[2], PolicyName="p")
    assert refusal(limited.get_function, FunctionName=function)[1] == "AccessDeniedException"
    site.iam.delete_role(RoleName=role.rpartition("/")[2])
    assert refusal(limited.get_function, FunctionName=function)[1] == "UnrecognizedClientException"


def test_roles_are_assumed_across_accounts(site: Site, other: Site, function: str) -> None:
    role = site.role(allow("lambda:*"), trusted=trust(AWS="222222222222"))
    key, secret, _ = other.user(allow("sts:AssumeRole", role))
    site.client("lambda", assume(site, (key, secret), role)).get_function(FunctionName=function)
    assert refusal(other.caller("sts").assume_role, RoleArn=role, RoleSessionName="s1")[1] == "AccessDenied"
