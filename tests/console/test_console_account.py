"""The console's account, in a browser against a server that verifies who calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from access_site import BASIC, Site, allow, deny, trust
from console.scenarios import PYTHON, needs_browser, needs_node, play
from ingle import __version__
from served import Server, create_function

#: More than the audit log's page shows at once.
READS = 60
SOURCE = "def handler(event, context):\n    return event\n"


@pytest.fixture
def site(directory: Path) -> Iterator[Site]:
    server = Server(directory / "data", INGLE_AUTH="iam").start()
    yield Site(server)
    assert server.stop() == 0


@pytest.mark.thorough
@needs_node
@needs_browser
def test_the_root_manages_users_with_keys_groups_and_policies(site: Site) -> None:
    def answer(asked: Any) -> str:
        try:
            return str(site.client("sts", tuple(asked["whose"])).get_caller_identity()["Arn"])
        except ClientError as error:
            return str(error)

    key, secret = site.root
    assert play("account", {"url": site.server.url, "key": key, "secret": secret}, answer) == [
        "the overview", "a user whose name is refused", "a new access key", "a user", "a user in a narrow window",
        "a policy",
    ]  # fmt: skip
    iam = site.iam
    assert iam.list_access_keys(UserName="ada")["AccessKeyMetadata"] == []
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="ada")["Groups"]] == ["developers"]
    allowed = iam.get_user_policy(UserName="ada", PolicyName="lists")["PolicyDocument"]["Statement"]
    assert allowed == [{"Effect": "Allow", "Action": "lambda:ListFunctions", "Resource": "*"}]
    [attached] = iam.list_attached_group_policies(GroupName="developers")["AttachedPolicies"]
    assert attached["PolicyName"] == "AWSLambda_ReadOnlyAccess"
    [managed] = iam.list_policies(Scope="Local")["Policies"]
    assert (managed["PolicyName"], managed["DefaultVersionId"]) == ("lists-too", "v6")
    versions = iam.list_policy_versions(PolicyArn=managed["Arn"])["Versions"]
    assert {version["VersionId"] for version in versions} == {"v2", "v3", "v4", "v5", "v6"}


@pytest.mark.thorough
@needs_node
@needs_browser
def test_the_root_manages_roles_and_keys_and_sees_environments(site: Site) -> None:
    create_function(site.lambda_, "busy", SOURCE, Role=site.role(), Runtime=PYTHON)
    site.role()

    def answer(asked: Any) -> str:
        assert asked == "invoke"
        return str(site.lambda_.invoke(FunctionName="busy")["StatusCode"])

    key, secret = site.root
    assert play("roles", {"url": site.server.url, "key": key, "secret": secret}, answer) == [
        "a role", "a new role", "keys", "a key", "environments",
    ]  # fmt: skip
    roles = {role["RoleName"]: role["AssumeRolePolicyDocument"] for role in site.iam.list_roles()["Roles"]}
    assert set(roles) == {"role1", "visitor"}
    assert roles["visitor"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
    kms = site.client("kms")
    about = kms.describe_key(KeyId="alias/second")["KeyMetadata"]
    assert about["KeyState"] == "Disabled"
    assert about["KeyId"] == kms.describe_key(KeyId="alias/variables")["KeyMetadata"]["KeyId"]
    kms.enable_key(KeyId=about["KeyId"])
    assert kms.get_key_rotation_status(KeyId=about["KeyId"])["RotationPeriodInDays"] == 100


@needs_node
@needs_browser
def test_what_is_denied_and_what_is_over_is_said(site: Site) -> None:
    iam = site.iam
    iam.create_user(UserName="limited")
    made = iam.create_access_key(UserName="limited")["AccessKey"]
    role = site.role(allow("iam:ListUsers"), trusted=trust(AWS="arn:aws:iam::000000000000:root"))
    allowed = json.dumps({"Version": "2012-10-17", "Statement": [allow("iam:GetUser"), allow("sts:AssumeRole", role)]})
    iam.put_user_policy(UserName="limited", PolicyName="p", PolicyDocument=allowed)
    other, secret = site.root

    def answer(asked: Any) -> str:
        if asked == "delete the role":
            name = role.rpartition("/")[2]
            iam.delete_role_policy(RoleName=name, PolicyName="p")
            for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
            iam.delete_role(RoleName=name)
        else:
            iam.delete_access_key(UserName="limited", AccessKeyId=made["AccessKeyId"])
        return "done"

    given = {
        "url": site.server.url, "key": made["AccessKeyId"], "secret": made["SecretAccessKey"], "role": role,
        "other": other, "otherSecret": secret,
    }  # fmt: skip
    assert play("session", given, answer) == [
        "a user with limited rights", "a section that is denied", "who somebody is", "a session that is over",
    ]  # fmt: skip


@pytest.mark.thorough
@needs_node
@needs_browser
def test_what_an_account_shares_and_did_is_shown(site: Site) -> None:
    create_function(site.lambda_, "busy", SOURCE, Role=site.role(), Runtime=PYTHON)
    site.lambda_.put_function_concurrency(FunctionName="busy", ReservedConcurrentExecutions=100)
    with pytest.raises(ClientError):
        site.caller("lambda", deny("lambda:DeleteFunction")).delete_function(FunctionName="busy")
    for _ in range(READS):
        site.iam.get_policy(PolicyArn=BASIC)
    own = site.client("ingle")
    key, secret = site.root

    def answer(asked: Any) -> str:
        assert asked == "shared events"
        return " ".join(event["EventName"] for event in own.list_test_events(FunctionName="busy")["TestEvents"])

    assert play("shared", {"url": site.server.url, "key": key, "secret": secret, "reads": READS}, answer) == [
        "events of both kinds", "the pool", "the audit log", "a record",
    ]  # fmt: skip


@needs_node
@needs_browser
def test_every_part_is_there_where_nobody_is_asked_who_they_are(console_server: Server) -> None:
    assert play("sections", {"url": console_server.url, "version": __version__}) == [
        "overview", "users", "groups", "policies", "roles", "keys", "environments", "audit", "host",
    ]  # fmt: skip
