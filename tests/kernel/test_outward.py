"""The outbound network of functions that are in no private one: what they reach, and what they must not."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingle.network import namespaces
from kernel.networks import (
    MACHINE,
    ON_BRIDGE,
    OTHER,
    OWN,
    PUBLIC,
    WIDE,
    Functions,
    NameServer,
    World,
    eventually,
    ip,
    kill,
    world,
)
from kernel.sandboxed import PROBE

UNREACHED = r"timed out|unreachable|No route|not permitted"

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def outside() -> Iterator[World]:
    with world() as made:
        made.listener(made.wide, PUBLIC, 443)
        made.listener(made.wide, OTHER, 25)
        yield made


@pytest.fixture(scope="module")
def functions(outside: World) -> Functions:
    return outside.sandboxed(outside.server())


def test_a_function_reaches_servers_under_the_address_of_the_machine(functions: Functions) -> None:
    found = functions.attempts("result = [ask(event['to'], 443), send(event['to'], 443)]", to=PUBLIC)
    assert found == [MACHINE, MACHINE]


def test_nothing_of_the_machine_is_reached(outside: World, functions: Functions) -> None:
    everywhere = outside.listener(outside.machine, "0.0.0.0", 8080)
    code = "result = [[tried(ask, to, 8080), tried(send, to, 8080)] for to in event['to']]"
    server = int(functions.server.url.rsplit(":", 1)[1])
    code += "\nresult.append([tried(ask, to, event['server']) for to in event['to']])"
    found = functions.attempts(code, to=["127.0.0.1", MACHINE, ON_BRIDGE, *OWN], server=server)
    # The machine limits how many errors it sends, so that a datagram may just be lost.
    assert {answer for answers in found for answer in answers} <= {"ECONNREFUSED", "EHOSTUNREACH", "nothing"}, found
    assert not everywhere.heard


def test_an_address_that_the_machine_gets_later_is_not_reached(outside: World, functions: Functions) -> None:
    functions.attempts("result = None")
    ip(outside.machine, "addr add 203.0.113.200/32 dev lo")
    outside.listener(outside.machine, "203.0.113.200", 443)
    assert functions.attempts("result = tried(ask, '203.0.113.200', 443)") == "EHOSTUNREACH"


def test_link_local_and_reserved_addresses_are_refused_at_once(functions: Functions) -> None:
    places = ["169.254.169.254", "169.254.170.2", "169.254.1.1", "224.0.0.1", "240.0.0.1", "0.0.0.1"]
    found = functions.attempts("result = [tried(ask, to, 80) for to in event['to']]", to=places)
    assert set(found) <= {"EHOSTUNREACH", "ENETUNREACH", "EINVAL"}, found


def test_there_is_no_way_out_by_ipv6(functions: Functions) -> None:
    places = ["fe80::1", "fd00:ec2::254", "2001:db8::1", "::ffff:169.254.169.254"]
    found = functions.attempts("result = [tried(ask, to, 80) for to in event['to']]", to=places)
    assert set(found) <= {"EHOSTUNREACH", "ENETUNREACH", "EINVAL", "EADDRNOTAVAIL", "ECONNREFUSED"}, found


def test_mail_is_not_sent(functions: Functions) -> None:
    assert functions.attempts("result = tried(ask, event['to'], 25)", to=OTHER, patience=0.5) == "nothing"


LISTEN = """
listener = socket.socket(); listener.bind(("0.0.0.0", 7777)); listener.listen()
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); datagrams.bind(("0.0.0.0", 7777))
kept["sockets"] = listener, datagrams
with socket.create_connection((event["to"], 443)) as probe:
    result = probe.getsockname()[0]
