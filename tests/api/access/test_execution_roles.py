"""What a function may do: its role, who may give it one, and how long its credentials last."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from access_site import ACCOUNT, CALLER, QUIET, Site, allow, arn_of, deny, document, trust
from served import package, refusal


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
