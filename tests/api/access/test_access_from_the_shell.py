"""Access through the AWS CLI and the verbs of Ingle: calls, users, the audit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from access_site import ACCOUNT, Site, allow
from served import refusal


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
