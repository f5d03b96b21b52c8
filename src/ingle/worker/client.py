"""What placement sees of a worker: prepare, start, run, stop. Values only; no shared memory beyond this line."""

from __future__ import annotations

from typing import Protocol

from ingle.catalog import Prepared
from ingle.domain.function import Version
from ingle.domain.invocation import Invocation, InvocationResult


class CannotPlace(Exception):
    """This worker cannot start an environment for the version now; the text says why."""


class EnvironmentLost(Exception):
    """The environment ended before it took the invocation; another may take it."""


class EnvironmentClient(Protocol):
    """One execution environment. `run` is called when `usable`, by one caller at a time."""

    version: Version
    idle_since: float
    #: When it is to be replaced, in the loop's time; its owner sets it.
    expires_at: float
    #: Whether it was started as provisioned concurrency.
    provisioned: bool

    @property
    def usable(self) -> bool:
        """Whether the environment can take an invocation now."""
        ...

    @property
    def alive(self) -> bool:
        """Whether the environment can become usable again."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the runtime waits for an invocation at this moment."""
        ...

    @property
    def idle(self) -> bool:
        """Whether the runtime is initialised, serves nobody and is not frozen."""
        ...

    async def run(self, invocation: Invocation) -> InvocationResult:
        """Raises EnvironmentLost if the function was not started."""
        ...

    async def when_polling(self) -> bool:
        """Return once the environment can serve again, resetting it first if that is due; False if it never can."""
        ...

    async def initialise_ahead(self) -> bool:
        """Initialise before any invocation, unless that is done; False if the function failed: it is stopped then.

        Raises EnvironmentLost.
        """
        ...

    def freeze(self) -> None: ...

    def stop(self) -> None:
        """Kill it. There is no harm in calling this again."""
        ...


class WorkerClient(Protocol):
    async def prepare(self, version: Version) -> Prepared:
        """Make the package and the runtime ready. Idempotent."""
        ...

    async def start(self, version: Version, *, provisioned: bool = False) -> EnvironmentClient:
        """A new environment, not yet initialised: its first `run` does that.

        Raises CannotPlace, or the ServiceError that an invocation is to get.

        `provisioned`: it is to be initialised ahead, as provisioned concurrency.
        """
        ...

    def forget(self, version: Version) -> None:
        """The version will not be started again; its environments are stopped by their owner."""
        ...
