"""The resolver that environments ask: it passes queries on to the machine's own, and answers back.

A process of its own without any privilege, in the machine's namespace, since it handles what functions send. It gets
sockets of gateways from the agent and never reads what is in a query. So many are under way at one time and no more:
the oldest are given up.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import selectors
import signal
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

_CONFIGURATION = Path("/etc/resolv.conf")
_NOBODY = 65534
_MOST_QUERIES, _MOST_CONNECTIONS = 512, 128
_MOST_SERVERS = 3
_SHORTEST, _LONGEST = 12, 4096
_CHANNEL = 3
_QUERY_SECONDS, _CONNECTION_SECONDS = 10.0, 15.0
_PR_SET_NO_NEW_PRIVS, _PR_SET_PDEATHSIG = 38, 1


def servers(text: str) -> list[str]:
    """The name servers of a resolv.conf; this machine's if it names none."""
    found = [line.split()[1] for line in text.splitlines() if line.startswith("nameserver") and len(line.split()) > 1]
    return [server.split("%")[0] for server in found] or ["127.0.0.1"]


def start() -> socket.socket:
    """Fork the process. It serves what is sent over the returned socket, and ends with that.

    A message is a gateway's name with its two sockets, one for datagrams and one that listens; without any, the gateway
    is gone.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        try:
            os.dup2(theirs.fileno(), _CHANNEL)
            os.closerange(_CHANNEL + 1, 65536)
            _give_up_privileges()
            Resolver(socket.socket(fileno=_CHANNEL)).serve()
        finally:
            os._exit(0)
    theirs.close()
    return ours


def _give_up_privileges() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        os._exit(1)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


class Resolver:
    """One loop for all gateways. `channel`: where they come from."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._selector = selectors.DefaultSelector()
        self._gateways: dict[str, list[socket.socket]] = {}
        #: What is under way, the oldest first: what ends it, and when that is due at the latest.
        self._queries: OrderedDict[socket.socket, tuple[float, Callable[[], None]]] = OrderedDict()
        self._connections: OrderedDict[socket.socket, tuple[float, Callable[[], None]]] = OrderedDict()
        self._servers: list[str] = []
        self._read = -1

    def serve(self) -> None:
        self._selector.register(self._channel, selectors.EVENT_READ, self._hear)
        while self._channel.fileno() >= 0:
            patience = 1.0 if self._queries or self._connections else None
            for key, _ in self._selector.select(patience):
                if self._selector.get_map().get(key.fd) is key:
                    with contextlib.suppress(OSError):  # of one query
                        key.data()
            self._expire()

    def _hear(self) -> None:
        data, descriptors, _flags, _address = socket.recv_fds(self._channel, 256, 2)
        if not data:
            self._selector.unregister(self._channel)
            self._channel.close()
            return
        name = data.decode()
        for sock in self._gateways.pop(name, ()):
            self._selector.unregister(sock)
            sock.close()
        if len(descriptors) == 2:
            datagrams, listener = held = [socket.socket(fileno=descriptor) for descriptor in descriptors]
            self._gateways[name] = held
            self._selector.register(datagrams, selectors.EVENT_READ, lambda: self._query(datagrams))
            self._selector.register(listener, selectors.EVENT_READ, lambda: self._accept(listener))

    def _upstream(self) -> list[str]:
        """Read again when it has changed."""
        try:
            changed = _CONFIGURATION.stat().st_mtime_ns
            if changed != self._read:
                self._servers, self._read = servers(_CONFIGURATION.read_text()), changed
        except OSError:
            self._servers = self._servers or ["127.0.0.1"]
        return self._servers

    # --- datagrams --------------------------------------------------------------------------------------------------

    def _query(self, datagrams: socket.socket) -> None:
        """Each query has a socket of its own, and with it a port that nobody can guess; the first answer counts."""
        data, asker = datagrams.recvfrom(_LONGEST)
        if len(data) < _SHORTEST:
            return
        sockets: list[socket.socket] = []

        def end() -> None:
            for sock in sockets:
                self._drop(sock)

        def answer(sock: socket.socket) -> None:
            try:
                found = sock.recv(65535)
            except OSError:
                self._drop(sock)  # this server is not there
                return
            end()
            datagrams.sendto(found, asker)

        for server in self._upstream()[:_MOST_SERVERS]:
            with contextlib.suppress(OSError):
                sock = socket.socket(_family(server), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
                sockets.append(sock)
                self._selector.register(sock, selectors.EVENT_READ, lambda sock=sock: answer(sock))
                self._queries[sock] = (time.monotonic() + _QUERY_SECONDS, end)
                sock.connect((server, 53))
                sock.send(data)
        while len(self._queries) > _MOST_QUERIES:
            next(iter(self._queries.values()))[1]()

    # --- connections ------------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        inner, _ = listener.accept()
        server = self._upstream()[0]
        outer = socket.socket(_family(server), socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        inner.setblocking(False)

        def end() -> None:
            self._drop(inner)
            self._drop(outer)

        try:
            outer.connect((server, 53))
        except BlockingIOError:
            pass
        except OSError:
            inner.close()
            outer.close()
            return
        self._connections[inner] = self._connections[outer] = (time.monotonic() + _CONNECTION_SECONDS, end)
        # Nothing is asked before the server is there.
        self._selector.register(outer, selectors.EVENT_WRITE, lambda: self._connected(inner, outer, end))
        while len(self._connections) > 2 * _MOST_CONNECTIONS:
            next(iter(self._connections.values()))[1]()

    def _connected(self, inner: socket.socket, outer: socket.socket, end: Callable[[], None]) -> None:
        self._selector.unregister(outer)
        if outer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            end()
            return
        for source, other in ((inner, outer), (outer, inner)):
            self._selector.register(
                source, selectors.EVENT_READ, lambda source=source, other=other: _pass(source, other, end)
            )

    def _drop(self, sock: socket.socket) -> None:
        self._queries.pop(sock, None)
        self._connections.pop(sock, None)
        if sock.fileno() >= 0:
            if sock.fileno() in self._selector.get_map():
                self._selector.unregister(sock)
            sock.close()

    def _expire(self) -> None:
        now = time.monotonic()
        for held in (self._queries, self._connections):
            while held and next(iter(held.values()))[0] < now:
                next(iter(held.values()))[1]()


def _pass(source: socket.socket, other: socket.socket, end: Callable[[], None]) -> None:
    """Messages of names are short: what does not fit into a socket's buffer ends the connection."""
    try:
        data = source.recv(65535)
        if data and other.send(data) == len(data):
            return
    except OSError:
        pass
    end()


def _family(server: str) -> int:
    return socket.AF_INET6 if ":" in server else socket.AF_INET
