"""Published versions over the API, as boto3 sees them: what runs by which qualifier, before and after a crash."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import Any

from served import Server, refusal

Create = Callable[..., str]
ZipOf = Callable[[dict[str, str]], bytes]

OFTEN = {"Delay": 0.05, "MaxAttempts": 200}


def source(word: str) -> str:
    """Answers with `word`, and with what the function learns of its version."""
    return f"""
import os

def handler(event, context):
    return [{word!r}, context.function_version, context.invoked_function_arn, os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
            os.environ.get("WORD"), context.log_stream_name.partition("[")[2].partition("]")[0]]
"""


def invoke(client: Any, name: str, **params: Any) -> tuple[list[Any], str]:
    """What the function returned, and the version that ran."""
    answer = client.invoke(FunctionName=name, **params)
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.loads(answer["Payload"].read()), answer["ExecutedVersion"]


def update_code(client: Any, zip_of: ZipOf, name: str, word: str, **params: Any) -> dict[str, Any]:
    updated: dict[str, Any] = client.update_function_code(
        FunctionName=name, ZipFile=zip_of({"app.py": source(word)}), **params
    )
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
    return updated


def test_each_version_runs_its_own_code_with_its_own_variables(
    lambda_client: Any, function: Create, zip_of: ZipOf
) -> None:
    name = function(source("one"), Environment={"Variables": {"WORD": "first"}})
    arn = lambda_client.get_function_configuration(FunctionName=name)["FunctionArn"]
    published = lambda_client.publish_version(FunctionName=name, Description="the first")
    assert (published["Version"], published["FunctionArn"], published["State"]) == ("1", f"{arn}:1", "Active")
    assert published["ResponseMetadata"]["HTTPStatusCode"] == 201
    update_code(lambda_client, zip_of, name, "two")
    lambda_client.update_function_configuration(FunctionName=name, Environment={"Variables": {"WORD": "second"}})
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
    assert lambda_client.publish_version(FunctionName=name)["Version"] == "2"
    update_code(lambda_client, zip_of, name, "three")
    for _ in range(2):  # new environments, then warm ones
        first = (["one", "1", f"{arn}:1", "1", "first", "1"], "1")
        second = (["two", "2", f"{arn}:2", "2", "second", "2"], "2")
        assert invoke(lambda_client, name, Qualifier="1") == first
        assert invoke(lambda_client, f"{name}:1") == first
        assert invoke(lambda_client, f"{arn}:1") == first
        assert invoke(lambda_client, name, Qualifier="2") == second
        assert invoke(lambda_client, name) == (["three", "$LATEST", arn, "$LATEST", "second", "$LATEST"], "$LATEST")
        latest = (["three", "$LATEST", f"{arn}:$LATEST", "$LATEST", "second", "$LATEST"], "$LATEST")
        assert invoke(lambda_client, name, Qualifier="$LATEST") == latest


def test_environments_of_a_version_live_on_when_another_one_is_published(lambda_client: Any, function: Create) -> None:
    name = function("count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n")
    lambda_client.publish_version(FunctionName=name)
    assert [invoke(lambda_client, name, Qualifier="1")[0], invoke(lambda_client, name)[0]] == [1, 1]
    lambda_client.update_function_configuration(FunctionName=name, Description="changed")
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
    assert lambda_client.publish_version(FunctionName=name)["Version"] == "2"
    assert [invoke(lambda_client, name, Qualifier=number)[0] for number in ("1", "2", "1")] == [2, 1, 3]
    assert invoke(lambda_client, name)[0] == 1
    lambda_client.publish_version(FunctionName=name)
    assert invoke(lambda_client, name)[0] == 2


def test_the_log_names_the_version(lambda_client: Any, function: Create) -> None:
    name = function(source("one"))
    lambda_client.publish_version(FunctionName=name)
    answer = lambda_client.invoke(FunctionName=name, Qualifier="1", LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    assert log.startswith(f"START RequestId: {answer['ResponseMetadata']['RequestId']} Version: 1\n")


def test_a_version_can_be_published_with_the_code(lambda_client: Any, zip_of: ZipOf) -> None:
    name = "published-at-once"
    request = {"Runtime": "python3.11", "Handler": "app.handler", "Role": "arn:aws:iam::000000000000:role/r"}
    created = lambda_client.create_function(
        FunctionName=name, Publish=True, Code={"ZipFile": zip_of({"app.py": source("one")})}, **request
    )
    try:
        assert (created["Version"], created["State"]) == ("1", "Pending")
        assert created["FunctionArn"].endswith(f":{name}")
        waiter = lambda_client.get_waiter("published_version_active")
        waiter.wait(FunctionName=name, Qualifier="1", WaiterConfig=OFTEN)
        assert invoke(lambda_client, name, Qualifier="1")[0][0] == "one"
        updated = update_code(lambda_client, zip_of, name, "two", Publish=True)
        assert (updated["Version"], updated["FunctionArn"][-2:]) == ("2", ":2")
        waiter.wait(FunctionName=name, Qualifier="2", WaiterConfig=OFTEN)
        assert [invoke(lambda_client, name, Qualifier=number)[0][0] for number in ("1", "2")] == ["one", "two"]
        again = update_code(lambda_client, zip_of, name, "two", Publish=True)
        assert (again["Version"], again["State"]) == ("2", "Active")
    finally:
        lambda_client.delete_function(FunctionName=name)


def test_a_deleted_version_does_not_run_and_the_others_do(lambda_client: Any, function: Create, zip_of: ZipOf) -> None:
    name = function(source("one"))
    arn = lambda_client.publish_version(FunctionName=name)["FunctionArn"]
    update_code(lambda_client, zip_of, name, "two", Publish=True)
    assert invoke(lambda_client, name, Qualifier="1")[0][0] == "one"
    answer = lambda_client.delete_function(FunctionName=name, Qualifier="1")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    gone = (404, "ResourceNotFoundException", f"Function not found: {arn}")
    assert refusal(lambda_client.invoke, FunctionName=name, Qualifier="1") == gone
    assert refusal(lambda_client.get_function, FunctionName=name, Qualifier="1") == gone
    lambda_client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="2", WaiterConfig=OFTEN)
    assert invoke(lambda_client, name, Qualifier="2")[0][0] == "two"
    assert invoke(lambda_client, name)[0][0] == "two"
    listed = lambda_client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "2"]
    assert (refusal(lambda_client.delete_function, FunctionName=name, Qualifier="$LATEST")[:2]) == (
        400, "InvalidParameterValueException",
    )  # fmt: skip


def test_the_code_of_a_version_can_be_fetched(lambda_client: Any, function: Create, zip_of: ZipOf) -> None:
    import urllib.request

    name = function(source("one"))
    lambda_client.publish_version(FunctionName=name)
    update_code(lambda_client, zip_of, name, "two")
    found = {}
    for qualifier in ("1", "$LATEST"):
        code = lambda_client.get_function(FunctionName=name, Qualifier=qualifier)["Code"]
        with urllib.request.urlopen(code["Location"], timeout=10) as answer:
            found[qualifier] = answer.read()
    assert found == {"1": zip_of({"app.py": source("one")}), "$LATEST": zip_of({"app.py": source("two")})}


def test_paginators_find_every_version(lambda_client: Any, function: Create) -> None:
    name = function(source("one"))
    for number in range(1, 8):
        lambda_client.update_function_configuration(FunctionName=name, Description=str(number))
        lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
        lambda_client.publish_version(FunctionName=name)
    expected = ["$LATEST", *(str(number) for number in range(1, 8))]
    pages = lambda_client.get_paginator("list_versions_by_function").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 3}
    )
    assert [version["Version"] for page in pages for version in page["Versions"]] == expected
    pages = lambda_client.get_paginator("list_functions").paginate(
        FunctionVersion="ALL", PaginationConfig={"PageSize": 3}
    )
    mine = [entry for page in pages for entry in page["Functions"] if entry["FunctionName"] == name]
    assert [entry["Version"] for entry in mine] == expected


def test_the_qualifier_of_the_name_and_the_parameter_must_agree(lambda_client: Any, function: Create) -> None:
    name = function(source("one"))
    lambda_client.publish_version(FunctionName=name)
    assert invoke(lambda_client, f"{name}:1", Qualifier="1")[1] == "1"
    assert refusal(lambda_client.invoke, FunctionName=f"{name}:1", Qualifier="$LATEST") == (
        400,
        "InvalidParameterValueException",
        "The derived qualifier from the function name does not match the specified qualifier.",
    )


def test_versions_survive_a_kill_while_they_are_published(own_server: Server, zip_of: ZipOf) -> None:
    client = own_server.client("lambda")
    client.create_function(
        FunctionName="f", Runtime="python3.11", Handler="app.handler", Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": zip_of({"app.py": source("0")})}, Publish=True,
    )  # fmt: skip
    client.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig=OFTEN)
    acknowledged: list[str] = []
    enough = threading.Event()

    def publish() -> None:
        number = 0
        try:
            while True:
                number += 1
                update_code(client, zip_of, "f", str(number))
                acknowledged.append(client.publish_version(FunctionName="f")["Version"])
                if len(acknowledged) == 3:
                    enough.set()
        except Exception:
            enough.set()  # the server is gone

    thread = threading.Thread(target=publish)
    thread.start()
    enough.wait(60)
    own_server.kill()
    thread.join(60)
    assert len(acknowledged) >= 3
    own_server.start()
    client = own_server.client("lambda")
    listed = client.list_versions_by_function(FunctionName="f")["Versions"]
    found = [version["Version"] for version in listed]
    assert set(acknowledged) <= set(found)
    for number in acknowledged:
        assert invoke(client, "f", Qualifier=number)[0][0] == str(int(number) - 1)
    client.delete_function(FunctionName="f", Qualifier=acknowledged[-1])
    waiter = client.get_waiter("function_updated_v2")
    waiter.wait(FunctionName="f", WaiterConfig=OFTEN)
    update_code(client, zip_of, "f", "last")
    assert int(client.publish_version(FunctionName="f")["Version"]) > int(acknowledged[-1])
