"""Whether somebody on a network of the machine has an address already: address conflict detection for IPv4.

Source of the rules: RFC 5227, with shorter waits: 3 questions in 0.6 s, where that has them over some seconds. Whoever
answers for an address, or asks for the same one at that moment, has it. Used by the agent only, and waits for nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from ipaddress import IPv4Address
from typing import Any

from ingle.network import namespaces, netlink
from ingle.network.netlink import Netlink
from ingle.network.plan import Interface
from ingle.network.ports import Ports

#: Between two words about a conflict of one interface, in seconds.
_TELL_SECONDS = 60.0
_DEVICE = "probe"
_ARP = 0x0806
_TIMES, _SECONDS = 3, 0.2
#: For a bridge to begin with the device.
_SETTLE_SECONDS = 0.2
_NOBODY = IPv4Address(0)
_HEADER = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
_LENGTH, _SENDER = 42, 28
_ATTACH_FILTER = 26


class Conflicts:
    """For the agent's loop: what it asks networks, and what it hears from them unasked.

    `tell`: takes the agent's messages about it.
    """

    def __init__(
        self, selector: selectors.BaseSelector, ports: Ports, tell: Callable[[dict[str, Any]], None]
    ) -> None:  # fmt: skip
        self._selector = selector
        self._ports = ports
        self._tell = tell
        self._probes: dict[int, Probe] = {}
        #: By interface: the socket that hears of a conflict, and when one was told last.
        self._sentries: dict[str, socket.socket] = {}
        self._told: dict[str, float] = {}

    @property
    def due(self) -> float | None:
        """When to turn."""
        return min((probe.due for probe in self._probes.values()), default=None)

    def turn(self) -> None:
        for number, probe in list(self._probes.items()):
            probe.turn()
            if probe.over:
                del self._probes[number]
                self._selector.unregister(probe.socket)
                probe.close()
                taken = {str(address): hardware for address, hardware in probe.taken.items()}
                self._tell({"probed": number, "taken": taken, "error": None})

    def probe(self, number: int, device: str, addresses: Iterable[str], own: str) -> None:
        try:
            probe = Probe(self._ports, device, map(IPv4Address, addresses), own)
        except (OSError, ValueError) as problem:
            self._tell({"probed": number, "taken": {}, "error": str(problem)})
            return
        self._probes[number] = probe
        self._selector.register(probe.socket, selectors.EVENT_READ, probe.hear)

    def watch(self, plan: Interface, sentry: socket.socket | None) -> None:
        """Have told when `sentry` hears of somebody else who uses the address of an interface."""
        if sentry is not None:
            self._sentries[plan.name] = sentry
            self._selector.register(sentry, selectors.EVENT_READ, partial(self._hear, plan, sentry))

    def unwatch(self, name: str) -> None:
        """Before the sentry is closed. Harmless if there is none."""
        self._told.pop(name, None)
        if (sentry := self._sentries.pop(name, None)) is not None:
            self._selector.unregister(sentry)

    def _hear(self, plan: Interface, sentry: socket.socket) -> None:
        found = {hardware for hardware, _, _ in _received(sentry)} - {plan.hardware}
        now = time.monotonic()
        if found and now - self._told.get(plan.name, -_TELL_SECONDS) >= _TELL_SECONDS:
            self._told[plan.name] = now
            self._tell({"conflict": plan.name, "hardware": min(found)})


class Probe:
    """Asks who has `addresses`. To be turned at `due` and to hear when `socket` is readable, until it is `over`."""

    def __init__(self, ports: Ports, device: str, addresses: Iterable[IPv4Address], own: str) -> None:
        """By a device of its own on the network of `device`. `own`: the hardware address whose answers do not count,
        since they come from what an earlier process left. Raises OSError."""
        self.taken: dict[IPv4Address, str] = {}
        self._own = own
        self._left = _TIMES
        wanted = set(addresses)
        # The machine does not hear what it asks itself.
        self.taken.update(dict.fromkeys(wanted & ports.links.addresses(), "this machine"))
        self._asked = wanted - set(self.taken)
        with contextlib.ExitStack() as undo:
            self._namespace = namespaces.create()
            undo.callback(os.close, self._namespace)
            other = ports.plug(device, self._namespace, _DEVICE, None)
            self.socket = undo.enter_context(_listening(self._namespace, _DEVICE, up=True))
            if other is not None:
                ports.links.settle(other, _SETTLE_SECONDS)
            undo.pop_all()
        self._hardware: bytes = self.socket.getsockname()[4]
        self.due = time.monotonic()

    @property
    def over(self) -> bool:
        return not self._asked or (self._left == 0 and time.monotonic() >= self.due)

    def turn(self) -> None:
        if self._left == 0 or time.monotonic() < self.due:
            return
        self._left -= 1
        self.due = time.monotonic() + _SECONDS
        for address in sorted(self._asked):
            with contextlib.suppress(OSError):  # what is lost is asked again
                self.socket.send(
                    b"\xff" * 6 + self._hardware + struct.pack("!H", _ARP) + _HEADER + self._hardware
                    + _NOBODY.packed + bytes(6) + address.packed
                )  # fmt: skip

    def hear(self) -> None:
        for hardware, sender, target in _received(self.socket):
            claimed = target if sender == _NOBODY else sender
            if claimed in self._asked and hardware not in (self._own, _text(self._hardware)):
                self._asked.discard(claimed)
                self.taken[claimed] = hardware

    def close(self) -> None:
        self.socket.close()
        with contextlib.suppress(OSError), namespaces.inside(self._namespace), Netlink() as links:
            links.do(netlink.remove(socket.if_nametoindex(_DEVICE)))
        os.close(self._namespace)


def sentry(namespace: int, device: str, address: IPv4Address) -> socket.socket:
    """A socket that becomes readable when somebody else in the network of a device uses its address. Raises OSError."""
    made = _listening(namespace, device)
    program = b"".join(
        struct.pack("HBBI", *step)
        for step in ((0x20, 0, 0, _SENDER), (0x15, 0, 1, int(address)), (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0))
    )
    held = ctypes.create_string_buffer(program)
    made.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", len(program) // 8, ctypes.addressof(held)))
    return made


def _listening(namespace: int, device: str, *, up: bool = False) -> socket.socket:
    with namespaces.inside(namespace):
        if up:
            with contextlib.suppress(OSError):
                namespaces.set_parameter("ipv6/conf/all/disable_ipv6", 1)
            with Netlink() as links:
                links.do(netlink.up(socket.if_nametoindex(device)))
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(_ARP))
        try:
            made.bind((device, _ARP))
        except OSError:
            made.close()
            raise
        return made


def _received(watching: socket.socket) -> Iterator[tuple[str, IPv4Address, IPv4Address]]:
    """Who sent what is there: hardware address, address, and which address it is about."""
    while True:
        try:
            frame = watching.recv(2048)
        except OSError:
            return
        if len(frame) >= _LENGTH and frame[14:20] == _HEADER[:6]:
            yield _text(frame[22:28]), IPv4Address(frame[28:32]), IPv4Address(frame[38:42])


def _text(hardware: bytes) -> str:
    return hardware.hex(":")
