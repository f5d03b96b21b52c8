"""A worker without sandboxes: environments that change state when a test says so. For tests of what is above a worker.

Implements `worker.client`. With `hold` set, starts wait until the test ends them with `finish` or `fail`.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque

from ingle.catalog import Prepared
from ingle.domain.function import Version
from ingle.domain.invocation import Invocation, InvocationResult
from ingle.worker.client import CannotPlace, EnvironmentLost
from ingle.worker.lifecycle import State


class FakeEnvironment:
    """Starts when it first runs, answers with the payload and polls again at once, unless told otherwise."""

    def __init__(self, version: Version, number: int) -> None:
        self.version = version
        self.number = number
        self.idle_since = 0.0
        self.expires_at = math.inf
        self.provisioned = False
        #: Whether initialising ahead fails.
        self.failing = False
        self.state = State.STARTING
        self.stops = 0
        #: Whether the runtime polls again as soon as it has answered; else once `poll` is called.
        self.polls_at_once = True
        #: Whether the next `run` finds the environment lost.
        self.lost = False
        self.invocations: list[Invocation] = []
        self._polling = asyncio.Event()

    @property
    def alive(self) -> bool:
        return self.state is not State.DEAD

    @property
    def usable(self) -> bool:
        return self.state in (State.STARTING, State.IDLE, State.FROZEN)

    @property
    def ready(self) -> bool:
        return self.state is State.STARTING or (self.alive and self._polling.is_set())

    @property
    def idle(self) -> bool:
        return self.state is State.IDLE

    async def run(self, invocation: Invocation) -> InvocationResult:
        if self.lost:
            self.state = State.DEAD
            raise EnvironmentLost
        self.invocations.append(invocation)
        self.begin()
        self.end()
        return InvocationResult(
            payload=invocation.payload, executed_version=self.version.version, provisioned=self.provisioned
        )

    async def initialise_ahead(self) -> bool:
        if self.lost:
            self.state = State.DEAD
            raise EnvironmentLost
        if self.failing:
            self.stop()
            return False
        if self.state is State.STARTING:
            self.end()
        return True

    def begin(self) -> None:
        """The runtime has an invocation."""
        self.state = State.BUSY
        self._polling.clear()

    def end(self) -> None:
        """The runtime has answered."""
        self.state = State.IDLE
        if self.polls_at_once:
            self.poll()

    def poll(self) -> None:
        self._polling.set()

    async def when_polling(self) -> bool:
        await self._polling.wait()
        return self.usable

    def freeze(self) -> None:
        assert self.state is State.IDLE
        self.state = State.FROZEN

    def stop(self) -> None:
        self.stops += 1
        self.state = State.DEAD
        self._polling.set()


class FakeWorker:
    """`environments` are all that were started, in order; `pending` the starts that a test holds."""

    def __init__(self) -> None:
        self.hold = False
        self.failing = False
        #: Whether environments that start now fail when they are initialised ahead, or are lost.
        self.failing_ahead = False
        self.losing = False
        self.environments: list[FakeEnvironment] = []
        self.pending: deque[asyncio.Future[None]] = deque()
        self.prepared: list[Version] = []
        self.forgotten: list[Version] = []
        self.preparation: Prepared | Exception = Prepared()

    @property
    def alive(self) -> list[FakeEnvironment]:
        return [environment for environment in self.environments if environment.alive]

    async def prepare(self, version: Version) -> Prepared:
        self.prepared.append(version)
        if isinstance(self.preparation, Exception):
            raise self.preparation
        return self.preparation

    async def start(self, version: Version, *, provisioned: bool = False) -> FakeEnvironment:
        if self.hold:
            held: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.pending.append(held)
            await held
        elif self.failing:
            raise CannotPlace("there is no room")
        environment = FakeEnvironment(version, len(self.environments))
        environment.provisioned = provisioned
        environment.failing, environment.lost = self.failing_ahead, self.losing
        self.environments.append(environment)
        return environment

    def finish(self) -> None:
        """End the oldest held start well."""
        self.pending.popleft().set_result(None)

    def fail(self) -> None:
        """End the oldest held start badly."""
        self.pending.popleft().set_exception(CannotPlace("there is no room"))

    def forget(self, version: Version) -> None:
        self.forgotten.append(version)
