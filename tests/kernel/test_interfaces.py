"""Network interfaces: what environments behind them reach, by rules, lists and routes that really filter."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Interface, ip_network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.network import namespaces
from ingle.network.plan import ICMP, TCP, UDP, Border, Entry, Interface, Match, Route, Segment, Target
from kernel.agents import ADDRESS, ANY, EVERYWHERE, Agent, Place, plan, to
from kernel.networks import MACHINE, ON_BRIDGE, OWN, PUBLIC, NameServer, World, connect, eventually, ip, world
from unit.network.packets import Packet, answered, any_allows

pytestmark = pytest.mark.kernel

DATABASE, SECOND = "10.20.0.50", "10.20.0.51"


@pytest.fixture(scope="module")
def lan() -> Iterator[World]:
    with world() as made:
        for address in (DATABASE, SECOND):
            for port in (5432, 6379, 25):
                made.listener(made.private, address, port)
        made.listener(made.wide, PUBLIC, 443)
        yield made


@pytest.fixture
def agent(lan: World) -> Iterator[Agent]:
    with contextlib.ExitStack() as stack:
        yield Agent(lan, stack)


def behind(agent: Agent, given: Interface) -> Place:
    # What an agent before had made goes in the kernel's own time.
    eventually(lambda: agent.put(given), None)
    return agent.environment(given.name)


# --- what is allowed -------------------------------------------------------------------------------------------------


def test_a_database_sees_the_address_of_the_interface(agent: Agent) -> None:
    inside = behind(agent, plan(allowed=(to("10.20.0.0/24", ports=(5432, 5432)),)))
    assert inside.ask(DATABASE, 5432) == ADDRESS


def test_what_no_rule_allows_is_dropped(agent: Agent) -> None:
    inside = behind(agent, plan(allowed=(to(f"{DATABASE}/32", ports=(5432, 5432)),)))
    found = [inside.ask(SECOND, 5432, 0.3), inside.ask(DATABASE, 6379, 0.3), inside.send(DATABASE, 5432, 0.3)]
    assert found == ["nothing"] * 3
    assert inside.ask(DATABASE, 5432) == ADDRESS


def test_without_rules_nothing_leaves(agent: Agent) -> None:
    assert behind(agent, plan()).ask(DATABASE, 5432, 0.3) == "nothing"


def test_several_environments_are_behind_one_address_and_apart(agent: Agent) -> None:
    first, second = behind(agent, plan(allowed=(to("0.0.0.0/0", protocol=None),))), agent.environment("eni-1")
    assert [place.ask(DATABASE, 5432) for place in (first, second)] == [ADDRESS, ADDRESS]
    assert agent.show()["interfaces"]["eni-1"]["environments"] == 2
    with namespaces.inside(second.namespace):
        own = _own_address()
    assert first.ask(own, 22, 0.3) == "nothing"


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("10.20.0.1", 9))
        found: str = sock.getsockname()[0]
        return found


def test_large_datagrams_in_fragments_are_let_through_as_a_whole_or_not(lan: World, agent: Agent) -> None:
    inside = behind(agent, plan(allowed=(to("10.20.0.0/24", protocol=UDP, ports=(5432, 5432)),)))
    assert inside.send(DATABASE, 5432, data=b"x" * 8000) == "x" * 512
    assert inside.send(DATABASE, 6379, 0.3, data=b"x" * 8000) == "nothing"


def test_mail_is_not_sent_even_if_a_rule_allows_it(agent: Agent) -> None:
    assert behind(agent, plan(allowed=(to("0.0.0.0/0", protocol=None),))).ask(DATABASE, 25, 0.3) == "nothing"


# --- changes ---------------------------------------------------------------------------------------------------------


def test_a_flow_that_stays_allowed_goes_on_and_another_ends(agent: Agent) -> None:
    inside = behind(agent, plan(allowed=(to("10.20.0.0/24"),)))
    kept, lost = inside.connect(DATABASE, 5432), inside.connect(SECOND, 5432)
    with kept, lost:
        for connection in (kept, lost):
            connection.sendall(b"before")
            assert connection.recv(100) == b"before"
        assert agent.put(plan(allowed=(to(f"{DATABASE}/32", ports=(5432, 5432)),))) is None
        kept.sendall(b"after")
        assert kept.recv(100) == b"after"
        lost.settimeout(0.5)
        lost.sendall(b"after")
        with pytest.raises(TimeoutError):
            lost.recv(100)
        assert agent.put(plan(allowed=(to("10.20.0.0/24"),))) is None
        lost.settimeout(5)
        assert lost.recv(100) == b"after"


def test_an_interface_that_is_removed_takes_the_network_with_it(agent: Agent) -> None:
    inside = behind(agent, plan(allowed=(to("10.20.0.0/24"),)))
    assert inside.ask(DATABASE, 5432) == ADDRESS
    agent.remove("eni-1")
    assert inside.ask(DATABASE, 5432, 0.3) in ("ENETUNREACH", "nothing", "EHOSTUNREACH")
    assert behind(agent, plan(allowed=(to("10.20.0.0/24"),))).ask(DATABASE, 5432) == ADDRESS


def test_a_subnet_moves_to_another_network_with_its_environments(agent: Agent) -> None:
    inside = behind(agent, plan(allowed=(to("0.0.0.0/0", protocol=None),), device=None))
    assert inside.ask(DATABASE, 5432, 0.3) in ("nothing", "EHOSTUNREACH")
    assert agent.put(plan(allowed=(to("0.0.0.0/0", protocol=None),))) is None
    assert inside.ask(DATABASE, 5432) == ADDRESS


def test_a_device_that_is_not_there_is_named(agent: Agent) -> None:
    assert agent.put(plan(device="br9")) == "this machine has no device br9"
    assert agent.put(plan()) is None


# --- what is never reached -------------------------------------------------------------------------------------------


def test_nothing_of_the_machine_is_reached_whatever_is_allowed(lan: World, agent: Agent) -> None:
    everywhere = lan.listener(lan.machine, "0.0.0.0", 8081)
    routes = (Route(destination=EVERYWHERE, target=Target.NAT),)
    inside = behind(agent, plan(allowed=(to("0.0.0.0/0", protocol=None),), routes=routes))
    for address in (ON_BRIDGE, MACHINE, *OWN):
        assert inside.ask(address, 8081, 0.3) in ("nothing", "EHOSTUNREACH"), address
        assert inside.send(address, 8081, 0.3) in ("nothing", "EHOSTUNREACH"), address
    ip(lan.machine, "addr add 10.20.0.200/24 dev br0")
    assert inside.ask("10.20.0.200", 8081, 0.3) in ("nothing", "EHOSTUNREACH")
    ip(lan.machine, "addr del 10.20.0.200/24 dev br0")
    assert not everywhere.heard


def test_link_local_and_metadata_are_refused_at_once(agent: Agent) -> None:
    routes = (Route(destination=EVERYWHERE, target=Target.NAT),)
    inside = behind(agent, plan(allowed=(to("0.0.0.0/0", protocol=None),), routes=routes))
    places = ("169.254.169.254", "169.254.1.1", "169.254.32.1", "224.0.0.5")
    assert {inside.ask(place, 80) for place in places} <= {"EHOSTUNREACH", "ENETUNREACH"}


@pytest.mark.parametrize("device", ["br0", None])
def test_nobody_reaches_an_environment(lan: World, agent: Agent, device: str | None) -> None:
    inside = behind(agent, plan(allowed=(to("0.0.0.0/0", protocol=None),), device=device))
    with namespaces.inside(inside.namespace), socket.create_server(("0.0.0.0", 7777)) as listener:
        listener.settimeout(0)
        own = _own_address()
        ip(lan.private, f"route add {own}/32 via {ADDRESS}")
        for address in (ADDRESS, own):
            assert Place(lan.private).ask(address, 7777, 0.3) in ("nothing", "EHOSTUNREACH")
            assert Place(lan.machine).ask(address, 7777, 0.3) in ("nothing", "EHOSTUNREACH")
        ip(lan.private, f"route del {own}/32")
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_no_power_inside_gets_around_the_rules(lan: World, agent: Agent) -> None:
    """An environment has none; a hostile SnapStart template has all of these in a namespace of its own."""
    inside = behind(agent, plan(allowed=(to(f"{DATABASE}/32", ports=(5432, 5432)),)))
    other = agent.environment("eni-1")
    with namespaces.inside(other.namespace):
        sibling = _own_address()
    watched = lan.listener(lan.private, SECOND, 9999)
    for source in (ADDRESS, SECOND, sibling, MACHINE, "127.0.0.1"):
        for target, port in ((SECOND, 9999), (ON_BRIDGE, 9999)):
            _throw(inside.namespace, source, target, port)
    for command in (
        "link set eth0 arp on", "addr add 10.20.0.77/24 dev eth0", "route add 10.20.0.128/25 dev eth0",
        "link set eth0 address 02:00:00:00:00:09", "link set eth0 promisc on",
    ):  # fmt: skip
        ip(inside.namespace, command)
        assert inside.ask(SECOND, 5432, 0.2) != ADDRESS
    assert not watched.heard
    assert other.ask(DATABASE, 5432) == ADDRESS


def _throw(namespace: int, source: str, target: str, port: int) -> None:
    """One datagram with a source of one's choice, straight onto the link."""
    payload = struct.pack("!HHHH", 4444, port, 9, 0) + b"?"
    header = struct.pack(
        "!BBHHHBBH4s4s",
        0x45,
        0,
        20 + len(payload),
        1,
        0,
        64,
        UDP,
        0,
        socket.inet_aton(source),
        socket.inet_aton(target),
    )
    total = sum(struct.unpack("!10H", header))
    total = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    header = header[:10] + struct.pack("!H", total) + header[12:]
    with namespaces.inside(namespace), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as raw:
        raw.bind(("eth0", 0))
        hardware = raw.getsockname()[4]
        raw.send(hardware + hardware + b"\x08\x00" + header + payload)


