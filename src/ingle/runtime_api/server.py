"""The Runtime API on the listening socket of one execution environment."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from ingle.runtime_api.calls import Interfaces
from ingle.runtime_api.http import RuntimeConnection

#: Connections at one time. A runtime needs one, as does each extension.
_CONNECTIONS = 64


class _Refusal(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class RuntimeApiServer:
    """`interfaces` gives those of the runtime that is running when a connection is made."""

    def __init__(self, interfaces: Callable[[], Interfaces]) -> None:
        self._interfaces = interfaces
        self._connections = 0
        self._server: asyncio.Server | None = None

    async def open(self, listener: socket.socket) -> None:
        """Serve `listener`, which this owns from now on."""
        self._server = await asyncio.get_running_loop().create_server(self._connect, sock=listener, backlog=128)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def _connect(self) -> asyncio.Protocol:
        if self._connections >= _CONNECTIONS:
            return _Refusal()
        self._connections += 1
        return RuntimeConnection(self._interfaces(), self._disconnected)

    def _disconnected(self) -> None:
        self._connections -= 1
