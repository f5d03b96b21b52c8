"""Requests to function URLs over HTTP: the event that a function gets, the answer that its result means, and access."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from served import Server
from streamed import messages_until

ECHO = """
import json
def handler(event, context):
    if event["rawPath"] == "/result":
        return json.loads(event["body"])
    if event["rawPath"] == "/fail":
        raise RuntimeError("no")
    return {"statusCode": 200, "body": json.dumps({"event": event, "arn": context.invoked_function_arn,
                                                   "id": context.aws_request_id})}
"""
PUBLIC = (
    {"StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"},
    {"StatementId": "via", "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": True},
)

Answer = tuple[int, dict[str, str], bytes]


class Url:
    """A function URL, and what its clients send there."""

    def __init__(self, server: Server, address: str, name: str) -> None:
        self.address = address
        self.name = name
        self.host = urlsplit(address).netloc
        self.id = self.host.partition(".")[0]
        self._server = urlsplit(server.url)

    def ask(
        self, method: str = "GET", path: str = "/", body: bytes | None = None, *, host: str | None = None,
        headers: list[tuple[str, str]] | None = None,
    ) -> Answer:  # fmt: skip
        connection = http.client.HTTPConnection(self._server.hostname or "", self._server.port, timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host or self.host)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        for name, value in headers or []:
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        self.cookies = answer.msg.get_all("set-cookie") or []
        connection.close()
        return found

    def bare(self, text: str, *, shut: bool = False) -> bytes:
        """What comes back for these bytes, at least the first of it. `shut`: the client's half ends behind them."""
        with socket.create_connection((self._server.hostname or "", self._server.port or 0), timeout=30) as connection:
            connection.sendall(text.encode())
            if shut:
                connection.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: connection.recv(65536), b""))
            return connection.recv(65536)

    def event(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        status, _, body = self.ask(*arguments, **options)
        assert status == 200, body
        document: dict[str, Any] = json.loads(body)
        return document

    def result(self, value: Any) -> Answer:
        """The answer that this result of the function means."""
        headers = [("Content-Type", "application/json")]
        return self.ask("POST", "/result", json.dumps(value).encode(), headers=headers)


@pytest.fixture
def url(server: Server, lambda_client: Any, function: Callable[..., str]) -> Url:
    name = function(ECHO)
    return opened(server, lambda_client, name)


def opened(server: Server, client: Any, name: str, qualifier: dict[str, str] | None = None, **config: Any) -> Url:
    """The URL of a function, which everybody may use."""
    given = {"AuthType": "NONE", **config, **(qualifier or {})}
    address = client.create_function_url_config(FunctionName=name, **given)["FunctionUrl"]
    for statement in PUBLIC:
        client.add_permission(FunctionName=name, **statement, **(qualifier or {}))
    return Url(server, address, name)


def test_the_event_says_what_was_asked(url: Url) -> None:
    headers = [("Content-Type", "application/json; charset=utf-8"), ("X-Twice", "a"), ("x-twice", "b"),
               ("Cookie", "one=1; two=2"), ("User-Agent", "test/echo")]  # fmt: skip
    before = time.time()
    found = url.event("POST", "/pa2%Fth/1?q=a%20b&m=1&m=2&empty=", '{"ü": 1}'.encode(), headers=headers)
    event, context = found["event"], found["event"]["requestContext"]
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "$default", "/pa2%Fth/1")
    assert event["rawQueryString"] == "q=a%20b&m=1&m=2&empty="
    assert event["queryStringParameters"] == {"q": "a b", "m": "1,2", "empty": ""}
    assert event["cookies"] == ["one=1", "two=2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"ü": 1}', False)
    assert event["headers"]["x-twice"] == "a,b"
    assert event["headers"]["host"] == url.host
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-forwarded-for"] == context["http"]["sourceIp"] == "127.0.0.1"
    assert event["headers"]["x-amzn-trace-id"].startswith("Root=1-")
    assert context["http"] == {"method": "POST", "path": "/pa2%Fth/1", "protocol": "HTTP/1.1",
                               "sourceIp": "127.0.0.1", "userAgent": "test/echo"}  # fmt: skip
    assert (context["accountId"], context["apiId"], context["stage"]) == ("anonymous", url.id, "$default")
    assert context["domainName"] == f"{url.id}.lambda-url.us-east-1.localhost"
    assert context["requestId"] == found["id"]
    assert before * 1000 - 1 <= context["timeEpoch"] <= time.time() * 1000
    assert "authorizer" not in context


def test_what_is_not_there_is_left_out(url: Url) -> None:
    event = url.event()["event"]
    assert not {"body", "cookies", "queryStringParameters"} & event.keys()
    assert (event["rawQueryString"], event["isBase64Encoded"]) == ("", False)


@pytest.mark.parametrize("kind", ["application/octet-stream", "multipart/form-data; boundary=x", "image/png"])
def test_other_bodies_than_text_are_encoded(url: Url, kind: str) -> None:
    event = url.event("PUT", "/", b"\x00\xff--x", headers=[("Content-Type", kind)])["event"]
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\x00\xff--x", True)


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ({"hello": "world"}, b'{"hello":"world"}'), ("hello", b"hello"), (["hello", 3, True], b'["hello",3,true]'),
        (3.1, b"3.1"), (True, b"true"), (None, b"null"), ({"body": "x"}, b'{"body":"x"}'),
    ],
)  # fmt: skip
def test_results_without_a_status(url: Url, result: Any, body: bytes) -> None:
    status, headers, found = url.result(result)
    assert (status, headers["content-type"], found) == (200, "application/json", body)


