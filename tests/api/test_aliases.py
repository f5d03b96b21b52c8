"""Aliases over the API, as boto3 sees them: what runs through them, by weight, and after a crash."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from served import Server, package, refusal

Create = Callable[..., str]

OFTEN = {"Delay": 0.05, "MaxAttempts": 200}
SOURCE = """
import os
def handler(event, context):
    return [os.environ["WORD"], context.function_version, context.invoked_function_arn]
"""


def environment(word: str) -> dict[str, Any]:
    return {"Variables": {"WORD": word}}


def publish(client: Any, name: str, word: str) -> str:
    client.update_function_configuration(FunctionName=name, Environment=environment(word))
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
    number: str = client.publish_version(FunctionName=name)["Version"]
    return number


@pytest.fixture
def versioned(lambda_client: Any, function: Create) -> str:
    """A function with the versions 1 and 2, which answer "one" and "two"; `$LATEST` answers "latest"."""
    name = function(SOURCE, Environment=environment("none"))
    assert [publish(lambda_client, name, word) for word in ("one", "two")] == ["1", "2"]
    lambda_client.update_function_configuration(FunctionName=name, Environment=environment("latest"))
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
    return name


def invoke(client: Any, name: str, **params: Any) -> tuple[list[str], str]:
    """What the function returned, and the version that ran."""
    answer = client.invoke(FunctionName=name, **params)
    document = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, document
    return document, answer["ExecutedVersion"]


def test_an_alias_runs_the_version_that_it_points_at(lambda_client: Any, versioned: str) -> None:
    created = lambda_client.create_alias(FunctionName=versioned, Name="prod", FunctionVersion="1")
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    arn = created["AliasArn"]
    expected = (["one", "1", arn], "1")
    assert invoke(lambda_client, versioned, Qualifier="prod") == expected
    assert invoke(lambda_client, f"{versioned}:prod") == expected
    assert invoke(lambda_client, arn) == expected
    lambda_client.update_alias(FunctionName=versioned, Name="prod", FunctionVersion="2")
    assert invoke(lambda_client, arn) == (["two", "2", arn], "2")
    lambda_client.update_alias(FunctionName=versioned, Name="prod", FunctionVersion="$LATEST")
    assert invoke(lambda_client, arn) == (["latest", "$LATEST", arn], "$LATEST")
    deleted = lambda_client.delete_alias(FunctionName=versioned, Name="prod")
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    gone = (404, "ResourceNotFoundException", f"Function not found: {arn}")
    assert refusal(lambda_client.invoke, FunctionName=versioned, Qualifier="prod") == gone


def test_environments_are_shared_by_a_version_and_its_aliases(lambda_client: Any, function: Create) -> None:
    name = function("count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return [count]\n")
    lambda_client.publish_version(FunctionName=name)
    for alias in ("a", "b"):
        lambda_client.create_alias(FunctionName=name, Name=alias, FunctionVersion="1")
    assert [invoke(lambda_client, name, Qualifier=q)[0][0] for q in ("1", "a", "b", "a", "1")] == [1, 2, 3, 4, 5]


def test_weights_share_invocations_out(lambda_client: Any, versioned: str) -> None:
    def share(weight: float, count: int) -> Counter[str]:
        routing = {"AdditionalVersionWeights": {"2": weight}}
        lambda_client.update_alias(FunctionName=versioned, Name="canary", RoutingConfig=routing)
        ran: Counter[str] = Counter()
        for _ in range(count):
            (word, version, arn), executed = invoke(lambda_client, versioned, Qualifier="canary")
            assert (word, version) in (("one", "1"), ("two", "2"))
            assert executed == version
            assert arn.endswith(":canary")
            ran[executed] += 1
        return ran

    lambda_client.create_alias(FunctionName=versioned, Name="canary", FunctionVersion="1")
    assert share(0.0, 20) == {"1": 20}
    assert share(1.0, 20) == {"2": 20}
    # By the binomial distribution these bounds are missed once in about a hundred million runs.
    assert 60 <= share(0.3, 350)["2"] <= 155
    updated = lambda_client.update_alias(FunctionName=versioned, Name="canary", RoutingConfig={})
    assert "RoutingConfig" not in updated
    assert {invoke(lambda_client, versioned, Qualifier="canary")[1] for _ in range(20)} == {"1"}


def test_a_version_behind_an_alias_cannot_be_deleted(lambda_client: Any, versioned: str) -> None:
    lambda_client.create_alias(FunctionName=versioned, Name="prod", FunctionVersion="2")
    assert refusal(lambda_client.delete_function, FunctionName=versioned, Qualifier="2") == (
        409,
        "ResourceConflictException",
        "Unable to delete version because the following aliases reference it: [prod]",
    )
    assert invoke(lambda_client, versioned, Qualifier="prod")[1] == "2"
    lambda_client.delete_alias(FunctionName=versioned, Name="prod")
    lambda_client.delete_function(FunctionName=versioned, Qualifier="2")


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"Name": "123"}, "ValidationException",
         "1 validation error detected: Value '123' at 'name' failed to satisfy constraint: Member must satisfy regular "
         "expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"2": 1.5}}}, "ValidationException",
         "1 validation error detected: Value '{2=1.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy "
         "constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member "
         "must have value greater than or equal to 0.0, Member must not be null]"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.5}}}, "ValidationException", None),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}, "InvalidParameterValueException",
         "Invalid function version 1. Function version 1 is already included in routing configuration."),
    ],
)  # fmt: skip
def test_what_is_refused(
    lambda_client: Any, versioned: str, params: dict[str, Any], code: str, message: str | None
) -> None:
    request = {"FunctionName": versioned, "Name": "x", "FunctionVersion": "1", **params}
    answer = refusal(lambda_client.create_alias, **request)
    assert answer[:2] == (400, code)
    assert message is None or answer[2] == message
    assert lambda_client.list_aliases(FunctionName=versioned)["Aliases"] == []


def test_paginators_find_every_alias(lambda_client: Any, versioned: str) -> None:
    names = [f"alias-{number:02}" for number in range(7)]
    for name in names:
        lambda_client.create_alias(FunctionName=versioned, Name=name, FunctionVersion="1")
    pages = lambda_client.get_paginator("list_aliases").paginate(
        FunctionName=versioned, FunctionVersion="1", PaginationConfig={"PageSize": 3}
    )
    assert [alias["Name"] for page in pages for alias in page["Aliases"]] == names


def test_aliases_survive_a_kill(own_server: Server) -> None:
    client = own_server.client("lambda")
    client.create_function(
        FunctionName="f", Runtime="python3.11", Handler="app.handler", Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": package({"app.py": SOURCE})}, Environment=environment("none"),
    )  # fmt: skip
    client.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig=OFTEN)
    for word in ("one", "two"):
        publish(client, "f", word)
    made = client.create_alias(
        FunctionName="f", Name="a", FunctionVersion="1", Description="d",
        RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}},
    )  # fmt: skip
    client.create_alias(FunctionName="f", Name="b", FunctionVersion="1")
    client.delete_alias(FunctionName="f", Name="b")
    own_server.crash()
    client = own_server.client("lambda")
    (found,) = client.list_aliases(FunctionName="f")["Aliases"]
    assert found == {key: value for key, value in made.items() if key != "ResponseMetadata"}
    assert invoke(client, "f", Qualifier="a")[0][:2] == ["two", "2"]