# --- routes and lists ------------------------------------------------------------------------------------------------


def test_the_internet_is_reached_by_a_nat_route_only(agent: Agent) -> None:
    allowed = (to("0.0.0.0/0", protocol=None),)
    inside = behind(agent, plan(allowed=allowed))
    assert inside.ask(PUBLIC, 443, 0.3) == "nothing"
    routes = (Route(destination=EVERYWHERE, target=Target.NAT),)
    assert agent.put(plan(allowed=allowed, routes=routes)) is None
    assert inside.ask(PUBLIC, 443) == MACHINE
    assert inside.ask(DATABASE, 5432) == ADDRESS
    hole = Route(destination=IPv4Network(f"{PUBLIC}/32"), target=Target.NOWHERE)
    assert agent.put(plan(allowed=allowed, routes=(*routes, hole))) is None
    assert inside.ask(PUBLIC, 443, 0.3) == "nothing"


def test_a_narrower_way_is_found_out(lan: World, agent: Agent) -> None:
    """The machine's word for it comes back through both translations."""
    ip(lan.machine, "link set eth0 mtu 1300")
    routes = (Route(destination=EVERYWHERE, target=Target.NAT),)
    inside = behind(agent, plan(allowed=(to("0.0.0.0/0", protocol=None),), routes=routes))
    with inside.connect(PUBLIC, 443) as connection:
        connection.settimeout(5)
        connection.sendall(b"x" * 60000)
        answer = b""
        while len(answer) < 60000:
            answer += connection.recv(65536)
    ip(lan.machine, "link set eth0 mtu 1500")