def test_results_with_a_status(url: Url) -> None:
    encoded = base64.b64encode(b"\x00\x01").decode()
    result = {"statusCode": 418, "headers": {"Content-Type": "image/png", "X-Own": 7, "Date": "never"},
              "cookies": ["a=1; Path=/", "b=2"], "body": encoded, "isBase64Encoded": True}  # fmt: skip
    status, headers, body = url.result(result)
    assert (status, headers["content-type"], body) == (418, "image/png", b"\x00\x01")
    assert (headers["x-own"], headers["x-amzn-remapped-date"]) == ("7", "never")
    assert url.cookies == ["a=1; Path=/", "b=2"]
    assert url.result({"statusCode": 200, "body": {"a": [1]}})[2] == b'{"a":[1]}'
    assert url.result({"statusCode": 204})[::2] == (204, b"")
    assert url.result({"statusCode": 304, "body": "HTTP/1.1 200 OK\r\n\r\n"})[::2] == (304, b"")


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "many"}, {"statusCode": 42}, {"statusCode": 100, "body": "HTTP/1.1 200 OK\r\n\r\n"},
        {"statusCode": 199}, {"statusCode": True}, {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True}, {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "headers": {"X": "a\r\nY: b"}}, {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "headers": {"X": {"deep": 1}}},
    ],
)  # fmt: skip
def test_results_that_are_no_answers(url: Url, result: Any) -> None:
    status, headers, body = url.result(result)
    assert (status, headers["content-type"], body) == (502, "application/json", b"Internal Server Error")


def test_an_error_of_the_function_is_not_told(url: Url, logs_client: Any) -> None:
    assert url.ask("GET", "/fail")[::2] == (502, b"Internal Server Error")
    found = messages_until(logs_client, url.name, lambda lines: any("RuntimeError" in line for line in lines))
    assert any("RuntimeError: no" in line for line in found)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"statusCode": 200, "body": "?", "isBase64Encoded": True}, "body is not in base64"),
        ({"statusCode": 200, "body": {}, "isBase64Encoded": True}, "body is not in base64"),
        ({"statusCode": "many"}, "statusCode is no status"),
        ({"statusCode": 200, "headers": {"X": "a\x01"}}, "a header has control characters"),
    ],
)
def test_why_a_result_is_no_answer_is_in_the_function_s_log(
    url: Url, result: Any, reason: str, logs_client: Any
) -> None:
    assert url.result(result)[0] == 502
    found = messages_until(logs_client, url.name, lambda lines: any(reason in line for line in lines))
    assert any("cannot be an answer of its URL" in line and reason in line for line in found)


