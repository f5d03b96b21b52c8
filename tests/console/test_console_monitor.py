"""The console's monitor of a function, in a browser against a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from access_site import Site, allow
from console.scenarios import PYTHON, needs_browser, needs_node, play
from served import Server, create_function

SOURCE = """
import json, logging, time
logging.getLogger().setLevel("INFO")
def handler(event, context):
    print("seen", event)
    logging.warning("be careful")
    if event.get("fail"):
        raise ValueError("no good")
    time.sleep(event.get("sleep", 0))
    return event
"""
STRUCTURED = """
import logging
def handler(event, context):
    logging.warning("a careful word")
    for number in range(event.get("lines", 0)):
        print("line", number)
"""


class Watched:
    """A function that did what is counted here."""

    def __init__(self, server: Server) -> None:
        self.lambda_ = server.client("lambda")
        create_function(self.lambda_, "watched", SOURCE, Runtime=PYTHON, Timeout=1)
        self.ids: dict[str, str] = {}

    def call(self, name: str, event: dict[str, Any], **more: Any) -> None:
        answer = self.lambda_.invoke(FunctionName="watched", Payload=json.dumps(event), **more)
        self.ids[name] = answer["ResponseMetadata"]["RequestId"]

    def shift(self) -> None:
        """An alias that leads to one version, and then to another."""
        first = self.lambda_.publish_version(FunctionName="watched")["Version"]
        self.lambda_.create_alias(FunctionName="watched", Name="live", FunctionVersion=first)
        self.call("first", {}, Qualifier="live")
        self.lambda_.update_function_configuration(FunctionName="watched", Description="the next one")
        self.lambda_.get_waiter("function_updated_v2").wait(FunctionName="watched")
        second = self.lambda_.publish_version(FunctionName="watched")["Version"]
        self.lambda_.update_alias(FunctionName="watched", Name="live", FunctionVersion=second)
        self.call("second", {}, Qualifier="live")
        self.call("third", {}, Qualifier="live")

    def throttle(self) -> None:
        self.lambda_.put_function_concurrency(FunctionName="watched", ReservedConcurrentExecutions=0)
        with pytest.raises(ClientError, match="TooManyRequests"):
            self.call("refused", {})
        self.lambda_.delete_function_concurrency(FunctionName="watched")


@pytest.fixture
def watched(console_server: Server) -> Watched:
    return Watched(console_server)


@needs_node
@needs_browser
def test_what_a_function_did_is_seen(console_server: Server, watched: Watched) -> None:
    lambda_ = watched.lambda_
    create_function(
        lambda_,
        "structured",
        STRUCTURED,
        Runtime=PYTHON,
        Timeout=30,
        MemorySize=1024,
        LoggingConfig={"LogFormat": "JSON"},
    )
    create_function(lambda_, "quiet", SOURCE, Runtime=PYTHON)
    lambda_.invoke(FunctionName="structured")
    watched.call("cold", {})
    watched.call("warm", {"number": 1})
    watched.call("failed", {"fail": True})
    watched.call("late", {"sleep": 5})
    watched.call("queued", {"queued": True}, InvocationType="Event")
    watched.shift()
    watched.throttle()
    given = {
        "url": console_server.url, "invocations": 8, "errors": 2, "throttles": 1, "events": 1, "alias": 3,
        "versions": [1, 2], "cold": 4, "ids": watched.ids, "warning": "[WARNING]",
    }  # fmt: skip

    def answer(asked: Any) -> str:
        lambda_.invoke(FunctionName=asked.get("name", "watched"), Payload=json.dumps(asked["event"]))
        return "done"

    assert play("monitor", given, answer) == [
        "graphs", "a log", "a log by request", "jumping to a time", "a line of JSON in the dark",
        "a log in a narrow window", "no log yet", "invocations",
    ]  # fmt: skip


@needs_node
@needs_browser
def test_what_may_not_be_seen_is_said(directory: Path) -> None:
    server = Server(directory / "data", INGLE_AUTH="iam").start()
    try:
        site = Site(server)
        create_function(site.lambda_, "watched", SOURCE, Role=site.role(), Runtime=PYTHON)
        key, secret, _ = site.user(allow("lambda:GetFunctionConfiguration"))
        checked = play("monitordenied", {"url": server.url, "key": key, "secret": secret})
        assert checked == ["metrics that are denied", "a log that is denied"]
    finally:
        assert server.stop() == 0
