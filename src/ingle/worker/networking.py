"""The networks of environments: which one a new environment is attached to, and that the kernel does what VPCs say.

Every change of the catalog's networks becomes a change of plans, which the agent carries out one after another
(`private_networks` has what follows from what). Used on the event loop only, by `worker.host` and `app`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import dataclass
from typing import Any, Self

from ingle.background import Background
from ingle.catalog.networks import NetworkChange, Networks
from ingle.domain.attached import Vpc as Attached
from ingle.domain.errors import InterfaceNotReady
from ingle.domain.function import Version
from ingle.domain.vpc import NetworkInterface, Vpc
from ingle.network.client import OUTWARD, NetworkClient, NetworkError
from ingle.network.plan import Interface
from ingle.observability.log import Logger
from ingle.storage.bindings import Bindings
from ingle.storage.errors import StorageError
from ingle.supporting.ec2.lambda_interfaces import combinations, interface_of
from ingle.worker import private_networks
from ingle.worker.occupied import Move, Occupied, Question

log = Logger("worker")

#: How long a function's interfaces may take to be made, and when what could not be made is tried again, in seconds.
_READY_SECONDS = 10.0
_RETRY_SECONDS = 2.0
_UNAVAILABLE = (
    "This server cannot enforce security groups (`ingle doctor` tells why), so it runs no functions with VpcConfig; "
    "the setting unenforced_vpc has them run all the same."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    """`outward`: whether anything may leave the machine. `unenforced`: whether functions with VpcConfig run, without
    their network, where that cannot be made."""

    outward: bool
    unenforced: bool


class Networking:
    """`async with Networking(...)`. Leaving stops following the catalog; the agent goes by itself."""

    def __init__(
        self, client: NetworkClient, networks: Networks, bindings: Bindings, options: NetworkOptions, move: Move
    ) -> None:  # fmt: skip
        """`move`: see `occupied`."""
        self._client = client
        self._networks = networks
        self._bindings = bindings
        self._options = options
        self._outward = options.outward and client.available and client.problem is None
        #: Plans that are in force, and what went wrong with those that are not, by interface.
        self._plans: dict[str, Interface] = {}
        self._errors: dict[str, str] = {}
        #: What networks of the machine say about addresses, and the interfaces for which they are being asked.
        self._occupied = Occupied(client, networks, move)
        self._asking: set[str] = set()
        self._due: set[str] = set()
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        self._turns = itertools.count()
        self._background = Background()
        networks.subscribe(self._note)
        client.on_lost, client.on_ready = self._lost, self._ready_again

    async def __aenter__(self) -> Self:
        await self._background.__aenter__()
        if self._client.available:
            self._due = {vpc.id for vpc in self._networks.every(Vpc)}
            self._wake.set()
            self._background.start(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._background.__aexit__()

    # --- for environments -------------------------------------------------------------------------------------------

    @property
    def usual(self) -> str | None:
        """The network of environments whose version is in no private one; None: they have none."""
        return OUTWARD if self._outward else None

    def choose(self, version: Version) -> str | None:
        """The network of a new environment of `version`; None: none. Its subnets take turns.

        Raises InterfaceNotReady.
        """
        vpc = version.configuration.attached_vpc
        if vpc is None:
            return self.usual
        ready = self._ready(version, vpc)
        return ready[next(self._turns) % len(ready)] if ready else None

    def _ready(self, version: Version, vpc: Attached) -> list[str]:
        """The interfaces that environments can be behind; none where nothing is enforced. Raises InterfaceNotReady."""
        if not self._client.available:
            if self._options.unenforced:
                return []
            raise InterfaceNotReady(_UNAVAILABLE)
        wanted = self._interfaces(version, vpc)
        ready = [interface.id for interface in wanted if interface.id in self._plans]
        if ready:
            return ready
        reasons = "; ".join(self._errors[item.id] for item in wanted if item.id in self._errors)
        raise InterfaceNotReady(
            f"The network interfaces of the function are not ready{f': {reasons}' if reasons else ''}."
        )

    def occupied(self, subnet: str) -> set[str]:
        """Addresses of a subnet that others are known to have on the network of the machine that it is bound to."""
        device = self._bindings.get(subnet)
        return set() if device is None else self._occupied.taken_on(device)

    async def prepare(self, version: Version) -> None:
        """Return once new environments of `version` can have their network. Raises InterfaceNotReady."""
        vpc = version.configuration.attached_vpc
        if vpc is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_SECONDS):
                while not self._is_settled(version, vpc):
                    news = self._news
                    await news.wait()
        self._ready(version, vpc)

    def _is_settled(self, version: Version, vpc: Attached) -> bool:
        if not self._client.available:
            return True
        wanted = self._interfaces(version, vpc)
        return bool(wanted) and all(item.id in self._plans or item.id in self._errors for item in wanted)

    def _interfaces(self, version: Version, vpc: Attached) -> list[NetworkInterface]:
        """Those that the version's environments are behind: one in each of its subnets."""
        found = (interface_of(self._networks, wanted) for wanted in combinations(version.key, vpc))
        return [interface for interface in found if interface is not None]

    # --- an agent that ends -------------------------------------------------------------------------------------------

    def _lost(self) -> None:
        """Every network has gone with it: nothing new is attached until there is another one. Environments run on."""
        log.error("the process that makes networks ended; functions have no network until it is started again")
        self._plans.clear()

    def _ready_again(self) -> None:
        log.info("there are networks again", problem=self._client.problem)
        self._due |= {vpc.id for vpc in self._networks.every(Vpc)}
        self._wake.set()

    # --- following the catalog --------------------------------------------------------------------------------------

    def _note(self, change: NetworkChange) -> None:
        if touched := private_networks.touched(self._networks, change):
            self._due |= touched
            self._wake.set()

    def bindings_changed(self) -> None:
        self._occupied.forget()
        self._due |= {vpc.id for vpc in self._networks.every(Vpc)}
        self._wake.set()

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_SECONDS if self._errors else None):
                    await self._wake.wait()
            self._wake.clear()
            due, self._due = self._due, set()
            due |= {found.vpc for name in self._errors if (found := self._networks.get(NetworkInterface, name))}
            await self._bring_about(due)

    async def _bring_about(self, vpcs: set[str]) -> None:
        wanted = private_networks.interfaces(self._networks, vpcs)
        known = {*self._plans, *self._errors}
        for name in [name for name in known if self._networks.get(NetworkInterface, name) is None]:
            self._plans.pop(name, None)
            self._errors.pop(name, None)
            self._client.remove(name)
        for interface in wanted:
            await self._apply(interface)
            await asyncio.sleep(0)  # others have their turn between two plans
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _apply(self, interface: NetworkInterface) -> None:
        plan = private_networks.plan(self._networks, interface, self._bindings, outward=self._outward)
        if plan is None:
            return
        plan, in_force = self._occupied.reachable(plan), self._plans.get(interface.id)
        if plan == in_force or interface.id in self._asking:
            return
        if questions := self._occupied.unasked(plan, in_force):
            self._asking.add(interface.id)
            self._background.start(self._ask(interface, plan, questions))
            return
        if (conflict := self._occupied.conflict(plan)) is not None:
            if interface.id not in self._errors:  # which says more
                self._fail(interface, conflict)
            return
        try:
            await self._client.apply(plan)
        except NetworkError as error:
            self._fail(interface, str(error))
        else:
            self._errors.pop(interface.id, None)
            self._plans[interface.id] = plan

    async def _ask(self, interface: NetworkInterface, plan: Interface, questions: list[Question]) -> None:
        """Beside the changes of other interfaces, since it takes a while."""
        try:
            await self._occupied.ask(interface, plan, questions)
        except (NetworkError, StorageError) as error:
            self._fail(interface, str(error))
        finally:
            self._asking.discard(interface.id)
            self._due.add(interface.vpc)
            self._wake.set()

    def _fail(self, interface: NetworkInterface, reason: str) -> None:
        if self._errors.get(interface.id) != reason:
            log.error("a network interface cannot be made", interface=interface.id, reason=reason)
        self._errors[interface.id] = reason
        self._plans.pop(interface.id, None)

    # --- for the operator -------------------------------------------------------------------------------------------

    async def devices(self) -> list[str]:
        """Names of devices of the machine that a subnet can be bound to. Raises NetworkError."""
        return list((await self._client.show())["devices"])

    async def show(self) -> dict[str, Any]:
        """What is attached where. Raises NetworkError."""
        state = await self._client.show()
        interfaces = [
            {
                "interface": item.id, "vpc": item.vpc, "subnet": item.subnet, "address": item.address,
                "groups": list(item.groups),
                "environments": state["interfaces"].get(item.id, {}).get("environments", 0),
                "problem": self._errors.get(item.id) or self._occupied.heard(item.id),
            }
            for vpc in self._networks.every(Vpc) for item in private_networks.interfaces(self._networks, {vpc.id})
        ]  # fmt: skip
        return {
            "uplink": state["uplink"], "outward": state["outward"], "bindings": dict(self._bindings),
            "interfaces": interfaces,
        }  # fmt: skip
