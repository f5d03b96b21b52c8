"""Who may call Ingle's own service, and from where it can be called."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from access_site import ACCOUNT, QUIET, Site, allow, arn_of, deny
from ingle.models import DIRECTORY
from served import refusal


@pytest.fixture(scope="module")
def used(site: Site) -> str:
    """A function with an environment."""
    name = site.function(source=QUIET)
    site.lambda_.invoke(FunctionName=name, Payload="{}")
    return name


def names(client: Any, **params: Any) -> set[str]:
    return {item["FunctionName"] for item in client.list_environments(**params)["Environments"]}


def test_the_root_and_admins_see_environments(site: Site, used: str) -> None:
    assert used in names(site.client("ingle"))
    assert used in names(site.caller("ingle", allow("*")))
    assert used in names(site.caller("ingle", allow("ingle:List*")))


def test_who_is_not_allowed_is_denied_by_name(site: Site, used: str) -> None:
    for statements in ((), (allow("lambda:*"),), (allow("*"), deny("ingle:ListEnvironments"))):
        status, code, message = refusal(site.caller("ingle", *statements).list_environments)
        assert (status, code) == (400, "AccessDeniedException")
        assert "is not authorized to perform: ingle:ListEnvironments on resource: * " in message


def test_a_policy_may_allow_one_function_only(site: Site, used: str) -> None:
    client = site.caller("ingle", allow("ingle:ListEnvironments", arn_of(used)))
    assert names(client, FunctionName=used) == {used}
    assert names(client, FunctionName=arn_of(used)) == {used}
    assert refusal(client.list_environments)[1] == "AccessDeniedException"
    assert refusal(client.list_environments, FunctionName="another")[1] == "AccessDeniedException"


def test_tags_of_a_function_count(site: Site, used: str) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    client = site.caller("ingle", allow("ingle:ListEnvironments", arn_of("*"), Condition=condition))
    assert refusal(client.list_environments, FunctionName=used)[1] == "AccessDeniedException"
    site.lambda_.tag_resource(Resource=arn_of(used), Tags={"team": "a"})
    assert names(client, FunctionName=used) == {used}


def test_the_host_has_an_action_of_its_own(site: Site) -> None:
    assert site.caller("ingle", allow("ingle:DescribeHost")).describe_host()["Checks"]
    for statements in ((allow("ingle:List*"),), (allow("*"), deny("ingle:DescribeHost"))):
        assert refusal(site.caller("ingle", *statements).describe_host)[1] == "AccessDeniedException"


def test_test_events_are_allowed_function_by_function(site: Site, used: str) -> None:
    client = site.caller("ingle", allow("ingle:*TestEvent*", arn_of(used)))
    client.put_test_event(FunctionName=used, EventName="e", Event="{}")
    assert client.get_test_event(FunctionName=used, EventName="e")["Event"] == "{}"
    assert refusal(client.list_test_events, FunctionName="another")[1] == "AccessDeniedException"
    reader = site.caller("ingle", allow(["ingle:GetTestEvent", "ingle:ListTestEvents"], arn_of(used)))
    assert [event["EventName"] for event in reader.list_test_events(FunctionName=used)["TestEvents"]] == ["e"]
    assert refusal(reader.delete_test_event, FunctionName=used, EventName="e")[1] == "AccessDeniedException"
    assert refusal(site.caller("ingle", allow("lambda:*")).get_test_event, FunctionName=used, EventName="e")[1] == (
        "AccessDeniedException"
    )


def test_another_account_sees_nothing(site: Site, other: Site, used: str) -> None:
    client = other.client("ingle")
    assert names(client) == set()
    assert refusal(client.list_environments, FunctionName=used)[1] == "ResourceNotFoundException"
    assert refusal(client.list_environments, FunctionName=arn_of(used))[1] == "AccessDeniedException"


def test_requests_have_to_be_signed_for_the_service(site: Site) -> None:
    key, _ = site.root
    assert refusal(site.client("ingle", (key, "wrong")).list_environments)[1] == "InvalidSignatureException"
    client = site.client("ingle")
    client._request_signer._signing_name = "lambda"
    assert refusal(client.list_environments)[1] == "InvalidSignatureException"


def test_the_aws_cli_and_the_verb_list_environments(site: Site, run: Callable[..., Any], used: str) -> None:
    os.environ["AWS_DATA_PATH"] = str(DIRECTORY)
    try:
        done = run("awscli", "ingle", "list-environments", "--function-name", used)
    finally:
        del os.environ["AWS_DATA_PATH"]
    (item,) = json.loads(done.stdout)["Environments"]
    assert item["FunctionName"] == used
    shown = run("ingle", "environments", used)
    assert item["EnvironmentId"][:12] in shown.stdout, shown.stderr
    listed = json.loads(run("ingle", "environments", "--json").stdout)["Environments"]
    assert item["EnvironmentId"] in {found["EnvironmentId"] for found in listed}
    refused = run("ingle", "environments", keys=site.user()[:2])
    assert refused.returncode == 1
    assert "AccessDeniedException" in refused.stderr
    assert json.loads(run("ingle", "service-model").stdout)["metadata"]["signingName"] == "ingle"
    assert run("ingle", "service-model", "--path").stdout.strip() == str(DIRECTORY)


def test_calls_are_in_the_audit_log_under_the_service_s_name(site: Site, run: Callable[..., Any], used: str) -> None:
    client = site.caller("ingle", allow("ingle:ListEnvironments"))
    client.list_environments()
    directory = str(site.server.data_dir)
    records: list[dict[str, Any]] = []
    while not records:
        lines = run("ingle", "audit", "--json", "--data-dir", directory).stdout.splitlines()
        key = client._request_signer._credentials.access_key
        records = [record for record in map(json.loads, lines) if record["userIdentity"].get("accessKeyId") == key]
    (record,) = records
    assert (record["eventSource"], record["eventName"]) == ("ingle", "ListEnvironments")
    assert record["recipientAccountId"] == ACCOUNT
    assert record["readOnly"]
