"""Addresses that somebody has on a network of the machine: asked for before an interface of functions uses one.

An interface whose address is taken gets another. The router's address in a bound subnet is fixed: where that is taken,
other subnets do not lead there. Used by `networking` only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from ingle.catalog.networks import Networks
from ingle.domain.errors import ServiceError
from ingle.domain.vpc import NetworkInterface, Subnet
from ingle.network.addresses import leg_hardware
from ingle.network.client import NetworkClient, NetworkError
from ingle.network.plan import Interface, Segment
from ingle.observability.log import Logger
from ingle.supporting.ec2.lambda_interfaces import candidates

log = Logger("worker")

#: Gives an interface an address that is not among those that are taken. Raises ServiceError and StorageError.
Move = Callable[[NetworkInterface, set[str]], Awaitable[None]]
#: How many addresses are asked for together when one was taken.
_TOGETHER = 64


@dataclass(frozen=True, slots=True)
class Question:
    """Whether anybody has an address on the network of a device. `own`: the hardware address of who wants it."""

    device: str
    address: str
    own: str


def _own(plan: Interface) -> Question | None:
    return None if plan.device is None else Question(plan.device, str(plan.address.ip), plan.hardware)


def _of_router(segment: Segment) -> Question:
    return Question(segment.device, str(segment.address.ip), leg_hardware(segment.name))


def _questions(plan: Interface | None) -> list[Question]:
    if plan is None:
        return []
    own = _own(plan)
    return [*([] if own is None else [own]), *map(_of_router, plan.neighbours)]


class Occupied:
    def __init__(self, client: NetworkClient, networks: Networks, move: Move) -> None:
        self._client = client
        self._networks = networks
        self._move = move
        #: Who answered, by hardware address; None: nobody.
        self._answers: dict[Question, str | None] = {}
        self._told: set[tuple[str, str, str | None]] = set()
        #: What was heard of interfaces that are in use.
        self._heard: dict[str, str] = {}
        client.on_conflict = self._note

    def forget(self) -> None:
        """What is bound has changed: ask anew."""
        self._answers.clear()
        self._told.clear()
        self._heard.clear()

    def reachable(self, plan: Interface) -> Interface:
        """A plan without the neighbours whose router's address is somebody else's."""
        kept = tuple(segment for segment in plan.neighbours if self._answers.get(_of_router(segment)) is None)
        return replace(plan, neighbours=kept)

    def unasked(self, plan: Interface, in_force: Interface | None) -> list[Question]:
        """What has to be asked before a plan is carried out; what the plan in force has is its own already."""
        known = {*self._answers, *_questions(in_force)}
        return [question for question in _questions(plan) if question not in known]

    def conflict(self, plan: Interface) -> str | None:
        """Why the interface's own address cannot be used, if that is so. It is asked again after that."""
        own = _own(plan)
        if own is None or self._answers.get(own) is None:
            return None
        return f"{own.address} is taken on {own.device} by {self._answers.pop(own)}"

    def heard(self, interface: str) -> str | None:
        """What is wrong with an interface that is in use."""
        return self._heard.get(interface)

    async def ask(self, interface: NetworkInterface, plan: Interface, questions: list[Question]) -> None:
        """Answers for `questions`, and another address for an interface whose own is taken.

        Raises NetworkError and StorageError.
        """
        for question in questions:
            await self._ask(question.device, [question.address], question.own)
            holder = self._answers[question]
            told = question.device, question.address, holder
            if holder is not None and told not in self._told:
                self._told.add(told)
                log.warning(
                    "an address of a bound subnet is taken", device=question.device, address=question.address,
                    by=holder, interface=interface.id,
                )  # fmt: skip
        own = _own(plan)
        if own is not None and (holder := self._answers.get(own)) is not None:
            await self._find_another(interface, own, holder)

    async def _find_another(self, interface: NetworkInterface, own: Question, holder: str) -> None:
        subnet = self._networks.get(Subnet, interface.subnet)
        if subnet is None:
            return
        if others := candidates(self._networks, subnet, _TOGETHER):
            await self._ask(own.device, others, own.own)
        try:
            await self._move(interface, self.taken_on(own.device))
        except ServiceError as error:
            raise NetworkError(f"{own.address} is taken on {own.device} by {holder}. {error}") from error

    async def _ask(self, device: str, addresses: list[str], own: str) -> None:
        taken = await self._client.probe(device, addresses, own)
        for address in addresses:
            self._answers[Question(device, address, own)] = taken.get(address)

    def taken_on(self, device: str) -> set[str]:
        """Addresses that somebody is known to have on the network of a device."""
        return {
            question.address for question, holder in self._answers.items()
            if question.device == device and holder is not None
        }  # fmt: skip

    def _note(self, interface: str, hardware: str) -> None:
        found = self._networks.get(NetworkInterface, interface)
        if found is not None:
            log.warning("another machine uses the address of a network interface",
                        interface=interface, address=found.address, hardware=hardware)  # fmt: skip
            self._heard[interface] = f"{found.address} is used by {hardware}, too"
