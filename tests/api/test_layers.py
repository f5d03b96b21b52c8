"""Layers over the API, as boto3 sees them: published, fetched, used, deleted, and there after a crash."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from served import Server, package, refusal

Create = Callable[..., str]

ROLE = "arn:aws:iam::000000000000:role/r"
OFTEN = {"Delay": 0.05, "MaxAttempts": 200}
USES = "import mine\ndef handler(event, context):\n    return mine.NAME\n"


@pytest.fixture
def layer(lambda_client: Any) -> Iterator[Callable[..., dict[str, Any]]]:
    """`layer(files, name, **settings)` publishes a layer version; the name is a new one unless given."""
    made: list[tuple[str, int]] = []

    def publish(files: dict[str, str | bytes], name: str | None = None, **settings: Any) -> dict[str, Any]:
        name = name or f"l{time.time_ns()}"
        published: dict[str, Any] = lambda_client.publish_layer_version(
            LayerName=name, Content={"ZipFile": package(files)}, **settings
        )
        made.append((name, published["Version"]))
        return published

    yield publish
    for name, number in made:
        lambda_client.delete_layer_version(LayerName=name, VersionNumber=number)


def invoke(client: Any, name: str, **params: Any) -> Any:
    answer = client.invoke(FunctionName=name, **params)
    document = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, document
    return document


def set_layers(client: Any, name: str, *arns: str) -> dict[str, Any]:
    updated: dict[str, Any] = client.update_function_configuration(FunctionName=name, Layers=list(arns))
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
    return updated


def named(name: str) -> dict[str, str | bytes]:
    return {"python/mine.py": f"NAME = {name!r}\n"}


def test_a_layer_can_be_fetched_as_it_was_published(lambda_client: Any, layer: Callable[..., Any]) -> None:
    files = named("layer")
    published = layer(files, Description="d", LicenseInfo="MIT", CompatibleRuntimes=["python3.12"])
    assert published["ResponseMetadata"]["HTTPStatusCode"] == 201
    content = published["Content"]
    assert content["CodeSha256"] == base64.b64encode(hashlib.sha256(package(files)).digest()).decode()
    assert content["CodeSize"] == len(package(files))
    name = published["LayerArn"].rpartition(":")[2]
    by_number = lambda_client.get_layer_version(LayerName=name, VersionNumber=1)
    by_arn = lambda_client.get_layer_version_by_arn(Arn=published["LayerVersionArn"])
    for found in (published, by_number, by_arn):
        with urllib.request.urlopen(found["Content"].pop("Location"), timeout=10) as answer:
            assert answer.read() == package(files)
        del found["ResponseMetadata"]
        assert found == published


def test_functions_run_with_their_layers(lambda_client: Any, layer: Callable[..., Any], function: Create) -> None:
    first, second = (layer(named(name))["LayerVersionArn"] for name in ("first", "second"))
    name = function(USES, Layers=[first, second])
    assert invoke(lambda_client, name) == "second"
    lambda_client.publish_version(FunctionName=name)
    shown = set_layers(lambda_client, name, second, first)
    assert [entry["Arn"] for entry in shown["Layers"]] == [second, first]
    assert invoke(lambda_client, name) == "first"
    set_layers(lambda_client, name)
    answer = lambda_client.invoke(FunctionName=name)
    assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.ImportModuleError"
    assert invoke(lambda_client, name, Qualifier="1") == "second"


def test_a_deleted_layer_goes_on_where_it_is_used(
    server: Server, lambda_client: Any, layer: Callable[..., Any], function: Create
) -> None:
    published = layer(named("kept"))
    arn, name = published["LayerVersionArn"], published["LayerArn"].rpartition(":")[2]
    user = function(USES, Layers=[arn])
    assert (
        lambda_client.delete_layer_version(LayerName=name, VersionNumber=1)["ResponseMetadata"]["HTTPStatusCode"] == 204
    )
    gone = (404, "ResourceNotFoundException", "The resource you requested does not exist.")
    assert refusal(lambda_client.get_layer_version, LayerName=name, VersionNumber=1) == gone
    assert invoke(lambda_client, user) == "kept"
    lambda_client.update_function_configuration(FunctionName=user, Timeout=7)  # takes a new environment
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=user, WaiterConfig=OFTEN)
    assert invoke(lambda_client, user) == "kept"
    assert refusal(lambda_client.update_function_configuration, FunctionName=user, Layers=[arn]) == (
        400, "InvalidParameterValueException", f"Layer version {arn} does not exist.",
    )  # fmt: skip


def test_lists_and_their_paginators(lambda_client: Any, layer: Callable[..., Any]) -> None:
    name = f"listed-{time.time_ns()}"
    for number in range(5):
        layer(named(str(number)), name, CompatibleRuntimes=["python3.12"] if number % 2 else ["nodejs22.x"])
    pages = lambda_client.get_paginator("list_layer_versions").paginate(
        LayerName=name, PaginationConfig={"PageSize": 2}
    )
    assert [version["Version"] for page in pages for version in page["LayerVersions"]] == [5, 4, 3, 2, 1]
    pages = lambda_client.get_paginator("list_layers").paginate(
        CompatibleRuntime="python3.12", PaginationConfig={"PageSize": 1}
    )
    newest = {entry["LayerName"]: entry["LatestMatchingVersion"]["Version"] for p in pages for entry in p["Layers"]}
    assert newest[name] == 4


def test_another_account_uses_a_layer_once_it_may(
    server: Server, lambda_client: Any, layer: Callable[..., Any]
) -> None:
    arn = layer(named("shared"), "shared")["LayerVersionArn"]
    stranger = server.client("lambda", account="222222222222")
    request = {"FunctionName": "borrower", "Runtime": "python3.11", "Handler": "app.handler",
               "Role": ROLE.replace("0" * 12, "2" * 12), "Code": {"ZipFile": package({"app.py": USES})},
               "Layers": [arn]}  # fmt: skip
    for call, params in ((stranger.create_function, request), (stranger.get_layer_version_by_arn, {"Arn": arn})):
        assert refusal(call, **params)[:2] == (403, "AccessDeniedException")
    number = int(arn.rpartition(":")[2])
    lambda_client.add_layer_version_permission(
        LayerName="shared", VersionNumber=number, StatementId="s", Action="lambda:GetLayerVersion",
        Principal="222222222222",
    )  # fmt: skip
    assert stranger.get_layer_version_by_arn(Arn=arn)["LayerVersionArn"] == arn
    stranger.create_function(**request)
    try:
        stranger.get_waiter("function_active_v2").wait(FunctionName="borrower", WaiterConfig=OFTEN)
        lambda_client.remove_layer_version_permission(LayerName="shared", VersionNumber=number, StatementId="s")
        assert invoke(stranger, "borrower") == "shared"
    finally:
        stranger.delete_function(FunctionName="borrower")


def test_code_and_layers_are_measured_together(lambda_client: Any) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", bytes(90_000_000))
    arns = []
    for name in ("large-1", "large-2", "large-3"):
        content = {"ZipFile": buffer.getvalue()}
        arns.append(lambda_client.publish_layer_version(LayerName=name, Content=content)["LayerVersionArn"])
    request = {"FunctionName": "too-large", "Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE,
               "Code": {"ZipFile": package({"app.py": "x" * 1000})}, "Layers": arns}  # fmt: skip
    assert refusal(lambda_client.create_function, **request) == (
        400,
        "InvalidParameterValueException",
        "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. "
        "The actual size is 270001000 bytes.",
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"Content": {"ZipFile": b"not a zip"}}, "Could not unzip uploaded file. Please check your file, then try to "
                                                 "upload again."),
        ({"Content": {}}, "Please provide a source for function code."),
    ],
)  # fmt: skip
def test_what_cannot_be_published(lambda_client: Any, params: dict[str, Any], message: str) -> None:
    answer = refusal(lambda_client.publish_layer_version, LayerName="bad", **params)
    assert answer == (400, "InvalidParameterValueException", message)
    assert lambda_client.list_layer_versions(LayerName="bad")["LayerVersions"] == []


def test_layers_and_what_uses_them_survive_a_kill(own_server: Server) -> None:
    client = own_server.client("lambda")
    arns = [
        client.publish_layer_version(LayerName=f"l{name}", Content={"ZipFile": package(named(name))})["LayerVersionArn"]
        for name in ("a", "b", "c")
    ]
    client.add_layer_version_permission(
        LayerName="lc", VersionNumber=1, StatementId="s", Action="lambda:GetLayerVersion", Principal="*"
    )
    client.create_function(
        FunctionName="f", Runtime="python3.11", Handler="app.handler", Role=ROLE, Layers=arns[:2], Publish=True,
        Code={"ZipFile": package({"app.py": USES})},
    )  # fmt: skip
    client.delete_layer_version(LayerName="la", VersionNumber=1)
    client.delete_layer_version(LayerName="lb", VersionNumber=1)
    own_server.crash()
    client = own_server.client("lambda")
    client.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig=OFTEN)
    client.get_waiter("published_version_active").wait(FunctionName="f", Qualifier="1", WaiterConfig=OFTEN)
    assert [invoke(client, "f"), invoke(client, "f", Qualifier="1")] == ["b", "b"]
    assert [entry["LayerName"] for entry in client.list_layers()["Layers"]] == ["lc"]
    policy = json.loads(client.get_layer_version_policy(LayerName="lc", VersionNumber=1)["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["s"]
    content = {"ZipFile": package(named("again"))}
    assert client.publish_layer_version(LayerName="la", Content=content)["Version"] == 2
