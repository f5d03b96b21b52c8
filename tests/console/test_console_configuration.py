"""The console's settings of a function, in a browser against a real server."""

from __future__ import annotations

from console.scenarios import PYTHON, needs_browser, needs_node, play
from served import Server, create_function


@needs_node
@needs_browser
def test_settings_are_changed_in_the_page(console_server: Server) -> None:
    client = console_server.client("lambda")
    create_function(client, "settled", "def handler(event, context):\n    return event\n", Runtime=PYTHON)
    assert play("configuration", {"url": console_server.url}) == ["general settings, with a mistake"]
    found = client.get_function_configuration(FunctionName="settled")
    assert (found["MemorySize"], found["EphemeralStorage"]["Size"], found["Timeout"]) == (256, 1024, 17)
    assert found["Description"] == "set in the page"
