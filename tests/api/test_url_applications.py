"""Web applications behind function URLs, by the adapters that people use: Mangum for ASGI, apig-wsgi for WSGI."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from served import Server

#: Answers with what it was asked, in the words of its interface; `/binary` and `/redirect` are of their own.
ASGI = """
import json
from mangum import Mangum

async def application(scope, receive, send):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    status, headers, answer = 200, [(b"content-type", b"application/json")], b""
    if scope["path"] == "/binary":
        headers, answer = [(b"content-type", b"image/png")], bytes(range(256))
    elif scope["path"] == "/redirect":
        status, headers = 303, [(b"location", b"/there"), (b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2")]
    elif scope["path"] == "/fail":
        raise ValueError("the application failed")
    else:
        answer = json.dumps({"method": scope["method"], "path": scope["path"], "query": scope["query_string"].decode(),
                             "headers": {k.decode(): v.decode() for k, v in scope["headers"]},
                             "body": list(body)}).encode()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})

handler = Mangum(application, lifespan="off")
"""
WSGI = """
import json
from apig_wsgi import make_lambda_handler

def application(environ, start_response):
    body = environ["wsgi.input"].read()
    path = environ["PATH_INFO"]
    if path == "/binary":
        start_response("200 OK", [("Content-Type", "image/png")])
        return [bytes(range(256))]
    if path == "/redirect":
        start_response("303 See Other", [("Location", "/there"), ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2")])
        return [b""]
    if path == "/fail":
        raise ValueError("the application failed")
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"method": environ["REQUEST_METHOD"], "path": path.encode("latin-1").decode(),
                        "query": environ["QUERY_STRING"], "headers": headers, "body": list(body)}).encode()]

handler = make_lambda_handler(application, binary_support=True)
"""


def installed(*names: str) -> dict[str, str | bytes]:
    """The files of installed distributions. Skips the test where one is not installed."""
    found: dict[str, str | bytes] = {}
    for name in names:
        try:
            files = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:
            pytest.skip(f"{name} is not installed")
        for file in files:
            path = Path(str(file.locate()))
            if path.suffix == ".py" and ".." not in file.parts:
                found[str(file)] = path.read_bytes()
    return found


class Site:
    """An application at its URL."""

    def __init__(self, server: Server, client: Any, name: str, mode: str) -> None:
        given = {"AuthType": "NONE", "InvokeMode": mode}
        self.host = urlsplit(client.create_function_url_config(FunctionName=name, **given)["FunctionUrl"]).netloc
        public = {"FunctionName": name, "Principal": "*"}
        client.add_permission(**public, StatementId="a", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
        client.add_permission(**public, StatementId="b", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)
        self._connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request(method, path, body, {"Host": self.host, **headers})
        answer = self._connection.getresponse()
        return answer, answer.read()

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(params=["ASGI", "WSGI"])
def application(request: Any) -> dict[str, str | bytes]:
    if request.param == "ASGI":
        return {"app.py": ASGI, **installed("mangum", "typing-extensions")}
    return {"app.py": WSGI, **installed("apig-wsgi")}


@pytest.fixture(params=["BUFFERED", "RESPONSE_STREAM"])
def site(
    request: Any, server: Server, lambda_client: Any, function: Callable[..., str], application: dict[str, str | bytes]
) -> Iterator[Site]:
    """In both modes: an adapter that does not stream answers as a whole, and that is an answer in either."""
    made = Site(server, lambda_client, function(application), request.param)
    yield made
    made.close()


def test_the_application_is_asked_what_the_client_asked(site: Site) -> None:
    query = urlencode([("q", "a b"), ("many", "1"), ("many", "2")])
    headers = {"Content-Type": "application/json", "Cookie": "one=1; two=2", "X-Own": "x"}
    answer, body = site.ask("PUT", f"/some/p%C3%A4th?{query}", b'{"n": 1}', **headers)
    asked = json.loads(body)
    assert (answer.status, answer.getheader("content-type")) == (200, "application/json")
    assert (asked["method"], asked["path"]) == ("PUT", "/some/päth")
    assert (asked["headers"]["x-own"], asked["headers"]["host"]) == ("x", site.host)
    assert asked["headers"]["cookie"].replace(" ", "") == "one=1;two=2"
    assert asked["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert sorted(asked["query"].replace("%20", "+").split("&")) in (
        ["many=1", "many=2", "q=a+b"], ["many=1%2C2", "q=a+b"], ["many=1,2", "q=a+b"]
    )  # fmt: skip
    assert bytes(asked["body"]) == b'{"n": 1}'


def test_binary_bodies_pass_both_ways(site: Site) -> None:
    every = bytes(range(256))
    _, body = site.ask("POST", "/echo", every, **{"Content-Type": "application/octet-stream"})
    assert bytes(json.loads(body)["body"]) == every
    answer, body = site.ask("GET", "/binary")
    assert (answer.getheader("content-type"), body) == ("image/png", every)


def test_redirects_and_cookies(site: Site) -> None:
    answer, body = site.ask("POST", "/redirect")
    assert (answer.status, answer.getheader("location"), body) == (303, "/there", b"")
    assert answer.msg.get_all("set-cookie") == ["a=1; Path=/", "b=2"]


def test_head_and_an_application_that_fails(site: Site) -> None:
    answer, body = site.ask("HEAD", "/")
    assert (answer.status, body) == (200, b"")
    assert site.ask("GET", "/fail")[0].status in (500, 502)
    assert site.ask("GET", "/")[0].status == 200
