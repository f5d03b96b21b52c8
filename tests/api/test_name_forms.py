"""Every form of a function's name, in every operation that takes one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from served import create_function, plain, refusal

SOURCE = "def handler(event, context):\n    return context.invoked_function_arn\n"
ACCOUNT, REGION = "000000000000", "us-east-1"

#: Operations that change nothing, or the same again.
OPERATIONS: list[tuple[str, dict[str, Any]]] = [
    ("get_function_concurrency", {}),
    ("put_function_concurrency", {"ReservedConcurrentExecutions": 3}),
    ("delete_function_concurrency", {}),
    ("get_function", {}),
    ("get_function_configuration", {}),
    ("get_policy", {}),
    ("get_function_code_signing_config", {}),
    ("delete_function_code_signing_config", {}),
    ("get_function_event_invoke_config", {}),
    ("put_function_event_invoke_config", {"MaximumRetryAttempts": 1}),
    ("update_function_event_invoke_config", {"MaximumRetryAttempts": 1}),
    ("list_function_event_invoke_configs", {}),
    ("get_function_url_config", {}),
    ("update_function_url_config", {"AuthType": "NONE"}),
    ("list_function_url_configs", {}),
    ("get_function_recursion_config", {}),
    ("put_function_recursion_config", {"RecursiveLoop": "Allow"}),
    ("get_runtime_management_config", {}),
    ("put_runtime_management_config", {"UpdateRuntimeOn": "Auto"}),
    ("list_aliases", {}),
    ("get_alias", {"Name": "live"}),
    ("update_alias", {"Name": "live", "Description": "d"}),
    ("create_alias", {"Name": "live", "FunctionVersion": "1"}),
    ("list_versions_by_function", {}),
    ("list_provisioned_concurrency_configs", {}),
    ("publish_version", {}),
    ("update_function_code", {"DryRun": True, "S3Bucket": "bucket", "S3Key": "key"}),
    ("add_permission", {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def name(lambda_client: Any) -> Iterator[str]:
    """A function that has one of everything."""
    made = "name-forms"
    create_function(lambda_client, made, SOURCE)
    lambda_client.publish_version(FunctionName=made)
    lambda_client.create_alias(FunctionName=made, Name="live", FunctionVersion="1")
    lambda_client.create_function_url_config(FunctionName=made, AuthType="NONE")
    lambda_client.put_function_event_invoke_config(FunctionName=made, MaximumRetryAttempts=1)
    lambda_client.add_permission(FunctionName=made, StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    yield made
    lambda_client.delete_function(FunctionName=made)


def outcome(client: Any, operation: str, **params: Any) -> Any:
    """The answer without what differs from call to call, or the error."""
    try:
        answer = plain(getattr(client, operation)(**params))
    except client.exceptions.ClientError as error:
        return error.response["Error"]
    return without_changing(answer)


def without_changing(value: Any) -> Any:
    changing = {"RevisionId", "LastModified", "LastModifiedTime", "Location"}
    if isinstance(value, dict):
        return {key: without_changing(item) for key, item in value.items() if key not in changing}
    return [without_changing(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("operation", "params"), OPERATIONS)
def test_all_forms_mean_the_same_function(
    lambda_client: Any, name: str, operation: str, params: dict[str, Any]
) -> None:
    expected = outcome(lambda_client, operation, FunctionName=name, **params)
    forms = (
        f"function:{name}", f"{ACCOUNT}:function:{name}", f"{ACCOUNT}:{name}",
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}",
    )  # fmt: skip
    for form in forms:
        assert outcome(lambda_client, operation, FunctionName=form, **params) == expected, form


@pytest.mark.parametrize(("operation", "params"), OPERATIONS)
def test_other_regions_and_accounts_are_out_of_reach(
    lambda_client: Any, name: str, operation: str, params: dict[str, Any]
) -> None:
    call = getattr(lambda_client, operation)
    elsewhere = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{name}"
    assert refusal(call, FunctionName=elsewhere, **params) == (
        404, "ResourceNotFoundException",
        f"Functions from 'eu-west-1' are not reachable in this region ('{REGION}')",
    )  # fmt: skip
    someone = f"arn:aws:lambda:{REGION}:999999999999:function:{name}"
    assert refusal(call, FunctionName=someone, **params)[:2] == (403, "AccessDeniedException")
    # The region is looked at before the account.
    far = refusal(call, FunctionName=f"arn:aws:lambda:eu-west-1:999999999999:function:{name}", **params)
    assert far[:2] == (404, "ResourceNotFoundException")


@pytest.mark.parametrize(
    ("operation", "params", "qualifier"),
    [
        ("get_function", {}, "1"),
        ("get_function_configuration", {}, "live"),
        ("get_policy", {}, "live"),
        ("add_permission", {"StatementId": "t", "Action": "lambda:InvokeFunction", "Principal": "*"}, "1"),
        ("put_function_event_invoke_config", {"MaximumRetryAttempts": 2}, "live"),
        ("get_function_event_invoke_config", {}, "$LATEST"),
        ("put_runtime_management_config", {"UpdateRuntimeOn": "Auto"}, "1"),
        ("get_function_url_config", {}, "live"),
    ],
)
def test_a_qualifier_in_the_name_is_as_one_beside_it(
    lambda_client: Any, name: str, operation: str, params: dict[str, Any], qualifier: str
) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    found = [
        outcome(lambda_client, operation, FunctionName=function, **beside, **params)
        for function, beside in (
            (name, {"Qualifier": qualifier}), (f"{name}:{qualifier}", {}), (f"{arn}:{qualifier}", {}),
            (f"{name}:{qualifier}", {"Qualifier": qualifier}),
        )
    ]  # fmt: skip
    if operation == "add_permission":
        assert found[0]["Statement"]
        assert {one["Code"] for one in found[1:]} == {"ResourceConflictException"}
    elif operation == "get_function_url_config":
        # Here a qualifier in the name has no form of its own in the model.
        assert {one["Code"] for one in found} <= {"ResourceNotFoundException", "ValidationException"}
    else:
        assert found[1:] == found[:1] * 3
    differing = refusal(
        getattr(lambda_client, operation), FunctionName=f"{name}:{qualifier}", Qualifier="other", **params
    )
    assert differing[0] == 400
    if differing[1] != "ValidationException":
        assert differing[1:] == (
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
        )
