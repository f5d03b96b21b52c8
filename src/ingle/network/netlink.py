"""The few messages of rtnetlink that links, addresses and routes take. Numbers are those of the kernel's headers.

A `Netlink` belongs to the namespace in which it was opened, wherever its process goes afterwards. Requests of one call
are sent together and cost one answer. Nothing here waits for anything but the kernel.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any, Self

Address = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface
Network = IPv4Network | IPv6Network

NEWLINK, DELLINK, GETLINK = 16, 17, 18
NEWADDR, GETADDR = 20, 22
NEWROUTE, DELROUTE, GETROUTE = 24, 25, 26
_REQUEST, _ACK, _DUMP, _REPLACE, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x300, 0x100, 0x200, 0x400
_ERROR, _DONE = 2, 3
_UP, _NOARP = 0x1, 0x80
#: Attributes of links, addresses and routes.
_L_ADDRESS, _L_NAME, _L_LINK, _L_MASTER, _L_INFO = 1, 3, 5, 10, 18
_L_OPERSTATE, _OPERSTATE_UP = 16, 6
_L_NETNS_FD, _L_TXQ, _L_RXQ = 28, 31, 32
_INFO_KIND, _INFO_DATA, _VETH_PEER, _MACVLAN_MODE = 1, 2, 1, 1
_MACVLAN_BRIDGE = 4
_A_ADDRESS, _A_LOCAL = 1, 2
_NO_DAD = 0x02
_R_DESTINATION, _R_OIF, _R_GATEWAY = 1, 4, 5
_MAIN_TABLE, _PROTOCOL = 254, 4  # RTPROT_STATIC
_SCOPE_UNIVERSE, _SCOPE_LINK = 0, 253
UNICAST, BLACKHOLE = 1, 6
EVERYWHERE, EVERYWHERE6 = IPv4Network("0.0.0.0/0"), IPv6Network("::/0")
#: Multicast groups of changes: links, addresses and routes of IPv4, and its parameters of devices.
WATCHED = 0x1 | 0x10 | 0x40 | 1 << 23
_NETFILTER, _WATCHED_RULES = 12, 1 << 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    index: int
    name: str
    kind: str


def _attribute(kind: int, content: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(content), kind) + content + bytes(-len(content) % 4)


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack("=I", value))


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _link(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    return struct.pack("=BxHiII", 0, 0, index, flags, change)


def _family(address: Any) -> int:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def host(address: Address) -> Network:
    """The network of one address."""
    return IPv4Network(address) if isinstance(address, IPv4Address) else IPv6Network(address)


# --- requests: (type, flags, body) -----------------------------------------------------------------------------------

Request = tuple[int, int, bytes]


def veth(
    name: str, peer: str, peer_namespace: int, *, address: str | None = None, peer_address: str | None = None,
    arp: bool = True,
) -> Request:  # fmt: skip
    """A pair, its end `name` here and up, its end `peer` in another namespace and down until that sets it up."""
    flags = 0 if arp else _NOARP
    queues = _number(_L_TXQ, 1) + _number(_L_RXQ, 1)

    def hardware(given: str | None) -> bytes:
        return b"" if given is None else _attribute(_L_ADDRESS, mac(given))

    other = _link(0, flags, flags) + _text(_L_NAME, peer) + hardware(peer_address) + queues
    other += _number(_L_NETNS_FD, peer_namespace)
    info = _attribute(_INFO_KIND, b"veth") + _attribute(_INFO_DATA, _attribute(_VETH_PEER, other))
    body = _link(0, _UP | flags, _UP | flags) + _text(_L_NAME, name) + hardware(address) + queues
    return NEWLINK, _CREATE | _EXCLUSIVE, body + _attribute(_L_INFO, info)


def bridge(name: str) -> Request:
    info = _attribute(_INFO_KIND, b"bridge")
    return NEWLINK, _CREATE | _EXCLUSIVE, _link(0, _UP, _UP) + _text(_L_NAME, name) + _attribute(_L_INFO, info)


def macvlan(name: str, parent: int, namespace: int, address: str | None) -> Request:
    """A device on `parent`, in another namespace from the beginning."""
    info = _attribute(_INFO_KIND, b"macvlan") + _attribute(_INFO_DATA, _number(_MACVLAN_MODE, _MACVLAN_BRIDGE))
    hardware = b"" if address is None else _attribute(_L_ADDRESS, mac(address))
    body = _link() + _text(_L_NAME, name) + hardware + _number(_L_LINK, parent)
    return NEWLINK, _CREATE | _EXCLUSIVE, body + _number(_L_NETNS_FD, namespace) + _attribute(_L_INFO, info)


def up(index: int) -> Request:
    return NEWLINK, 0, _link(index, _UP, _UP)


def enslave(index: int, master: int) -> Request:
    return NEWLINK, 0, _link(index) + _number(_L_MASTER, master)


def remove(index: int) -> Request:
    return DELLINK, 0, _link(index)


def add_address(index: int, interface: Interface) -> Request:
    packed = interface.ip.packed
    flags = _NO_DAD if interface.version == 6 else 0
    scope = _SCOPE_UNIVERSE
    body = struct.pack("=BBBBI", _family(interface), interface.network.prefixlen, flags, scope, index)
    return NEWADDR, _CREATE | _REPLACE, body + _attribute(_A_LOCAL, packed) + _attribute(_A_ADDRESS, packed)


def add_route(
    destination: Network, index: int | None = None, via: Address | None = None, *, kind: int = UNICAST
) -> Request:
    """To `destination` over a device, and over a router on it if `via`; or nowhere, as its kind says."""
    return NEWROUTE, _CREATE | _REPLACE, _route(destination, index, via, kind)


def remove_route(destination: Network) -> Request:
    return DELROUTE, 0, _route(destination, None, None, 0)


def _route(destination: Network, index: int | None, via: Address | None, kind: int) -> bytes:
    scope = _SCOPE_LINK if via is None and kind == UNICAST and destination.version == 4 else _SCOPE_UNIVERSE
    onlink = 4 if via is not None else 0  # RTNH_F_ONLINK: the router need not be in a network of ours
    body = struct.pack(
        "=BBBBBBBBI", _family(destination), destination.prefixlen, 0, 0, _MAIN_TABLE, _PROTOCOL, scope, kind, onlink
    )
    body += _attribute(_R_DESTINATION, destination.network_address.packed)
    if index is not None:
        body += _number(_R_OIF, index)
    if via is not None:
        body += _attribute(_R_GATEWAY, via.packed)
    return body


class Netlink:
    """`with Netlink() as link`: a socket to the namespace that this process is in now."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def do(self, *requests: Request) -> None:
        """All of `requests`, in order. Raises OSError for the first that the kernel refuses; later ones are done."""
        count = len(requests)
        for number, (kind, flags, body) in enumerate(requests):
            # Who fails tells; of what works, the last tells that all is done.
            flags |= _REQUEST | (_ACK if number == count - 1 else 0)
            self._socket.send(struct.pack("=IHHII", 16 + len(body), kind, flags, number, 0) + body)
        problem: OSError | None = None
        while True:
            for kind, number, body in _messages(self._socket.recv(65536)):
                if kind != _ERROR:
                    continue
                code = -struct.unpack_from("=i", body)[0]
                if code and problem is None:
                    problem = OSError(code, os.strerror(code))
                if number == count - 1:
                    if problem is not None:
                        raise problem
                    return

    def settle(self, index: int, seconds: float) -> None:
        """Return once the kernel has told everybody who has to know that a device and its other end are up.

        It does so in its own time, some tenths of a millisecond mostly; until then what is sent first would be lost.
        """
        until = time.monotonic() + seconds
        while True:
            body = _link(index)
            self._socket.send(struct.pack("=IHHII", 16 + len(body), GETLINK, _REQUEST, 0, 0) + body)
            for kind, _number, content in _messages(self._socket.recv(65536)):
                given = dict(_attributes(content[16:])) if kind == NEWLINK else {}
                if given.get(_L_OPERSTATE, b"\0")[0] == _OPERSTATE_UP:
                    return
            if time.monotonic() > until:
                return
            time.sleep(0.0001)

    def devices(self) -> list[Device]:
        return [_device(body) for body in self._dump(GETLINK, _link())]

    def addresses(self) -> set[IPv4Address]:
        """Every address of IPv4."""
        found = set()
        for body in self._dump(GETADDR, struct.pack("=BBBBI", socket.AF_INET, 0, 0, 0, 0)):
            given = dict(_attributes(body[8:]))
            found.add(IPv4Address(given.get(_A_LOCAL, given[_A_ADDRESS])))
        return found

    def outward(self) -> set[int]:
        """Devices that routes of IPv4 in the main table lead over."""
        return {
            struct.unpack("=I", given[_R_OIF])[0]
            for body, given in self._routes()
            if body[4] == _MAIN_TABLE and body[7] == UNICAST and _R_OIF in given
        }

    def destinations(self) -> set[IPv4Address]:
        """Single addresses that routes of IPv4 lead to."""
        return {
            IPv4Address(given[_R_DESTINATION])
            for body, given in self._routes()
            if body[1] == 32 and _R_DESTINATION in given
        }

    def _routes(self) -> Iterator[tuple[bytes, dict[int, bytes]]]:
        """Messages of the routes of IPv4, with their attributes."""
        for body in self._dump(GETROUTE, struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)):
            yield body, dict(_attributes(body[12:]))

    def _dump(self, kind: int, body: bytes) -> Iterator[bytes]:
        self._socket.send(struct.pack("=IHHII", 16 + len(body), kind, _REQUEST | _DUMP, 0, 0) + body)
        while True:
            for found, _number, content in _messages(self._socket.recv(1 << 18)):
                if found == _DONE:
                    return
                if found == _ERROR:
                    code = -struct.unpack_from("=i", content)[0]
                    raise OSError(code, os.strerror(code))
                yield content