def test_a_rule_decides_about_the_internet_too(agent: Agent) -> None:
    routes = (Route(destination=EVERYWHERE, target=Target.NAT),)
    inside = behind(agent, plan(allowed=(to("10.20.0.0/24"),), routes=routes))
    assert inside.ask(PUBLIC, 443, 0.3) == "nothing"


def test_without_a_way_out_of_the_machine_a_nat_route_leads_nowhere(lan: World) -> None:
    with contextlib.ExitStack() as stack:
        agent = Agent(lan, stack, outward=False)
        routes = (Route(destination=EVERYWHERE, target=Target.NAT),)
        inside = behind(agent, plan(allowed=(to("0.0.0.0/0", protocol=None),), routes=routes))
        assert inside.ask(PUBLIC, 443, 0.3) == "nothing"
        assert inside.ask(DATABASE, 5432) == ADDRESS


def test_lists_decide_in_order_and_about_answers_too(agent: Agent) -> None:
    allowed = (to("0.0.0.0/0", protocol=None),)
    routes = (Route(destination=EVERYWHERE, target=Target.NAT),)
    inside = behind(agent, plan(allowed=allowed, routes=routes))
    assert inside.ask(PUBLIC, 443) == MACHINE
    refuse = Entry(match=to(f"{PUBLIC}/32", ports=(443, 443)), allow=False)
    assert agent.put(plan(allowed=allowed, routes=routes, outbound=(refuse, ANY))) is None
    assert inside.ask(PUBLIC, 443, 0.3) == "nothing"
    assert agent.put(plan(allowed=allowed, routes=routes, outbound=(ANY, refuse))) is None
    assert inside.ask(PUBLIC, 443) == MACHINE
    # Answers come to ports that nobody chose: a list without these lets none in.
    low = Entry(match=to("0.0.0.0/0", ports=(0, 1023)), allow=True)
    assert agent.put(plan(allowed=allowed, routes=routes, inbound=(low,))) is None
    assert inside.ask(PUBLIC, 443, 0.3) == "nothing"
    high = Entry(match=to("0.0.0.0/0", ports=(1024, 65535)), allow=True)
    assert agent.put(plan(allowed=allowed, routes=routes, inbound=(low, high))) is None
    assert inside.ask(PUBLIC, 443) == MACHINE


