"""The inside of a private network: the segments of its subnets, and a router between them.

A subnet that is bound to nothing is a bridge in here, on which the router has the subnet's first address. A subnet
that is bound to a device of the machine is out there; the router has a leg in it while an interface of another subnet
leads to it, and what it sends comes from its own address, since nobody there knows a way back to the others. Nobody
opens anything from there.
Used by the agent only.
"""

from __future__ import annotations

import contextlib
import socket
from ipaddress import IPv4Interface, IPv6Interface

from ingle.network import namespaces, netlink, rules
from ingle.network.addresses import BEHIND, LEG, SUBNET, VPC, leg_hardware
from ingle.network.gateway import Gateway
from ingle.network.plan import Interface, Segment
from ingle.network.ports import Ports


class Fabric(Gateway):
    """Of one private network. Links of gateways into it are numbered like those of environments."""

    def __init__(self) -> None:
        """Raises OSError."""
        super().__init__(ipv6=True)
        self._bridges: dict[str, str] = {}
        self._legs: dict[str, tuple[Segment, str]] = {}
        #: By interface.
        self._wanted: dict[str, tuple[Segment, ...]] = {}
        self._made = 0
        try:
            self.load(rules.of_fabric())
        except BaseException:
            self.close()
            raise

    def plug(self, plan: Interface, namespace: int) -> int:
        """Give `namespace` the device of an interface, on the bridge of its subnet. Raises OSError.

        Returns the index of the other end, for `links.settle`.
        """
        with namespaces.inside(self.namespace):
            bridge = socket.if_nametoindex(self._bridge(plan))
            self._made += 1
            port = f"port{self._made}"
            self.links.do(netlink.veth(port, SUBNET, namespace, peer_address=plan.hardware))
            index = socket.if_nametoindex(port)
            self.links.do(netlink.enslave(index, bridge))
            return index

    def _bridge(self, plan: Interface) -> str:
        """In the namespace of the fabric."""
        name = self._bridges.get(plan.subnet)
        if name is None:
            self._made += 1
            name = f"bridge{self._made}"
            self.links.do(netlink.bridge(name))
            index = socket.if_nametoindex(name)
            network = plan.address.network
            addresses: list[netlink.Interface] = [IPv4Interface((network[1], network.prefixlen))]
            if plan.address6 is not None:
                network6 = plan.address6.network
                addresses.append(IPv6Interface((network6[1], network6.prefixlen)))
            self.links.do(*(netlink.add_address(index, address) for address in addresses))
            self._bridges[plan.subnet] = name
        return name

    def reach(self, number: int, plan: Interface, namespace: int) -> None:
        """Give `namespace`, an interface in a subnet that is bound, a link to the other subnets. Raises OSError."""
        self.attach(namespace, number, VPC, default=False, ipv6=plan.address6 is not None)
        index = self.index(f"{BEHIND}{number}")
        self.links.do(*(netlink.add_route(netlink.host(address.ip), index) for address in plan.addresses))

    def lead_to(self, interface: str, segments: tuple[Segment, ...], ports: Ports) -> None:
        """Have legs in the subnets that interfaces want, which for `interface` are these. Raises OSError."""
        self._wanted[interface] = segments
        wanted = {segment.name: segment for segments in self._wanted.values() for segment in segments}
        for name, (segment, device) in list(self._legs.items()):
            if wanted.get(name) != segment:
                del self._legs[name]
                with contextlib.suppress(OSError):
                    self.links.do(netlink.remove(self.index(device)))
        for name, segment in wanted.items():
            if name not in self._legs:
                self._made += 1
                device = f"{LEG}{self._made}"
                ports.plug(segment.device, self.namespace, device, leg_hardware(name))
                self._legs[name] = segment, device
                index = self.index(device)
                self.links.do(netlink.add_address(index, segment.address), netlink.up(index))
