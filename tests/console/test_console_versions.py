"""Versions and aliases in the console, in a browser against a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from access_site import Site, allow
from console.scenarios import PYTHON, needs_browser, needs_node, play
from served import Server, create_function, package, settle


def _returning(number: int) -> str:
    return f"def lambda_handler(event, context):\n    return {number}\n"


@needs_node
@needs_browser
def test_versions_and_aliases_are_made_compared_and_shared_out(console_server: Server) -> None:
    client = console_server.client("lambda")
    files, variables = {"lambda_function.py": _returning(1)}, {"WORD": "hush", "SAME": "same"}
    create_function(
        client,
        "numbered",
        files,
        Runtime=PYTHON,
        Handler="lambda_function.lambda_handler",
        Environment={"Variables": variables},
    )
    client.publish_version(FunctionName="numbered", Description="the first")
    files = {"lambda_function.py": _returning(2), "more.txt": "more"}
    client.update_function_code(FunctionName="numbered", ZipFile=package(files))
    settle(client, "numbered")
    client.update_function_configuration(
        FunctionName="numbered", MemorySize=256, Environment={"Variables": {**variables, "WORD": "louder"}}
    )
    settle(client, "numbered")
    assert play("versions", {"url": console_server.url}) == [
        "the code of a version", "a version that is not published", "two versions", "two versions in the dark",
        "shifting weights", "the measured split", "the measured split in the dark", "aliases",
    ]  # fmt: skip
    versions = client.list_versions_by_function(FunctionName="numbered")["Versions"]
    assert [(version["Version"], version["Description"]) for version in versions] == [
        ("$LATEST", ""),
        ("2", "the second"),
    ]
    [alias] = client.list_aliases(FunctionName="numbered")["Aliases"]
    assert (alias["Name"], alias["FunctionVersion"], "RoutingConfig" in alias) == ("live", "2", False)


@pytest.mark.thorough
@needs_node
@needs_browser
def test_what_is_denied_leaves_the_rest_of_versions_and_layers(directory: Path) -> None:
    server = Server(directory / "data", INGLE_AUTH="iam").start()
    try:
        site = Site(server)
        create_function(site.lambda_, "numbered", "", Role=site.role(), Runtime=PYTHON)
        site.lambda_.publish_version(FunctionName="numbered", Description="the first")
        site.lambda_.publish_layer_version(LayerName="tools", Content={"ZipFile": package({"a": "a"})})
        may = [
            "GetFunction",
            "GetFunctionConfiguration",
            "ListVersionsByFunction",
            "ListLayers",
            "ListLayerVersions",
            "ListFunctions",
        ]
        key, secret, _ = site.user(allow([f"lambda:{action}" for action in may]))
        checked = play("versions-limited", {"url": server.url, "key": key, "secret": secret})
        assert checked == ["versions with limited rights", "a layer with limited rights"]
    finally:
        assert server.stop() == 0