def test_lists_do_not_decide_inside_the_subnet(agent: Agent) -> None:
    inside = behind(agent, plan(allowed=(to("0.0.0.0/0", protocol=None),), inbound=(), outbound=()))
    assert inside.ask(DATABASE, 5432) == ADDRESS


def test_a_router_in_the_subnet_leads_on(lan: World, agent: Agent) -> None:
    ip(lan.private, "addr add 192.0.2.9/32 dev lo")
    lan.listener(lan.private, "192.0.2.9", 80)
    route = Route(destination=IPv4Network("192.0.2.0/24"), target=Target.VIA, via=IPv4Address(DATABASE))
    inside = behind(agent, plan(allowed=(to("0.0.0.0/0", protocol=None),), routes=(route,)))
    assert inside.ask("192.0.2.9", 80) == ADDRESS


LOCAL = Route(destination=IPv4Network("10.20.0.0/16"), target=Target.VPC)
ON_BR0 = Segment(name="subnet-1", device="br0", address=IPv4Interface("10.20.0.3/24"))


def elsewhere(**changes: object) -> Interface:
    """In another subnet of the same network, on a bridge of Ingle's own."""
    return plan(
        name="eni-2", subnet="subnet-2", device=None, addresses=(IPv4Interface("10.20.7.4/24"),), routes=(LOCAL,),
        neighbours=(ON_BR0,), hardware="02:00:00:00:02:00", **changes,
    )  # fmt: skip


