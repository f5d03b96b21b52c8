"""What this machine does at best: a process that answers every request at once, over the same load generator.

Machines differ, and one machine differs from hour to hour; figures are comparable where these are.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import uvloop

from benchmarks import load

_ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"hello"'
_REQUEST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"


class _Answering(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._transport.write(_ANSWER)


def measure(seconds: float) -> tuple[list[float], float]:
    """(milliseconds of requests over one connection, requests a second over 16)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.reference", str(listener.fileno())], pass_fds=[listener.fileno()]
        )
        try:
            times = load.one_by_one(url, [_REQUEST] * 5000)
            answered, elapsed, _ = load.at_once(url, _REQUEST, 16, seconds)
            return times, len(answered) / elapsed
        finally:
            process.terminate()
            process.wait(10)


async def _serve(descriptor: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Answering, sock=socket.socket(fileno=descriptor))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
