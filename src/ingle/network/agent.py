"""The process that holds the network: every gateway, every link, every rule, and the privileges that these take.

Started by the supervisor in the machine's network namespace, with two SOCK_SEQPACKET sockets; it obeys JSON messages on
them (the server's in `frames`), with descriptors beside them, and ends when either closes, with everything that it
made. Single-threaded; it reads no network: names are resolved by `resolver`, a process without privileges.

From the server, see `client`:

    {"interface": plan}          make it or change it; see `plan.to_json`
    {"remove": name}             environments behind it have no network from now on
    {"probe": n, "device": name, "addresses": [...], "hardware": own}
                                 who has these addresses on a network of the machine, see `conflicts`
    {"show": n}

To the server:

    {"ready": true, "problem": text or null}       the latter: why environments have no way out of the machine
    {"interface": name, "error": text or null}
    {"probed": n, "taken": {address: hardware address}, "error": text or null}
    {"conflict": name, "hardware": hardware address}     somebody else uses the address of this interface
    {"shown": n, "uplink": device or null, "outward": environments, "devices": names of the machine's,
     "interfaces": {name: {"device": name or null, "environments": n}}}

From the supervisor, for an environment whose network namespace is the descriptor beside it:

    {"attach": environment, "network": name, "hurry": bool, "again": bool}
                                                   name: "outward", or an interface's; hurry: nothing is sent at once;
                                                   again: as soon as there is that network, for an agent that ended had
                                                   made the link
    {"detach": environment}                        it is gone

To the supervisor:

    {"attached": environment, "error": text or null}
    {"ending": true}                               the server is gone, and this ends with it
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections import Counter, OrderedDict
from functools import partial
from typing import Any

from ingle.network import frames, netlink, nftables, resolver, rules
from ingle.network.addresses import OUTWARD
from ingle.network.conflicts import Conflicts
from ingle.network.fabric import Fabric
from ingle.network.gateway import Gateway
from ingle.network.interface import InterfaceGateway, Surroundings
from ingle.network.numbers import Numbers
from ingle.network.plan import Interface, from_json
from ingle.network.ports import Ports
from ingle.network.uplink import Uplink

_LONGEST = 4096
#: After a change of the machine's devices or routes, until it is looked at, in seconds.
_SETTLE = 0.05
#: After the resolver ended, until there is another one, in seconds.
_RENEW_SECONDS = 0.2
#: Between two attempts to make a link again whose place is not free yet, in seconds.
_AGAIN_SECONDS, _AGAIN_LIMIT = 0.05, 60.0
#: After a change of a gateway's rules, until that is not expected to be changed again soon, in seconds.
_REST_SECONDS = 10.0


class Agent:
    def __init__(self, server: socket.socket, supervisor: socket.socket, identity: str, *, outward: bool) -> None:
        self._server = server
        self._supervisor = supervisor
        self._identity = identity
        self._joiner = frames.Joiner()
        self._selector = selectors.DefaultSelector()
        self._numbers = Numbers()
        self._ports = Ports(identity)
        self._gateways: dict[str, Gateway] = {}
        self._interfaces: dict[str, InterfaceGateway] = {}
        self._fabrics: dict[str, Fabric] = {}
        #: Environment: the number of its link, and the gateway's name.
        self._attached: dict[str, tuple[int, str]] = {}
        self._resolver: socket.socket | None = None
        self._renew_at: float | None = None
        self._uplink: Uplink | None = None
        self._problem: str | None = None
        self._refresh_at: float | None = None
        #: What the last agent had attached and this has not yet: the network's name, the namespace, and until when an
        #: old link may be in the way.
        self._lost_links: dict[str, tuple[str, int, float]] = {}
        self._again_at: float | None = None
        self._conflicts = Conflicts(self._selector, self._ports, self._tell)
        #: Gateways whose rules were changed, in that order, and when they are to rest.
        self._changed: OrderedDict[Gateway, float] = OrderedDict()
        if outward:
            self._open_outward()

    def _open_outward(self) -> None:
        try:
            with contextlib.ExitStack() as undo:
                router = Gateway(ipv6=False)
                undo.callback(router.close)
                router.load(rules.of_router())
                self._uplink = Uplink(self._identity, router)
                undo.callback(self._uplink.close)
                self._start_resolver()
                undo.callback(self._end_resolver)
                self._resolve(OUTWARD, router)
                undo.pop_all()
        except OSError as error:
            self._problem = error.strerror or str(error)
            self._uplink = None
            return
        self._gateways[OUTWARD] = router

    def _start_resolver(self) -> None:
        self._resolver = started = resolver.start()
        self._selector.register(started, selectors.EVENT_READ, self._note_end_of_resolver)

    def _note_end_of_resolver(self) -> None:
        """It was killed: it says nothing, so this is the end of its socket."""
        if self._resolver is None:
            return
        self._end_resolver()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        self._renew_at = time.monotonic() + _RENEW_SECONDS

    def _end_resolver(self) -> None:
        """It ends with its socket."""
        if self._resolver is not None:
            self._selector.unregister(self._resolver)
            self._resolver.close()
            self._resolver = None

    def _renew_resolver(self) -> None:
        self._renew_at = None
        self._start_resolver()
        asking = {OUTWARD: self._gateways[OUTWARD]}
        asking.update((name, item) for name, item in self._interfaces.items() if item.plan.resolver)
        for name, gateway in asking.items():
            with contextlib.suppress(OSError):  # one gateway's names are not all names
                self._resolve(name, gateway)

    def _resolve(self, name: str, gateway: Gateway | None) -> None:
        """Have names resolved for a gateway; for None, no longer. A resolver that ended is told everything anew."""
        if self._resolver is None:
            return
        sockets = [] if gateway is None else gateway.resolver_sockets()
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionError):
                socket.send_fds(self._resolver, [name.encode()], [sock.fileno() for sock in sockets])
        finally:
            for sock in sockets:
                sock.close()

    # --- the loop ---------------------------------------------------------------------------------------------------

    def serve(self) -> None:
        self._tell({"ready": True, "problem": self._problem})
        self._selector.register(self._server, selectors.EVENT_READ, self._hear_server)
        self._selector.register(self._supervisor, selectors.EVENT_READ, self._hear_supervisor)
        for watching in netlink.watch():
            self._selector.register(watching, selectors.EVENT_READ, partial(self._note_change, watching))
        with contextlib.suppress(EOFError, BrokenPipeError, ConnectionError):
            while True:
                self._turn()
        with contextlib.suppress(OSError):
            self._supervisor.sendall(json.dumps({"ending": True}).encode())
        self._close()

    def _turn(self) -> None:
        now = time.monotonic()
        dates = (
            self._refresh_at, self._renew_at, self._again_at, next(iter(self._changed.values()), None),
            self._conflicts.due,
        )  # fmt: skip
        times = [at for at in dates if at is not None]
        events = self._selector.select(max(0.0, min(times) - now) if times else None)
        for key, _ in events:
            key.data()
        if not events and self._changed and next(iter(self._changed.values())) <= time.monotonic():
            self._changed.popitem(last=False)[0].rest()
            if not self._changed:
                nftables.give_memory_back()
        self._conflicts.turn()
        if self._again_at is not None and time.monotonic() >= self._again_at:
            self._attach_again()
        if self._renew_at is not None and time.monotonic() >= self._renew_at:
            self._renew_resolver()
        if self._refresh_at is not None and time.monotonic() >= self._refresh_at:
            self._refresh_at = None
            if self._uplink is not None:
                with contextlib.suppress(OSError):
                    self._uplink.refresh()

    def _note_change(self, watching: socket.socket) -> None:
        netlink.drain(watching)
        if self._refresh_at is None:
            self._refresh_at = time.monotonic() + _SETTLE

    def _close(self) -> None:
        if self._uplink is not None:
            self._uplink.close()
        for gateway in [*self._gateways.values(), *self._fabrics.values()]:
            gateway.close()
        self._ports.close()

    def _tell(self, message: dict[str, Any]) -> None:
        for part in frames.cut(json.dumps(message).encode()):
            self._server.sendall(part)

    def _hear_server(self) -> None:
        data = self._server.recv(frames.LONGEST)
        if not data:
            raise EOFError
        message = self._joiner.add(data)
        if message is not None:
            self._obey_server(json.loads(message))

    def _hear_supervisor(self) -> None:
        data, descriptors, _flags, _address = socket.recv_fds(self._supervisor, _LONGEST, 8)
        try:
            if not data:
                raise EOFError
            self._obey_supervisor(json.loads(data), descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    # --- links ------------------------------------------------------------------------------------------------------

    def _obey_supervisor(self, message: dict[str, Any], descriptors: list[int]) -> None:
        if "detach" in message:
            self._detach(message["detach"])
            return
        if message.get("again"):
            now = time.monotonic()
            self._lost_links[message["attach"]] = message["network"], os.dup(descriptors[0]), now + _AGAIN_LIMIT
            self._again_at = now
            return
        error = None
        try:
            self._attach(message["attach"], message["network"], descriptors[0], hurry=message.get("hurry", False))
        except (OSError, LookupError) as problem:
            error = str(problem)
        self._answer(message["attach"], error)

    def _answer(self, environment: str, error: str | None) -> None:
        self._supervisor.sendall(json.dumps({"attached": environment, "error": error}).encode())

    def _attach_again(self) -> None:
        """What the last agent had attached, where its network is there. The kernel takes an old link away in its own
        time."""
        self._again_at = None
        for environment, (network, namespace, until) in list(self._lost_links.items()):
            if network not in self._gateways and network != OUTWARD:
                continue  # its interface may come; the way out of the machine is there from the beginning or never
            error = None
            try:
                self._attach(environment, network, namespace, hurry=False)
            except OSError as problem:
                if isinstance(problem, FileExistsError) and time.monotonic() < until:
                    self._again_at = time.monotonic() + _AGAIN_SECONDS
                    continue
                error = str(problem)
            del self._lost_links[environment]
            os.close(namespace)
            self._answer(environment, error)

    def _attach(self, environment: str, network: str, namespace: int, *, hurry: bool) -> None:
        gateway = self._gateways.get(network)
        if gateway is None:
            raise OSError(self._problem or f"there is no network {network}")
        if environment in self._attached:
            raise OSError("it has a network")
        number = self._numbers.take()
        try:
            gateway.attach(namespace, number, settle=not hurry)
        except BaseException:
            self._numbers.give_back(number)
            raise
        self._attached[environment] = number, network

    def _detach(self, environment: str) -> None:
        """The link goes with the environment's namespace."""
        if (lost := self._lost_links.pop(environment, None)) is not None:
            os.close(lost[1])
        found = self._attached.pop(environment, None)
        if found is not None:
            self._numbers.give_back(found[0])

    # --- interfaces -------------------------------------------------------------------------------------------------

    def _obey_server(self, message: dict[str, Any]) -> None:
        if "interface" in message:
            name, error = message["interface"].get("name"), None
            try:
                self._put(from_json(message["interface"]))
            except (OSError, ValueError) as problem:
                error = str(problem)
            self._tell({"interface": name, "error": error})
        elif "remove" in message:
            self._remove(message["remove"])
        elif "probe" in message:
            self._conflicts.probe(message["probe"], message["device"], message["addresses"], message["hardware"])
        elif "show" in message:
            self._tell({"shown": message["show"], **self._state()})

    def _put(self, plan: Interface) -> None:
        """Raises OSError and ValueError."""
        there = self._interfaces.get(plan.name)
        if there is not None:
            if there.plan.where != plan.where:
                raise ValueError(f"{plan.name} is somewhere else")
            resolved = there.plan.resolver
            self._conflicts.unwatch(plan.name)
            try:
                there.change(plan)
            finally:
                self._conflicts.watch(there.plan, there.sentry)
            self._note_load(there)
            if resolved != plan.resolver:
                self._resolve(plan.name, there if plan.resolver else None)
            return
        if plan.name == OUTWARD:
            raise ValueError(f"an interface cannot be called {plan.name}")
        fabric = self._fabrics.get(plan.network)
        if fabric is None:
            fabric = self._fabrics[plan.network] = Fabric()
        around = Surroundings(
            ports=self._ports, fabric=fabric, router=self._gateways.get(OUTWARD), numbers=self._numbers
        )
        made = InterfaceGateway(plan, around)
        self._interfaces[plan.name] = self._gateways[plan.name] = made
        self._conflicts.watch(made.plan, made.sentry)
        if self._lost_links:
            self._again_at = time.monotonic()
        self._note_load(made)
        if plan.resolver:
            self._resolve(plan.name, made)

    def _note_load(self, gateway: Gateway) -> None:
        self._changed.pop(gateway, None)
        self._changed[gateway] = time.monotonic() + _REST_SECONDS

    def _remove(self, name: str) -> None:
        """The links of environments behind it go with it."""
        gone = self._interfaces.pop(name, None)
        if gone is None:
            return
        del self._gateways[name]
        self._changed.pop(gone, None)
        self._conflicts.unwatch(name)
        if gone.plan.resolver:
            with contextlib.suppress(OSError):
                self._resolve(name, None)
        gone.close()
        network = gone.plan.network
        if not any(left.plan.network == network for left in self._interfaces.values()):
            self._fabrics.pop(network).close()

    # --- for the operator -------------------------------------------------------------------------------------------

    def _state(self) -> dict[str, Any]:
        behind = Counter(network for _, network in self._attached.values())
        return {
            "uplink": None if self._uplink is None else self._uplink.device,
            "outward": behind[OUTWARD],
            "devices": [device.name for device in self._ports.links.devices() if device.name != "lo"],
            "interfaces": {
                name: {"device": interface.plan.device, "environments": behind[name]}
                for name, interface in self._interfaces.items()
            },
        }


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # stopping is the server's decision
    server, supervisor = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    for channel in (server, supervisor):
        channel.set_inheritable(False)
    options = json.loads(sys.argv[3])
    Agent(server, supervisor, options["identity"], outward=options["outward"]).serve()


if __name__ == "__main__":
    main()