"""


def test_functions_do_not_reach_each_other(functions: Functions) -> None:
    listening, scanning = (functions.create(PROBE) for _ in range(2))
    address = functions.attempts(LISTEN, function=listening, to=PUBLIC)
    code = "result = [tried(ask, event['to'], 7777), tried(send, event['to'], 7777)]"
    assert set(functions.attempts(code, function=scanning, to=address)) == {"EHOSTUNREACH"}


def test_a_listener_in_a_function_is_reached_by_nobody(outside: World, functions: Functions) -> None:
    """Not by the machine, and not by who has a route to it and knows every address."""
    name = functions.create(PROBE)
    address = functions.attempts(LISTEN, function=name, to=PUBLIC)
    device = next(found for found in _devices(outside.machine) if found.startswith("ingle-"))
    for namespace, way in ((outside.wide, f"via {MACHINE}"), (outside.machine, f"dev {device}")):
        ip(namespace, f"route add {address}/32 {way}")
        with namespaces.inside(namespace), pytest.raises(OSError, match=UNREACHED):
            socket.create_connection((address, 7777), timeout=0.5)
        ip(namespace, f"route del {address}/32")


def _devices(namespace: int) -> list[str]:
    with namespaces.inside(namespace):
        return [name for _, name in socket.if_nameindex()]


def test_a_function_cannot_change_its_network_or_send_what_it_likes(functions: Functions) -> None:
    code = """
def raw(family, kind, protocol):
    socket.socket(family, kind, protocol).close()
    return "open"
def spoof():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, 19, 1)  # IP_TRANSPARENT
def configure():
    import fcntl, struct
    with socket.socket() as sock:
        fcntl.ioctl(sock, 0x8916, struct.pack("16sH2s4s8s", b"eth0", 2, b"", b"\\x0a\\0\\0\\1", b""))
def other_source():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("10.0.0.1", 0))
result = [attempt(raw, socket.AF_INET, socket.SOCK_RAW, 255), attempt(raw, 17, socket.SOCK_RAW, 768),
          attempt(raw, socket.AF_INET6, socket.SOCK_RAW, 58), attempt(spoof), attempt(configure), attempt(other_source)]
"""
    assert set(functions.attempts(code)) == {"EPERM", "EADDRNOTAVAIL"}


@pytest.fixture(scope="module")
def named(outside: World) -> World:
    """With a name server."""
    outside.name_server()
    return outside


def test_names_are_resolved_by_the_machines_resolver(named: World) -> None:
    functions = named.sandboxed(named.server())
    code = """
def by_tcp(name):
    query = b"\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0"
    query += b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\\0\\0\\1\\0\\1"
    with socket.create_connection(("169.254.169.253", 53), 3) as sock:
        sock.sendall(len(query).to_bytes(2, "big") + query)
        return socket.inet_ntoa(sock.recv(4096)[-4:])
result = [socket.gethostbyname(event["name"]), by_tcp(event["name"])]
try:
    socket.gethostbyname("nowhere.example")
except socket.gaierror as error:
    result.append(error.errno)
"""
    assert functions.attempts(code, name=NameServer.NAME) == [NameServer.ADDRESS, NameServer.ADDRESS, socket.EAI_NONAME]


def test_names_are_resolved_again_after_the_resolver_was_killed(named: World) -> None:
    functions = named.sandboxed(named.server())
    code = "result = attempt(socket.gethostbyname, event['name'])"
    assert functions.attempts(code, name=NameServer.NAME) == NameServer.ADDRESS
    killed = _resolver(functions)
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while functions.attempts(code, name=NameServer.NAME) != NameServer.ADDRESS:
        assert time.monotonic() < deadline, "nobody resolves names any more"
    assert _resolver(functions) != killed


def _resolver(functions: Functions) -> int:
    """The process id of a server's resolver: the one process below the one that makes networks."""
    below = functions.server.process.pid
    for name in (b"ingle.sandbox.supervisor", b"ingle.network.agent", b"ingle.network.agent"):
        (below,) = [pid for pid, parent in _parents() if parent == below and name in _command(pid)]
    return below


