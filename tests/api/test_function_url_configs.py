"""Configurations of function URLs over the API, as boto3 sees them: their addresses, CORS, and what they belong to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from served import Server, create_function, plain, refusal, status

Create = Callable[..., str]

SOURCE = "def handler(event, context):\n    return event\n"
ADDRESS = re.compile(r"https://[0-9a-z]{32}\.lambda-url\.us-east-1\.on\.aws/")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def listed(client: Any, name: str) -> dict[str, str]:
    """The addresses by the last part of the ARN that they are of."""
    found = client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    return {config["FunctionArn"].rpartition(":")[2]: config["FunctionUrl"] for config in found}


def test_the_life_of_a_url(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    created = lambda_client.create_function_url_config(FunctionName=name, AuthType="NONE", Cors={"MaxAge": 5})
    assert (status(created), created["Cors"], "InvokeMode" in created) == (201, {"MaxAge": 5}, False)
    assert ADDRESS.fullmatch(created["FunctionUrl"])
    assert TIME.fullmatch(created["CreationTime"])
    shown = lambda_client.get_function_url_config(FunctionName=name)
    assert (shown["FunctionUrl"], shown["InvokeMode"]) == (created["FunctionUrl"], "BUFFERED")
    conflict = refusal(lambda_client.create_function_url_config, FunctionName=name, AuthType="NONE")
    assert conflict[:2] == (409, "ResourceConflictException")
    updated = lambda_client.update_function_url_config(
        FunctionName=name, AuthType="AWS_IAM", InvokeMode="RESPONSE_STREAM", Cors={}
    )
    assert (updated["AuthType"], updated["InvokeMode"], "Cors" in updated) == ("AWS_IAM", "RESPONSE_STREAM", False)
    assert [updated[member] for member in ("FunctionUrl", "CreationTime")] == [
        created[member] for member in ("FunctionUrl", "CreationTime")
    ]
    assert updated["LastModifiedTime"] > created["CreationTime"]
    assert status(lambda_client.delete_function_url_config(FunctionName=name)) == 204
    assert listed(lambda_client, name) == {}
    gone = (404, "ResourceNotFoundException", "The resource you requested does not exist.")
    for operation in ("get", "update", "delete"):
        assert refusal(getattr(lambda_client, f"{operation}_function_url_config"), FunctionName=name) == gone
    assert json.loads(lambda_client.invoke(FunctionName=name, Payload=b"1")["Payload"].read()) == 1


def test_function_and_aliases_have_their_own(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for params in ({}, {"Qualifier": "live"}):
        lambda_client.create_function_url_config(FunctionName=name, AuthType="NONE", **params)
    both = listed(lambda_client, name)
    assert set(both) == {name, "live"}
    assert len(set(both.values())) == 2
    lambda_client.delete_function_url_config(FunctionName=name)
    assert listed(lambda_client, name) == {"live": both["live"]}
    lambda_client.create_function_url_config(FunctionName=name, AuthType="NONE")
    lambda_client.delete_alias(FunctionName=name, Name="live")
    assert set(listed(lambda_client, name)) == {name}
    assert both[name] not in listed(lambda_client, name).values()
    lambda_client.delete_function(FunctionName=name)
    create_function(lambda_client, name, SOURCE)
    assert listed(lambda_client, name) == {}


def test_a_url_that_is_deleted_leaves_the_permissions(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    lambda_client.create_function_url_config(FunctionName=name, AuthType="NONE")
    lambda_client.add_permission(
        FunctionName=name, StatementId="s", Action="lambda:InvokeFunctionUrl", Principal="*", FunctionUrlAuthType="NONE"
    )
    before = plain(lambda_client.get_policy(FunctionName=name))
    lambda_client.delete_function_url_config(FunctionName=name)
    assert plain(lambda_client.get_policy(FunctionName=name)) == before


@pytest.mark.parametrize("operation", ["create", "get", "update", "delete"])
@pytest.mark.parametrize("qualifier", ["1", "$LATEST"])
def test_versions_have_none(lambda_client: Any, operation: str, qualifier: str) -> None:
    params = {"AuthType": "NONE"} if operation == "create" else {}
    call = getattr(lambda_client, f"{operation}_function_url_config")
    assert refusal(call, FunctionName="absent", Qualifier=qualifier, **params) == (
        400, "ValidationException",
        f"1 validation error detected: Value '{qualifier}' at 'qualifier' failed to satisfy constraint: Member "
        r"must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"AuthType": "SOME"}, "ValidationException"),
        ({"InvokeMode": "UNKNOWN"}, "ValidationException"),
        ({"Cors": {"MaxAge": 86401}}, "ValidationException"),
        ({"Cors": {"MaxAge": -1}}, "ValidationException"),
        ({"Cors": {"AllowOrigins": ["*"] * 101}}, "ValidationException"),
        ({"Cors": {"AllowMethods": ["GET"] * 7}}, "ValidationException"),
        ({"Cors": {"AllowOrigins": ["example.com"]}}, "InvalidParameterValueException"),
    ],
)
def test_what_is_refused(unchecked_client: Any, function: Create, params: dict[str, Any], code: str) -> None:
    name = function(SOURCE)
    request = {"FunctionName": name, "AuthType": "NONE", **params}
    assert refusal(unchecked_client.create_function_url_config, **request)[:2] == (400, code)
    assert listed(unchecked_client, name) == {}
    made = unchecked_client.create_function_url_config(FunctionName=name, AuthType="NONE")
    assert refusal(unchecked_client.update_function_url_config, **request)[:2] == (400, code)
    assert unchecked_client.get_function_url_config(FunctionName=name)["LastModifiedTime"] == made["CreationTime"]


def test_they_survive_a_kill(own_server: Server) -> None:
    client = own_server.client("lambda")
    create_function(client, "f", SOURCE)
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="$LATEST")
    cors = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET", "PUT"], "AllowHeaders": ["x-ü"],
            "ExposeHeaders": ["x-b"], "AllowCredentials": True, "MaxAge": 86400}  # fmt: skip
    client.create_function_url_config(FunctionName="f", AuthType="AWS_IAM", Cors=cors, InvokeMode="RESPONSE_STREAM")
    client.create_function_url_config(FunctionName="f", AuthType="NONE", Qualifier="live")
    before = plain(client.list_function_url_configs(FunctionName="f"))
    assert before["FunctionUrlConfigs"][0]["Cors"] == cors
    own_server.crash()
    client = own_server.client("lambda")
    assert plain(client.list_function_url_configs(FunctionName="f")) == before
