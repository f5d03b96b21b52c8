"""Where private networks meet the machine's own: devices on its bridges, and beside its interfaces.

Everything made here leads into a namespace of the agent's and goes with it; the one table is owned by the agent's
socket and goes with that. Whatever comes in by one of these devices and is meant for the machine itself is dropped.
Used by the agent only, in the machine's own namespace.
"""

from __future__ import annotations

import contextlib
import socket

from ingle.network import namespaces, netlink, rules
from ingle.network.netlink import Netlink
from ingle.network.nftables import Nftables, NftablesError, owned_name


class Ports:
    """`identity`: see `uplink`."""

    def __init__(self, identity: str) -> None:
        self._identity = identity
        self._prefix = f"ig-{identity[:6]}-"
        self._made = 0
        self.links = Netlink()
        self._tables: Nftables | None = None

    def close(self) -> None:
        self.links.close()
        if self._tables is not None:
            self._tables.close()

    def plug(self, device: str, namespace: int, name: str, hardware: str | None) -> int | None:
        """Give `namespace` a device called `name` in the network of `device`. Raises OSError.

        Returns the index of the other end, for `links.settle`, if it is on a bridge.
        """
        links = self.links
        found = next((known for known in links.devices() if known.name == device), None)
        if found is None:
            raise OSError(f"this machine has no device {device}")
        if found.kind != "bridge":
            links.do(netlink.macvlan(name, found.index, namespace, hardware))
            return None
        self._keep_out()
        self._made += 1
        port = f"{self._prefix}{self._made}"
        links.do(netlink.veth(port, name, namespace, peer_address=hardware))
        index = socket.if_nametoindex(port)
        with contextlib.suppress(OSError):
            namespaces.set_parameter(f"ipv6/conf/{port}/disable_ipv6", 1)
        links.do(netlink.enslave(index, found.index))
        return index

    def _keep_out(self) -> None:
        """Before the first device is on a bridge."""
        if self._tables is not None:
            return
        tables = Nftables()
        try:
            tables.run(rules.of_bridges(owned_name(f"ingle-{self._identity}"), self._prefix))
        except NftablesError:
            tables.close()
            raise
        self._tables = tables
