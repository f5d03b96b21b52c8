"""Machines and networks made of namespaces: a server runs in one of them, and nothing leaves them.

    wide (the internet) -- 198.51.100.0/24 -- machine (where the server runs) -- br0 10.20.0.0/24 -- private (a LAN)

Namespaces are held by descriptors, so what a test leaves behind goes when they are closed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingle.network import namespaces
from ingle.network.resolver import servers
from kernel.sandboxed import Sandboxed, descendants, new_server, start
from served import Server

WIDE, MACHINE = "198.51.100.1", "198.51.100.2"
#: A server of the internet, and one more.
PUBLIC, OTHER = "203.0.113.10", "203.0.113.11"
#: Addresses of the machine, besides the one it is reached at.
OWN = ("192.168.77.1", "10.99.0.1")
#: The machine's address on the bridge of the private network.
#: Beyond what interfaces of functions get.
ON_BRIDGE = "10.20.0.240"

#: For `Sandboxed.probe`: what comes of a connection, of a datagram.
ATTEMPTS = """
def ask(address, port, text="?"):
    with socket.create_connection((address, port), timeout=event.get("patience", 3)) as connection:
        connection.sendall(text.encode())
        return connection.recv(1000).decode()

def send(address, port, text="?"):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(event.get("patience", 3))
        sock.connect((address, port))
        sock.send(text.encode())
        return sock.recv(1000).decode()

def tried(action, *arguments):
    try:
        return action(*arguments)
    except TimeoutError:
        return "nothing"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
