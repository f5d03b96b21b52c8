"""The machine's side of the way out: one device, one table of rules, and forwarding for what answers.

Everything here carries the server's own name, so that several servers on one machine share nothing, and a later start
sees what one that was killed has left. Forwarding is never switched on for the whole machine: only for devices that
routes lead over, and then everything but Ingle's own traffic is kept from being forwarded from them, as it was before.
Where somebody else has switched it on for the machine, that is left to them. Used by the agent only, in the machine's
own namespace.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import socket
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from ingle.network import namespaces, netlink, rules
from ingle.network.addresses import HARDWARE, NEXT_HOP, UPLINK, UPLINKS
from ingle.network.gateway import Gateway
from ingle.network.netlink import Netlink
from ingle.network.nftables import Nftables, NftablesError, owned_name

#: Devices and tables of all servers begin with this.
PREFIX = "ingle-"
_SAFE = re.compile(r"[A-Za-z0-9_.-]{1,15}")
_GUARD = re.compile(r'comment "ingle guard ([^"]+)"')
_TABLE = re.compile(r"^table inet (ingle-[0-9a-f]{8})$", re.MULTILINE)
_TRIES = 64
_LOCK_SECONDS = 5.0


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Alone among all servers of this network namespace. Raises OSError if another one does not come to an end."""
    descriptor = namespaces.current()
    until = time.monotonic() + _LOCK_SECONDS
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise OSError("another server holds the network of this machine") from None
                time.sleep(0.002)
        yield
    finally:
        os.close(descriptor)


class Uplink:
    """`identity`: eight hexadecimal digits that no other server on this machine has."""

    def __init__(self, identity: str, router: Gateway) -> None:
        """Raises OSError, and then leaves nothing behind."""
        self.device = PREFIX + identity
        self._owned = owned_name(self.device)
        self._tables = Nftables()
        self._links = Netlink()
        self._guarded: tuple[str, ...] = ()
        self._address: IPv4Address | None = None
        try:
            with locked():
                sweep(self._links, self._tables, self.device)
                self._connect(router, int(identity, 16))
                self._load(self._wanted())
        except BaseException:
            self.close()
            raise

    def _connect(self, router: Gateway, seed: int) -> None:
        self._links.do(netlink.veth(
            self.device, UPLINK, router.namespace, address=HARDWARE, peer_address=HARDWARE, arp=False,
        ))  # fmt: skip
        index = socket.if_nametoindex(self.device)
        for name in ("send_redirects", "accept_redirects"):
            namespaces.set_parameter(f"ipv4/conf/{self.device}/{name}", 0)
        with contextlib.suppress(OSError):
            namespaces.set_parameter(f"ipv6/conf/{self.device}/disable_ipv6", 1)
        self._address = address = self._claim(index, seed)
        with namespaces.inside(router.namespace):
            inner = socket.if_nametoindex(UPLINK)
            router.links.do(
                netlink.add_address(inner, IPv4Interface((address, 32))),
                netlink.up(inner),
                netlink.add_route(netlink.EVERYWHERE, inner, NEXT_HOP),
            )

    def _claim(self, index: int, seed: int) -> IPv4Address:
        """An address that no other server's router has: the machine has a route to each."""
        taken = self._links.destinations()
        for turn in range(_TRIES):
            address = UPLINKS[1 + (seed + turn) % (UPLINKS.num_addresses - 2)]
            if address not in taken:
                self._links.do(netlink.add_route(IPv4Network((address, 32)), index))
                return address
        raise OSError("no address is left for the way out of the machine")

    def refresh(self) -> None:
        """The machine's devices, routes, parameters or rules may have changed.

        Who flushes all rules takes one of two tables away; who switches forwarding off for the machine does it for
        this device, too.
        """
        with locked():
            wanted = self._wanted()
            if wanted != self._guarded or not self._is_whole():
                self._load(wanted)

    def _is_whole(self) -> bool:
        forwards = namespaces.parameter(f"ipv4/conf/{self.device}/forwarding") != "0"
        there = self.device in _own_tables(self._tables)
        return forwards and there and set(_guards_of(self._tables, self.device)) == set(self._guarded)

    def _wanted(self) -> tuple[str, ...]:
        """Devices that forward for Ingle and for nobody else."""
        if namespaces.parameter("ipv4/conf/all/forwarding") != "0":
            return ()
        outward = self._links.outward()
        found = [device.name for device in self._links.devices() if device.index in outward and _guardable(device.name)]
        held = {*self._guarded, *guards(self._tables)}
        return tuple(
            name for name in found
            if name in held or namespaces.parameter(f"ipv4/conf/{name}/forwarding") == "0"
        )  # fmt: skip

    def _load(self, guarded: tuple[str, ...]) -> None:
        """First what keeps others out, then what lets Ingle's in."""
        assert self._address is not None
        bridges = {device.name for device in self._links.devices() if device.kind == "bridge"}
        self._tables.run(rules.of_host(self.device, self._owned, self.device, self._address, guarded, bridges))
        before, self._guarded = self._guarded, guarded
        for name in (self.device, *guarded):
            with contextlib.suppress(OSError):
                namespaces.set_parameter(f"ipv4/conf/{name}/forwarding", 1)
        _stop_forwarding(self._tables, set(before) - set(guarded))

    def close(self) -> None:
        """Leave the machine as it was."""
        with contextlib.suppress(OSError), locked():
            _remove(self._links, self._tables, self.device)
        self._links.close()
        self._tables.close()


def guards(tables: Nftables) -> set[str]:
    """Devices that some server has had forward for Ingle alone."""
    return {name for table in _own_tables(tables) for name in _guards_of(tables, table)}


def sweep(links: Netlink, tables: Nftables, own: str) -> None:
    """Remove what killed servers left: this one's, and tables whose device has gone."""
    devices = {device.name for device in links.devices()}
    for table in _own_tables(tables):
        if table == own or table not in devices:
            _remove(links, tables, table)
    if own in devices:
        _remove(links, tables, own)


def _remove(links: Netlink, tables: Nftables, name: str) -> None:
    guarded: set[str] = set()
    if name in _own_tables(tables):
        guarded = set(_guards_of(tables, name))
    with contextlib.suppress(OSError):
        links.do(netlink.remove(socket.if_nametoindex(name)))
    # Forwarding goes before what guards it.
    remaining = {held for table in _own_tables(tables) if table != name for held in _guards_of(tables, table)}
    _reset(guarded - remaining)
    with contextlib.suppress(NftablesError):
        tables.run(f"delete table inet {name}")


def _stop_forwarding(tables: Nftables, devices: set[str]) -> None:
    """For devices that are no longer guarded by this server, unless another one does."""
    if devices:
        _reset(devices - guards(tables))


def _reset(devices: set[str]) -> None:
    if namespaces.parameter("ipv4/conf/all/forwarding") != "0":
        return  # somebody has the whole machine forward
    for name in devices:
        if _guardable(name):
            with contextlib.suppress(OSError):  # the device is gone
                namespaces.set_parameter(f"ipv4/conf/{name}/forwarding", 0)


def _own_tables(tables: Nftables) -> list[str]:
    return _TABLE.findall(tables.run("list tables inet"))


def _guards_of(tables: Nftables, table: str) -> list[str]:
    with contextlib.suppress(NftablesError):
        return _GUARD.findall(tables.run(f"list table inet {table}"))
    return []


def _guardable(name: str) -> bool:
    return name != "lo" and not name.startswith(PREFIX) and _SAFE.fullmatch(name) is not None
