"""Functions with tenant isolation: no two tenants share an execution environment."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mock_aws import wait_until
from served import refusal

SOURCE = """
import os, uuid
ME = uuid.uuid4().hex
def handler(event, context):
    left = os.path.exists("/tmp/left")
    open("/tmp/left", "w").close()
    print("tenant %s" % context.tenant_id)
    return {"me": ME, "left": left, "tenant": context.tenant_id}
"""
PER_TENANT = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}
Make = Callable[..., str]


def ask(client: Any, name: str, tenant: str, **members: Any) -> Any:
    return json.loads(client.invoke(FunctionName=name, TenantId=tenant, **members)["Payload"].read())


def test_tenants_have_environments_of_their_own(lambda_client: Any, function: Make) -> None:
    name = function(SOURCE, **PER_TENANT)
    assert lambda_client.get_function_configuration(FunctionName=name)["TenancyConfig"] == PER_TENANT["TenancyConfig"]
    first, second = ask(lambda_client, name, "one"), ask(lambda_client, name, "the other: a/b=c@d+e")
    assert (first["tenant"], second["tenant"]) == ("one", "the other: a/b=c@d+e")
    assert (first["left"], second["left"]) == (False, False)
    assert first["me"] != second["me"]
    assert ask(lambda_client, name, "one") == {**first, "left": True}


def test_a_tenant_is_needed_where_there_are_some_and_only_there(lambda_client: Any, function: Make) -> None:
    name, plain = function(SOURCE, **PER_TENANT), function(SOURCE)
    for kind in ("RequestResponse", "Event", "DryRun"):
        status, code, message = refusal(lambda_client.invoke, FunctionName=name, InvocationType=kind)
        assert (status, code) == (400, "InvalidParameterValueException")
        assert "Add a valid tenant ID" in message
        status, code, message = refusal(lambda_client.invoke, FunctionName=plain, InvocationType=kind, TenantId="t")
        assert (status, code) == (400, "InvalidParameterValueException")
        assert "Remove the tenant ID" in message
    assert refusal(lambda_client.invoke_with_response_stream, FunctionName=name)[0] == 400
    assert refusal(lambda_client.invoke_async, FunctionName=name, InvokeArgs=b"{}")[0] == 400


def test_a_tenant_has_a_name_of_allowed_characters(unchecked_client: Any, function: Make) -> None:
    name = function(SOURCE, **PER_TENANT)
    for tenant in ("a,b", "x" * 257):
        assert refusal(unchecked_client.invoke, FunctionName=name, TenantId=tenant)[:2] == (400, "ValidationException")


def test_events_and_logs_have_their_tenant(lambda_client: Any, logs_client: Any, function: Make) -> None:
    name = function(SOURCE, LoggingConfig={"LogFormat": "JSON"}, **PER_TENANT)
    lambda_client.invoke(FunctionName=name, TenantId="blue", InvocationType="Event")
    lambda_client.invoke(FunctionName=name, TenantId="green")

    def told() -> set[tuple[str, str]]:
        try:
            events = logs_client.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        except logs_client.exceptions.ResourceNotFoundException:
            return set()
        records = [json.loads(event["message"]) for event in events if event["message"].startswith("{")]
        return {
            (record["type"], record["record"]["tenantId"])
            for record in records
            if record.get("type") in ("platform.start", "platform.report")
        }

    kinds = ("platform.start", "platform.report")
    wait_until(lambda: told() == {(kind, tenant) for kind in kinds for tenant in ("blue", "green")})


def test_what_tenants_exclude_is_refused(lambda_client: Any, function: Make) -> None:
    name = function(SOURCE, Publish=True, **PER_TENANT)
    assert refusal(lambda_client.create_function_url_config, FunctionName=name, AuthType="NONE")[1] == (
        "InvalidParameterValueException"
    )
    assert refusal(
        lambda_client.put_provisioned_concurrency_config, FunctionName=name, Qualifier="1",
        ProvisionedConcurrentExecutions=1,
    )[1] == "InvalidParameterValueException"  # fmt: skip
    assert refusal(
        lambda_client.update_function_configuration, FunctionName=name, SnapStart={"ApplyOn": "PublishedVersions"}
    )[1] == "InvalidParameterValueException"  # fmt: skip


def test_versions_keep_tenants_apart_too(lambda_client: Any, function: Make) -> None:
    name = function(SOURCE, Publish=True, **PER_TENANT)
    found = [ask(lambda_client, name, tenant, Qualifier="1")["me"] for tenant in ("a", "b", "a")]
    assert found[0] == found[2] != found[1]


def test_many_tenants_at_once(lambda_client: Any, function: Make) -> None:
    tenants = 12
    name = function(SOURCE, **PER_TENANT)
    with ThreadPoolExecutor(tenants) as pool:
        found = list(pool.map(lambda number: ask(lambda_client, name, f"t{number % tenants}"), range(tenants * 3)))
    of = {answer["me"]: answer["tenant"] for answer in found}
    assert all(of[answer["me"]] == answer["tenant"] for answer in found)
