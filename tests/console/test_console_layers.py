"""Layers in the console, in a browser against a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from console.scenarios import PYTHON, needs_browser, needs_node, play
from served import Server, create_function, package

ARN = "arn:aws:lambda:us-east-1:000000000000:layer:{}:{}"
SOURCE = """import pathlib


def handler(event, context):
    import tool

    return [tool.NAME, pathlib.Path("/opt/shared.txt").read_text()]
"""


@needs_node
@needs_browser
def test_layers_are_published_permitted_attached_and_deleted(console_server: Server, directory: Path) -> None:
    client = console_server.client("lambda")
    create_function(client, "layered", SOURCE, Runtime=PYTHON)
    folder = directory / "tools"
    (folder / "python").mkdir(parents=True)
    (folder / "python/tool.py").write_text("NAME = 'tool'\n")
    (folder / "shared.txt").write_text("first")
    zipped = directory / "second.zip"
    zipped.write_bytes(package({"python/tool.py": "NAME = 'tool'\n", "shared.txt": "second"}))
    given = {"url": console_server.url, "folder": str(folder), "zip": str(zipped), "other": ARN.format("other", 1)}

    def publish(asked: Any) -> str:
        assert asked == "other"
        client.publish_layer_version(LayerName="other", Content={"ZipFile": package({"shared.txt": "other"})})
        return "done"

    assert play("layers", given, publish) == [
        "a new layer, with mistakes", "a new layer in the dark", "a layer", "attaching layers", "layers",
    ]  # fmt: skip
    found = client.get_function_configuration(FunctionName="layered")
    assert [layer["Arn"] for layer in found["Layers"]] == [ARN.format("tools", 2), ARN.format("other", 1)]
    assert [version["Version"] for version in client.list_layer_versions(LayerName="tools")["LayerVersions"]] == [2]
    policy = json.loads(client.get_layer_version_policy(LayerName="tools", VersionNumber=2)["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["neighbour"]
