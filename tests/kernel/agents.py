"""A network agent without a server, and namespaces in the place of environments."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Interface, IPv4Network, ip_network
from pathlib import Path
from typing import Any

import ingle
from ingle.network import frames, namespaces
from ingle.network.client import command, settings
from ingle.network.plan import TCP, Entry, Interface, Match, to_json
from kernel.networks import World, ip

ADDRESS = "10.20.0.100"
EVERYWHERE = IPv4Network("0.0.0.0/0")
ANY = Entry(match=Match(networks=(EVERYWHERE, ip_network("::/0"))), allow=True)


def to(*networks: str, protocol: int | None = TCP, ports: tuple[int, int] | None = None) -> Match:
    return Match(networks=tuple(ip_network(text) for text in networks), protocol=protocol, ports=ports)


def plan(**changes: object) -> Interface:
    """In a subnet on the machine's bridge, where it may do what `changes` say."""
    given = Interface(
        name="eni-1", network="vpc-1", subnet="subnet-1", hardware="02:00:00:00:01:00", device="br0",
        addresses=(IPv4Interface(f"{ADDRESS}/24"),), outbound=(ANY,), inbound=(ANY,),
    )  # fmt: skip
    return replace(given, **changes)  # type: ignore[arg-type]


class Agent:
    """Runs in `world.machine`. What it attaches are namespaces that a test has every power in."""

    _numbers = itertools.count(1)

    def __init__(self, world: World, stack: contextlib.ExitStack, *, outward: bool = True) -> None:
        self._stack = stack
        self._server, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._supervisor, supervisor = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        identity = f"{os.getpid() & 0xFFFF:04x}{next(self._numbers) & 0xFFFF:04x}"
        numbers = [str(end.fileno()) for end in (server, supervisor)]
        with namespaces.inside(world.machine):
            self.process = subprocess.Popen(
                [*command(), *numbers, settings(identity, outward=outward)],
                pass_fds=[server.fileno(), supervisor.fileno()],
                env={"PYTHONPATH": str(Path(ingle.__file__).parent.parent)},
            )
        for end in (server, supervisor):
            end.close()
        for end in (self._server, self._supervisor):
            end.settimeout(20)
        stack.callback(self.stop)
        self.problem = self._receive()["problem"]

    def stop(self) -> None:
        self._server.close()
        self._supervisor.close()
        self.process.wait(10)

    def put(self, plan: Interface) -> str | None:
        """The error, if there is one."""
        self._send({"interface": to_json(plan)})
        error: str | None = self._receive()["error"]
        return error

    def _send(self, message: dict[str, Any]) -> None:
        for part in frames.cut(json.dumps(message).encode()):
            self._server.sendall(part)

    def _receive(self) -> dict[str, Any]:
        joiner = frames.Joiner()
        while (message := joiner.add(self._server.recv(frames.LONGEST))) is None:
            pass
        found: dict[str, Any] = json.loads(message)
        return found

    def remove(self, name: str) -> None:
        self._send({"remove": name})
        self.show()

    def show(self) -> dict[str, Any]:
        self._send({"show": 1})
        return self._receive()

    def probe(self, device: str, *addresses: str, own: str = "02:00:00:00:77:77") -> dict[str, str]:
        """Who has these addresses on the network of a device."""
        self._send({"probe": 1, "device": device, "addresses": addresses, "hardware": own})
        answer = self._receive()
        assert answer["error"] is None
        taken: dict[str, str] = answer["taken"]
        return taken

    def conflict(self) -> tuple[str, str]:
        """The next that is told: of which interface, with whom."""
        answer = self._receive()
        return answer["conflict"], answer["hardware"]

    def environment(self, network: str) -> Place:
        """A new namespace with a link to `network`."""
        namespace = namespaces.create()
        self._stack.callback(os.close, namespace)
        ip(namespace, "link set lo up")
        name = f"e{next(self._numbers)}"
        message = json.dumps({"attach": name, "network": network}).encode()
        socket.send_fds(self._supervisor, [message], [namespace])
        answer = json.loads(self._supervisor.recv(65536))
        assert answer == {"attached": name, "error": None}
        return Place(namespace)


class Place:
    """Where a program runs: in one namespace."""

    def __init__(self, namespace: int) -> None:
        self.namespace = namespace

    def ask(self, address: str, port: int, patience: float = 2.0) -> str:
        """The address that a listener sees, by TCP; "nothing", or the name of an error."""
        return self._tried(lambda: self._ask(socket.SOCK_STREAM, address, port, patience, b"?"))

    def send(self, address: str, port: int, patience: float = 2.0, data: bytes = b"?") -> str:
        """The same by UDP."""
        return self._tried(lambda: self._ask(socket.SOCK_DGRAM, address, port, patience, data))

    def connect(self, address: str, port: int) -> socket.socket:
        with namespaces.inside(self.namespace):
            return socket.create_connection((address, port), timeout=2)

    def _ask(self, kind: int, address: str, port: int, patience: float, data: bytes) -> str:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with namespaces.inside(self.namespace), socket.socket(family, kind) as sock:
            sock.settimeout(patience)
            sock.connect((address, port))
            sock.sendall(data)
            return sock.recv(65536).decode()

    @staticmethod
    def _tried(action: Callable[[], str]) -> str:
        import errno

        try:
            return action()
        except TimeoutError:
            return "nothing"
        except OSError as error:
            return errno.errorcode.get(error.errno or 0, str(error))
