"""Serves one application on any number of listeners, which come and go while it runs.

Owns sockets, connections and their time limits. Signals and process life are the composition root's. Each execution
environment has a listener of its own, so a request's listener says which environment it came from.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

from uvicorn.config import Config

from ingle.frontend.connection import Connection, ConnectionLimits, ListenerState
from ingle.observability.log import Logger

_log = Logger("frontend")


class Listener:
    """A socket that is being served. `close` may be called more than once."""

    def __init__(
        self,
        state: ListenerState,
        acceptor: asyncio.Server,
        drain_seconds: float,
        forget: Callable[[Listener], object],
        *,
        inner: bool,
    ) -> None:
        #: Whether its peers are inside an execution environment.
        self.inner = inner
        self._state = state
        self._forget = forget
        self._acceptor = acceptor
        self._drain_seconds = drain_seconds
        self.addresses = [sock.getsockname() for sock in acceptor.sockets]

    @property
    def connections(self) -> frozenset[Connection]:
        return frozenset(self._state.connections)

    def detach(self) -> None:
        """Accept nothing more and drop the connections: the peer is gone. What it asked for runs on to its end."""
        self._acceptor.close()
        for connection in list(self._state.connections):
            connection.transport.abort()
        self._forget(self)

    async def close(self, drain_seconds: float | None = None) -> None:
        """Accept nothing more, let requests under way finish, then end what is left after `drain_seconds`."""
        self._acceptor.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        tasks = set(self._state.tasks)
        if tasks:
            limit = self._drain_seconds if drain_seconds is None else drain_seconds
            _, unfinished = await asyncio.wait(tasks, timeout=limit)
            if unfinished:
                _log.warning("requests were cut off by the end of draining", count=len(unfinished))
        for connection in list(self._state.connections):
            connection.transport.abort()
        self._forget(self)
        # Cancelled after their connections are gone: nothing that they still send can reach anybody.
        for task in list(self._state.tasks):
            task.cancel()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)
        # One turn of the loop for `connection_lost`.
        await asyncio.sleep(0)


class HttpServer:
    """`async with HttpServer(app) as http: listener = await http.listen(sock)`. Leaving drains every listener."""

    def __init__(
        self,
        app: Callable[..., Any],
        *,
        limits: ConnectionLimits | None = None,
        drain_seconds: float = 20.0,
        tick_seconds: float = 1.0,
        backlog: int = 2048,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = Config(
            app,
            loop="none",
            http=Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            log_config=None,
        )
        self._limits = limits or ConnectionLimits()
        self._drain_seconds = drain_seconds
        self._tick_seconds = tick_seconds
        self._backlog = backlog
        self._wall_clock = wall_clock
        self._headers: list[list[tuple[bytes, bytes]]] = [[]]
        self._listeners: dict[Listener, ListenerState] = {}
        self._tasks = asyncio.TaskGroup()
        self._ticker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._config.load()
        self._set_date()
        await self._tasks.__aenter__()
        self._ticker = self._tasks.create_task(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # Functions that finish the requests being drained may still call in from their environments.
            for inner in (False, True):
                listeners = [listener for listener in self._listeners if listener.inner is inner]
                await asyncio.gather(*(listener.close() for listener in listeners))
        finally:
            if self._ticker is not None:
                self._ticker.cancel()
            await self._tasks.__aexit__(kind, error, trace)

    async def listen(
        self, sock: socket.socket, environment_id: str | None = None, tls: ssl.SSLContext | None = None
    ) -> Listener:
        """Serve a bound socket, which the listener then owns. Its requests carry `environment_id` in their Caller.

        `tls`: with it, HTTPS.
        """
        state = ListenerState(self._headers)
        app_state = {"environment_id": environment_id}

        def connect() -> Connection:
            return Connection(self._config, state, app_state, self._limits)

        loop = asyncio.get_running_loop()
        seconds = None if tls is None else self._limits.head_seconds
        acceptor = await loop.create_server(
            connect, sock=sock, backlog=self._backlog, ssl=tls, ssl_handshake_timeout=seconds
        )
        listener = Listener(state, acceptor, self._drain_seconds, forget=self._forget, inner=environment_id is not None)
        self._listeners[listener] = state
        return listener

    def _forget(self, listener: Listener) -> None:
        self._listeners.pop(listener, None)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._tick_seconds)
            self._set_date()
            now = loop.time()
            for state in list(self._listeners.values()):
                for connection in list(state.connections):
                    if connection.deadline <= now:
                        connection.expire()

    def _set_date(self) -> None:
        self._headers[0] = [(b"date", formatdate(self._wall_clock(), usegmt=True).encode("ascii"))]