def test_a_subnet_of_ones_own_reaches_one_that_is_bound(lan: World, agent: Agent) -> None:
    inside = behind(agent, elsewhere(allowed=(to(f"{DATABASE}/32", ports=(5432, 5432)),)))
    assert inside.ask(DATABASE, 5432) == "10.20.0.3"
    assert inside.ask(SECOND, 5432, 0.3) == "nothing"
    ip(lan.private, "route add 10.20.7.0/24 via 10.20.0.3")
    assert Place(lan.private).ask("10.20.7.4", 22, 0.3) == "nothing"
    ip(lan.private, "route del 10.20.7.0/24")


FAR, FARTHER = "10.20.1.60", "10.20.1.61"
ON_BR1 = Segment(name="subnet-3", device="br1", address=IPv4Interface("10.20.1.3/24"))


@pytest.fixture(scope="module")
def far(lan: World) -> Iterator[None]:
    """Another private network of the machine's, on a bridge `br1`."""
    with contextlib.ExitStack() as stack:
        ip(lan.machine, "link add br1 type bridge", "link set br1 up")
        stack.callback(ip, lan.machine, "link del br1")
        other = namespaces.create()
        stack.callback(os.close, other)
        connect(lan.machine, "lan1", other, "eth0")
        ip(lan.machine, "link set lan1 master br1")
        ip(other, "link set lo up", *(f"addr add {address}/24 dev eth0" for address in (FAR, FARTHER)))
        for address in (FAR, FARTHER):
            for port in (5432, 6379):
                stack.callback(lan.listener(other, address, port).close)
        yield


@pytest.mark.usefixtures("far")
def test_a_subnet_that_is_bound_reaches_another(agent: Agent) -> None:
    """Over the router of the private network."""
    inside = behind(agent, plan(allowed=(to("10.20.0.0/16"),), routes=(LOCAL,), neighbours=(ON_BR1,)))
    assert inside.ask(FAR, 5432) == "10.20.1.3"
    assert inside.ask(DATABASE, 5432) == ADDRESS


@pytest.mark.usefixtures("far")
def test_the_lists_of_the_subnet_at_the_other_end_decide_too(agent: Agent) -> None:
    own = plan(allowed=(to("10.20.0.0/16"),), routes=(LOCAL,), neighbours=(ON_BR1,))
    border = Border(networks=(IPv4Network("10.20.1.0/24"),), inbound=(ANY,), outbound=(ANY,))
    inside = behind(agent, replace(own, borders=(border,)))
    assert inside.ask(FAR, 5432) == "10.20.1.3"
    # It is asked about the interface's address, and about answers to ports that nobody chose.
    refused = Entry(match=to(f"{ADDRESS}/32", ports=(5432, 5432)), allow=False)
    low = Entry(match=to("0.0.0.0/0", ports=(0, 1023)), allow=True)
    for held in (replace(border, inbound=(refused, ANY)), replace(border, outbound=(low,))):
        assert agent.put(replace(own, borders=(held,))) is None
        assert inside.ask(FAR, 5432, 0.3) == "nothing"
        assert inside.ask(DATABASE, 5432) == ADDRESS
    assert agent.put(replace(own, borders=(replace(border, inbound=(refused, ANY)),))) is None
    assert inside.ask(FAR, 6379) == "10.20.1.3"


def test_other_networks_of_the_same_addresses_are_apart(lan: World, agent: Agent) -> None:
    first = behind(agent, plan(allowed=(to("0.0.0.0/0", protocol=None),)))
    other = elsewhere(allowed=(to("0.0.0.0/0", protocol=None),))
    second = behind(agent, replace(other, network="vpc-2", neighbours=()))
    assert first.ask(DATABASE, 5432) == ADDRESS
    assert second.ask(DATABASE, 5432, 0.3) in ("nothing", "EHOSTUNREACH", "ENETUNREACH")


