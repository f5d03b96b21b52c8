"""A server with authentication, whose users, roles and functions tests make."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from served import Server, package

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
