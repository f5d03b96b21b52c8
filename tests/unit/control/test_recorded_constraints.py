"""Requests that break constraints of the model, from their bytes on, compared with recorded answers of AWS."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from ingle import wire
from recordings import normal, scenarios
from wire.oracle import as_sent_by_botocore

LAMBDA = wire.Service.load("lambda")
MODEL = botocore.session.get_session().get_service_model("lambda")
URLS = "test_url_config_exceptions"
REQUIRED: dict[str, dict[str, Any]] = {
    "AddLayerVersionPermission": {"LayerName": "l", "VersionNumber": 1, "StatementId": "s", "Principal": "*"},
    "AddPermission": {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"},
    "CreateFunction": {"FunctionName": "F", "Code": {}, "Role": "arn:aws:iam::111111111111:role/r"},
    "CreateFunctionUrlConfig": {"AuthType": "NONE"},
}

CASES: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("constraints", "test_function_arns", "invalid_function_name_exc", "CreateFunction",
     {"FunctionName": "invalid:function:name"}),
    ("constraints", "test_invalid_invoke", "invoke_function_name_pattern_exc", "Invoke",
     {"FunctionName": "arn:aws:lambda:us-east-1:123400000000@function:myfn"}),
    ("constraints", "test_snapstart_exceptions", "create_function_invalid_snapstart_apply", "CreateFunction",
     {"SnapStart": {"ApplyOn": "invalidOption"}}),
    ("function_urls", "test_lambda_url_invalid_invoke_mode", "invoke_function_invalid_invoke_type",
     "CreateFunctionUrlConfig", {"InvokeMode": "UNKNOWN"}),
    ("layers", "test_layer_function_exceptions", "add_layer_arn_without_version_exc", "UpdateFunctionConfiguration",
     {"Layers": ["arn:aws:lambda:us-east-1:111111111111:layer:lambda-role"]}),
    ("layers", "test_layer_policy_exceptions", "layer_permission_action_invalid", "AddLayerVersionPermission",
     {"Action": "*"}),
    ("permissions", "test_permission_exceptions", "add_permission_fn_qualifier_invalid", "AddPermission",
     {"Qualifier": "invalid-qualifier-with-?-char"}),
    ("permissions", "test_permission_exceptions", "add_permission_invalid_statement_id", "AddPermission",
     {"StatementId": "example.com"}),
    *(("function_urls", URLS, f"{verb.lower()}_function_url_config_{step}", f"{verb}FunctionUrlConfig",
       {"Qualifier": qualifier})
      for verb in ("Create", "Get", "Update", "Delete")
      for step, qualifier in (("qualifier_version", "1"), ("qualifier_version_doesnotexist", "2"),
                              ("qualifier_latest", "$LATEST"), ("name_doesnotexist_qualifier", "1"))),
]  # fmt: skip


def violation_of(operation: str, params: dict[str, Any]) -> str:
    request = as_sent_by_botocore("rest-json", MODEL.operation_model(operation), params)
    routed = LAMBDA.route(request.method, request.path, request.query)
    assert routed.name == operation
    with pytest.raises(wire.ConstraintViolation) as raised:
        routed.parse(request)
    return raised.value.message


@pytest.mark.parametrize(("topic", "scenario", "step", "operation", "params"), CASES)
def test_recorded_violations(topic: str, scenario: str, step: str, operation: str, params: dict[str, Any]) -> None:
    recorded = scenarios(topic)[scenario][step]["Error"]
    assert recorded["Code"] == "ValidationException"
    request = {**REQUIRED.get(operation, {}), **params}
    if "LayerName" not in request:
        request.setdefault("FunctionName", "F")
    assert violation_of(operation, request) == normal(recorded["Message"])


def test_the_recorded_text_about_a_long_arn() -> None:
    recorded = scenarios("constraints")["test_function_arns"]["long_function_arn_exc"]["Error"]["Message"]
    name = "a" * (141 - len("arn:aws:lambda:us-east-1:111111111111:function:"))
    arn = f"arn:aws:lambda:us-east-1:111111111111:function:{name}"
    text = violation_of("CreateFunction", {**REQUIRED["CreateFunction"], "FunctionName": arn})
    assert text == normal(recorded).replace("<function-name>", name)
