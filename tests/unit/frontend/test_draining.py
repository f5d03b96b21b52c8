"""What a server still answers while it drains."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from ingle.domain.caller import Caller
from ingle.frontend.asgi import Application
from ingle.frontend.server import HttpServer


def bound() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


async def ask(port: int, function: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST /2015-03-31/functions/{function}/invocations HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Length: 2\r\nConnection: close\r\n\r\n{}".encode()
    )
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n\r\n")[2]


async def test_a_function_that_finishes_a_drained_request_may_still_call_in() -> None:
    outer, inner = bound(), bound()
    inner_port = inner.getsockname()[1]
    entered, draining = asyncio.Event(), asyncio.Event()

    async def invoke(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        if caller.environment_id is not None:
            return {"StatusCode": 200, "Payload": b'"from inside"'}
        entered.set()
        await draining.wait()
        return {"StatusCode": 200, "Payload": await ask(inner_port, "other")}

    async with HttpServer(Application({("lambda", "Invoke"): invoke}, {})) as http:
        await http.listen(outer)
        await http.listen(inner, environment_id="e1")
        asked = asyncio.create_task(ask(outer.getsockname()[1], "calling"))
        await entered.wait()
        asyncio.get_running_loop().call_later(0.05, draining.set)
    assert await asked == b'"from inside"'
