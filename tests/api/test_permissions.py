"""Permissions and code signing over the API, as boto3 sees them, and after a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from served import Server, create_function, plain, refusal, status

SOURCE = "def handler(event, context):\n    return event\n"
INVOKE = "lambda:InvokeFunction"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:queue"


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


def test_permissions_survive_a_kill(own_server: Server) -> None:
    client = own_server.client("lambda")
    create_function(client, "f", SOURCE, DeadLetterConfig={"TargetArn": QUEUE})
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="$LATEST")
    for sid, params in (("s", {}), ("t", {}), ("s", {"Qualifier": "live"})):
        client.add_permission(FunctionName="f", StatementId=sid, Action=INVOKE, Principal="*", **params)
    client.remove_permission(FunctionName="f", StatementId="s")

    def everything() -> list[dict[str, Any]]:
        policies = [client.get_policy(FunctionName=name) for name in ("f", "f:live")]
        return [plain(answer) for answer in (*policies, client.get_function_configuration(FunctionName="f"))]

    before = everything()
    own_server.crash()
    client = own_server.client("lambda")
    assert everything() == before
