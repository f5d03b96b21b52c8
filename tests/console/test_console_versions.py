"""Versions and aliases in the console, in a browser against a real server."""

from __future__ import annotations

from console.scenarios import PYTHON, needs_browser, needs_node, play
from served import Server, create_function, package


def _returning(number: int) -> str:
    return f"def lambda_handler(event, context):\n    return {number}\n"


@needs_node
@needs_browser
def test_versions_and_aliases_are_made_and_looked_at(console_server: Server) -> None:
    client = console_server.client("lambda")
    files = {"lambda_function.py": _returning(1)}
    create_function(client, "numbered", files, Runtime=PYTHON, Handler="lambda_function.lambda_handler")
    client.publish_version(FunctionName="numbered", Description="the first")
    client.update_function_code(
        FunctionName="numbered", ZipFile=package({"lambda_function.py": _returning(2), "more.txt": "more"})
    )
    assert play("versions", {"url": console_server.url}) == ["the code of a version"]
