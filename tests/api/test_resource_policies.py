"""Resource policies as whole documents over the API, beside the operations on single statements."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from served import Server, create_function, plain, refusal, settle, status

Create = Callable[..., str]

SOURCE = "def handler(event, context):\n    return event\n"
ABSENT = (404, "ResourceNotFoundException", "The resource you requested does not exist.")


def arn_of(client: Any, name: str) -> str:
    arn: str = client.get_function_configuration(FunctionName=name)["FunctionArn"]
    return arn


def statement(resource: str, sid: str = "deny", **members: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Deny", "Principal": {"AWS": ["111111111111", "222222222222"]},
            "Action": ["lambda:InvokeFunction", "lambda:Get*"], "Resource": resource,
            "Condition": {"StringNotEquals": {"aws:SourceVpc": ["vpc-1"]}}, **members}  # fmt: skip


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":"))


def put(client: Any, arn: str, *statements: dict[str, Any], **params: Any) -> dict[str, Any]:
    answer = client.put_resource_policy(ResourceArn=arn, Policy=document(*statements), **params)
    assert status(answer) == 200
    return plain(answer)


def sids(client: Any, arn: str) -> list[str]:
    """As both operations that read policies show them."""
    whole, parts = client.get_resource_policy(ResourceArn=arn), client.get_policy(FunctionName=arn)
    assert plain(whole) == plain(parts)
    return [one.get("Sid") for one in json.loads(whole["Policy"])["Statement"]]


def test_put_replaces_and_single_statements_come_and_go(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    arn = arn_of(lambda_client, name)
    assert refusal(lambda_client.get_resource_policy, ResourceArn=arn) == ABSENT
    grant = {"FunctionName": name, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    lambda_client.add_permission(StatementId="first", **grant)
    shown = put(lambda_client, arn, statement(arn), statement(arn, "also"))
    assert json.loads(shown["Policy"])["Statement"] == [statement(arn), statement(arn, "also")]
    assert sids(lambda_client, arn) == ["deny", "also"]
    lambda_client.add_permission(StatementId="first", **grant)
    assert sids(lambda_client, arn) == ["deny", "also", "first"]
    taken = refusal(lambda_client.add_permission, StatementId="also", **grant)
    assert taken[:2] == (409, "ResourceConflictException")
    lambda_client.remove_permission(FunctionName=name, StatementId="deny")
    assert sids(lambda_client, arn) == ["also", "first"]
    assert status(lambda_client.delete_resource_policy(ResourceArn=arn)) == 204
    for call, params in (
        (lambda_client.get_resource_policy, {"ResourceArn": arn}),
        (lambda_client.delete_resource_policy, {"ResourceArn": arn}),
        (lambda_client.get_policy, {"FunctionName": name}),
    ):
        assert refusal(call, **params) == ABSENT
    put(lambda_client, arn, statement(arn))
    lambda_client.remove_permission(FunctionName=name, StatementId="deny")
    assert refusal(lambda_client.get_resource_policy, ResourceArn=arn) == ABSENT
    assert json.loads(lambda_client.invoke(FunctionName=name, Payload=b"1")["Payload"].read()) == 1


def test_the_revision_is_that_of_what_has_the_policy(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    arn = arn_of(lambda_client, name)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    def revisions() -> list[str]:
        versions = [lambda_client.get_function_configuration(FunctionName=of) for of in (arn, f"{arn}:1")]
        alias = lambda_client.get_alias(FunctionName=name, Name="live")
        return [answer["RevisionId"] for answer in (*versions, alias)]

    for place, target in enumerate((arn, f"{arn}:1", f"{arn}:live")):
        before = revisions()
        shown = put(lambda_client, target, statement(target), RevisionId=before[place])
        after = revisions()
        assert shown["RevisionId"] == after[place] != before[place]
        assert [*after[:place], *after[place + 1 :]] == [*before[:place], *before[place + 1 :]]
        for call, params in (
            (lambda_client.put_resource_policy, {"Policy": document(statement(target, "other"))}),
            (lambda_client.delete_resource_policy, {}),
        ):
            stale = refusal(call, ResourceArn=target, RevisionId=before[place], **params)
            assert stale[:2] == (412, "PreconditionFailedException")
        assert sids(lambda_client, target) == ["deny"]
        lambda_client.delete_resource_policy(ResourceArn=target, RevisionId=after[place])
        assert revisions()[place] != after[place]


def test_a_policy_goes_with_its_version_or_alias(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    arn = arn_of(lambda_client, name)
    put(lambda_client, arn, statement(arn))
    lambda_client.publish_version(FunctionName=name)
    assert refusal(lambda_client.get_resource_policy, ResourceArn=f"{arn}:1") == ABSENT
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for target in (f"{arn}:1", f"{arn}:live"):
        put(lambda_client, target, statement(target))
    lambda_client.delete_alias(FunctionName=name, Name="live")
    lambda_client.delete_function(FunctionName=name, Qualifier="1")
    lambda_client.update_function_configuration(FunctionName=name, Description="changed")
    settle(lambda_client, name)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="2")
    for target in (f"{arn}:1", f"{arn}:2", f"{arn}:live"):
        assert refusal(lambda_client.get_resource_policy, ResourceArn=target) == ABSENT
    assert sids(lambda_client, arn) == ["deny"]
    lambda_client.delete_function(FunctionName=name)
    create_function(lambda_client, name, SOURCE)
    assert refusal(lambda_client.get_resource_policy, ResourceArn=arn) == ABSENT


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "ValidationException"),
        ("nonsense", "InvalidParameterValueException"),
        ("[]", "InvalidParameterValueException"),
        ('{"Version":"2012-10-17","Statement":[]}', "InvalidParameterValueException"),
        ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}', "InvalidParameterValueException"),
        ('{"Version":"2012-10-17","Statement":' + "[" * 5000 + "]" * 5000 + "}", "InvalidParameterValueException"),
        ("9" * 20481, "ValidationException"),
    ],
)
def test_documents_that_are_refused(unchecked_client: Any, function: Create, text: str, code: str) -> None:
    arn = arn_of(unchecked_client, function(SOURCE))
    assert refusal(unchecked_client.put_resource_policy, ResourceArn=arn, Policy=text)[:2] == (400, code)
    assert refusal(unchecked_client.get_resource_policy, ResourceArn=arn) == ABSENT


def test_a_policy_that_grows_too_long(lambda_client: Any, function: Create) -> None:
    name = function(SOURCE)
    arn = arn_of(lambda_client, name)
    room = 20_480 - len(document(statement(arn, sid="")))
    put(lambda_client, arn, statement(arn, "s" * room))
    before = lambda_client.get_resource_policy(ResourceArn=arn)
    refused = refusal(
        lambda_client.add_permission, FunctionName=name, StatementId="more", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
    )  # fmt: skip
    assert refused[:2] == (400, "PolicyLengthExceededException")
    assert plain(lambda_client.get_resource_policy(ResourceArn=arn)) == plain(before)


def test_what_has_no_policy(lambda_client: Any, function: Create) -> None:
    arn = arn_of(lambda_client, function(SOURCE))
    policy = document(statement(arn))
    for target, status_code in (
        (f"{arn}:$LATEST", 400), (f"{arn}:9", 404), (f"{arn}:none", 404), (f"{arn}-absent", 404),
        (arn.replace("us-east-1", "eu-west-1"), 404), (arn.replace("000000000000", "999999999999"), 403),
    ):  # fmt: skip
        found = refusal(lambda_client.put_resource_policy, ResourceArn=target, Policy=policy)
        assert found[0] == status_code, (target, found)
    bare = refusal(lambda_client.put_resource_policy, ResourceArn="f", Policy=policy)
    assert bare[:2] == (400, "ValidationException")


def test_they_survive_a_kill(own_server: Server) -> None:
    client = own_server.client("lambda")
    create_function(client, "f", SOURCE)
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="$LATEST")
    arn = arn_of(client, "f")
    targets = (arn, f"{arn}:live")
    for target in targets:
        put(client, target, statement(target, "ü"), statement(target))
    client.remove_permission(FunctionName="f", Qualifier="live", StatementId="deny")
    before = [plain(client.get_resource_policy(ResourceArn=target)) for target in targets]
    own_server.crash()
    client = own_server.client("lambda")
    assert [plain(client.get_resource_policy(ResourceArn=target)) for target in targets] == before
    assert [sids(client, target) for target in targets] == [["ü", "deny"], ["ü"]]
    client.delete_resource_policy(ResourceArn=arn)
    own_server.crash()
    assert refusal(own_server.client("lambda").get_resource_policy, ResourceArn=arn) == ABSENT
