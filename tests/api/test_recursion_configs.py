"""Recursion settings over the API, as boto3 sees them. What detects recursion comes with asynchronous invocation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from served import Server, create_function, refusal, status

Create = Callable[..., str]

SOURCE = "def handler(event, context):\n    return event\n"


def get(client: Any, name: str) -> str:
    found: str = client.get_function_recursion_config(FunctionName=name)["RecursiveLoop"]
    return found


def put(client: Any, name: str, loop: str) -> str:
    answer = client.put_function_recursion_config(FunctionName=name, RecursiveLoop=loop)
    assert status(answer) == 200
    found: str = answer["RecursiveLoop"]
    return found


def test_a_loop_is_terminated_unless_it_is_allowed(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    arn = lambda_client.get_function_configuration(FunctionName=name)["FunctionArn"]
    revision = lambda_client.get_function_configuration(FunctionName=name)["RevisionId"]
    assert get(lambda_client, name) == "Terminate"
    for form in (name, f"function:{name}", arn):
        for loop in ("Allow", "Terminate", "Allow"):
            assert (put(lambda_client, form, loop), get(lambda_client, name)) == (loop, loop)
    assert lambda_client.get_function_configuration(FunctionName=name)["RevisionId"] == revision
    assert json.loads(lambda_client.invoke(FunctionName=name, Payload=b"7")["Payload"].read()) == 7
    lambda_client.publish_version(FunctionName=name)
    lambda_client.delete_function(FunctionName=name, Qualifier="1")
    assert get(lambda_client, name) == "Allow"
    lambda_client.delete_function(FunctionName=name)
    absent = (404, "ResourceNotFoundException", f"Function not found: {arn}")
    assert refusal(lambda_client.get_function_recursion_config, FunctionName=name) == absent
    assert refusal(lambda_client.put_function_recursion_config, FunctionName=name, RecursiveLoop="Allow") == absent
    create_function(lambda_client, name, SOURCE)
    assert get(lambda_client, name) == "Terminate"


@pytest.mark.parametrize("qualifier", ["1", "$LATEST", "live"])
def test_only_a_function_has_it(lambda_client: Any, qualifier: str) -> None:
    for call, params in (
        (lambda_client.get_function_recursion_config, {}),
        (lambda_client.put_function_recursion_config, {"RecursiveLoop": "Allow"}),
    ):
        assert refusal(call, FunctionName=f"f:{qualifier}", **params)[:2] == (400, "ValidationException")


def test_other_values_are_refused(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    assert refusal(lambda_client.put_function_recursion_config, FunctionName=name, RecursiveLoop="InvalidValue") == (
        400, "ValidationException",
        "1 validation error detected: Value 'InvalidValue' at 'recursiveLoop' failed to satisfy constraint: Member "
        "must satisfy enum value set: [Terminate, Allow]",
    )  # fmt: skip


def test_it_survives_a_kill(own_server: Server) -> None:
    client = own_server.client("lambda")
    for name in ("f", "g"):
        create_function(client, name, SOURCE)
        put(client, name, "Allow")
    put(client, "g", "Terminate")
    own_server.crash()
    client = own_server.client("lambda")
    assert [get(client, "f"), get(client, "g")] == ["Allow", "Terminate"]
