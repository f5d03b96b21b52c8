"""Provisioned concurrency: environments that are initialised before anybody invokes them, and are there all the time.

The catalog says how many a version is to have; this module starts what is missing, stops what is too many, and reports
to the catalog what there is. Environments serve once all that were asked for are initialised. One that ends is
replaced. Where a function cannot be initialised, the allocation has failed, and is tried again later. Owned by
`placement.placement`, whose books the environments are in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ingle.background import Background
from ingle.catalog.concurrency import ConcurrencyCatalog
from ingle.domain.concurrency import Allocation, AllocationStatus, provisioned_versions
from ingle.domain.errors import ServiceError
from ingle.domain.function import Function, FunctionKey, Package, State, Version
from ingle.observability.log import Logger
from ingle.placement.pool import Pool, same_start
from ingle.worker.client import CannotPlace, EnvironmentClient, EnvironmentLost, WorkerClient

log = Logger("placement")

#: Environments that are initialised at one time, over all functions: invocations find processors free meanwhile.
PARALLEL = 4
#: Seconds until a failed allocation is tried again: at first, and at the most.
RETRY_FIRST, RETRY_LONGEST = 30.0, 600.0

INIT_FAILURE = "FUNCTION_ERROR_INIT_FAILURE"
NO_ROOM = "The server has no room for more execution environments."
NOT_STARTED = "The execution environments could not be started."


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedUse:
    """`peak`: how many of the `allocated` environments of a version were in use at one time."""

    key: FunctionKey
    version: str
    allocated: int
    peak: int


class Books(Protocol):
    """What provisioning asks of the placement that keeps all environments."""

    def pool(self, version: Version) -> Pool: ...
    def claim(self) -> bool: ...
    def disclaim(self) -> None: ...
    def settle(self, pool: Pool, environment: EnvironmentClient) -> None: ...
    def cool(self, environment: EnvironmentClient) -> None: ...
    def serve(self, environment: EnvironmentClient) -> None: ...
    def drop(self, environment: EnvironmentClient) -> None: ...
    def outgrow(self, environment: EnvironmentClient) -> None: ...


@dataclass(slots=True, eq=False)
class Allotment:
    """What one version is to have, and has. `held` are initialised and do not serve yet.

    `starting` are the tasks that bring about one environment each, `opening` those of them that cannot be interrupted.
    """

    version: Version
    requested: int
    serving: set[EnvironmentClient] = field(default_factory=set)
    held: list[EnvironmentClient] = field(default_factory=list)
    starting: set[asyncio.Task[None]] = field(default_factory=set)
    opening: set[asyncio.Task[None]] = field(default_factory=set)
    failure: str | None = None
    retry_delay: float = RETRY_FIRST
    retry_at: float = 0.0

    @property
    def allocated(self) -> int:
        return len(self.serving) + len(self.held)

    @property
    def missing(self) -> int:
        return self.requested - self.allocated - len(self.starting)

    @property
    def status(self) -> AllocationStatus:
        if self.failure is not None:
            return AllocationStatus.FAILED
        ready = len(self.serving) == self.requested
        return AllocationStatus.READY if ready else AllocationStatus.IN_PROGRESS


class Provisioning:
    def __init__(
        self, books: Books, concurrency: ConcurrencyCatalog, worker: WorkerClient, background: Background
    ) -> None:
        self._books = books
        self._concurrency = concurrency
        self._worker = worker
        self._background = background
        self._allotments: dict[tuple[FunctionKey, str], Allotment] = {}
        #: What is being started, whether or not it is wanted any more.
        self._opening: dict[asyncio.Task[None], Version] = {}
        self._turns = asyncio.Semaphore(PARALLEL)
        self._closed = False

    def close(self) -> None:
        """Nothing is started any more."""
        self._closed = True

    # --- desired ----------------------------------------------------------------------------------------------------

    def changed(self, key: FunctionKey, function: Function | None) -> None:
        """Told of every function at the start, and of every change."""
        wanted = {} if function is None else _wanted(function)
        for place in [place for place in self._allotments if place[0] == key]:
            allotment = self._allotments[place]
            now = wanted.get(place[1])
            if now is None or not same_start(allotment.version, now[0]):
                self._end(place)
        for number, (version, requested) in wanted.items():
            self._want(version, number, requested)

    def _want(self, version: Version, number: str, requested: int) -> None:
        allotment = self._allotments.get((version.key, number))
        if allotment is None:
            allotment = self._allotments[version.key, number] = Allotment(version, requested)
        elif allotment.requested == requested:
            return
        allotment.requested = requested
        allotment.failure, allotment.retry_delay = None, RETRY_FIRST
        self._reconcile(allotment)

    def _end(self, place: tuple[FunctionKey, str]) -> None:
        allotment = self._allotments.pop(place)
        allotment.requested = 0
        self._reconcile(allotment)
        self._concurrency.report(*place, None)

    # --- what there is ----------------------------------------------------------------------------------------------

    def lost(self, environment: EnvironmentClient) -> None:
        """A provisioned environment has ended."""
        allotment = self._of(environment)
        if allotment is not None and environment in allotment.serving:
            allotment.serving.discard(environment)
            self._reconcile(allotment)

    async def initialised(self, environment: EnvironmentClient) -> bool:
        """Whether an environment that has served can serve again. A provisioned one that was reset initialises now."""
        if not environment.provisioned:
            return True
        try:
            return await environment.initialise_ahead()
        except EnvironmentLost:
            return False

    def complete(self, version: Version) -> bool:
        allotment = self._allotments.get((version.key, version.version))
        return allotment is not None and allotment.status is AllocationStatus.READY

    def check(self) -> None:
        """Now and then: replace what ended while it was held, and try again what has failed."""
        now = asyncio.get_running_loop().time()
        for allotment in list(self._allotments.values()):
            for environment in [item for item in allotment.held if not item.usable]:
                allotment.held.remove(environment)
                self._books.drop(environment)
            if allotment.starting:
                continue
            if allotment.failure is not None and allotment.retry_at <= now:
                allotment.retry_delay = min(allotment.retry_delay * 2, RETRY_LONGEST)
                self._start_missing(allotment)
            elif allotment.failure is None and allotment.missing:
                self._reconcile(allotment)

    def needs(self, package: Package) -> bool:
        """Whether a provisioned environment that runs from `package` is on its way."""
        return any(package in version.configuration.packages for version in self._opening.values())

    def use(self) -> Iterator[ProvisionedUse]:
        for (key, number), allotment in self._allotments.items():
            if allocated := len(allotment.serving):
                peak = self._books.pool(allotment.version).look(allocated)
                yield ProvisionedUse(key=key, version=number, allocated=allocated, peak=peak)

    def _of(self, environment: EnvironmentClient) -> Allotment | None:
        version = environment.version
        return self._allotments.get((version.key, version.version))

    # --- reconciling ------------------------------------------------------------------------------------------------

    def _reconcile(self, allotment: Allotment) -> None:
        """Start what is missing, let go what is too many, and say how it stands."""
        if self._closed:
            return
        while allotment.missing < 0 and self._let_go(allotment):
            pass
        if allotment.failure is None:
            self._start_missing(allotment)
        self._let_serve(allotment)
        if allotment.failure is not None and not allotment.starting:
            while allotment.held:
                self._books.drop(allotment.held.pop())
        self._report(allotment)

    def _start_missing(self, allotment: Allotment) -> None:
        for _ in range(allotment.missing):
            task = self._background.start(self._start(allotment))
            allotment.starting.add(task)
            task.add_done_callback(lambda done: self._started(allotment, done))

    def _started(self, allotment: Allotment, task: asyncio.Task[None]) -> None:
        allotment.starting.discard(task)
        if not task.cancelled():
            self._reconcile(allotment)

    def _let_go(self, allotment: Allotment) -> bool:
        """One less: one that is on its way, that does not serve yet, that is idle, or any. False if none can go now."""
        if interruptible := allotment.starting - allotment.opening:
            task = interruptible.pop()
            allotment.starting.discard(task)
            task.cancel()
            return True
        if allotment.allocated <= allotment.requested:
            return False
        if allotment.held:
            self._books.drop(allotment.held.pop())
            return True
        idle = self._books.pool(allotment.version).provisioned
        environment = next((item for item in idle if item in allotment.serving), None)
        if environment is not None:
            allotment.serving.discard(environment)
            self._books.drop(environment)
        else:
            self._books.outgrow(allotment.serving.pop())
        return True

    def _let_serve(self, allotment: Allotment) -> None:
        """All at one time, once nothing is missing."""
        if allotment.requested and allotment.allocated >= allotment.requested:
            allotment.failure, allotment.retry_delay = None, RETRY_FIRST
            while allotment.held:
                environment = allotment.held.pop()
                allotment.serving.add(environment)
                self._books.serve(environment)

    def _report(self, allotment: Allotment) -> None:
        if not self._current(allotment):
            return
        serving = len(allotment.serving)
        allocation = Allocation(
            status=allotment.status, reason=allotment.failure, allocated=allotment.allocated, available=serving
        )
        self._concurrency.report(allotment.version.key, allotment.version.version, allocation)

    def _current(self, allotment: Allotment) -> bool:
        return self._allotments.get((allotment.version.key, allotment.version.version)) is allotment

    # --- one environment --------------------------------------------------------------------------------------------

    async def _start(self, allotment: Allotment) -> None:
        task = asyncio.current_task()
        assert task is not None
        async with self._turns:
            if not self._books.claim():
                self._fail(allotment, NO_ROOM)
                return
            environment = await self._open(allotment, task)
            if environment is None:
                return
            if allotment.missing < 0:
                self._books.drop(environment)
            elif await self._initialise(allotment, environment):
                # At no moment it counts twice.
                allotment.starting.discard(task)
                allotment.held.append(environment)
                self._books.cool(environment)

    async def _open(self, allotment: Allotment, task: asyncio.Task[None]) -> EnvironmentClient | None:
        environment: EnvironmentClient | None = None
        allotment.opening.add(task)
        self._opening[task] = allotment.version
        try:
            environment = await self._worker.start(allotment.version, provisioned=True)
        except (CannotPlace, ServiceError) as error:
            self._failed_to_start(allotment, error)
        except Exception as error:  # one function's trouble is not the server's
            self._failed_to_start(allotment, error, unforeseen=error)
        finally:
            allotment.opening.discard(task)
            del self._opening[task]
            if environment is None:
                self._books.disclaim()
        if environment is not None:
            self._books.settle(self._books.pool(allotment.version), environment)
        return environment

    async def _initialise(self, allotment: Allotment, environment: EnvironmentClient) -> bool:
        """Whether it can serve. It is stopped and struck off otherwise."""
        initialised = False
        try:
            initialised = await environment.initialise_ahead()
            if not initialised:
                self._fail(allotment, INIT_FAILURE)
        except EnvironmentLost:
            self._fail(allotment, INIT_FAILURE)
        finally:
            if not initialised:
                self._books.drop(environment)
        return initialised

    def _failed_to_start(self, allotment: Allotment, error: Exception, unforeseen: Exception | None = None) -> None:
        name = allotment.version.key.name
        log.error("no environment can be provisioned", function=name, reason=str(error), exc_info=unforeseen)
        self._fail(allotment, NOT_STARTED)

    @staticmethod
    def _fail(allotment: Allotment, reason: str) -> None:
        """What was asked for cannot be had now. What serves goes on."""
        allotment.failure = reason
        allotment.retry_at = asyncio.get_running_loop().time() + allotment.retry_delay


def _wanted(function: Function) -> dict[str, tuple[Version, int]]:
    """The versions that can run and have provisioned concurrency, by number, and how much of it."""
    found = {}
    for number, requested in provisioned_versions(function).items():
        version = function.versions.get(number)
        if version is not None and version.state is State.ACTIVE:
            found[number] = (version, requested)
    return found
