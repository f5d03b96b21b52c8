"""Function URLs with InvokeMode RESPONSE_STREAM: the prelude, the body as it is written, and what goes wrong."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from served import Server
from streamed import INTEGRATION, messages_until, steps, streaming

MB = 1 << 20
PUBLIC = (
    {"StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"},
    {"StatementId": "via", "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": True},
)
BEGIN = ["begin", {"Content-Type": INTEGRATION}]


def prelude(**head: Any) -> list[Any]:
    return ["write", json.dumps(head) + "\0" * 8]


class Url:
    """The streaming URL of a function that does what it is sent."""

    def __init__(self, server: Server, client: Any, name: str, **config: Any) -> None:
        given = {"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM", **config}
        self.name = name
        self.config = client.create_function_url_config(FunctionName=name, **given)
        for statement in PUBLIC:
            client.add_permission(FunctionName=name, **statement)
        self.host = urlsplit(self.config["FunctionUrl"]).netloc
        self._server = urlsplit(server.url)
        self._open: list[http.client.HTTPConnection] = []

    def ask(
        self, *given: list[Any], method: str = "POST", headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._server.netloc, timeout=30)
        self._open.append(connection)
        connection.request(
            method, "/", steps(*given), {"Host": self.host, **(headers or {}), "Content-Type": "a/json+json"}
        )
        return connection.getresponse()

    def bare(self, text: str) -> socket.socket:
        """A connection on which that was sent."""
        connection = socket.create_connection((self._server.hostname or "", self._server.port or 0), timeout=30)
        connection.sendall(text.replace("HOST", self.host).encode())
        return connection

    def close(self) -> None:
        for connection in self._open:
            connection.close()


@pytest.fixture
def url(server: Server, lambda_client: Any, function: Callable[..., str]) -> Iterator[Url]:
    made = Url(server, lambda_client, streaming(function))
    yield made
    made.close()


def test_a_prelude_says_status_headers_and_cookies(url: Url) -> None:
    head = prelude(statusCode=418, headers={"X-Own": "a", "Content-Type": "text/plain", "Date": "never"},
                   cookies=["a=1; Secure", "b=2"])  # fmt: skip
    answer = url.ask(BEGIN, head, ["write", "body"], ["end"])
    assert (answer.status, answer.read()) == (418, b"body")
    assert (answer.getheader("x-own"), answer.getheader("content-type")) == ("a", "text/plain")
    assert answer.getheader("x-amzn-remapped-date") == "never"
    assert answer.msg.get_all("set-cookie") == ["a=1; Secure", "b=2"]
    assert answer.getheader("transfer-encoding") == "chunked"
    assert answer.getheader("x-amzn-requestid")
    assert (answer.getheader("x-amzn-trace-id") or "").startswith("Root=1-")


def test_a_prelude_may_come_in_pieces_and_say_nothing(url: Url) -> None:
    answer = url.ask(BEGIN, ["write", "{}\0\0\0"], ["write", "\0\0\0"], ["write", "\0\0\0\0body"], ["end"])
    assert (answer.status, answer.read()) == (200, b"\0\0body")
    assert answer.getheader("content-type") == "application/octet-stream"


def test_without_a_prelude_the_type_is_what_the_runtime_said(url: Url) -> None:
    answer = url.ask(["begin", {"Content-Type": "text/event-stream"}], ["write", "data: 1\n\n"], ["end"])
    assert (answer.status, answer.getheader("content-type"), answer.read()) == (
        200,
        "text/event-stream",
        b"data: 1\n\n",
    )
    answer = url.ask(["write", "{}"], ["end"])
    assert (answer.status, answer.getheader("content-type")) == (200, "application/octet-stream")
    answer = url.ask(["end"])
    assert (answer.status, answer.read()) == (200, b"")


def test_bytes_arrive_while_the_function_writes(url: Url, lambda_client: Any) -> None:
    arn = lambda_client.get_function(FunctionName=url.name)["Configuration"]["FunctionArn"]
    given: list[Any] = []
    for number in range(1, 4):
        given += [["write", f"{number}"], ["acknowledged", number]]
    answer = url.ask(BEGIN, prelude(), *given, ["end"])
    for number in range(1, 4):
        assert answer.read1(10) == str(number).encode()
        lambda_client.tag_resource(Resource=arn, Tags={"seen": str(number)})
    assert answer.read() == b""


def test_a_handler_that_knows_nothing_of_streams(
    server: Server, lambda_client: Any, function: Callable[..., str]
) -> None:
    source = (
        "def handler(event, context):\n    return {'statusCode': 201, 'body': event['rawPath'], 'cookies': ['a=1']}"
    )
    plain = Url(server, lambda_client, function(source))
    answer = plain.ask()
    assert (answer.status, answer.read(), answer.getheader("set-cookie")) == (201, b"/", "a=1")
    plain.close()


@pytest.mark.parametrize("begin", [BEGIN, ["begin", {}]], ids=["prelude", "plain"])
@pytest.mark.parametrize("end", [["exit", 3], ["end", {"Lambda-Runtime-Function-Error-Type": "Mine"}], ["close"]])
def test_an_error_before_the_first_byte_has_its_status(url: Url, begin: list[Any], end: list[Any]) -> None:
    answer = url.ask(begin, end)
    assert (answer.status, answer.read()) == (502, b"Internal Server Error")
    answer = url.ask(["error", '{"errorType": "Mine"}', "Mine"])
    assert answer.status == 502


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no json" + "\0" * 8, "not JSON"),
        ("[]" + "\0" * 8, "no object"),
        ('{"statusCode": "many"}' + "\0" * 8, "no status"),
        ('{"statusCode": 103}' + "\0" * 8, "no status"),
        ('{"headers": {"a b": "c"}}' + "\0" * 8, "name that no header can have"),
        ('{"headers": {"a": "c\\u0001"}}' + "\0" * 8, "control characters"),
        ('{"cookies": "a"}' + "\0" * 8, "no list"),
        ('{"statusCode": 200}' + "\0" * 7, "eight zero bytes"),
        ("", "eight zero bytes"),
        ("x" * (2 * MB), "no end of a prelude"),
    ],
)
def test_a_prelude_that_is_none(url: Url, text: str, reason: str, logs_client: Any) -> None:
    """Callers are told nothing, the function's log says it."""
    given = [["write", text]] if text else []
    answer = url.ask(BEGIN, *given, ["end"])
    assert (answer.status, answer.read()) == (502, b"Internal Server Error")
    found = messages_until(logs_client, url.name, lambda lines: any(reason in line for line in lines))
    assert any("cannot be an answer of its URL" in line and reason in line for line in found)
    assert url.ask(["write", "again"], ["end"]).read() == b"again"