def test_a_subnet_is_bound_to_a_plain_interface(lan: World, agent: Agent) -> None:
    """Without a bridge: beside the machine's own address on that network."""
    device = plan(device="eth0", addresses=(IPv4Interface("198.51.100.77/24"),), allowed=(to("0.0.0.0/0"),))
    lan.listener(lan.wide, "198.51.100.1", 5432)
    everywhere = lan.listener(lan.machine, "0.0.0.0", 8082)
    inside = behind(agent, device)
    assert inside.ask("198.51.100.1", 5432) == "198.51.100.77"
    assert inside.ask(MACHINE, 8082, 0.3) in ("nothing", "EHOSTUNREACH")
    assert not everywhere.heard


def test_ipv6_is_there_where_the_subnet_has_it(lan: World, agent: Agent) -> None:
    ip(lan.private, "addr add 2001:db8:20::50/64 dev eth0 nodad")
    lan.listener(lan.private, "2001:db8:20::50", 5433)
    six = (*plan().addresses, IPv6Interface("2001:db8:20::100/64"))
    inside = behind(agent, plan(addresses=six, allowed=(to("2001:db8:20::/64", "10.20.0.0/24"),)))
    assert inside.ask("2001:db8:20::50", 5433) == "2001:db8:20::100"
    assert inside.ask(DATABASE, 5432) == ADDRESS
    assert inside.send("2001:db8:20::50", 5433, 0.3) == "nothing"
    with namespaces.inside(inside.namespace):
        assert inside.ask("fe80::1%eth0", 80, 0.3) in ("nothing", "ENETUNREACH", "EHOSTUNREACH", "EINVAL", "EACCES")


def test_an_echo_is_asked_for_if_a_rule_has_its_type(agent: Agent) -> None:
    echo = Match(networks=(EVERYWHERE,), protocol=ICMP, icmp=(8, None))
    assert _echo(behind(agent, plan(allowed=(echo,)))) == "answered"
    assert agent.put(plan(allowed=(replace(echo, icmp=(13, None)),))) is None
    assert _echo(agent.environment("eni-1")) == "nothing"


def _echo(place: Place) -> str:
    with namespaces.inside(place.namespace):
        namespaces.set_parameter("ipv4/ping_group_range", "0 2000000000")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as sock:
            sock.settimeout(0.5)
            sock.sendto(struct.pack("!BBHHH", 8, 0, 0, 1, 1) + b"x" * 8, (DATABASE, 0))
            with contextlib.suppress(TimeoutError):
                return "answered" if sock.recv(100)[0] == 0 else "another"
    return "nothing"


# --- addresses that others have ---------------------------------------------------------------------------------------


def _hardware(namespace: int, device: str = "eth0") -> str:
    with namespaces.inside(namespace), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((device, 0))
        found: bytes = sock.getsockname()[4]
        return found.hex(":")


def test_who_has_an_address_is_found_out_by_asking(lan: World, agent: Agent) -> None:
    before = _ports(lan)
    lan_side = _hardware(lan.private)
    assert agent.probe("br0", DATABASE, ADDRESS, ON_BRIDGE) == {DATABASE: lan_side, ON_BRIDGE: "this machine"}
    # What comes from an earlier process of the same interface does not count.
    assert agent.probe("br0", DATABASE, own=lan_side) == {}
    assert agent.probe("eth0", "198.51.100.1", "198.51.100.9") == {"198.51.100.1": _hardware(lan.wide, "out")}
    ip(lan.private, "addr add 10.20.0.99/24 dev eth0")
    assert list(agent.probe("br0", "10.20.0.99")) == ["10.20.0.99"]
    ip(lan.private, "addr del 10.20.0.99/24 dev eth0")
    eventually(lambda: _devices_of(_ports(lan)), _devices_of(before))


def _devices_of(ports: str) -> str:
    return ports.partition("]")[0]