def watch() -> list[socket.socket]:
    """Sockets that become readable when devices, addresses, routes, parameters or rules of this namespace change."""
    made = []
    for protocol, groups in ((socket.NETLINK_ROUTE, WATCHED), (_NETFILTER, _WATCHED_RULES)):
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        watching = socket.socket(socket.AF_NETLINK, kind, protocol)
        watching.bind((0, groups))
        made.append(watching)
    return made


def drain(watching: socket.socket) -> None:
    """Forget what `watching` has to tell: whoever hears of a change looks anew."""
    while True:
        try:
            watching.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # more than it can hold: a change all the same
                raise


def _messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(type, sequence number, content)."""
    offset = 0
    while offset + 16 <= len(data):
        length, kind, _flags, number, _pid = struct.unpack_from("=IHHII", data, offset)
        yield kind, number, data[offset + 16 : offset + length]
        offset += (length + 3) & ~3


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4:
            return
        yield kind & 0x3FFF, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def _device(body: bytes) -> Device:
    given = dict(_attributes(body[16:]))
    info = dict(_attributes(given.get(_L_INFO, b"")))
    return Device(
        index=struct.unpack_from("=i", body, 4)[0],
        name=given[_L_NAME].rstrip(b"\0").decode(),
        kind=info.get(_INFO_KIND, b"").rstrip(b"\0").decode(),
    )
