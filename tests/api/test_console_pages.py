"""What a server answers at the console's addresses."""

from __future__ import annotations

import gzip
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from served import Server

PAGE = "/_ingle/console/us-east-1/functions/any/code"


def ask(address: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as answer:
            return answer.status, dict(answer.headers.items()), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers.items()), error.read()


def test_the_console_or_how_to_get_it_is_at_its_address(endpoint: str) -> None:
    status, headers, body = ask(f"{endpoint}/_ingle/console")
    assert status in (200, 503)
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert b"<title>Ingle</title>" in body
    assert ask(endpoint + PAGE)[2] == body
    status, headers, packed = ask(endpoint + PAGE, **{"Accept-Encoding": "gzip"})
    assert (gzip.decompress(packed) if status == 200 else packed) == body


def test_links_from_elsewhere_may_lead_there_and_nowhere_else(endpoint: str) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask(endpoint + PAGE, **link)[0] in (200, 503)
    assert ask(endpoint + PAGE, **{**link, "Sec-Fetch-Dest": "iframe"})[0] == 403
    assert ask(endpoint + "/_ingle/health", **link)[0] == 403


def test_functions_do_not_get_it(lambda_client: Any, function: Callable[..., str]) -> None:
    source = """
import os, urllib.error, urllib.request
def handler(event, context):
    try:
        return urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_ingle/console/").status
    except urllib.error.HTTPError as error:
        return error.code
"""
    answer = lambda_client.invoke(FunctionName=function(source))
    assert answer["Payload"].read() == b"403"


@pytest.fixture
def without(directory: Path):
    running = Server(directory / "data", INGLE_CONSOLE="off").start()
    yield running
    assert running.stop() == 0


def test_it_can_be_left_out(without: Server) -> None:
    assert ask(f"{without.url}/_ingle/console")[0] == 404
    assert ask(without.url + PAGE)[0] == 404
