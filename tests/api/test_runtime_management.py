"""Runtime management over the API, as boto3 sees it: of `$LATEST` and of each version, beside running functions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from served import Server, create_function, plain, refusal, settle, status

Create = Callable[..., str]

SOURCE = """
import sys
def handler(event, context):
    return [context.function_version, sys.version_info[:2]]
"""


def get(client: Any, name: str, **params: Any) -> dict[str, Any]:
    return plain(client.get_runtime_management_config(FunctionName=name, **params))


def put(client: Any, name: str, update_on: str, **params: Any) -> dict[str, Any]:
    answer = client.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn=update_on, **params)
    assert status(answer) == 200
    return plain(answer)


def run(client: Any, name: str, **params: Any) -> Any:
    return json.loads(client.invoke(FunctionName=name, **params)["Payload"].read())


def test_every_mode_of_latest_and_of_a_version(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    lambda_client.publish_version(FunctionName=name)
    configuration = lambda_client.get_function_configuration(FunctionName=name)
    arn, runtime = configuration["FunctionArn"], configuration["RuntimeVersionConfig"]["RuntimeVersionArn"]
    assert get(lambda_client, name) == {"UpdateRuntimeOn": "Auto", "FunctionArn": f"{arn}:$LATEST"}
    for mode, params in (
        ("Manual", {"RuntimeVersionArn": runtime}),
        ("FunctionUpdate", {}),
        ("Auto", {}),
        ("Manual", {"RuntimeVersionArn": runtime}),
    ):
        shown = put(lambda_client, name, mode, Qualifier="1", **params)
        assert shown == {"UpdateRuntimeOn": mode, "FunctionArn": f"{arn}:1", **params}
        assert get(lambda_client, name, Qualifier="1") == shown
        assert get(lambda_client, f"{arn}:1") == shown
        assert run(lambda_client, name, Qualifier="1") == ["1", [3, 11]]
    assert get(lambda_client, name, Qualifier="$LATEST")["UpdateRuntimeOn"] == "Auto"
    revision = lambda_client.get_function_configuration(FunctionName=name)["RevisionId"]
    put(lambda_client, name, "FunctionUpdate")
    assert lambda_client.get_function_configuration(FunctionName=name)["RevisionId"] == revision
    assert lambda_client.publish_version(FunctionName=name)["Version"] == "1"
    assert run(lambda_client, name) == ["$LATEST", [3, 11]]


def test_it_goes_with_its_version_and_a_new_version_has_none(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    put(lambda_client, name, "FunctionUpdate")
    lambda_client.publish_version(FunctionName=name)
    assert get(lambda_client, name, Qualifier="1")["UpdateRuntimeOn"] == "Auto"
    put(lambda_client, name, "FunctionUpdate", Qualifier="1")
    lambda_client.delete_function(FunctionName=name, Qualifier="1")
    absent = refusal(lambda_client.get_runtime_management_config, FunctionName=name, Qualifier="1")
    assert (absent[0], absent[2].startswith("Function not found: ")) == (404, True)
    lambda_client.update_function_configuration(FunctionName=name, Description="changed")
    settle(lambda_client, name)
    assert lambda_client.publish_version(FunctionName=name)["Version"] == "2"
    assert get(lambda_client, name, Qualifier="2")["UpdateRuntimeOn"] == "Auto"
    assert get(lambda_client, name)["UpdateRuntimeOn"] == "FunctionUpdate"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"UpdateRuntimeOn": "Never"}, "ValidationException"),
        ({"UpdateRuntimeOn": "Manual"}, "InvalidParameterValueException"),
        ({"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": "python3.11"},
         "ValidationException"),
        ({"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:" + "0" * 64},
         "InvalidParameterValueException"),
        ({"UpdateRuntimeOn": "Auto", "RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:" + "0" * 64},
         "InvalidParameterValueException"),
        ({"UpdateRuntimeOn": "Auto", "Qualifier": "7"}, "ResourceNotFoundException"),
        ({"UpdateRuntimeOn": "Auto", "Qualifier": "!"}, "ValidationException"),
    ],
)  # fmt: skip
def test_what_is_refused(unchecked_client: Any, function: Create, params: dict[str, Any], code: str) -> None:
    name = function(SOURCE)
    found = refusal(unchecked_client.put_runtime_management_config, FunctionName=name, **params)
    assert found[1] == code
    assert get(unchecked_client, name)["UpdateRuntimeOn"] == "Auto"


def test_an_alias_has_none(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
    for call, params in (
        (lambda_client.get_runtime_management_config, {}),
        (lambda_client.put_runtime_management_config, {"UpdateRuntimeOn": "Auto"}),
    ):
        assert refusal(call, FunctionName=name, Qualifier="live", **params)[0] in (400, 404)


def test_it_survives_a_kill(own_server: Server) -> None:
    client = own_server.client("lambda")
    create_function(client, "f", SOURCE)
    client.publish_version(FunctionName="f")
    runtime = client.get_function_configuration(FunctionName="f")["RuntimeVersionConfig"]["RuntimeVersionArn"]
    put(client, "f", "FunctionUpdate")
    put(client, "f", "Manual", Qualifier="1", RuntimeVersionArn=runtime)
    before = [get(client, "f"), get(client, "f", Qualifier="1")]
    own_server.crash()
    client = own_server.client("lambda")
    assert [get(client, "f"), get(client, "f", Qualifier="1")] == before
    assert run(client, "f", Qualifier="1") == ["1", [3, 11]]
