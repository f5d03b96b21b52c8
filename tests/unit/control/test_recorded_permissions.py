"""Answers about permissions compared with recorded ones of AWS (`recorded/permissions.json`)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingle.domain.errors import ServiceError
from recordings import assert_recorded_error, normal, scenarios

pytestmark = pytest.mark.asyncio

RECORDED = scenarios("permissions")
INVOKE = "lambda:InvokeFunction"


def filled(recorded: Any) -> Any:
    """A recorded answer with our names in place of its placeholders."""
    text = json.dumps(recorded)
    names = {
        "<resource:1>": "F", "<function-name>": "F", "iam::111111111111:<resource:2>": "iam::111111111111:root",
        "<resource:3>": "bucket", "<user_arn>": "arn:aws:iam::111111111111:user/someone",
    }  # fmt: skip
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    return json.loads(text)


async def assert_refused(recorded: dict[str, Any], plane: Any, operation: str, **params: Any) -> None:
    with pytest.raises(ServiceError) as raised:
        await plane.call(operation, **{"FunctionName": "F", **params})
    assert_recorded_error(raised.value, filled(recorded))


@pytest.mark.parametrize(
    ("step", "params"),
    [
        ("principal_account", {"StatementId": "account-id", "Principal": "111111111111"}),
        ("principal_arn", {
            "StatementId": "user-arn", "Principal": "arn:aws:iam::111111111111:user/someone",
            "SourceAccount": "111111111111",
        }),
        ("principal_service", {
            "StatementId": "lambda", "Principal": "lambda.amazonaws.com", "SourceAccount": "111111111111",
        }),
        ("principal_wildcard", {"StatementId": "wilcard", "Principal": "*", "SourceAccount": "111111111111"}),
        ("optional_fields", {
            "StatementId": "urlPermission", "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
            "SourceArn": "arn:aws:s3:::bucket", "SourceAccount": "111111111111", "PrincipalOrgID": "o-1234567890",
            "FunctionUrlAuthType": "NONE",
        }),
        ("alexa_skill", {
            "StatementId": "alexaSkill", "Principal": "*",
            "EventSourceToken": "amzn1.ask.skill.xxxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
        }),
    ],
)  # fmt: skip
async def test_the_statement_of_a_permission(plane: Any, step: str, params: dict[str, Any]) -> None:
    recorded = filled(RECORDED["test_add_lambda_permission_fields"][f"add_permission_{step}"])
    await plane.create()
    added = await plane.call("AddPermission", **{"FunctionName": "F", "Action": INVOKE, **params})
    assert json.loads(added["Statement"]) == normal(recorded["Statement"])


async def test_a_policy_of_two_statements(plane: Any) -> None:
    recorded = filled(RECORDED["test_create_multiple_lambda_permissions"])
    await plane.create()
    for number, service in enumerate(("logs", "kinesis"), 1):
        added = await plane.call(
            "AddPermission", FunctionName="F", StatementId=service, Action=INVOKE, Principal=f"{service}.amazonaws.com"
        )
        assert json.loads(added["Statement"]) == normal(recorded[f"add_permission_response_{number}"]["Statement"])
    answer = await plane.call("GetPolicy", FunctionName="F")
    assert json.loads(answer["Policy"]) == normal(recorded["policy_after_2_add"]["Policy"])
    shown = await plane.call("GetFunctionConfiguration", FunctionName="F")
    assert answer["RevisionId"] == shown["RevisionId"]


async def test_what_is_refused(plane: Any) -> None:
    recorded = RECORDED["test_permission_exceptions"]
    async with plane.active():
        s3 = {"StatementId": "s3", "Action": INVOKE, "Principal": "s3.amazonaws.com"}
        await assert_refused(recorded["get_policy_fn_version_doesnotexist"], plane, "GetPolicy", Qualifier="42")
        await assert_refused(
            recorded["remove_permission_policy_doesnotexist"], plane, "RemovePermission", StatementId="s3"
        )
        await plane.call("AddPermission", FunctionName="F", **s3)
        absent = {"FunctionName": "doesnotexist"}
        mismatch = "arn:aws:lambda:us-east-1:111111111111:function:F:alias-not-42"
        refused: dict[str, tuple[str, dict[str, Any]]] = {
            "add_permission_conflicting_statement_id": ("AddPermission", {}),
            "add_permission_fn_alias_doesnotexist": ("AddPermission", {"Qualifier": "alias-doesnotexist"}),
            "add_permission_fn_doesnotexist": ("AddPermission", absent),
            "add_permission_fn_qualifier_latest": ("AddPermission", {"Qualifier": "$LATEST"}),
            "add_permission_fn_qualifier_mismatch": ("AddPermission", {"FunctionName": mismatch, "Qualifier": "42"}),
            "add_permission_fn_qualifier_valid_doesnotexist": (
                "AddPermission", {"Qualifier": "valid-with-$-but-doesnotexist"},
            ),
            "add_permission_fn_version_doesnotexist": ("AddPermission", {"Qualifier": "42"}),
            "add_permission_principal_invalid": (
                "AddPermission", {"Principal": "invalid.nonaws.com", "StatementId": "other"},
            ),
            "get_policy_fn_doesnotexist": ("GetPolicy", absent),
            "remove_permission_fn_alias_doesnotexist": ("RemovePermission", {"Qualifier": "alias-doesnotexist"}),
            "remove_permission_fn_doesnotexist": ("RemovePermission", absent),
        }  # fmt: skip
        for step, (operation, params) in refused.items():
            await assert_refused(recorded[step], plane, operation, **{**s3, **params})
