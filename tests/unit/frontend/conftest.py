from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from ingle.domain.errors import ResourceNotFound, TooManyRequests
from ingle.frontend.asgi import Application
from ingle.frontend.connection import ConnectionLimits
from ingle.frontend.internal import health, packages
from ingle.frontend.links import PackageLinks
from ingle.frontend.server import HttpServer, Listener

DIGEST = "ab" * 32
SHORT = ConnectionLimits(
    head_seconds=0.2, body_stall_seconds=0.2, idle_seconds=0.4, write_stall_seconds=0.3, linger_seconds=0.2
)


@dataclass
class Fakes:
    """Handlers that remember how they were called."""

    calls: list = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    async def invoke(self, caller, params):
        self.calls.append((caller, params))
        if params["FunctionName"] == "slow":
            self.started.set()
            await self.release.wait()
            self.finished.set()
        if params["FunctionName"] == "broken":
            raise RuntimeError("a secret detail")
        if params["FunctionName"] == "throttled":
            raise TooManyRequests("Rate Exceeded.", Reason="ReservedFunctionConcurrentInvocationLimitExceeded")
        if params["FunctionName"] == "large":
            return {"StatusCode": 200, "Payload": b"1" * 5_000_000, "ExecutedVersion": "$LATEST"}
        return {"StatusCode": 200, "Payload": params["Payload"], "ExecutedVersion": "$LATEST", "LogResult": "eHg="}

    async def get_function(self, caller, params):
        self.calls.append((caller, params))
        raise ResourceNotFound(f"Function not found: {params['FunctionName']}")

    async def list_functions(self, caller, params):
        self.calls.append((caller, params))
        return {"Functions": [{"FunctionName": "f", "CodeSize": 3, "Unknown": 1, "Description": None}]}

    async def create_function(self, caller, params):
        self.calls.append((caller, params))
        return {"FunctionName": params["FunctionName"], "CodeSize": len(params["Code"]["ZipFile"])}

    async def describe_log_groups(self, caller, params):
        self.calls.append((caller, params))
        return {"logGroups": [{"logGroupName": "/aws/lambda/f", "creationTime": 12}]}

    def registry(self):
        return {
            ("lambda", "Invoke"): self.invoke,
            ("lambda", "GetFunction"): self.get_function,
            ("lambda", "ListFunctions"): self.list_functions,
            ("lambda", "CreateFunction"): self.create_function,
            ("logs", "DescribeLogGroups"): self.describe_log_groups,
        }


@dataclass
class Served:
    http: HttpServer
    listener: Listener
    fakes: Fakes
    links: PackageLinks
    listen: Callable

    @property
    def port(self):
        return self.listener.addresses[0][1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def raw(self, data: bytes) -> bytes:
        """Send bytes, and read all that comes back until the server closes."""
        reader, writer = await self.connect()
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()

    async def request(self, method, path, body=b"", headers=()):
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", "Connection: close"]
        return await self.raw("\r\n".join([*lines, *headers, "", ""]).encode() + body)


def bound_socket():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


@pytest.fixture
async def served(tmp_path):
    fakes = Fakes()
    (tmp_path / DIGEST).write_bytes(b"zip bytes" * 100_000)
    now = [1000.0]
    links = PackageLinks(b"k" * 32, lambda: now[0])
    routes = {
        "/_ingle/health": health(version="1.2.3", clock=lambda: 5.0, ready=lambda: True),
        "/_ingle/packages/": packages(links=links, find=lambda digest: tmp_path / digest),
    }
    app = Application(fakes.registry(), routes)
    async with HttpServer(app, limits=SHORT, tick_seconds=0.05, drain_seconds=1) as http:
        listener = await http.listen(bound_socket())
        served = Served(http, listener, fakes, links, http.listen)
        served.now = now
        yield served
        fakes.release.set()