def _parents() -> Iterator[tuple[int, int]]:
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield int(path.name), int((path / "stat").read_text().rpartition(")")[2].split()[1])


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_without_egress_there_is_nothing_but_ingle(outside: World) -> None:
    functions = outside.sandboxed(outside.server(INGLE_EGRESS="none"))
    code = (
        "result = [[name for _, name in socket.if_nameindex()], read('/etc/resolv.conf'), tried(ask, event['to'], 443)]"
    )
    assert functions.attempts(code, to=PUBLIC) == [["lo"], "", "ENETUNREACH"]


def test_a_restored_environment_has_the_same_network(outside: World, functions: Functions) -> None:
    name = functions.create(PROBE, Runtime="python3.12", SnapStart={"ApplyOn": "PublishedVersions"})
    with namespaces.inside(outside.machine):
        version = functions.client.publish_version(FunctionName=name)["Version"]
        functions.client.get_waiter("published_version_active").wait(
            FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
        )
    code = "result = [ask(event['to'], 443), tried(ask, '169.254.169.254', 80), read('/proc/self/status')]"
    found = functions.attempts(code, function=f"{name}:{version}", to=PUBLIC)
    assert found[:2] == [MACHINE, "EHOSTUNREACH"]
    assert "CapEff:\t0000000000000000" in found[2]


# --- the machine's own network ----------------------------------------------------------------------------------------


def test_other_machines_cannot_use_this_one_as_their_router(outside: World) -> None:
    """Forwarding is on for answers to functions, and for nothing else."""
    functions = outside.sandboxed(outside.server())
    assert functions.attempts("result = ask(event['to'], 443)", to=PUBLIC) == MACHINE
    private = outside.listener(outside.private, "10.20.0.50", 80)
    ip(outside.private, f"route add {WIDE}/32 via {ON_BRIDGE}")
    ip(outside.wide, f"route add 10.20.0.0/24 via {MACHINE}")
    with namespaces.inside(outside.wide), pytest.raises(OSError, match=UNREACHED):
        socket.create_connection(("10.20.0.50", 80), timeout=0.5)
    assert not private.heard
    ip(outside.wide, f"route del 10.20.0.0/24 via {MACHINE}")
    with namespaces.inside(outside.machine):
        assert namespaces.parameter("ipv4/ip_forward") == "0"


@pytest.fixture
def fresh() -> Iterator[World]:
    with world() as made:
        made.listener(made.wide, PUBLIC, 443)
        yield made


def test_a_server_that_ends_leaves_the_machine_as_it_was(fresh: World) -> None:
    before = fresh.firewall()
    server = fresh.server()
    assert fresh.firewall() != before
    assert server.stop() == 0
    eventually(fresh.firewall, before)


def test_servers_on_one_machine_do_not_disturb_each_other(fresh: World) -> None:
    before = fresh.firewall()
    first, second = (fresh.server() for _ in range(2))
    functions = [fresh.sandboxed(server) for server in (first, second)]
    reach = "result = ask(event['to'], 443)"
    assert [item.attempts(reach, to=PUBLIC) for item in functions] == [MACHINE, MACHINE]
    assert first.stop() == 0
    assert functions[1].attempts(reach, to=PUBLIC) == MACHINE
    assert second.stop() == 0
    eventually(fresh.firewall, before)


@pytest.mark.parametrize("whom", ["server", "supervisor", "all"])
def test_whatever_is_killed_the_next_start_leaves_nothing_of_it(fresh: World, whom: str) -> None:
    before = fresh.firewall()
    server = fresh.server()
    functions = fresh.sandboxed(server)
    assert functions.attempts("result = ask(event['to'], 443)", to=PUBLIC) == MACHINE
    kill(server.process.pid, whom)
    server.process.wait(20)
    server.kill()
    with namespaces.inside(fresh.machine):
        server.start()
    functions = fresh.sandboxed(server)
    assert functions.attempts("result = ask(event['to'], 443)", to=PUBLIC) == MACHINE
    assert server.stop() == 0
    eventually(fresh.firewall, before)


