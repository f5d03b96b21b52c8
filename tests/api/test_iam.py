"""IAM and STS through boto3, without authentication: what is kept and refused, and that a restart loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from served import Server, refusal

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}},
    ],
}
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:Get*", "Resource": "*"}]}
ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def iam(server: Server) -> Any:
    return server.client("iam")


@pytest.fixture
def role(iam: Any) -> Iterator[str]:
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST), Description="does things")
    yield "worker"
    iam.delete_role(RoleName="worker")


def test_a_user_has_keys_groups_and_policies_and_goes_when_it_has_none(iam: Any) -> None:
    made = iam.create_user(UserName="ann", Path="/team/", Tags=[{"Key": "a", "Value": "b"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/ann"
    assert made["UserId"].startswith("AIDA")
    assert iam.get_user(UserName="ann")["User"]["Tags"] == [{"Key": "a", "Value": "b"}]
    assert refusal(iam.create_user, UserName="Ann")[:2] == (409, "EntityAlreadyExists")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    assert key["AccessKeyId"].startswith("AKIA")
    assert len(key["SecretAccessKey"]) == 40
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    (listed,) = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    assert listed["Status"] == "Inactive"
    iam.create_access_key(UserName="ann")
    assert refusal(iam.create_access_key, UserName="ann")[1] == "LimitExceeded"
    iam.create_group(GroupName="readers")
    iam.add_user_to_group(GroupName="readers", UserName="ann")
    assert [user["UserName"] for user in iam.get_group(GroupName="readers")["Users"]] == ["ann"]
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=json.dumps(READ))
    assert iam.get_user_policy(UserName="ann", PolicyName="p")["PolicyDocument"] == READ
    assert refusal(iam.delete_user, UserName="ann") == (
        409, "DeleteConflict", "Cannot delete entity, must delete access keys first."
    )  # fmt: skip
    for item in iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="ann", AccessKeyId=item["AccessKeyId"])
    assert refusal(iam.delete_user, UserName="ann")[2] == "Cannot delete entity, must delete policies first."
    iam.delete_user_policy(UserName="ann", PolicyName="p")
    iam.update_user(UserName="ann", NewUserName="bea")
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="bea")["Groups"]] == ["readers"]
    iam.remove_user_from_group(GroupName="readers", UserName="bea")
    iam.delete_user(UserName="bea")
    iam.delete_group(GroupName="readers")
    assert refusal(iam.get_user, UserName="bea") == (
        404, "NoSuchEntity", "The user with name bea cannot be found."
    )  # fmt: skip


def test_a_role_is_shown_as_it_was_made_and_changed(iam: Any, role: str) -> None:
    shown = iam.get_role(RoleName=role)["Role"]
    assert shown["AssumeRolePolicyDocument"] == TRUST
    assert (shown["Arn"], shown["Description"]) == (f"arn:aws:iam::{ACCOUNT}:role/worker", "does things")
    assert shown["MaxSessionDuration"] == 3600
    iam.update_role(RoleName=role, Description="more", MaxSessionDuration=7200)
    iam.tag_role(RoleName=role, Tags=[{"Key": "k", "Value": "v"}])
    assert iam.list_role_tags(RoleName=role)["Tags"] == [{"Key": "k", "Value": "v"}]
    iam.untag_role(RoleName=role, TagKeys=["k"])
    shown = iam.get_role(RoleName=role)["Role"]
    assert (shown["Description"], shown["MaxSessionDuration"], shown.get("Tags")) == ("more", 7200, None)
    assert role in [item["RoleName"] for item in iam.list_roles()["Roles"]]
    assert iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"] == []


def test_policies_are_attached_by_arn_and_limited_by_boundaries(iam: Any, role: str) -> None:
    basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    iam.attach_role_policy(RoleName=role, PolicyArn=basic)
    iam.attach_role_policy(RoleName=role, PolicyArn=basic)
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert attached == [{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": basic}]
    assert refusal(iam.delete_role, RoleName=role)[1] == "DeleteConflict"
    iam.detach_role_policy(RoleName=role, PolicyArn=basic)
    assert refusal(iam.detach_role_policy, RoleName=role, PolicyArn=basic)[1] == "NoSuchEntity"
    missing = f"arn:aws:iam::{ACCOUNT}:policy/missing"
    assert refusal(iam.attach_role_policy, RoleName=role, PolicyArn=missing) == (
        404, "NoSuchEntity", f"Policy {missing} does not exist or is not attachable."
    )  # fmt: skip
    iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=basic)
    assert iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == basic
    iam.delete_role_permissions_boundary(RoleName=role)
    assert "PermissionsBoundary" not in iam.get_role(RoleName=role)["Role"]


def test_managed_policies_have_versions(iam: Any, role: str) -> None:
    arn = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(READ), Description="d")["Policy"]["Arn"]
    other = {**READ, "Statement": []}
    second = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(other), SetAsDefault=True)
    assert (second["PolicyVersion"]["VersionId"], second["PolicyVersion"]["IsDefaultVersion"]) == ("v2", True)
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"] == READ
    assert refusal(iam.delete_policy_version, PolicyArn=arn, VersionId="v2")[1] == "DeleteConflict"
    assert refusal(iam.delete_policy, PolicyArn=arn)[1] == "DeleteConflict"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"][0]["RoleName"] == role
    assert arn in [item["Arn"] for item in iam.list_policies(Scope="Local")["Policies"]]
    assert refusal(iam.delete_policy, PolicyArn=arn)[2] == "Cannot delete a policy attached to entities."
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    assert refusal(iam.get_policy, PolicyArn=arn)[:2] == (404, "NoSuchEntity")


def test_malformed_policies_are_refused(iam: Any, role: str) -> None:
    for text in ("{}", "x", json.dumps({**READ, "Version": "2008-10-17"})):
        answer = refusal(iam.put_role_policy, RoleName=role, PolicyName="p", PolicyDocument=text)
        assert answer[:2] == (400, "MalformedPolicyDocument")
    trust = json.dumps({**TRUST, "Statement": [{**TRUST["Statement"][0], "Resource": "*"}]})  # type: ignore[dict-item]
    answer = refusal(iam.update_assume_role_policy, RoleName=role, PolicyDocument=trust)
    assert answer == (400, "MalformedPolicyDocument", "Has prohibited field Resource")


def test_lists_come_in_pages(iam: Any) -> None:
    names = [f"page{number}" for number in range(5)]
    for name in names:
        iam.create_group(GroupName=name)
    pages = iam.get_paginator("list_groups").paginate(PaginationConfig={"PageSize": 2})
    assert [group["GroupName"] for page in pages for group in page["Groups"]] == names
    for name in names:
        iam.delete_group(GroupName=name)
    assert refusal(iam.list_groups, Marker="nonsense")[1] == "ValidationError"


def test_identity_without_authentication_is_the_root_of_the_account(server: Server) -> None:
    other = server.client("sts", account="111122223333").get_caller_identity()
    assert (other["Account"], other["Arn"]) == ("111122223333", "arn:aws:iam::111122223333:root")


def test_sessions_are_limited_by_their_role(server: Server, role: str) -> None:
    sts = server.client("sts")
    arn = f"arn:aws:iam::{ACCOUNT}:role/worker"
    session = sts.assume_role(RoleArn=arn, RoleSessionName="s1", Policy=json.dumps(READ))
    assert session["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/s1"
    assert session["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert session["PackedPolicySize"] > 0
    assert refusal(sts.assume_role, RoleArn=arn, RoleSessionName="s1", DurationSeconds=3601) == (
        400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    )  # fmt: skip
    assert refusal(sts.assume_role, RoleArn=f"{arn}x", RoleSessionName="s1")[:2] == (403, "AccessDenied")
    assert refusal(sts.assume_role, RoleArn=arn, RoleSessionName="s1", Policy="{")[1] == "MalformedPolicyDocument"


def test_identities_survive_a_crash(tmp_path: Path) -> None:
    server = Server(tmp_path / "data").start()
    try:
        iam = server.client("iam")
        iam.create_user(UserName="ann", Tags=[{"Key": "a", "Value": "b"}])
        key = iam.create_access_key(UserName="ann")["AccessKey"]
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))
        arn = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(READ))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="r", PolicyArn=arn)
        iam.create_group(GroupName="g")
        iam.add_user_to_group(GroupName="g", UserName="ann")
        before = [
            iam.get_user(UserName="ann")["User"],
            iam.get_role(RoleName="r")["Role"],
            iam.get_policy(PolicyArn=arn),
        ]
        server.kill()
        iam = server.start().client("iam")
        after = [
            iam.get_user(UserName="ann")["User"],
            iam.get_role(RoleName="r")["Role"],
            iam.get_policy(PolicyArn=arn),
        ]
        for value in (before[2], after[2]):
            value.pop("ResponseMetadata")
        assert after == before
        assert [item["UserName"] for item in iam.get_group(GroupName="g")["Users"]] == ["ann"]
        assert iam.list_access_keys(UserName="ann")["AccessKeyMetadata"][0]["AccessKeyId"] == key["AccessKeyId"]
        assert key["SecretAccessKey"].encode() not in b"".join(
            path.read_bytes() for path in (tmp_path / "data").glob("ingle.db*")
        )
    finally:
        server.stop()