def test_who_uses_the_address_of_an_interface_later_is_told(lan: World, agent: Agent) -> None:
    inside = behind(agent, plan(allowed=(to("10.20.0.0/24"),)))
    assert inside.ask(DATABASE, 5432) == ADDRESS
    ip(lan.private, f"addr add {ADDRESS}/24 dev eth0")
    with namespaces.inside(lan.private), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((ADDRESS, 0))
        sock.sendto(b"?", ("10.20.0.222", 9))  # for which that has to be found first
    assert agent.conflict() == ("eni-1", _hardware(lan.private))
    ip(lan.private, f"addr del {ADDRESS}/24 dev eth0")


@pytest.mark.usefixtures("far")
def test_an_interface_gets_another_address_with_its_environments(agent: Agent) -> None:
    own = plan(allowed=(to("10.20.0.0/16"),), routes=(LOCAL,), neighbours=(ON_BR1,))
    inside = behind(agent, own)
    assert [inside.ask(DATABASE, 5432), inside.ask(FAR, 5432)] == [ADDRESS, "10.20.1.3"]
    with inside.connect(DATABASE, 5432) as lost:
        other = replace(own, addresses=(IPv4Interface("10.20.0.101/24"),))
        assert agent.put(other) is None
        assert [inside.ask(DATABASE, 5432), inside.ask(FAR, 5432)] == ["10.20.0.101", "10.20.1.3"]
        lost.settimeout(0.3)
        lost.sendall(b"?")
        with pytest.raises(TimeoutError):
            lost.recv(100)
    assert agent.put(own) is None
    assert [inside.ask(DATABASE, 5432), inside.ask(FAR, 5432)] == [ADDRESS, "10.20.1.3"]


# --- names -----------------------------------------------------------------------------------------------------------

_QUERY = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + b"".join(
    bytes([len(part)]) + part.encode() for part in NameServer.NAME.split(".")
) + b"\0\0\1\0\1"  # fmt: skip


def resolved(place: Place, server: str = "169.254.169.253") -> str:
    with namespaces.inside(place.namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1)
        sock.connect((server, 53))
        try:
            sock.send(_QUERY)
            return socket.inet_ntoa(sock.recv(4096)[-4:])
        except OSError as error:
            return type(error).__name__


def test_names_are_resolved_as_the_network_says(lan: World, agent: Agent) -> None:
    lan.name_server()
    inside = behind(agent, plan(resolver_address=IPv4Address("10.20.0.2")))
    assert resolved(inside) == NameServer.ADDRESS
    assert resolved(inside, "10.20.0.2") == NameServer.ADDRESS
    assert agent.put(plan(resolver=False)) is None
    assert resolved(inside) in ("OSError", "ConnectionRefusedError", "TimeoutError")
    assert agent.put(plan()) is None
    assert resolved(inside) == NameServer.ADDRESS


def test_a_name_server_in_the_network_is_asked_like_any_server(lan: World, agent: Agent) -> None:
    server = NameServer(lan.private, SECOND)
    own = plan(resolver=False, name_server=IPv4Address(SECOND), allowed=(to("10.20.0.0/24", protocol=UDP),))
    inside = behind(agent, own)
    assert resolved(inside) == NameServer.ADDRESS
    assert agent.put(replace(own, allowed=())) is None
    assert resolved(inside) == "TimeoutError"
    server.close()


# --- what stays ------------------------------------------------------------------------------------------------------


def test_an_agent_that_is_killed_leaves_nothing_on_bridges(lan: World) -> None:
    eventually(lambda: "'ig-" in _ports(lan), False)  # of the agent before
    before = _ports(lan)
    with contextlib.ExitStack() as stack:
        agent = Agent(lan, stack, outward=False)
        behind(agent, plan(allowed=(to("10.20.0.0/24"),)))
        assert _ports(lan) != before
        agent.process.kill()
        agent.process.wait(10)
        eventually(lambda: _ports(lan), before)


