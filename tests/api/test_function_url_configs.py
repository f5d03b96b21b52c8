"""Configurations of function URLs over the API, as boto3 sees them: their addresses, CORS, and what they belong to."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from served import Server, create_function, plain, refusal, status

Create = Callable[..., str]

SOURCE = "def handler(event, context):\n    return event\n"
VERSION = "def handler(event, context):\n    return context.function_version\n"
ADDRESS = re.compile(r"http://[0-9a-z]{32}\.lambda-url\.us-east-1\.localhost:\d+/")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def opened(client: Any, name: str, **params: Any) -> str:
    """The address of a URL that everybody may use."""
    address: str = client.create_function_url_config(FunctionName=name, AuthType="NONE", **params)["FunctionUrl"]
    qualifier = {key: value for key, value in params.items() if key == "Qualifier"}
    for sid, grant in (
        ("url", {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}),
        ("via", {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True}),
    ):
        client.add_permission(FunctionName=name, StatementId=sid, Principal="*", **grant, **qualifier)
    return address


def answered(server: Server, address: str) -> tuple[int, bytes]:
    """What a GET there gets. The host of the address says only which function is meant."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.request("GET", "/", headers={"Host": urlsplit(address).netloc})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


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


def test_requests_find_the_url_as_it_is_configured(server: Server, lambda_client: Any, function: Create) -> None:
    name = function(VERSION)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    own = opened(lambda_client, name)
    of_alias = opened(lambda_client, name, Qualifier="live")
    assert [answered(server, address) for address in (own, of_alias)] == [(200, b"$LATEST"), (200, b"1")]
    lambda_client.update_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
    assert answered(server, of_alias) == (200, b"$LATEST")
    lambda_client.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    assert answered(server, own)[0] == 403
    lambda_client.update_function_url_config(FunctionName=name, AuthType="NONE")
    assert answered(server, own)[0] == 200
    lambda_client.delete_function_url_config(FunctionName=name)
    assert answered(server, own) == (403, b'{"Message":null}')
    assert answered(server, of_alias)[0] == 200
    lambda_client.delete_alias(FunctionName=name, Name="live")
    assert answered(server, of_alias)[0] == 403


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
    create_function(client, "f", VERSION)
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="$LATEST")
    cors = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET", "PUT"], "AllowHeaders": ["x-ü"],
            "ExposeHeaders": ["x-b"], "AllowCredentials": True, "MaxAge": 86400}  # fmt: skip
    client.create_function_url_config(FunctionName="f", AuthType="AWS_IAM", Cors=cors, InvokeMode="RESPONSE_STREAM")
    address = opened(client, "f", Qualifier="live")

    def configured() -> list[dict[str, Any]]:
        """Addresses end in the port, and this server has another one after each start."""
        found = client.list_function_url_configs(FunctionName="f")["FunctionUrlConfigs"]
        return [{**config, "FunctionUrl": config["FunctionUrl"].partition(".")[0]} for config in found]

    before = configured()
    assert before[0]["Cors"] == cors
    own_server.crash()
    client = own_server.client("lambda")
    assert configured() == before
    assert answered(own_server, address) == (200, b"$LATEST")
