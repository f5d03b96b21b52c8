"""Settings of asynchronous invocation over the API, as boto3 sees them: whose they are, and how long they last."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from served import Server, create_function, plain, refusal, status

Create = Callable[..., str]

SOURCE = "def handler(event, context):\n    return event\n"
#: Fails for 0.
FAILING = "def handler(event, context):\n    return 1 / event\n"
RECORDER = "import json\ndef handler(event, context):\n    print('RECORD', json.dumps(event))\n"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:queue"
TOPIC = "arn:aws:sns:us-east-1:000000000000:topic"


def listed(client: Any, name: str) -> dict[str, int | None]:
    """The retries by the qualifier that they are of."""
    found = client.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
    return {config["FunctionArn"].rpartition(":")[2]: config.get("MaximumRetryAttempts") for config in found}


def test_put_replaces_update_merges_and_delete_ends(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    before = datetime.now(UTC)
    put = lambda_client.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=60
    )
    assert (status(put), put["FunctionArn"].endswith(f":{name}:$LATEST")) == (200, True)
    assert put["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    assert abs((put["LastModified"] - before).total_seconds()) < 60
    updated = lambda_client.update_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnFailure": {"Destination": QUEUE}}
    )
    assert (updated["MaximumRetryAttempts"], updated["MaximumEventAgeInSeconds"]) == (1, 60)
    assert updated["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {"Destination": QUEUE}}
    assert plain(lambda_client.get_function_event_invoke_config(FunctionName=name)) == plain(updated)
    put = lambda_client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    assert (put["MaximumRetryAttempts"], "MaximumEventAgeInSeconds" in put) == (0, False)
    assert put["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    assert status(lambda_client.delete_function_event_invoke_config(FunctionName=name)) == 204
    gone = refusal(lambda_client.get_function_event_invoke_config, FunctionName=name)
    assert gone[:2] == (404, "ResourceNotFoundException")
    assert refusal(lambda_client.delete_function_event_invoke_config, FunctionName=name) == gone


def test_events_follow_the_settings_of_the_qualifier_that_was_invoked(
    lambda_client: Any, logs_client: Any, function: Create
) -> None:
    name, recorder = function(FAILING), function(RECORDER)
    to = {"Destination": lambda_client.get_function_configuration(FunctionName=recorder)["FunctionArn"]}
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
    lambda_client.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": to}
    )
    lambda_client.put_function_event_invoke_config(
        FunctionName=name, Qualifier="live", DestinationConfig={"OnSuccess": to}
    )
    # What neither setting is about comes first, and leaves nothing.
    for qualifier, event in (("$LATEST", b"1"), ("$LATEST", b"0"), ("live", b"2")):
        accepted = lambda_client.invoke(FunctionName=name, Qualifier=qualifier, InvocationType="Event", Payload=event)
        assert accepted["StatusCode"] == 202

    def recorded() -> list[tuple[str, str, int]]:
        group = f"/aws/lambda/{recorder}"
        if not logs_client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        found = logs_client.filter_log_events(logGroupName=group, filterPattern="RECORD")["events"]
        records = [json.loads(item["message"].partition(" ")[2]) for item in found]
        return sorted(
            (record["requestContext"]["functionArn"].rpartition(":")[2], record["requestContext"]["condition"],
             record["requestPayload"])
            for record in records
        )  # fmt: skip

    until(lambda: len(recorded()) >= 2)
    assert recorded() == [("$LATEST", "RetriesExhausted", 0), ("live", "Success", 2)]


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not come true"


def test_each_qualifier_has_its_own_and_they_go_with_it(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    lambda_client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert listed(lambda_client, name) == {"$LATEST": 0}
    lambda_client.put_function_event_invoke_config(FunctionName=name, Qualifier="1", MaximumRetryAttempts=1)
    lambda_client.put_function_event_invoke_config(FunctionName=f"{name}:live", MaximumRetryAttempts=2)
    assert listed(lambda_client, name) == {"$LATEST": 0, "1": 1, "live": 2}
    answer = lambda_client.invoke(FunctionName=name, Qualifier="live", Payload=b"[1]")
    assert json.loads(answer["Payload"].read()) == [1]
    lambda_client.delete_alias(FunctionName=name, Name="live")
    assert listed(lambda_client, name) == {"$LATEST": 0, "1": 1}
    lambda_client.delete_function(FunctionName=name, Qualifier="1")
    assert listed(lambda_client, name) == {"$LATEST": 0}
    lambda_client.delete_function(FunctionName=name)
    create_function(lambda_client, name, SOURCE)
    assert listed(lambda_client, name) == {}


def test_what_an_alias_gets_again_is_not_what_it_had(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    for _ in range(2):
        lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
        assert listed(lambda_client, name) == {}
        lambda_client.put_function_event_invoke_config(FunctionName=name, Qualifier="live", MaximumRetryAttempts=2)
        lambda_client.delete_alias(FunctionName=name, Name="live")


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"MaximumRetryAttempts": 3}, "ValidationException",
         "1 validation error detected: Value '3' at 'maximumRetryAttempts' failed to satisfy constraint: Member must "
         "have value less than or equal to 2"),
        ({"MaximumEventAgeInSeconds": 59}, "ValidationException",
         "1 validation error detected: Value '59' at 'maximumEventAgeInSeconds' failed to satisfy constraint: Member "
         "must have value greater than or equal to 60"),
        ({"MaximumEventAgeInSeconds": 21601}, "ValidationException", "less than or equal to 21600"),
        ({}, "InvalidParameterValueException", "at least one of error handling or destination setting"),
        ({"DestinationConfig": {"OnSuccess": {"Destination": "kafka://t"}}}, "InvalidParameterValueException", ""),
    ],
)  # fmt: skip
def test_what_is_refused_changes_nothing(
    unchecked_client: Any, function: Create, params: dict[str, Any], code: str, message: str
) -> None:
    name = function(SOURCE)
    for operation in ("put", "update"):
        call = getattr(unchecked_client, f"{operation}_function_event_invoke_config")
        found = refusal(call, FunctionName=name, **params)
        if operation == "update" and code == "InvalidParameterValueException" and params:
            assert found[0] == 404  # there is nothing to update
            continue
        assert (found[:2], message in found[2]) == ((400, code), True)
    assert listed(unchecked_client, name) == {}


def test_pages(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    names = [f"alias-{number:02}" for number in range(6)]
    for alias in names:
        lambda_client.create_alias(FunctionName=name, Name=alias, FunctionVersion="$LATEST")
        lambda_client.put_function_event_invoke_config(FunctionName=name, Qualifier=alias, MaximumRetryAttempts=1)
    pages = lambda_client.get_paginator("list_function_event_invoke_configs").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 4}
    )
    found = [[config["FunctionArn"][-8:] for config in page["FunctionEventInvokeConfigs"]] for page in pages]
    assert found == [names[:4], names[4:]]
    refused = refusal(lambda_client.list_function_event_invoke_configs, FunctionName=name, MaxItems=51)
    assert refused[:2] == (400, "ValidationException")


def test_they_survive_a_kill(own_server: Server) -> None:
    client = own_server.client("lambda")
    create_function(client, "f", SOURCE)
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="$LATEST")
    to = {"OnSuccess": {"Destination": TOPIC}, "OnFailure": {"Destination": QUEUE}}
    client.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0, DestinationConfig=to)
    client.put_function_event_invoke_config(FunctionName="f", Qualifier="live", MaximumEventAgeInSeconds=61)
    before = plain(client.list_function_event_invoke_configs(FunctionName="f"))
    own_server.crash()
    client = own_server.client("lambda")
    assert plain(client.list_function_event_invoke_configs(FunctionName="f")) == before
    client.delete_function_event_invoke_config(FunctionName="f")
    own_server.crash()
    client = own_server.client("lambda")
    assert listed(client, "f") == {"live": None}
