"""A function that streams what its event says, step by step, over a raw connection to the Runtime API.

It is a custom runtime in Python. An event is a list of steps, or the request to a function URL whose body is one; a
request without a body gets an empty response:

    ["begin", {header: value}]  the head of a streamed response; without it, the first step after writes one
    ["write", text]             one chunk
    ["fill", bytes, piece]      so many bytes in chunks of this size
    ["raw", text]               anything
    ["end", {trailer: value}]   the end, and the next poll after the answer, whose status is printed
    ["acknowledged", n]         wait until the function's tag `seen` is at least n
    ["close"] ["exit", status] ["kill"] ["hang"] ["rest", seconds]
    ["respond", text] ["error", text, type]   a response as a whole

Steps are given by `streaming`, frames of event streams are read by `Reader`.
"""

from __future__ import annotations

import json
import struct
import time
from binascii import crc32
from collections.abc import Callable, Iterator
from typing import Any

BOOTSTRAP = """#!/bin/sh
for python in /var/lang/bin/python3 /var/lang/bin/python3.* /usr/bin/python3; do
  [ -x "$python" ] && exec "$python" "$LAMBDA_TASK_ROOT/runtime.py"
done
exit 9
"""
RUNTIME = r"""
import http.client, json, os, signal, socket, sys, time, urllib.parse

HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
API = "/2018-06-01/runtime/invocation/"

class Client:
    def __init__(self):
        self.socket = socket.create_connection((HOST, int(PORT)))
        self.file = self.socket.makefile("rb")
    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())
    def answer(self):
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline().strip()):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.file.read(int(headers["content-length"]))

def seen(arn):
    endpoint = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
    connection = http.client.HTTPConnection(endpoint.netloc)
    connection.request("GET", "/2017-03-31/tags/" + urllib.parse.quote(arn, safe=""))
    return int(json.loads(connection.getresponse().read()).get("Tags", {}).get("seen", 0))

client = Client()
while True:
    client.send("GET %snext HTTP/1.1\r\nHost: api\r\n\r\n" % API)
    status, headers, body = client.answer()
    if status != 200:
        continue  # the end of another connection has not been noticed yet
    event, begun = json.loads(body), False
    steps = event if isinstance(event, list) else json.loads(event.get("body") or '[["end"]]')
    request, arn = headers["lambda-runtime-aws-request-id"], headers["lambda-runtime-invoked-function-arn"]
    arn = ":".join(arn.split(":")[:7])

    def begin(more=()):
        global begun
        if begun:
            return
        begun = True
        client.send("POST %s%s/response HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: chunked\r\n" % (API, request)
                    + "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
                    + "".join("%s: %s\r\n" % item for item in dict(more).items()) + "\r\n")

    def whole(kind, text, more=""):
        client.send("POST %s%s/%s HTTP/1.1\r\nHost: api\r\n%sContent-Length: %d\r\n\r\n%s"
                    % (API, request, kind, more, len(text), text))
        print("answered", client.answer()[0], flush=True)

    for name, *given in steps:
        if name == "begin":
            begin(*given)
        elif name == "write":
            begin()
            data = given[0].encode()
            client.send(b"%x\r\n%s\r\n" % (len(data), data))
        elif name == "fill":
            begin()
            left, size = given
            piece = b"%x\r\n%s\r\n" % (size, b"." * size)
            while left >= size:
                client.send(piece)
                left -= size
        elif name == "raw":
            begin()
            client.send(given[0])
        elif name == "end":
            begin()
            client.send("0\r\n" + "".join("%s: %s\r\n" % item for item in dict(*given).items()) + "\r\n")
            print("answered", client.answer()[0], flush=True)
        elif name == "acknowledged":
            while seen(arn) < given[0]:
                time.sleep(0.002)
        elif name == "close":
            client.socket.shutdown(socket.SHUT_RDWR)
            client.file.close()
            client.socket.close()
            client = Client()
        elif name == "answered":
            print("answered", client.answer()[0], flush=True)
        elif name == "exit":
            os._exit(given[0])
        elif name == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif name == "rest":
            time.sleep(given[0])
        elif name == "hang":
            time.sleep(3600)
        elif name == "respond":
            whole("response", given[0])
        elif name == "error":
            whole("error", given[0], "Lambda-Runtime-Function-Error-Type: %s\r\n" % given[1])
"""
FILES = {"bootstrap": BOOTSTRAP, "runtime.py": RUNTIME}
SETTINGS = {"Runtime": "provided.al2023", "Handler": "any", "MemorySize": 512, "Timeout": 30}
INTEGRATION = "application/vnd.awslambda.http-integration-response"

Step = list[Any]


def steps(*given: Step) -> str:
    return json.dumps(list(given))


def streaming(function: Callable[..., str], **settings: Any) -> str:
    """The name of a new function of this kind."""
    return function(FILES, **{**SETTINGS, **settings})


def messages_until(logs: Any, name: str, found: Callable[[list[str]], bool]) -> list[str]:
    """The messages of a function's log, once they are what is looked for: lines are written behind the answer."""
    deadline = time.monotonic() + 20
    while True:
        events: list[str] = []
        if logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]:
            events = [item["message"] for item in logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]]
        if found(events) or time.monotonic() > deadline:
            return events
        time.sleep(0.02)


Frame = tuple[dict[str, str], bytes]


def frames(data: bytes) -> Iterator[Frame]:
    """The messages of an event stream, each with its headers, checked byte by byte."""
    while data:
        size, headers_size, crc = struct.unpack(">III", data[:12])
        assert crc == crc32(data[:8])
        assert struct.unpack(">I", data[size - 4 : size])[0] == crc32(data[: size - 4])
        rest, headers = data[12 : 12 + headers_size], {}
        while rest:
            name_size = rest[0]
            name, kind = rest[1 : 1 + name_size].decode(), rest[1 + name_size]
            assert kind == 7
            (value_size,) = struct.unpack(">H", rest[2 + name_size : 4 + name_size])
            headers[name] = rest[4 + name_size : 4 + name_size + value_size].decode()
            rest = rest[4 + name_size + value_size :]
        yield headers, data[12 + headers_size : size - 4]
        data = data[size:]