def _ports(lan: World) -> str:
    from ingle.network.nftables import Nftables

    with namespaces.inside(lan.machine), Nftables() as tables:
        names = sorted(name for _, name in socket.if_nameindex())
        return f"{names} {tables.run('list ruleset')}"


# --- the rules as the kernel has them --------------------------------------------------------------------------------

_PLACES, _PORTS = (DATABASE, SECOND), (5432, 6379)
_packets = [(kind, place, port) for kind in (TCP, UDP) for place in _PLACES for port in _PORTS]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(
            Match,
            networks=st.lists(
                st.sampled_from(["0.0.0.0/0", "10.20.0.0/24", f"{DATABASE}/32", f"{SECOND}/32", "10.20.0.48/30"]).map(
                    ip_network
                ),
                min_size=1, max_size=2,
            ).map(tuple),
            protocol=st.sampled_from([None, TCP, UDP, ICMP]),
            ports=st.sampled_from([None, (5432, 5432), (6000, 7000), (0, 65535)]),
        ),
        max_size=3,
    )
)  # fmt: skip
def test_the_kernel_lets_through_what_the_lists_say(agent: Agent, allowed: list[Match]) -> None:
    inside = behind(agent, plan(allowed=tuple(allowed)))
    wanted = {
        packet for packet in _packets
        if any_allows(allowed, Packet(address=IPv4Address(packet[1]), protocol=packet[0], port=packet[2]))
    }  # fmt: skip
    with ThreadPoolExecutor(len(_packets)) as pool:
        found = set(pool.map(lambda packet: packet if _passes(inside, *packet) else None, _packets)) - {None}
    assert found == wanted


def _passes(place: Place, kind: int, address: str, port: int, seen: str = ADDRESS) -> bool:
    action = place.ask if kind == TCP else place.send
    return action(address, port, 0.4) == seen


_lists = st.lists(
    st.builds(
        Entry,
        match=st.builds(
            Match,
            networks=st.sampled_from(
                ["0.0.0.0/0", "10.20.0.0/24", f"{ADDRESS}/32", "10.20.1.0/24", f"{FAR}/32", "10.20.0.0/16"]
            ).map(lambda text: (ip_network(text),)),
            protocol=st.sampled_from([None, TCP, UDP]),
            ports=st.sampled_from([None, (5432, 5432), (1024, 65535), (0, 7000), (7001, 65535)]),
        ),
        allow=st.sampled_from([True, True, False]),
    ),
    min_size=1, max_size=3,
).map(lambda entries: (*entries, ANY))  # fmt: skip
_ANSWERS_TO = 40000  # as whatever the kernel chooses, in these lists
_far_packets = [(kind, place, port) for kind in (TCP, UDP) for place in (FAR, FARTHER) for port in _PORTS]


@pytest.mark.usefixtures("far")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(*[_lists] * 4)
def test_between_subnets_the_kernel_lets_through_what_the_lists_of_both_say(
    agent: Agent, outbound: tuple[Entry, ...], inbound: tuple[Entry, ...], entering: tuple[Entry, ...],
    leaving: tuple[Entry, ...],
) -> None:  # fmt: skip
    given_plan = plan(
        allowed=(to("10.20.0.0/16", protocol=None),), routes=(LOCAL,), neighbours=(ON_BR1,), outbound=outbound,
        inbound=inbound,
        borders=(Border(networks=(IPv4Network("10.20.1.0/24"),), inbound=entering, outbound=leaving),),
    )  # fmt: skip
    inside = behind(agent, given_plan)
    wanted = {
        (kind, place, port) for kind, place, port in _far_packets
        if answered(given_plan, Packet(address=IPv4Address(place), protocol=kind, port=port), _ANSWERS_TO)
    }  # fmt: skip
    with ThreadPoolExecutor(len(_far_packets)) as pool:
        found = set(pool.map(lambda each: each if _passes(inside, *each, seen="10.20.1.3") else None, _far_packets)) - {
            None
        }
    assert found == wanted
