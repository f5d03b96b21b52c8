"""A gateway: a namespace that environments are behind, each at the end of a link of its own.

The router of environments without a private network is one, and so is every network interface. Links are made from
here, whole: nothing in an environment has to act, nor could it. Used by the agent only.
"""

from __future__ import annotations

import contextlib
import os
import socket
from ipaddress import IPv4Interface

from ingle.network import namespaces, netlink
from ingle.network.addresses import BEHIND, HARDWARE, INSIDE, NEXT_HOP, NEXT_HOP6, RESOLVER, link, link6
from ingle.network.netlink import Netlink
from ingle.network.nftables import Nftables

#: Devices that are made later start with these. Sources are checked (rp_filter), and nobody is redirected.
_PARAMETERS = {
    "ipv4/conf/all/rp_filter": 1,
    "ipv4/conf/default/rp_filter": 1,
    "ipv4/conf/all/forwarding": 1,
    "ipv4/conf/default/forwarding": 1,
    "ipv4/conf/all/accept_redirects": 0,
    "ipv4/conf/default/accept_redirects": 0,
    "ipv4/conf/all/send_redirects": 0,
    "ipv4/conf/default/send_redirects": 0,
    "ipv4/conf/all/accept_source_route": 0,
    "ipv4/conf/default/accept_source_route": 0,
    "ipv4/conf/default/arp_ignore": 1,
    "ipv4/conf/default/arp_announce": 2,
}
_PARAMETERS6 = {
    "ipv6/conf/all/disable_ipv6": 0,
    "ipv6/conf/default/disable_ipv6": 0,
    "ipv6/conf/default/addr_gen_mode": 1,
    "ipv6/conf/default/accept_ra": 0,
    "ipv6/conf/default/accept_redirects": 0,
    "ipv6/conf/all/forwarding": 1,
}
_NO_IPV6 = {"ipv6/conf/all/disable_ipv6": 1, "ipv6/conf/default/disable_ipv6": 1}


#: For the kernel to begin with a link.
_SETTLE_SECONDS = 0.05


class Gateway:
    """`ipv6`: links have addresses of both versions."""

    def __init__(self, *, ipv6: bool) -> None:
        """A new namespace; everything in it goes with `close`. Raises OSError."""
        self.ipv6 = ipv6
        self._tables: Nftables | None = None
        with contextlib.ExitStack() as undo:
            self.namespace = namespaces.create()
            undo.callback(os.close, self.namespace)
            with namespaces.inside(self.namespace):
                self.links = Netlink()
                undo.callback(self.links.close)
                for name, value in {**_PARAMETERS, **(_PARAMETERS6 if ipv6 else {})}.items():
                    namespaces.set_parameter(name, value)
                if not ipv6:
                    with contextlib.suppress(OSError):  # a kernel without it
                        for name, value in _NO_IPV6.items():
                            namespaces.set_parameter(name, value)
                loopback = socket.if_nametoindex("lo")
                self.links.do(netlink.up(loopback), netlink.add_address(loopback, IPv4Interface((RESOLVER, 32))))
            undo.pop_all()

    def close(self) -> None:
        self.rest()
        self.links.close()
        os.close(self.namespace)

    def index(self, name: str) -> int:
        """Of a device in the namespace. Raises OSError."""
        with namespaces.inside(self.namespace):
            return socket.if_nametoindex(name)

    def load(self, text: str) -> None:
        """One transaction of rules. Raises OSError."""
        if self._tables is None:
            with namespaces.inside(self.namespace):
                self._tables = Nftables()
        self._tables.run(text)

    def rest(self) -> None:
        """Give up what makes the next change fast.

        Of the library, most of a megabyte for each namespace that it is open in. Closing it takes the kernel some
        milliseconds, so that it is not done after each change.
        """
        if self._tables is not None:
            self._tables.close()
            self._tables = None

    def attach(
        self, namespace: int, number: int, name: str = INSIDE, *, default: bool = True, ipv6: bool | None = None,
        settle: bool = True,
    ) -> None:  # fmt: skip
        """Make link `number`, whose other end is called `name` in `namespace`. Raises OSError.

        `default`: whatever has no other route goes over it. `ipv6`: the gateway's own choice if it is not given.
        `settle`: return when answers pass, too, which is some tenths of a millisecond later.
        """
        ipv6 = self.ipv6 if ipv6 is None else ipv6
        ours = f"{BEHIND}{number}"
        inner = link(number)
        with namespaces.inside(self.namespace):
            self.links.do(netlink.veth(
                ours, name, namespace, address=HARDWARE, peer_address=HARDWARE, arp=False,
            ))  # fmt: skip
            index = socket.if_nametoindex(ours)
            routes = [netlink.add_route(inner.network, index)]
            if ipv6:
                routes.append(netlink.add_route(link6(number).network, index))
            self.links.do(*routes)
        with namespaces.inside(namespace):
            _configure(name, number, default=default, ipv6=ipv6)
        if settle:
            self.links.settle(index, _SETTLE_SECONDS)

    def resolver_sockets(self) -> list[socket.socket]:
        """Where environments ask for names: one socket for datagrams and one that listens. Raises OSError."""
        with contextlib.ExitStack() as undo, namespaces.inside(self.namespace):
            made = []
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                sock = undo.enter_context(socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK))
                sock.bind((str(RESOLVER), 53))
                made.append(sock)
            made[1].listen(64)
            undo.pop_all()
        return made


def _configure(name: str, number: int, *, default: bool, ipv6: bool) -> None:
    """The other end, in the namespace that it leads to."""
    index = socket.if_nametoindex(name)
    if not ipv6:
        with contextlib.suppress(OSError):
            namespaces.set_parameter(f"ipv6/conf/{name}/disable_ipv6", 1)
    else:
        namespaces.set_parameter(f"ipv6/conf/{name}/addr_gen_mode", 1)
    requests = [netlink.add_address(index, link(number)), netlink.up(index)]
    if default:
        requests.append(netlink.add_route(netlink.EVERYWHERE, index, NEXT_HOP))
    if ipv6:
        requests.append(netlink.add_address(index, link6(number)))
        if default:
            requests.append(netlink.add_route(netlink.EVERYWHERE6, index, NEXT_HOP6))
    with Netlink() as inside:
        inside.do(*requests)
