"""A network interface: the gateway that environments in a private network are behind.

It has the interface's address in the subnet, the routes and the rules; environments are translated to the address, so
that scaling takes none and nothing can be opened towards them. Used by the agent only.
"""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from ingle.network import conflicts, namespaces, netlink, rules
from ingle.network.addresses import NAT, NEXT_HOP, NEXT_HOP6, SUBNET, VPC
from ingle.network.fabric import Fabric
from ingle.network.gateway import Gateway
from ingle.network.netlink import Request
from ingle.network.numbers import Numbers
from ingle.network.plan import Interface, Route, Target
from ingle.network.ports import Ports

#: For a bridge to begin with a new device.
_SETTLE_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an interface is connected with. `router`: the way out of the machine, if there is one."""

    ports: Ports
    fabric: Fabric
    router: Gateway | None
    numbers: Numbers


class InterfaceGateway(Gateway):
    def __init__(self, plan: Interface, around: Surroundings) -> None:
        """Raises OSError, and then leaves nothing behind."""
        super().__init__(ipv6=plan.address6 is not None)
        self.plan = plan
        self._around = around
        self._routes: dict[netlink.Network, Request] = {}
        #: Numbers of links to the router and to the fabric, by what they are called here.
        self._ways: dict[str, int] = {}
        #: Hears of others that use the address on a network of the machine. Whoever watches it asks for it anew after
        #: each change.
        self.sentry: socket.socket | None = None
        try:
            # Nothing passes before there are rules, and nothing can be plugged in before there is a table.
            self.load(rules.of_interface(plan))
            self._plug()
            self._route()
        except BaseException:
            self.close()
            raise

    def change(self, plan: Interface) -> None:
        """To another plan of the same interface; connections that stay allowed go on. Raises OSError.

        Rules are changed first: what is no longer allowed ends, whatever else becomes of the change.
        """
        before, self.plan = self.plan, plan
        try:
            self._change(before, plan)
        except BaseException:
            self.plan = before  # so that another try does all of it
            raise

    def _change(self, before: Interface, plan: Interface) -> None:
        elsewhere: dict[str, Any] = {"routes": (), "neighbours": (), "device": None}
        if replace(before, **elsewhere) != replace(plan, **elsewhere):
            self.load(rules.of_interface(plan))
        if (before.device, before.addresses) != (plan.device, plan.addresses):
            self._unplug()
            self._plug()
        self._route()

    def close(self) -> None:
        # At once: the namespace itself may stay a little, for sockets of the resolver.
        with contextlib.suppress(OSError):
            self.load(rules.NOTHING)
        with contextlib.suppress(OSError):
            self._around.fabric.lead_to(self.plan.name, (), self._around.ports)
        for number in self._ways.values():
            self._around.numbers.give_back(number)
        self._dismiss()
        super().close()

    def _unplug(self) -> None:
        """With the way to the other subnets, which has the addresses, too."""
        self._dismiss()
        self._routes.clear()
        for name in (SUBNET, VPC):
            with contextlib.suppress(OSError):
                self.links.do(netlink.remove(self.index(name)))
        if VPC in self._ways:
            self._around.numbers.give_back(self._ways.pop(VPC))

    def _dismiss(self) -> None:
        if self.sentry is not None:
            self.sentry.close()
            self.sentry = None

    def _plug(self) -> None:
        plan, around = self.plan, self._around
        if plan.device is None:
            other: int | None = around.fabric.plug(plan, self.namespace)
        else:
            other = around.ports.plug(plan.device, self.namespace, SUBNET, plan.hardware)
        with namespaces.inside(self.namespace):
            index = socket.if_nametoindex(SUBNET)
            namespaces.set_parameter(f"ipv4/conf/{SUBNET}/arp_notify", 1)
            self.links.do(*(netlink.add_address(index, address) for address in plan.addresses), netlink.up(index))
        self.links.settle(index, _SETTLE_SECONDS)
        if other is not None:
            (around.fabric.links if plan.device is None else around.ports.links).settle(other, _SETTLE_SECONDS)
        if plan.device is not None:
            self.sentry = conflicts.sentry(self.namespace, SUBNET, plan.address.ip)

    def _way(self, name: str) -> bool:
        """Have a link to the router or to the fabric; False: there is nothing that it could lead to."""
        if name in self._ways:
            return True
        router = self._around.router if name == NAT else self._around.fabric
        if router is None:
            return False
        number = self._around.numbers.take()
        try:
            if name == NAT:
                router.attach(self.namespace, number, NAT, default=False)
            else:
                self._around.fabric.reach(number, self.plan, self.namespace)
        except BaseException:
            self._around.numbers.give_back(number)
            raise
        self._ways[name] = number
        return True

    def _route(self) -> None:
        self._around.fabric.lead_to(self.plan.name, self.plan.neighbours, self._around.ports)
        wanted: dict[netlink.Network, Request] = {}
        everything: list[netlink.Network] = [netlink.EVERYWHERE]
        if self.ipv6:
            everything.append(netlink.EVERYWHERE6)
        for destination in everything:
            wanted[destination] = netlink.add_route(destination, kind=netlink.BLACKHOLE)
        subnet = self.index(SUBNET)
        for route in self.plan.routes:
            if route.destination.version == 4 or self.ipv6:
                wanted[route.destination] = self._request(route, subnet)
        stale = [netlink.remove_route(found) for found in self._routes if found not in wanted]
        changed = [request for found, request in wanted.items() if self._routes.get(found) != request]
        if stale:
            self.links.do(*stale)
        if changed:
            self.links.do(*changed)
        self._routes = wanted

    def _request(self, route: Route, subnet: int) -> Request:
        """`subnet`: the index of the device in it."""
        version = route.destination.version
        if route.target is Target.VIA and route.via is not None and version == 4:
            return netlink.add_route(route.destination, subnet, route.via)
        if route.target is Target.NAT and version == 4 and self._way(NAT):
            return netlink.add_route(route.destination, self.index(NAT), NEXT_HOP)
        if route.target is Target.VPC:
            if self.plan.device is None:
                return netlink.add_route(route.destination, subnet, self._first(version))
            if self._way(VPC):
                hop: IPv4Address | IPv6Address = NEXT_HOP if version == 4 else NEXT_HOP6
                return netlink.add_route(route.destination, self.index(VPC), hop)
        return netlink.add_route(route.destination, kind=netlink.BLACKHOLE)

    def _first(self, version: int) -> IPv4Address | IPv6Address:
        """The router's address in the subnet."""
        six = self.plan.address6
        return six.network[1] if version == 6 and six is not None else self.plan.address.network[1]