def test_heads_that_are_too_large_or_no_http(url: Url) -> None:
    large = [("X-Large", "x" * 65_000) for _ in range(8)]
    assert len(url.event(headers=large)["event"]["headers"]["x-large"]) == 8 * 65_001 - 1
    # Sent in bytes: http.client would not.
    head = f"GET / HTTP/1.1\r\nHost: {url.host}\r\n"
    assert url.bare(head + "X-Large: " + "x" * (2 << 20) + "\r\n\r\n").startswith(b"HTTP/1.1 431")
    assert url.bare(head + "no colon\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert url.bare(f"GET / HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: x\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert url.bare(f"GET /a b HTTP/1.1\r\nHost: {url.host}\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_a_client_that_has_said_everything_still_gets_the_answer(url: Url) -> None:
    head = f"POST / HTTP/1.1\r\nHost: {url.host}\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n"
    answer = url.bare(head + "body", shut=True)
    assert answer.startswith(b"HTTP/1.1 200")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["event"]["body"] == "body"
    # One that has not is gone.
    assert url.bare(head + "bod", shut=True) == b""


def test_names_and_paths_that_lead_to_a_url(url: Url, server: Server) -> None:
    there = url.event("GET", "/a/b?c=1", host=f"{url.id}.lambda-url.us-east-1.on.aws")["event"]
    assert there["requestContext"]["domainName"] == f"{url.id}.lambda-url.us-east-1.on.aws"
    status, headers, body = url.ask("GET", f"/_ingle/function-urls/{url.id}/a/b?c=1", host=urlsplit(server.url).netloc)
    assert (status, json.loads(body)["event"]["rawPath"]) == (200, "/a/b")
    assert headers["content-security-policy"].startswith("sandbox")
    other = url.ask(host=f"{'0' * 32}.lambda-url.us-east-1.localhost")
    assert (other[0], other[1]["x-amzn-errortype"], json.loads(other[2])) == (
        403, "AccessDeniedException", {"Message": None},
    )  # fmt: skip


def test_without_permission_nobody_may(server: Server, lambda_client: Any, function: Callable[..., str]) -> None:
    name = function(ECHO)
    address = lambda_client.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    url = Url(server, address, name)
    for statement in PUBLIC:
        status, headers, body = url.ask()
        assert (status, headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
        assert json.loads(body)["Message"].startswith("Forbidden. For troubleshooting Function URL authorization")
        lambda_client.add_permission(FunctionName=name, **statement)
    assert url.ask()[0] == 200
    lambda_client.remove_permission(FunctionName=name, StatementId="via")
    assert url.ask()[0] == 403


def test_aws_iam_needs_a_signature(server: Server, lambda_client: Any, function: Callable[..., str]) -> None:
    name = function(ECHO)
    created = lambda_client.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    url = Url(server, created["FunctionUrl"], name)
    assert url.ask()[0] == 403
    signature = (
        "AWS4-HMAC-SHA256 Credential=AKID/20300101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
    )
    context = url.event(headers=[("Authorization", signature)])["event"]["requestContext"]
    assert context["authorizer"]["iam"]["accessKey"] == "AKID"
    assert context["accountId"] == "000000000000"


def test_the_url_of_an_alias_leads_to_it(server: Server, lambda_client: Any, function: Callable[..., str]) -> None:
    name = function(ECHO, Publish=True)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    url = opened(server, lambda_client, name, {"Qualifier": "live"})
    assert url.event()["arn"].endswith(f"{name}:live")
    lambda_client.delete_alias(FunctionName=name, Name="live")
    assert url.ask()[0] == 403


CORS = {
    "AllowOrigins": ["https://example.com"], "AllowMethods": ["GET", "POST"], "AllowHeaders": ["x-own"],
    "ExposeHeaders": ["x-seen"], "MaxAge": 60, "AllowCredentials": True,
}  # fmt: skip


def test_browsers_are_told_who_may(server: Server, lambda_client: Any, function: Callable[..., str]) -> None:
    url = opened(server, lambda_client, function(ECHO), Cors=CORS)
    origin = ("Origin", "https://example.com")
    status, headers, body = url.ask("OPTIONS", headers=[origin, ("Access-Control-Request-Method", "POST")])
    assert (status, body) == (200, b"")
    assert {name: value for name, value in headers.items() if name.startswith("access-control")} == {
        "access-control-allow-origin": "https://example.com", "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "x-own", "access-control-max-age": "60",
        "access-control-allow-credentials": "true",
    }  # fmt: skip
    _, headers, _ = url.ask(headers=[origin])
    assert headers["access-control-allow-origin"] == "https://example.com"
    assert (headers["access-control-expose-headers"], headers["vary"]) == ("x-seen", "Origin")
    _, headers, _ = url.ask(headers=[("Origin", "https://elsewhere.com")])
    assert "access-control-allow-origin" not in headers


def test_without_cors_the_function_answers_preflights(url: Url) -> None:
    preflight = [("Origin", "https://example.com"), ("Access-Control-Request-Method", "POST")]
    assert url.event("OPTIONS", headers=preflight)["event"]["requestContext"]["http"]["method"] == "OPTIONS"


def test_a_throttled_function_says_so(server: Server, lambda_client: Any, function: Callable[..., str]) -> None:
    name = function(ECHO)
    url = opened(server, lambda_client, name)
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert url.ask()[0] == 429


def test_what_is_too_large_is_refused(url: Url) -> None:
    assert url.ask("POST", "/", b"x" * 6_291_457, headers=[("Connection", "close")])[0] == 413


def test_head_has_no_body(url: Url) -> None:
    status, headers, body = url.ask("HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0