def test_who_makes_networks_is_started_again_and_functions_run_on(fresh: World) -> None:
    before = fresh.firewall()
    server = fresh.server()
    functions = fresh.sandboxed(server)
    name, other = functions.create(PROBE), functions.create(PROBE)
    attempt = "kept.setdefault('began', time.time()); result = [tried(ask, event['to'], 443), kept['began']]"
    found, began = functions.attempts(attempt, function=name, to=PUBLIC)
    assert found == MACHINE
    for _ in range(2):
        kill(server.process.pid, "networks")
        assert functions.attempts("result = kept['began']", function=name) == began
        # The same environment has a network again, and so has a new one.
        for each, wanted in ((name, [MACHINE, began]), (other, [MACHINE])):

            def attempted(each: str = each, count: int = len(wanted)) -> Any:
                return functions.attempts(attempt, function=each, to=PUBLIC, patience=0.5)[:count]

            eventually(attempted, wanted)
    assert server.stop() == 0
    eventually(fresh.firewall, before)


def test_what_a_killed_server_left_goes_when_any_server_starts(fresh: World) -> None:
    before = fresh.firewall()
    lost = fresh.server()
    kill(lost.process.pid, "all")
    lost.kill()
    other = fresh.server()
    assert other.stop() == 0
    eventually(fresh.firewall, before)


def test_a_machine_that_forwards_for_others_is_left_to_them(fresh: World) -> None:
    with namespaces.inside(fresh.machine):
        namespaces.set_parameter("ipv4/ip_forward", 1)
    server = fresh.server()
    private = fresh.listener(fresh.private, "10.20.0.50", 80)
    ip(fresh.private, f"route add {WIDE}/32 via {ON_BRIDGE}")
    ip(fresh.wide, f"route add 10.20.0.0/24 via {MACHINE}")

    def through() -> bool:
        with namespaces.inside(fresh.wide), contextlib.suppress(OSError):
            socket.create_connection(("10.20.0.50", 80), timeout=0.5).close()
        return bool(private.heard)

    eventually(through, True)
    assert server.stop() == 0
    with namespaces.inside(fresh.machine):
        assert namespaces.parameter("ipv4/conf/eth0/forwarding") == "1"


def test_forwarding_that_is_switched_on_later_is_not_held_up(fresh: World) -> None:
    fresh.server()
    private = fresh.listener(fresh.private, "10.20.0.50", 80)
    ip(fresh.private, f"route add {WIDE}/32 via {ON_BRIDGE}")
    ip(fresh.wide, f"route add 10.20.0.0/24 via {MACHINE}")
    with namespaces.inside(fresh.machine):
        namespaces.set_parameter("ipv4/ip_forward", 1)

    def through() -> bool:
        with namespaces.inside(fresh.wide), contextlib.suppress(OSError):
            socket.create_connection(("10.20.0.50", 80), timeout=0.2).close()
        return bool(private.heard)

    eventually(through, True)


def test_rules_of_others_stay_as_they_are(fresh: World) -> None:
    from ingle.network.nftables import Nftables

    theirs = (
        "table ip filter { chain FORWARD { type filter hook forward priority 0; policy accept; counter; }; }\n"
        "table inet firewalld { chain filter_INPUT { type filter hook input priority 10; policy accept; }; }\n"
    )
    with namespaces.inside(fresh.machine), Nftables() as tables:
        tables.run(theirs)
        before = tables.run("list ruleset")
    server = fresh.server()
    functions = fresh.sandboxed(server)
    assert functions.attempts("result = ask(event['to'], 443)", to=PUBLIC) == MACHINE
    assert server.stop() == 0
    with namespaces.inside(fresh.machine), Nftables() as tables:
        strip = [line.split("packets")[0] for line in tables.run("list ruleset").splitlines()]
        assert strip == [line.split("packets")[0] for line in before.splitlines()]