"""


def require() -> None:
    """Skip the test where networks cannot be made."""
    if os.geteuid() != 0:
        pytest.skip("networks of their own take root")
    if shutil.which("ip") is None:
        pytest.skip("there is no ip to make networks with: apt-get install iproute2")
    try:
        from ingle.network.nftables import Nftables

        Nftables().close()
        os.close(namespaces.create())
    except OSError as error:
        pytest.skip(f"this machine makes no networks: {error}")


def ip(namespace: int, *commands: str) -> None:
    """Commands of `ip`, without that word, in a namespace."""
    with namespaces.inside(namespace):
        for command in commands:
            subprocess.run(["ip", *command.split()], check=True, capture_output=True)


def connect(first: int, name: str, second: int, other: str) -> None:
    """A cable between two namespaces, with the names of its ends; both are up."""
    fd = f"/proc/self/fd/{second}"
    with namespaces.inside(first):
        subprocess.run(
            ["ip", "link", "add", name, "type", "veth", "peer", "name", other, "netns", fd], check=True,
            pass_fds=[second],
        )  # fmt: skip
    ip(first, f"link set {name} up")
    ip(second, f"link set {other} up")


class Listener:
    """Answers everybody with their own address, by TCP and by UDP, and counts them."""

    def __init__(self, namespace: int, address: str, port: int) -> None:
        self.heard: list[str] = []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with namespaces.inside(namespace):
            self._streams = socket.create_server((address, port), family=family)
            self._datagrams = socket.socket(family, socket.SOCK_DGRAM)
            self._datagrams.bind((address, port))
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._accept, self._receive)]
        for thread in self._threads:
            thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, peer = self._streams.accept()
                self.heard.append(peer[0])
                self._connections.append(connection)
                answering = threading.Thread(target=self._answer, args=(connection, peer[0]), daemon=True)
                answering.start()
                self._threads.append(answering)

    def _answer(self, connection: socket.socket, peer: str) -> None:
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(65536):
                connection.sendall(peer.encode() if data == b"?" else data)

    def _receive(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, peer = self._datagrams.recvfrom(65536)
                if peer is None:
                    return
                self.heard.append(peer[0])
                self._datagrams.sendto(peer[0].encode() if data == b"?" else data[:512], peer)

    def close(self) -> None:
        for sock in (self._streams, self._datagrams):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[:2]:
            thread.join(5)  # after that no connection comes any more
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[2:]:
            thread.join(5)
        for sock in (self._streams, self._datagrams, *self._connections):
            sock.close()


class NameServer:
    """Knows one name, by UDP and TCP, at the addresses that this machine's resolv.conf names."""

    NAME, ADDRESS = "database.example", "203.0.113.77"

    def __init__(self, namespace: int, address: str) -> None:
        with namespaces.inside(namespace):
            self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._datagrams.bind((address, 53))
            self._streams = socket.create_server((address, 53))
        threading.Thread(target=self._receive, daemon=True).start()
        threading.Thread(target=self._accept, daemon=True).start()

    def _receive(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                query, peer = self._datagrams.recvfrom(4096)
                if peer is None:
                    return
                self._datagrams.sendto(self._answer(query), peer)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._streams.accept()
                with connection:
                    answer = self._answer(connection.recv(4096)[2:])
                    connection.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answer(self, query: bytes) -> bytes:
        name = b"".join(bytes([len(part)]) + part.encode() for part in self.NAME.split("."))
        question = query[12 : query.index(b"\0", 12) + 5]
        known = question.startswith(name) and question[-4:-2] == b"\0\1"
        head = query[:2] + (b"\x81\x80" if question.startswith(name) else b"\x81\x83")
        counts = b"\0\1" + (b"\0\1" if known else b"\0\0") + bytes(4)
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(self.ADDRESS) if known else b""
        return head + counts + question + record

    def close(self) -> None:
        for sock in (self._datagrams, self._streams):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class World:
    """The networks, and servers that run in `machine`."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self.wide, self.machine, self.private = (self._namespace() for _ in range(3))
        connect(self.wide, "out", self.machine, "eth0")
        ip(self.wide, f"addr add {WIDE}/24 dev out", *(f"addr add {address}/32 dev lo" for address in (PUBLIC, OTHER)))
        ip(
            self.machine, f"addr add {MACHINE}/24 dev eth0", f"route add default via {WIDE}",
            *(f"addr add {address}/32 dev lo" for address in OWN),
            "link add br0 type bridge", "link set br0 up", f"addr add {ON_BRIDGE}/24 dev br0",
        )  # fmt: skip
        connect(self.machine, "lan", self.private, "eth0")
        ip(self.machine, "link set lan master br0")
        ip(self.private, "addr add 10.20.0.50/24 dev eth0", "addr add 10.20.0.51/24 dev eth0")

    def _namespace(self) -> int:
        made = namespaces.create()
        self._stack.callback(os.close, made)
        ip(made, "link set lo up")
        return made

    def listener(self, namespace: int, address: str, port: int) -> Listener:
        made = Listener(namespace, address, port)
        self._stack.callback(made.close)
        return made

    def name_server(self) -> NameServer:
        """One in the internet, where this machine's resolver is looked for."""
        address = servers(Path("/etc/resolv.conf").read_text())[0]
        if address.startswith("127.") or ":" in address:
            pytest.skip(f"the name server of this machine, {address}, cannot be played in another network")
        ip(self.wide, f"addr add {address}/32 dev lo")
        made = NameServer(self.wide, address)
        self._stack.callback(made.close)
        return made

    def server(self, **settings: str) -> Server:
        """A server that runs in `machine`, and is gone at the end."""
        server = new_server("root", **settings)
        with namespaces.inside(self.machine):
            start(server)
        self._stack.callback(shutil.rmtree, server.data_dir.parent, ignore_errors=True)
        self._stack.callback(_stop, server)
        return server

    def sandboxed(self, server: Server) -> Functions:
        return Functions(server, self.machine)

    def firewall(self) -> str:
        """What is of Ingle's in the machine: tables, devices, parameters."""
        from ingle.network.nftables import Nftables

        with namespaces.inside(self.machine), Nftables() as tables:
            found = tables.run("list ruleset")
            names = [name for _, name in socket.if_nameindex() if name.startswith("ing")]
            forwarding = namespaces.parameter("ipv4/conf/eth0/forwarding")
        lines = [line for line in found.splitlines() if line.startswith("table")]
        return f"{' '.join(sorted(lines + names))} forwarding={forwarding}"


def _stop(server: Server) -> None:
    if server.process.poll() is None:
        server.stop()


class Functions(Sandboxed):
    """A served instance that is reached in its own network."""

    def __init__(self, server: Server, machine: int) -> None:
        super().__init__(server, "root")
        self._machine = machine

    def create(self, files: Any, **settings: Any) -> str:  # type: ignore[override]
        with namespaces.inside(self._machine):
            return super().create(files, **settings)

    def call(self, name: str, event: Any = None) -> Any:
        with namespaces.inside(self._machine):
            return super().call(name, event)

    def attempts(self, code: str, **values: Any) -> Any:
        """`probe` with `ask`, `send` and `tried`."""
        return self.probe(ATTEMPTS + code, **values)


@contextlib.contextmanager
def world() -> Iterator[World]:
    require()
    with contextlib.ExitStack() as stack:
        yield World(stack)


def eventually(what: Callable[[], Any], wanted: Any, seconds: float = 10.0) -> None:
    """Wait until `what()` is `wanted`: the kernel takes namespaces down in its own time."""
    until = time.monotonic() + seconds
    while (found := what()) != wanted:
        assert time.monotonic() < until, f"{found} is not {wanted}"
        time.sleep(0.02)


def kill(server: int, whom: str) -> None:
    """Kill a server, one of the processes that it consists of, or all of them."""

    def words(pid: int) -> str:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_text()
        return ""

    below = descendants(server)
    chosen = {
        "server": [server],
        "supervisor": [pid for pid in below if "sandbox.supervisor" in words(pid)],
        # The supervisor is told the command of the process that it is to start.
        "networks": [pid for pid in below if "network.agent" in words(pid) and "supervisor" not in words(pid)],
        "all": [server, *below],
    }[whom]
    assert chosen
    for pid in chosen:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
