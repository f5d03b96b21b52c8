"""Authentication on: who may do what, through boto3 and the AWS CLI, each kind of unauthorised access tried."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from served import Server, package, refusal

ACCOUNT = "000000000000"
OTHER = "222222222222"
REGION = "us-east-1"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
Statement = dict[str, Any]

#: Does what the event asks for and says how that went; tells its own credentials if asked.
CALLER = """
import boto3, json, os
def handler(event, context):
    print("a line of mine")
    if event.get("secrets"):
        return {k: os.environ[k] for k in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}
    client = boto3.client(event["service"])
    try:
        answer = getattr(client, event["call"])(**event.get("params", {}))
        answer.pop("ResponseMetadata", None)
        answer.pop("Payload", None)
        return {"answer": json.loads(json.dumps(answer, default=str))}
    except client.exceptions.ClientError as error:
        return {"error": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}
"""

QUIET = "def handler(event, context):\n    return event\n"


def document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **members: Any) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **members}


def deny(action: Any, resource: Any = "*", **members: Any) -> Statement:
    return {**allow(action, resource, **members), "Effect": "Deny"}


def trust(**principal: Any) -> str:
    return document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal})


class Site:
    """A server with authentication, and what tests make in it."""

    def __init__(self, server: Server, root: tuple[str, str] | None = None) -> None:
        self.server = server
        found = root or server.root
        assert found is not None
        self.root = found
        self.iam = self.client("iam")
        self.sts = self.client("sts")
        self.lambda_ = self.client("lambda")
        self._number = 0

    def client(self, service: str, keys: tuple[str, ...] | None = None, region: str = REGION) -> Any:
        """For the root, or for an access key, its secret and perhaps a token."""
        key, secret, *token = keys or self.root
        return self.server.client(service, region, key, secret=secret, token=token[0] if token else None)

    def name(self, of: str) -> str:
        self._number += 1
        return f"{of}{self._number}"

    def user(self, *statements: Statement, boundary: str | None = None) -> tuple[str, str, str]:
        """A user with these permissions: access key id, secret, name."""
        name = self.name("user")
        limit = {} if boundary is None else {"PermissionsBoundary": boundary}
        self.iam.create_user(UserName=name, **limit)
        if statements:
            self.iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(*statements))
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"], name

    def caller(self, service: str, *statements: Statement, **members: Any) -> Any:
        """A client of a new user with these permissions."""
        return self.client(service, self.user(*statements, **members)[:2])

    def role(self, *statements: Statement, trusted: str | None = None, log: bool = True) -> str:
        """The ARN of a role, which Lambda may assume unless `trusted` says otherwise."""
        name = self.name("role")
        role = self.iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=trusted or trust(Service="lambda.amazonaws.com")
        )
        if statements:
            self.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
        if log:
            self.iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
        return str(role["Role"]["Arn"])

    def function(self, role: str | None = None, source: str = CALLER) -> str:
        name = self.name("function")
        self.lambda_.create_function(
            FunctionName=name, Runtime="python3.11", Handler="app.handler", Timeout=30, MemorySize=512,
            Role=role or self.role(), Code={"ZipFile": package({"app.py": source})},
        )  # fmt: skip
        often = {"Delay": 0.05, "MaxAttempts": 200}
        self.lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=often)
        return name

    def ask(self, function: str, **event: Any) -> Any:
        answer = self.lambda_.invoke(FunctionName=function, Payload=json.dumps(event))
        content = json.loads(answer["Payload"].read())
        if "No module named 'boto3'" in str(content):
            pytest.skip("no boto3 for functions here: ingle runtimes install python3.11")
        assert "FunctionError" not in answer, content
        return content


def arn_of(function: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:lambda:{REGION}:{account}:function:{function}"


def root_key(server: Server, account: str, *options: str) -> tuple[str, str]:
    """A new key of the root of an account of a server that is stopped."""
    command = [sys.executable, "-m", "ingle", "users", "root", account, "--data-dir", str(server.data_dir), *options]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    keys = dict(line.split("=", 1) for line in lines)
    return keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    directory = Path(tempfile.mkdtemp(prefix="ingle-test-"))
    server = Server(directory / "data", INGLE_AUTH="iam").start()
    assert server.stop() == 0
    server.others[OTHER] = root_key(server, OTHER)
    server.start()
    yield Site(server)
    status = server.stop()
    shutil.rmtree(directory)
    assert status == 0


@pytest.fixture(scope="module")
def function(site: Site) -> str:
    """A function that calls services; where it cannot, what needs it is skipped."""
    name = site.function()
    site.ask(name, secrets=True)
    return name


# --- who calls --------------------------------------------------------------------------------------------------------


def test_the_root_of_the_first_start_may_do_everything(site: Site, function: str) -> None:
    assert site.sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert site.ask(function, service="sts", call="get_caller_identity")["answer"]["Account"] == ACCOUNT


def test_an_unsigned_request_is_refused_in_the_form_of_each_protocol(site: Site) -> None:
    parts = urlsplit(site.server.url)

    def refused(path: str, body: str = "", **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST" if body else "GET", path, body, names)
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return answer.status, answer.headers.get("x-amzn-errortype") or content

    assert refused("/2015-03-31/functions/") == (403, "MissingAuthenticationTokenException")
    status, content = refused(
        "/", "{}", X_Amz_Target="Logs_20140328.DescribeLogGroups", Content_Type="application/x-amz-json-1.1"
    )
    assert status == 400
    assert "MissingAuthenticationTokenException" in content
    form = "Action=GetCallerIdentity&Version=2011-06-15"
    status, content = refused("/", form, Content_Type="application/x-www-form-urlencoded")
    assert status == 403
    assert "<Code>MissingAuthenticationToken</Code>" in content
    assert refused("/_ingle/health")[0] == 200


def test_wrong_signatures_and_unknown_keys_have_the_names_of_each_protocol(site: Site) -> None:
    key, secret = site.root
    for service, call, codes in (
        ("lambda", "list_functions", ("InvalidSignatureException", "UnrecognizedClientException")),
        ("logs", "describe_log_groups", ("InvalidSignatureException", "UnrecognizedClientException")),
        ("sts", "get_caller_identity", ("SignatureDoesNotMatch", "InvalidClientTokenId")),
        ("iam", "list_users", ("SignatureDoesNotMatch", "InvalidClientTokenId")),
    ):
        for keys, code in zip(((key, "wrong"), ("AKIAIOSFODNN7EXAMPLE", secret)), codes, strict=True):
            status, found, _ = refusal(getattr(site.client(service, keys), call))
            assert (status, found) == (400 if service == "logs" else 403, code)


def test_an_altered_body_is_refused(site: Site, function: str) -> None:
    client = site.client("lambda")

    def alter(request: Any, **_: Any) -> None:
        request.data = request.body = b'{"altered": true}'

    client.meta.events.register("before-send.lambda.Invoke", lambda request, **_: alter(request))
    assert refusal(client.invoke, FunctionName=function, Payload=b"{}")[1] == "InvalidSignatureException"


def test_a_deactivated_key_a_deleted_key_and_a_key_of_a_deleted_user_are_refused(site: Site) -> None:
    key, secret, name = site.user(allow("lambda:*"))
    client = site.client("lambda", (key, secret))
    client.list_functions()
    site.iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
    assert refusal(client.list_functions)[1] == "UnrecognizedClientException"
    site.iam.update_access_key(UserName=name, AccessKeyId=key, Status="Active")
    client.list_functions()
    site.iam.delete_access_key(UserName=name, AccessKeyId=key)
    assert refusal(client.list_functions)[1] == "UnrecognizedClientException"


def test_keys_survive_a_crash_and_the_root_key_is_told_once(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", INGLE_AUTH="iam").start()
    try:
        assert server.root is not None
        key, secret = server.root
        server.kill()
        server.start()
        assert server.client("sts", account=key, secret=secret).get_caller_identity()["Account"] == ACCOUNT
        assert server.stop() == 0
        again = root_key(server, ACCOUNT, "--replace")
        server.start()
        assert server.client("sts", account=again[0], secret=again[1]).get_caller_identity()["Account"] == ACCOUNT
        assert refusal(server.client("sts", account=key, secret=secret).get_caller_identity)[0] == 403
        kept = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
        assert secret.encode() not in kept
    finally:
        server.stop()


# --- identity policies ------------------------------------------------------------------------------------------------


def test_without_a_permission_nothing_is_allowed_and_the_refusal_says_why(site: Site, function: str) -> None:
    key, secret, name = site.user()
    status, code, message = refusal(site.client("lambda", (key, secret)).invoke, FunctionName=function)
    assert (status, code) == (403, "AccessDeniedException")
    assert message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/{name} is not authorized to perform: lambda:InvokeFunction on resource: "
        f"{arn_of(function)} because no identity-based policy allows the lambda:InvokeFunction action"
    )


def test_permissions_are_for_actions_and_resources(site: Site, function: str) -> None:
    client = site.caller("lambda", allow("lambda:InvokeFunction", arn_of(function)))
    client.invoke(FunctionName=function, InvocationType="DryRun")
    assert refusal(client.get_function, FunctionName=function)[1] == "AccessDeniedException"
    assert refusal(client.invoke, FunctionName="other", InvocationType="DryRun")[1] == "AccessDeniedException"
    # The bare ARN is not the qualified one.
    qualified = {"FunctionName": function, "Qualifier": "$LATEST", "InvocationType": "DryRun"}
    assert refusal(client.invoke, **qualified)[1] == "AccessDeniedException"
    every = site.caller("lambda", allow("lambda:InvokeFunction", f"{arn_of(function)}:*"))
    every.invoke(**qualified)
    assert refusal(every.invoke, FunctionName=function, InvocationType="DryRun")[1] == "AccessDeniedException"


def test_an_explicit_deny_wins(site: Site, function: str) -> None:
    client = site.caller("lambda", allow("*"), deny("lambda:Invoke*"))
    client.get_function(FunctionName=function)
    _, code, message = refusal(client.invoke, FunctionName=function)
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_a_boundary_limits(site: Site, function: str) -> None:
    policy = site.iam.create_policy(PolicyName=site.name("b"), PolicyDocument=document(allow("lambda:Get*")))
    client = site.caller("lambda", allow("*"), boundary=policy["Policy"]["Arn"])
    client.get_function(FunctionName=function)
    assert refusal(client.invoke, FunctionName=function)[2].endswith(
        "because no permissions boundary allows the lambda:InvokeFunction action"
    )


def test_groups_and_policy_versions_count_at_once(site: Site, function: str) -> None:
    key, secret, name = site.user()
    client = site.client("lambda", (key, secret))
    group = site.name("group")
    site.iam.create_group(GroupName=group)
    policy = site.iam.create_policy(PolicyName=site.name("p"), PolicyDocument=document(allow("lambda:GetFunction")))
    arn = policy["Policy"]["Arn"]
    site.iam.attach_group_policy(GroupName=group, PolicyArn=arn)
    assert refusal(client.get_function, FunctionName=function)[1] == "AccessDeniedException"
    site.iam.add_user_to_group(GroupName=group, UserName=name)
    client.get_function(FunctionName=function)
    site.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("s3:*")), SetAsDefault=True)
    assert refusal(client.get_function, FunctionName=function)[1] == "AccessDeniedException"


def test_conditions_are_asked_of_the_request(site: Site, function: str) -> None:
    here = {"IpAddress": {"aws:SourceIp": "127.0.0.1"}, "StringEquals": {"aws:RequestedRegion": REGION}}
    site.caller("lambda", allow("lambda:GetFunction", Condition=here)).get_function(FunctionName=function)
    elsewhere = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    client = site.caller("lambda", allow("lambda:GetFunction", Condition=elsewhere))
    assert refusal(client.get_function, FunctionName=function)[1] == "AccessDeniedException"
    urls = {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}
    client = site.caller("lambda", allow("lambda:CreateFunctionUrlConfig", Condition=urls))
    assert refusal(client.create_function_url_config, FunctionName=function, AuthType="NONE")[1] == (
        "AccessDeniedException"
    )
    client.create_function_url_config(FunctionName=function, AuthType="AWS_IAM")
    own = allow("iam:GetUser", f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")
    key, secret, name = site.user(own)
    iam = site.client("iam", (key, secret))
    assert iam.get_user(UserName=name)["User"]["UserName"] == iam.get_user()["User"]["UserName"] == name
    assert refusal(iam.get_user, UserName="somebody")[:2] == (403, "AccessDenied")


def test_layers_and_networks_of_a_function_are_conditions(site: Site) -> None:
    """Each of the keys lets one change through and denies another."""
    name = site.function()
    content = {"ZipFile": package({"python/m.py": "x = 1\n"})}
    layers = [site.lambda_.publish_layer_version(LayerName=f"cond{n}", Content=content)["LayerVersionArn"]
              for n in (1, 2)]  # fmt: skip
    rule = {"ForAllValues:StringLike": {"lambda:Layer": ["*:layer:cond1:*"]}}
    may = [allow("lambda:UpdateFunctionConfiguration", Condition=rule), allow("lambda:GetLayerVersion")]
    change = site.caller("lambda", *may).update_function_configuration
    assert refusal(change, FunctionName=name, Layers=layers)[1] == "AccessDeniedException"
    change(FunctionName=name, Layers=layers[:1])
    for key in ("lambda:VpcIds", "lambda:SubnetIds", "lambda:SecurityGroupIds"):
        attached = {"Null": {key: "false"}}
        denied = deny("lambda:UpdateFunctionConfiguration", Condition=attached)
        change = site.caller("lambda", allow("lambda:*"), denied).update_function_configuration
        vpc = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
        assert refusal(change, FunctionName=name, VpcConfig=vpc)[2].endswith(
            "with an explicit deny in an identity-based policy"
        )


def test_other_services_are_authorised_too(site: Site, function: str) -> None:
    site.ask(function, service="sts", call="get_caller_identity")
    nobody = site.user()[:2]
    for service, call, params in (
        ("logs", "describe_log_groups", {}),
        ("cloudwatch", "list_metrics", {}),
        ("resourcegroupstaggingapi", "get_resources", {}),
        ("iam", "list_users", {}),
    ):
        assert refusal(getattr(site.client(service, nobody), call), **params)[1] in (
            "AccessDeniedException", "AccessDenied"
        )  # fmt: skip
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{function}:*"
    logs = site.caller("logs", allow("logs:FilterLogEvents", group))
    assert refusal(logs.filter_log_events, logGroupName="/aws/lambda/other")[1] == "AccessDeniedException"
    assert site.client("sts", nobody).get_caller_identity()["Account"] == ACCOUNT


def test_tagging_needs_the_permission_of_the_resource_s_own_service(site: Site, function: str) -> None:
    api = site.caller("resourcegroupstaggingapi", allow("tag:*"))
    failed = api.tag_resources(ResourceARNList=[arn_of(function)], Tags={"a": "b"})["FailedResourcesMap"]
    assert failed[arn_of(function)]["ErrorCode"] == "AccessDeniedException"
    api = site.caller("resourcegroupstaggingapi", allow(["tag:*", "lambda:TagResource"]))
    assert api.tag_resources(ResourceARNList=[arn_of(function)], Tags={"a": "b"})["FailedResourcesMap"] == {}


# --- roles ------------------------------------------------------------------------------------------------------------


def create(client: Any, name: str, role: str, **members: Any) -> Any:
    return client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=role,
        Code={"ZipFile": package({"app.py": CALLER})}, **members,
    )  # fmt: skip


def test_giving_a_role_to_a_function_takes_the_permission_to_pass_it(site: Site) -> None:
    role = site.role()
    client = site.caller("lambda", allow("lambda:*"))
    with pytest.raises(client.exceptions.ClientError) as refused:
        create(client, site.name("x"), role)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert f"is not authorized to perform: iam:PassRole on resource: {role}" in str(refused.value)
    passing = allow("iam:PassRole", role, Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}})
    create(site.caller("lambda", allow("lambda:*"), passing), site.name("x"), role)


def test_a_function_s_role_has_to_exist_and_to_trust_lambda(site: Site, function: str) -> None:
    for role in (f"arn:aws:iam::{ACCOUNT}:role/absent", site.role(trusted=trust(Service="ec2.amazonaws.com"))):
        with pytest.raises(site.lambda_.exceptions.InvalidParameterValueException) as refused:
            create(site.lambda_, site.name("x"), role)
        assert "The role defined for the function cannot be assumed by Lambda." in str(refused.value)
        assert refusal(site.lambda_.update_function_configuration, FunctionName=function, Role=role)[1] == (
            "InvalidParameterValueException"
        )
    with pytest.raises(site.lambda_.exceptions.ClientError) as refused:
        create(site.lambda_, site.name("x"), "arn:aws:iam::999999999999:role/r")
    assert "Cross-account pass role is not allowed." in str(refused.value)


def test_a_function_whose_role_went_cannot_start(site: Site) -> None:
    role = site.role(log=False)
    name = site.function(role)
    site.iam.delete_role(RoleName=role.rpartition("/")[2])
    assert refusal(site.lambda_.invoke, FunctionName=name) == (
        403, "AccessDeniedException", "The role defined for the function cannot be assumed by Lambda."
    )  # fmt: skip


def test_a_function_calls_as_a_session_of_its_role(site: Site, function: str) -> None:
    who = site.ask(function, service="sts", call="get_caller_identity")["answer"]
    assert who["Arn"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/role")
    assert who["Arn"].endswith(f"/{function}")
    refused = site.ask(function, service="lambda", call="list_functions")
    assert refused["error"] == "AccessDeniedException"
    assert who["Arn"] in refused["message"]


def test_a_function_may_do_what_its_role_may_and_conditions_know_the_function(site: Site) -> None:
    role = site.role(allow("lambda:GetAccountSettings"))
    name = site.function(role)
    assert "answer" in site.ask(name, service="lambda", call="get_account_settings")
    own = {"ArnEquals": {"lambda:SourceFunctionArn": arn_of(name)}}
    site.iam.put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName="p",
        PolicyDocument=document(allow("lambda:*"), deny("lambda:GetAccountSettings", Condition=own)),
    )  # fmt: skip
    assert site.ask(name, service="lambda", call="get_account_settings")["error"] == "AccessDeniedException"
    assert "answer" in site.ask(name, service="lambda", call="list_functions")


def test_credentials_of_a_function_end_with_its_environment(site: Site) -> None:
    name = site.function(site.role(allow("lambda:GetAccountSettings")))
    found = site.ask(name, secrets=True)
    keys = (found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"], found["AWS_SESSION_TOKEN"])
    client = site.client("lambda", keys)
    client.get_account_settings()
    site.lambda_.delete_function(FunctionName=name)
    deadline = time.monotonic() + 20
    code = ""
    while code != "UnrecognizedClientException" and time.monotonic() < deadline:
        try:
            client.get_account_settings()
        except client.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
    assert code == "UnrecognizedClientException"


def test_without_permission_to_log_a_function_runs_and_its_lines_are_lost(site: Site) -> None:
    name = site.function(site.role(log=False))
    assert site.ask(name, service="sts", call="get_caller_identity")["answer"]["Account"] == ACCOUNT
    logged = site.function()
    site.ask(logged, service="sts", call="get_caller_identity")
    logs = site.client("logs")
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{logged}")["events"]
    assert any("a line of mine" in event["message"] for event in events)
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    assert f"/aws/lambda/{name}" not in groups


# --- assumed roles ----------------------------------------------------------------------------------------------------


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


# --- resource policies, accounts, regions ----------------------------------------------------------------------------


def permit(site: Site, function: str, principal: str, action: str = "lambda:InvokeFunction", **params: Any) -> None:
    site.lambda_.add_permission(
        FunctionName=function, StatementId=site.name("s"), Action=action, Principal=principal, **params
    )


def test_a_function_s_policy_allows_users_of_the_account(site: Site) -> None:
    name = site.function()
    key, secret, user = site.user()
    client = site.client("lambda", (key, secret))
    dry = {"FunctionName": name, "InvocationType": "DryRun"}
    assert refusal(client.invoke, **dry)[1] == "AccessDeniedException"
    permit(site, name, f"arn:aws:iam::{ACCOUNT}:user/{user}")
    client.invoke(**dry)
    # It is the policy of the unqualified function, and of nothing else.
    assert refusal(client.invoke, **dry, Qualifier="$LATEST")[1] == "AccessDeniedException"
    version = site.lambda_.publish_version(FunctionName=name)["Version"]
    assert refusal(client.invoke, **dry, Qualifier=version)[1] == "AccessDeniedException"
    site.lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    permit(site, name, f"arn:aws:iam::{ACCOUNT}:user/{user}", Qualifier="live")
    client.invoke(**dry, Qualifier="live")
    site.lambda_.put_resource_policy(ResourceArn=arn_of(name), Policy=document(deny(
        "lambda:InvokeFunction", arn_of(name), Principal="*")))  # fmt: skip
    assert refusal(site.lambda_.invoke, **dry)[2].endswith("with an explicit deny in a resource-based policy")


@pytest.fixture(scope="module")
def other(site: Site) -> Site:
    """The root of another account."""
    there = Site(site.server, site.server.others[OTHER])
    assert there.sts.get_caller_identity()["Account"] == "222222222222"
    return there


def test_across_accounts_both_sides_have_to_allow(site: Site, other: Site, function: str) -> None:
    dry = {"FunctionName": arn_of(function), "InvocationType": "DryRun"}
    _, code, message = refusal(other.lambda_.invoke, **dry)
    assert code == "AccessDeniedException"
    assert message.endswith("because no resource-based policy allows the lambda:InvokeFunction action")
    permit(site, function, "222222222222")
    other.lambda_.invoke(**dry)
    assert (
        json.loads(
            other.lambda_.invoke(
                FunctionName=arn_of(function), Payload=b'{"service":"sts","call":"get_caller_identity"}'
            )["Payload"].read()
        )["answer"]["Account"]
        == ACCOUNT
    )
    nobody = other.caller("lambda")
    assert refusal(nobody.invoke, **dry)[2].endswith(
        "because no identity-based policy allows the lambda:InvokeFunction action"
    )
    other.caller("lambda", allow("lambda:InvokeFunction")).invoke(**dry)
    assert refusal(other.lambda_.get_function, FunctionName=arn_of(function))[1] == "AccessDeniedException"
    assert refusal(other.lambda_.invoke, FunctionName=function)[:2] == (404, "ResourceNotFoundException")


def test_roles_are_assumed_across_accounts(site: Site, other: Site, function: str) -> None:
    role = site.role(allow("lambda:*"), trusted=trust(AWS="222222222222"))
    key, secret, _ = other.user(allow("sts:AssumeRole", role))
    site.client("lambda", assume(site, (key, secret), role)).get_function(FunctionName=function)
    assert refusal(other.caller("sts").assume_role, RoleArn=role, RoleSessionName="s1")[1] == "AccessDenied"


def test_layers_are_used_across_accounts_where_both_sides_allow(site: Site, other: Site) -> None:
    content = {"ZipFile": package({"python/m.py": "x = 1\n"})}
    arn = site.lambda_.publish_layer_version(LayerName="shared", Content=content)["LayerVersionArn"]
    assert refusal(other.lambda_.get_layer_version_by_arn, Arn=arn)[1] == "AccessDeniedException"
    site.lambda_.add_layer_version_permission(
        LayerName="shared", VersionNumber=1, StatementId="s", Action="lambda:GetLayerVersion", Principal="222222222222"
    )
    assert other.lambda_.get_layer_version_by_arn(Arn=arn)["LayerVersionArn"] == arn
    assert refusal(other.caller("lambda").get_layer_version_by_arn, Arn=arn)[1] == "AccessDeniedException"


def test_a_function_of_another_region_is_not_reached(site: Site, function: str) -> None:
    there = site.client("lambda", region="eu-west-1")
    assert refusal(there.get_function, FunctionName=function)[:2] == (404, "ResourceNotFoundException")
    assert refusal(there.get_function, FunctionName=arn_of(function))[:2] == (404, "ResourceNotFoundException")


# --- keys -------------------------------------------------------------------------------------------------------------


def key_policy(*statements: Statement) -> str:
    return document(*statements)


def test_keys_are_used_by_whom_their_policy_and_identity_policies_allow(site: Site, other: Site) -> None:
    kms = site.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    nobody, able = site.caller("kms"), site.caller("kms", allow("kms:Encrypt", key))
    _, code, message = refusal(nobody.encrypt, KeyId=key, Plaintext=b"x")
    assert code == "AccessDeniedException"
    assert message.endswith("because no identity-based policy allows the kms:Encrypt action")
    able.encrypt(KeyId=key, Plaintext=b"x")
    assert refusal(able.describe_key, KeyId=key)[1] == "AccessDeniedException"
    assert refusal(able.create_key)[1] == "AccessDeniedException"
    assert refusal(nobody.generate_random, NumberOfBytes=8)[1] == "AccessDeniedException"
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    without_tenant = {"Null": {"kms:EncryptionContext:tenant": "true"}}
    only = key_policy(allow("kms:*", Principal=root), deny("kms:Encrypt", Principal="*", Condition=without_tenant))
    kms.put_key_policy(KeyId=key, Policy=only)
    assert refusal(able.encrypt, KeyId=key, Plaintext=b"x")[2].endswith(
        "with an explicit deny in a resource-based policy"
    )
    able.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "a"})
    assert refusal(other.client("kms").encrypt, KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "a"})[1] == (
        "AccessDeniedException"
    )
    shared = key_policy(allow("kms:*", Principal=root), allow("kms:Encrypt", Principal={"AWS": OTHER}))
    kms.put_key_policy(KeyId=key, Policy=shared)
    other.client("kms").encrypt(KeyId=key, Plaintext=b"x")
    assert refusal(other.caller("kms").encrypt, KeyId=key, Plaintext=b"x")[1] == "AccessDeniedException"


def test_a_grant_allows_what_it_names_in_its_context(site: Site) -> None:
    kms = site.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    name, secret, user = site.user()
    kms.create_grant(
        KeyId=key, GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:user/{user}", Operations=["Encrypt"],
        Constraints={"EncryptionContextSubset": {"tenant": "a"}},
    )  # fmt: skip
    client = site.client("kms", (name, secret))
    client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "a", "more": "b"})
    for context in ({}, {"tenant": "b"}):
        refused = refusal(client.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext=context)
        assert refused[1] == "AccessDeniedException"
    assert refusal(client.describe_key, KeyId=key)[1] == "AccessDeniedException"


def test_a_function_has_its_variables_under_a_key_of_its_own(site: Site) -> None:
    key = site.client("kms").create_key()["KeyMetadata"]["Arn"]
    name = site.function(source="import os\ndef handler(event, context):\n    return os.environ['COLOUR']\n")
    change = {"FunctionName": name, "KMSKeyArn": key, "Environment": {"Variables": {"COLOUR": "red"}}}
    client = site.caller("lambda", allow("lambda:*"))
    assert refusal(client.update_function_configuration, **change)[0] in (400, 403, 502)
    site.lambda_.update_function_configuration(**change)
    site.lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    assert site.ask(name) == "red"


# --- function URLs and destinations -----------------------------------------------------------------------------------


def at_url(site: Site, address: str, keys: tuple[str, ...] | None, region: str = REGION) -> tuple[int, Any]:
    """The status and the JSON of an answer to a signed GET at a function URL."""
    headers = {"Host": urlsplit(address).netloc}
    if keys is not None:
        request = AWSRequest("GET", address, headers={})
        SigV4Auth(Credentials(*keys), "lambda", region).add_auth(request)
        headers |= dict(request.headers.items())
    parts = urlsplit(site.server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request("GET", "/", headers=headers)
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


def test_a_url_with_iam_takes_a_signature_and_both_permissions(site: Site) -> None:
    name = site.function(
        source="def handler(event, context):\n    return event['requestContext']['authorizer']['iam']\n"
    )
    url = site.lambda_.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    key, secret, user = site.user(allow(["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"], arn_of(name)))
    status, told = at_url(site, url, (key, secret))
    assert status == 200, told
    assert (told["accessKey"], told["accountId"]) == (key, ACCOUNT)
    assert told["userArn"] == f"arn:aws:iam::{ACCOUNT}:user/{user}"
    status, refused = at_url(site, url, None)
    assert status == 403
    assert refused["Message"].startswith("Forbidden")
    status, refused = at_url(site, url, (key, "wrong"))
    assert status == 403
    assert refused["message"].startswith("The request signature we calculated does not match")
    assert at_url(site, url, ("AKIAIOSFODNN7EXAMPLE", secret))[0] == 403
    assert at_url(site, url, (key, secret), region="eu-west-1")[0] == 403
    for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"):
        assert at_url(site, url, site.user(allow(action))[:2])[0] == 403
    condition = {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}
    denied = site.user(allow("lambda:*"), deny("lambda:InvokeFunctionUrl", Condition=condition))
    assert at_url(site, url, denied[:2])[0] == 403


def test_results_go_only_where_the_role_may_send_them(site: Site) -> None:
    target = site.function(
        source="def handler(event, context):\n    print('delivered ' + event['requestPayload']['id'])\n"
    )
    role = site.role(allow("lambda:InvokeFunction", arn_of(target)))
    for allowed in (True, False):
        source = site.function(role if allowed else None, QUIET)
        site.lambda_.put_function_event_invoke_config(
            FunctionName=source, DestinationConfig={"OnSuccess": {"Destination": arn_of(target)}}
        )
        event = {"id": source}
        site.lambda_.invoke(FunctionName=source, InvocationType="Event", Payload=json.dumps(event))
        if not allowed:
            refused = source
        else:
            wait_for_line(site, target, f"delivered {source}")
    # The second event was sent after the first: by the time a third arrives, it would have.
    site.iam.put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName="p", PolicyDocument=document(allow("lambda:InvokeFunction"))
    )
    last = site.function(role, QUIET)
    site.lambda_.put_function_event_invoke_config(
        FunctionName=last, DestinationConfig={"OnSuccess": {"Destination": arn_of(target)}}
    )
    event = {"id": last}
    site.lambda_.invoke(FunctionName=last, InvocationType="Event", Payload=json.dumps(event))
    lines = wait_for_line(site, target, f"delivered {last}")
    assert not any(refused in line for line in lines)


def wait_for_line(site: Site, function: str, text: str) -> list[str]:
    """The lines of a function's log, once one has `text`."""
    logs = site.client("logs")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            continue
        lines = [event["message"] for event in events]
        if any(text in line for line in lines):
            return lines
    raise AssertionError(f"no line has {text}")


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(site: Site) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a module with the root's credentials, or with others."""

    def run(*command: str, keys: tuple[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        key, secret = keys or site.root
        environment = {
            **os.environ, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": site.server.url,
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-m", *command], env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_the_aws_cli_works_and_is_refused(site: Site, run: Callable[..., Any], function: str) -> None:
    who = run("awscli", "sts", "get-caller-identity")
    assert json.loads(who.stdout)["Account"] == ACCOUNT, who.stderr
    keys = site.user()[:2]
    refused = run("awscli", "lambda", "get-function", "--function-name", function, keys=keys)
    assert "AccessDeniedException" in refused.stderr
    assert "SignatureDoesNotMatch" in run("awscli", "iam", "list-users", keys=(site.root[0], "wrong")).stderr


def test_ingle_s_own_verbs_sign_what_they_send(site: Site, run: Callable[..., Any], function: str) -> None:
    done = run("ingle", "invoke", function, "--payload", '{"service": "sts", "call": "get_caller_identity"}')
    assert json.loads(done.stdout)["answer"]["Account"] == ACCOUNT, done.stderr
    assert "a line of mine" in run("ingle", "logs", function).stdout
    refused = run("ingle", "invoke", function, keys=(site.root[0], "wrong"))
    assert refused.returncode == 1
    assert "InvalidSignatureException" in refused.stderr


def test_users_are_managed_from_the_shell(site: Site, run: Callable[..., Any], function: str) -> None:
    made = run("ingle", "users", "create", "shelly", "--policy", "arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess")
    assert made.returncode == 0, made.stderr
    keys = dict(line.split("=", 1) for line in made.stdout.splitlines() if "=" in line)
    own = keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]
    site.client("lambda", own).get_function(FunctionName=function)
    listed = run("ingle", "users", "list").stdout
    assert "shelly" in listed
    assert own[0] in listed
    assert own[1] not in listed
    assert run("ingle", "users", "disable", own[0], "--user", "shelly").returncode == 0
    assert refusal(site.client("lambda", own).list_functions)[1] == "UnrecognizedClientException"
    assert run("ingle", "users", "enable", own[0], "--user", "shelly").returncode == 0
    site.client("lambda", own).list_functions()
    fresh = run("ingle", "users", "key", "shelly")
    assert "AWS_SECRET_ACCESS_KEY=" in fresh.stdout
    assert run("ingle", "users", "delete", "shelly").returncode == 0
    assert refusal(site.iam.get_user, UserName="shelly")[1] == "NoSuchEntity"
    assert "NoSuchEntity" in run("ingle", "users", "delete", "shelly").stderr


# --- defence ----------------------------------------------------------------------------------------------------------


def test_management_calls_are_recorded_without_secrets(site: Site, run: Callable[..., Any], function: str) -> None:
    key, secret, name = site.user(allow("lambda:GetFunction"))
    client = site.client("lambda", (key, secret))
    client.get_function(FunctionName=function)
    assert refusal(client.delete_function, FunctionName=function)[1] == "AccessDeniedException"
    assert refusal(site.client("lambda", (key, "wrong")).list_functions)[1] == "InvalidSignatureException"
    made = site.iam.create_access_key(UserName=name)["AccessKey"]
    directory = str(site.server.data_dir)
    deadline = time.monotonic() + 10
    found: list[dict[str, Any]] = []
    while not any(item["eventName"] == "CreateAccessKey" and item["requestParameters"] == {"userName": name}
                  for item in found) and time.monotonic() < deadline:  # fmt: skip
        text = run("ingle", "audit", "--json", "--data-dir", directory).stdout
        found = [json.loads(line) for line in text.splitlines()]
    assert made["SecretAccessKey"] not in text
    mine = [item for item in found if item["userIdentity"].get("arn", "").endswith(f"/{name}")]
    read, refused = mine
    assert (read["eventName"], read["readOnly"]) == ("GetFunction20150331", True)
    assert read["requestParameters"] == {"functionName": function}
    assert read["userIdentity"] | {"principalId": ""} == {
        "type": "IAMUser", "principalId": "", "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "accountId": ACCOUNT,
        "accessKeyId": key, "userName": name,
    }  # fmt: skip
    assert refused["errorCode"] == "AccessDeniedException"
    assert not any(item["eventName"].startswith("Invoke") for item in found)
    unproved = [item for item in found if item.get("errorCode") == "InvalidSignatureException"]
    assert key in [item["userIdentity"]["accessKeyId"] for item in unproved]
    assert all(item["userIdentity"]["type"] == "Unknown" for item in unproved)
    assert name in run("ingle", "audit", "--data-dir", directory).stdout


def test_who_keeps_failing_has_to_wait_and_others_do_not(site: Site) -> None:
    key, _, _ = site.user(allow("lambda:*"))
    guessing = site.client("lambda", (key, "guess"))
    codes = {refusal(guessing.list_functions)[1] for _ in range(40)}
    assert codes == {"InvalidSignatureException", "ThrottlingException"}
    site.lambda_.list_functions()


def test_hosts_that_are_not_this_server_are_refused(site: Site) -> None:
    parts = urlsplit(site.server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.request("GET", "/2015-03-31/functions/", headers={"Host": "attacker.example"})
    assert connection.getresponse().headers["x-amzn-errortype"] == "AccessDeniedException"
    connection.close()


def test_https_with_a_public_name(tmp_path: Path) -> None:
    certificate(tmp_path)
    server = Server(
        tmp_path / "data", INGLE_AUTH="iam", INGLE_TLS_CERT=str(tmp_path / "cert.pem"),
        INGLE_TLS_KEY=str(tmp_path / "key.pem"), INGLE_PUBLIC_HOST="lambda.example",
    ).start()  # fmt: skip
    try:
        assert server.url.startswith("https://")
        assert server.root is not None
        parts = urlsplit(server.url)
        trusted = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        for host, status in (("lambda.example", 200), ("other.example", 403)):
            connection = http.client.HTTPSConnection("localhost", parts.port, timeout=10, context=trusted)
            connection.request("GET", "/_ingle/health", headers={"Host": host})
            assert connection.getresponse().status == status
            connection.close()
        client = boto3.client(
            "sts", endpoint_url=f"https://localhost:{parts.port}", region_name=REGION,
            verify=str(tmp_path / "cert.pem"), aws_access_key_id=server.root[0], aws_secret_access_key=server.root[1],
        )  # fmt: skip
        assert client.get_caller_identity()["Account"] == ACCOUNT
    finally:
        assert server.stop() == 0


def certificate(directory: Path) -> None:
    """A certificate for localhost that is its own authority: `cert.pem` and `key.pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    (directory / "cert.pem").write_bytes(made.public_bytes(pem))
    (directory / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
