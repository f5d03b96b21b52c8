"""Beside the firewalls that machines have: none of them is changed, and none of them opens what Ingle keeps shut."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from ingle.network import firewalls, namespaces
from ingle.network.firewalls import frames_are_seen
from kernel.agents import Agent, Place, plan, to
from kernel.beside import FIREWALLS, Beside, Docker
from kernel.networks import MACHINE, ON_BRIDGE, OWN, PUBLIC, WIDE, World, connect, eventually, ip, world
from kernel.sandboxed import PROBE, descendants
from kernel.vpcs import DATABASE, Vpc

pytestmark = [pytest.mark.kernel, pytest.mark.thorough]

REFUSED = ("nothing", "EHOSTUNREACH")


class Guarded:
    """A machine with a firewall, and a server with a function without VpcConfig and one in a subnet on `br0`."""

    def __init__(self, kind: Any, stack: contextlib.ExitStack) -> None:
        self.world = stack.enter_context(world())
        self.world.listener(self.world.wide, PUBLIC, 443)
        self.world.listener(self.world.private, DATABASE, 5432)
        self.everywhere = self.world.listener(self.world.machine, "0.0.0.0", 8080)
        self.beside = Beside(self.world, stack, *kind.PROGRAMS)
        self.firewall = kind(self.beside)
        self.before = self.beside.rules()
        self.functions = self.world.sandboxed(self.world.server())
        self.vpc = Vpc(self.functions, self.world)
        self.attached = self.vpc.function(self.vpc.group("database", ("tcp", 5432, f"{DATABASE}/32")))

    def out(self) -> Any:
        return self.functions.attempts("result = tried(ask, event['to'], 443)", to=PUBLIC, patience=1)

    def bound(self) -> Any:
        code = "result = tried(ask, event['to'], 5432)"
        return self.functions.attempts(code, function=self.attached, to=DATABASE, patience=1)

    def verb(self, *words: str) -> str:
        with namespaces.inside(self.world.machine):
            return self.vpc.ingle(*words)

    def mend(self) -> list[str]:
        """Run what Ingle proposes, and return it."""
        commands = self.verb("network", "allow-forwarding").splitlines()
        for command in commands:
            self.beside.run(*shlex.split(command))
        return commands

    def assert_enforced(self) -> None:
        """Both functions reach what they may, and nothing else."""
        eventually(self.out, MACHINE)
        eventually(lambda: self.bound() not in REFUSED, True)
        code = "result = [tried(ask, to, port) for to, port in event['to']]"
        places = [[to, 8080] for to in (MACHINE, ON_BRIDGE, *OWN)] + [["169.254.169.254", 80]]
        assert set(self.functions.attempts(code, to=places, patience=0.3)) <= {*REFUSED, "ENETUNREACH"}
        places += [[DATABASE, 5433], [PUBLIC, 443]]
        found = self.functions.attempts(code, function=self.attached, to=places, patience=0.3)
        assert set(found) <= {*REFUSED, "ENETUNREACH"}
        assert not self.everywhere.heard


@pytest.fixture(scope="module", params=FIREWALLS, ids=lambda kind: kind.NAME)
def guarded(request: Any) -> Iterator[Guarded]:
    with contextlib.ExitStack() as stack:
        yield Guarded(request.param, stack)


def test_what_it_refuses_is_named_with_the_commands_that_mend_it(guarded: Guarded) -> None:
    assert guarded.beside.rules() == guarded.before
    assert guarded.out() in REFUSED
    with namespaces.inside(guarded.world.machine):
        seen = frames_are_seen()
    assert (guarded.bound() in REFUSED) == seen
    (finding,) = [line for line in guarded.verb("doctor").splitlines() if " forwarding " in line]
    assert finding.startswith("weaker")
    assert guarded.firewall.NAME in finding
    assert guarded.mend()
    guarded.assert_enforced()
    assert guarded.mend() == []
    (finding,) = [line for line in guarded.verb("doctor").splitlines() if " forwarding " in line]
    assert finding.startswith("ok")


def test_its_reload_and_restart_change_nothing_for_functions(guarded: Guarded) -> None:
    guarded.mend()
    opened = "kept['it'] = socket.create_connection((event['to'], 443), 3); result = None"
    name = guarded.functions.create(PROBE)
    guarded.functions.attempts(opened, function=name, to=PUBLIC)
    for change in (guarded.firewall.reload, guarded.firewall.restart):
        change()
        guarded.mend()  # Docker's user rules last as long as the machine's other rules
        guarded.assert_enforced()
    again = "kept['it'].sendall(b'again'); result = kept['it'].recv(100).decode()"
    assert guarded.functions.attempts(again, function=name) == "again"


def test_its_rules_are_the_same_whatever_becomes_of_ingle(guarded: Guarded) -> None:
    guarded.mend()
    before = guarded.beside.rules()
    server = guarded.functions.server
    for pid in (server.process.pid, *descendants(server.process.pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.process.wait(20)
    server.kill()
    assert guarded.beside.rules() == before
    with namespaces.inside(guarded.world.machine):
        server.start()
    guarded.functions = guarded.world.sandboxed(server)  # at another port
    guarded.assert_enforced()
    assert guarded.beside.rules() == before
    assert server.stop() == 0
    assert guarded.beside.rules() == before
    eventually(lambda: [name for name in _devices(guarded.world) if name.startswith("ing")], [])


def _devices(world: World) -> list[str]:
    with namespaces.inside(world.machine):
        return [name for _, name in socket.if_nameindex()]


# --- without any of them ---------------------------------------------------------------------------------------------


@pytest.fixture
def alone() -> Iterator[tuple[World, Agent, Beside]]:
    with world() as made, contextlib.ExitStack() as stack:
        made.listener(made.wide, PUBLIC, 443)
        beside = Beside(made, stack, "nft: nftables")
        yield made, Agent(made, stack), beside


def _strangers_pass(made: World) -> bool:
    """Whether the machine is a router for others: from the internet to the private network."""
    with namespaces.inside(made.wide), contextlib.suppress(OSError):
        socket.create_connection((DATABASE, 80), timeout=0.3).close()
        return True
    return False


def test_who_flushes_all_rules_opens_nothing(alone: tuple[World, Agent, Beside]) -> None:
    made, agent, beside = alone
    made.listener(made.private, DATABASE, 80)
    ip(made.private, f"route add {WIDE}/32 via {ON_BRIDGE}")
    ip(made.wide, f"route add 10.20.0.0/24 via {MACHINE}")
    inside = agent.environment("outward")
    with inside.connect(PUBLIC, 443) as connection:
        before = beside.run("nft", "list", "tables")
        for _ in range(5):
            beside.run("nft", "flush", "ruleset")
            assert not _strangers_pass(made)
            connection.sendall(b"on")
            assert connection.recv(100) == b"on"
            assert inside.ask(PUBLIC, 443) == MACHINE
        eventually(lambda: sorted(beside.run("nft", "list", "tables").splitlines()), sorted(before.splitlines()))
    agent.process.kill()
    agent.process.wait()
    assert not _strangers_pass(made)


def test_forwarding_that_goes_on_and_off_again_leaves_functions_their_way(alone: tuple[World, Agent, Beside]) -> None:
    made, agent, _ = alone
    inside = agent.environment("outward")
    for value in (1, 0):
        with namespaces.inside(made.machine):
            namespaces.set_parameter("ipv4/ip_forward", value)
        eventually(lambda: inside.ask(PUBLIC, 443, 0.5), MACHINE)


@pytest.mark.parametrize("words", ["iptables-legacy -P FORWARD DROP", "nft -f -"])
def test_rules_that_are_nobodys_are_named_and_mended(alone: tuple[World, Agent, Beside], words: str) -> None:
    made, agent, beside = alone
    own = "table inet guard { chain onward { type filter hook forward priority 0; policy drop; }; }"
    if words.startswith("nft"):
        beside.run("nft", own)
    elif shutil.which("iptables-legacy", path="/usr/sbin:/sbin") is None:
        pytest.skip("there is no iptables-legacy: apt-get install iptables")
    else:
        beside.run(*words.split())
    with namespaces.inside(made.machine):
        found = firewalls.look()
    inside = agent.environment("outward")
    assert inside.ask(PUBLIC, 443, 0.3) == "nothing"
    assert agent.put(plan(allowed=(to("0.0.0.0/0"),))) is None
    bound = agent.environment("eni-1")
    lines = firewalls.commands(found, agent.show()["uplink"], ["br0"])
    for line in lines:
        beside.run(*line.split())
    assert inside.ask(PUBLIC, 443) == MACHINE
    made.listener(made.private, DATABASE, 5432)
    eventually(lambda: bound.ask(DATABASE, 5432, 0.5) not in REFUSED, True)
    with namespaces.inside(made.machine):
        assert firewalls.commands(firewalls.look(), agent.show()["uplink"], ["br0"]) == []


def test_a_container_reaches_the_internet_as_before(alone: tuple[World, Agent, Beside]) -> None:
    """What is on Docker's bridge, which comes when Ingle is there already."""
    made, agent, beside = alone
    beside.require(*Docker.PROGRAMS)
    Docker(beside)
    with contextlib.ExitStack() as stack:
        container = namespaces.create()
        stack.callback(os.close, container)
        connect(made.machine, "veth1", container, "eth0")
        ip(made.machine, "link set veth1 master docker0")
        ip(container, "addr add 172.17.0.2/16 dev eth0", "route add default via 172.17.0.1")
        eventually(lambda: Place(container).ask(PUBLIC, 443, 0.5), MACHINE)
        with namespaces.inside(made.machine):
            lines = firewalls.commands(firewalls.look(), agent.show()["uplink"], [])
        for line in lines:
            beside.run(*line.split())
        assert agent.environment("outward").ask(PUBLIC, 443) == MACHINE
        assert Place(container).ask(PUBLIC, 443) == MACHINE
