"""The console's monitor of a function, in a browser against a real server."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from access_site import Site, allow
from console.scenarios import PYTHON, needs_browser, needs_node, play
from served import Server, create_function, settle

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
    """A function, and what it is called for."""

    def __init__(self, server: Server) -> None:
        self.lambda_ = server.client("lambda")
        self._logs = server.client("logs")
        create_function(self.lambda_, "watched", SOURCE, Runtime=PYTHON, Timeout=1)
        #: Request ids by the name of the call.
        self.ids: dict[str, str] = {}

    def call(self, name: str, event: dict[str, Any], **more: Any) -> None:
        answer = self.lambda_.invoke(FunctionName="watched", Payload=json.dumps(event), **more)
        self.ids[name] = answer["ResponseMetadata"]["RequestId"]

    def answer(self, asked: Any) -> str:
        """Calls it, as a scenario asks."""
        self.call("asked", asked["event"])
        return "done"

    def simple(self) -> None:
        self.call("cold", {})
        self.call("warm", {"number": 1})
        self.call("failed", {"fail": True})

    def queue(self) -> None:
        """An asynchronous event, until it is over."""
        self.call("queued", {"queued": True}, InvocationType="Event")
        pattern = f'"REPORT RequestId: {self.ids["queued"]}"'
        for _ in range(300):
            if self._logs.filter_log_events(logGroupName="/aws/lambda/watched", filterPattern=pattern)["events"]:
                return
            time.sleep(0.1)
        raise AssertionError("the event was not run")

    def shift(self) -> None:
        """An alias that leads to one version, and then to another."""
        first = self.lambda_.publish_version(FunctionName="watched")["Version"]
        self.lambda_.create_alias(FunctionName="watched", Name="live", FunctionVersion=first)
        self.call("first", {}, Qualifier="live")
        self.lambda_.update_function_configuration(FunctionName="watched", Description="the next one")
        settle(self.lambda_, "watched")
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
def test_figures_are_those_of_what_was_done(console_server: Server, watched: Watched) -> None:
    watched.simple()
    watched.call("late", {"sleep": 5})
    watched.queue()
    watched.shift()
    watched.throttle()
    given = {
        "url": console_server.url, "invocations": 8, "errors": 2, "throttles": 1, "events": 1, "alias": 3,
        "versions": [1, 2], "cold": 4, "ids": watched.ids,
    }  # fmt: skip
    assert play("monitor", given) == ["graphs", "invocations"]


@needs_node
@needs_browser
def test_a_log_is_watched_and_searched(console_server: Server, watched: Watched) -> None:
    watched.simple()
    watched.shift()
    given = {"url": console_server.url, "errors": 1, "ids": watched.ids, "warning": "[WARNING]"}
    assert play("logs", given, watched.answer) == ["a log", "a log by request", "jumping to a time"]


@pytest.mark.thorough
@needs_node
@needs_browser
def test_lines_in_json_very_many_and_none_are_shown(console_server: Server) -> None:
    lambda_ = console_server.client("lambda")
    as_json = {"LoggingConfig": {"LogFormat": "JSON"}, "Timeout": 30, "MemorySize": 1024}
    create_function(lambda_, "structured", STRUCTURED, Runtime=PYTHON, **as_json)
    create_function(lambda_, "quiet", SOURCE, Runtime=PYTHON)
    lambda_.invoke(FunctionName="structured")

    def answer(asked: Any) -> str:
        lambda_.invoke(FunctionName=asked["name"], Payload=json.dumps(asked["event"]))
        return "done"

    assert play("lines", {"url": console_server.url}, answer) == [
        "a line of JSON in the dark", "a log in a narrow window", "no log yet",
    ]  # fmt: skip


@pytest.mark.thorough
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
