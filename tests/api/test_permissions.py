"""Permissions, asynchronous settings, URLs and small settings over the API, as boto3 sees them, and after a crash."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from served import Server, package, refusal

SOURCE = "def handler(event, context):\n    return event\n"
INVOKE = "lambda:InvokeFunction"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:queue"


def status(answer: dict[str, Any]) -> int:
    number: int = answer["ResponseMetadata"]["HTTPStatusCode"]
    return number


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in answer.items() if member != "ResponseMetadata"}


def test_permissions_come_and_go(lambda_client: Any, function: Callable[..., str]) -> None:
    name = function(SOURCE)
    grant = {"FunctionName": name, "Action": INVOKE, "Principal": "s3.amazonaws.com"}
    added = lambda_client.add_permission(StatementId="s", SourceArn="arn:aws:s3:::b", **grant)
    assert status(added) == 201
    policy = json.loads(lambda_client.get_policy(FunctionName=name)["Policy"])
    assert policy["Statement"] == [json.loads(added["Statement"])]
    assert refusal(lambda_client.add_permission, StatementId="s", **grant)[:2] == (409, "ResourceConflictException")
    assert refusal(lambda_client.add_permission, StatementId="example.com", **grant) == (
        400, "ValidationException",
        "1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy constraint: Member must "
        "satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
    )  # fmt: skip
    stale = refusal(lambda_client.remove_permission, FunctionName=name, StatementId="s", RevisionId="stale")
    assert stale[:2] == (412, "PreconditionFailedException")
    assert status(lambda_client.remove_permission(FunctionName=name, StatementId="s")) == 204
    assert refusal(lambda_client.get_policy, FunctionName=name) == (
        404, "ResourceNotFoundException", "The resource you requested does not exist.",
    )  # fmt: skip
    assert json.loads(lambda_client.invoke(FunctionName=name, Payload=b"1")["Payload"].read()) == 1


def test_whole_policies(lambda_client: Any, function: Callable[..., str]) -> None:
    name = function(SOURCE)
    arn = lambda_client.get_function_configuration(FunctionName=name)["FunctionArn"]
    statement = {"Sid": "d", "Effect": "Deny", "Principal": "*", "Action": "lambda:*", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    put = plain(lambda_client.put_resource_policy(ResourceArn=arn, Policy=document))
    assert plain(lambda_client.get_resource_policy(ResourceArn=arn)) == put
    assert status(lambda_client.delete_resource_policy(ResourceArn=arn, RevisionId=put["RevisionId"])) == 204
    assert refusal(lambda_client.get_resource_policy, ResourceArn=arn)[:2] == (404, "ResourceNotFoundException")


def test_function_urls(lambda_client: Any, function: Callable[..., str]) -> None:
    name = function(SOURCE)
    created = lambda_client.create_function_url_config(FunctionName=name, AuthType="NONE", Cors={"MaxAge": 5})
    assert (status(created), created["Cors"], "InvokeMode" in created) == (201, {"MaxAge": 5}, False)
    shown = lambda_client.get_function_url_config(FunctionName=name)
    assert (shown["FunctionUrl"], shown["InvokeMode"]) == (created["FunctionUrl"], "BUFFERED")
    for qualifier in ("1", "$LATEST"):
        refused = refusal(
            lambda_client.create_function_url_config, FunctionName=name, AuthType="NONE", Qualifier=qualifier
        )
        assert refused == (
            400, "ValidationException",
            f"1 validation error detected: Value '{qualifier}' at 'qualifier' failed to satisfy constraint: Member "
            r"must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)",
        )  # fmt: skip
    assert status(lambda_client.delete_function_url_config(FunctionName=name)) == 204
    assert lambda_client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"] == []


def test_code_signing(lambda_client: Any, function: Callable[..., str]) -> None:
    name = function(SOURCE)
    publishers = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij"]}
    made = lambda_client.create_code_signing_config(AllowedPublishers=publishers)
    arn = made["CodeSigningConfig"]["CodeSigningConfigArn"]
    assert status(made) == 201
    assert plain(lambda_client.get_function_code_signing_config(FunctionName=name)) == {}
    bound = plain(lambda_client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=arn))
    assert bound == {"CodeSigningConfigArn": arn, "FunctionName": name}
    assert len(lambda_client.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"]) == 1
    assert refusal(lambda_client.delete_code_signing_config, CodeSigningConfigArn=arn)[0] == 409
    assert status(lambda_client.delete_function_code_signing_config(FunctionName=name)) == 204
    assert status(lambda_client.delete_code_signing_config(CodeSigningConfigArn=arn)) == 204
    absent = refusal(lambda_client.put_function_code_signing_config, FunctionName=name, CodeSigningConfigArn=arn)
    assert absent[:2] == (404, "CodeSigningConfigNotFoundException")


def test_small_settings_survive_a_kill() -> None:
    directory = Path(tempfile.mkdtemp(prefix="ingle-test-"))
    server = Server(directory / "data").start()
    client = server.client("lambda")
    client.create_function(
        FunctionName="f", Runtime="python3.11", Handler="app.handler", Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": package({"app.py": SOURCE})}, DeadLetterConfig={"TargetArn": QUEUE},
    )  # fmt: skip
    client.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
    client.add_permission(FunctionName="f", StatementId="s", Action=INVOKE, Principal="*")
    client.create_function_url_config(FunctionName="f", AuthType="NONE")
    client.put_function_event_invoke_config(
        FunctionName="f", MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": QUEUE}}
    )
    client.put_function_recursion_config(FunctionName="f", RecursiveLoop="Allow")
    client.put_runtime_management_config(FunctionName="f", UpdateRuntimeOn="FunctionUpdate")
    names = ("policy", "function_url_config", "function_event_invoke_config", "function_recursion_config",
             "runtime_management_config", "function_configuration")  # fmt: skip

    def everything() -> list[dict[str, Any]]:
        return [plain(getattr(client, f"get_{name}")(FunctionName="f")) for name in names]

    before = everything()
    server.kill()
    server.start()
    try:
        client = server.client("lambda")
        assert everything() == before
    finally:
        assert server.stop() == 0
        shutil.rmtree(directory)