@pytest.mark.parametrize("end", [["exit", 3], ["end", {"Lambda-Runtime-Function-Error-Type": "Mine"}], ["close"]])
def test_an_error_in_the_middle_ends_the_connection(url: Url, end: list[Any]) -> None:
    answer = url.ask(BEGIN, prelude(statusCode=201), ["write", "half"], end)
    assert answer.status == 201
    with pytest.raises(http.client.IncompleteRead) as raised:
        answer.read()
    assert raised.value.partial in (b"half", b"")
    assert url.ask(["write", "again"], ["end"]).read() == b"again"


def test_a_function_that_takes_too_long_in_the_middle(
    server: Server, lambda_client: Any, function: Callable[..., str]
) -> None:
    slow = Url(server, lambda_client, streaming(function, Timeout=1))
    answer = slow.ask(["write", "half"], ["hang"])
    assert answer.status == 200
    with pytest.raises(http.client.IncompleteRead):
        answer.read()
    slow.close()


def test_a_status_without_a_body_has_none(url: Url) -> None:
    for status in (204, 304):
        answer = url.ask(BEGIN, prelude(statusCode=status), ["write", "body"], ["end"])
        assert (answer.status, answer.read(), answer.getheader("transfer-encoding")) == (status, b"", None)


def test_head_has_no_body_and_the_connection_goes_on(url: Url) -> None:
    with url.bare("HEAD / HTTP/1.1\r\nHost: HOST\r\nContent-Type: text/plain\r\n") as connection:
        body = steps(BEGIN, prelude(statusCode=203), ["write", "body"], ["end"])
        connection.sendall(f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        connection.sendall(b"GET /_ingle/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    heads = received.split(b"\r\n\r\n")
    assert heads[0].startswith(b"HTTP/1.1 203")
    assert heads[1].startswith(b"HTTP/1.1 200")


def test_a_client_of_http_1_0_reads_to_the_end_of_the_connection(url: Url) -> None:
    def answer(*given: list[Any]) -> bytes:
        body = steps(*given)
        head = f"POST / HTTP/1.0\r\nHost: HOST\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        with url.bare(head + body) as connection:
            return b"".join(iter(lambda: connection.recv(65536), b""))

    head, _, body = answer(["write", "one"], ["fill", MB, 65536], ["end"]).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert body == b"one" + b"." * MB
    with pytest.raises(ConnectionResetError):
        answer(["write", "half"], ["exit", 3])


def test_a_client_that_leaves_stops_nothing(url: Url, logs_client: Any) -> None:
    body = steps(["write", "first"], ["fill", 64 * MB, MB], ["end"])
    head = f"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    with url.bare(head + body) as connection:
        received = b""
        while b"first" not in received:
            received += connection.recv(65536)
    found = messages_until(logs_client, url.name, lambda lines: any("answered 202" in line for line in lines))
    assert any("answered 202" in line for line in found)


def test_browsers_are_told_who_may(server: Server, lambda_client: Any, function: Callable[..., str]) -> None:
    cors = {"AllowOrigins": ["https://here.example"], "AllowMethods": ["POST"], "ExposeHeaders": ["x-own"]}
    open_to_some = Url(server, lambda_client, streaming(function), Cors=cors)
    origin = {"Origin": "https://here.example"}
    answer = open_to_some.ask(
        BEGIN, prelude(headers={"Access-Control-Allow-Origin": "*"}), ["end"], headers=origin
    )  # fmt: skip
    assert answer.msg.get_all("access-control-allow-origin") == ["https://here.example"]
    assert answer.getheader("access-control-expose-headers") == "x-own"
    preflight = open_to_some.ask(method="OPTIONS", headers={**origin, "Access-Control-Request-Method": "POST"})
    assert (preflight.status, preflight.getheader("access-control-allow-methods")) == (200, "POST")
    open_to_some.close()


def test_the_mode_can_be_changed(url: Url, lambda_client: Any) -> None:
    given = (["write", '{"statusCode": 202, "body": "x"}'], ["end"])
    streamed = url.ask(*given)
    assert (streamed.status, json.loads(streamed.read())["body"]) == (200, "x")
    lambda_client.update_function_url_config(FunctionName=url.name, InvokeMode="BUFFERED")
    buffered = url.ask(*given)
    assert (buffered.status, buffered.read()) == (202, b"x")
    lambda_client.update_function_url_config(FunctionName=url.name, InvokeMode="RESPONSE_STREAM")
    assert url.ask(*given).status == 200


def test_refusals_are_those_of_other_urls(server: Server, lambda_client: Any, function: Callable[..., str]) -> None:
    name = streaming(function)
    closed = Url(server, lambda_client, name, AuthType="AWS_IAM")
    assert closed.ask(["end"]).status == 403
    lambda_client.update_function_url_config(FunctionName=name, AuthType="NONE")
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert closed.ask(["end"]).status == 429
    lambda_client.delete_function_concurrency(FunctionName=name)
    lambda_client.remove_permission(FunctionName=name, StatementId="via")
    assert closed.ask(["end"]).status == 403
    closed.close()


def test_a_stream_below_the_path_is_sandboxed(url: Url, server: Server) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    head = prelude(headers={"Content-Security-Policy": "none"})
    path = f"/_ingle/function-urls/{url.host.partition('.')[0]}/"
    connection.request("POST", path, steps(BEGIN, head, ["write", "x"], ["end"]), {"Content-Type": "text/plain"})
    answer = connection.getresponse()
    assert (answer.read(), answer.msg.get_all("content-security-policy")) == (
        b"x",
        ["sandbox allow-forms allow-scripts"],
    )
    connection.close()
