"""SnapStart: the initialised process of a published version, from which its environments are cloned.

There is one template for each version, made when the version is published and again when it is missing (a server was
restarted, its process ended). It is frozen while nothing is forked from it. One clone is kept ready, waiting just
before the hooks that run after a restore: joining a control group takes longer than everything else about a clone.

A version that cannot be cloned starts its environments the ordinary way, and its log says why. Used by `worker.host`
only, on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self

from ingle.background import Background
from ingle.domain.errors import InterfaceNotReady
from ingle.domain.function import Function, FunctionKey, Version
from ingle.domain.lifecycle import starts_from_snapshot
from ingle.observability.log import Logger
from ingle.runtime_api.session import Reply
from ingle.sandbox.client import Sandbox, SandboxError, SupervisorClient
from ingle.worker.client import CannotPlace, EnvironmentLost
from ingle.worker.environment import Environment
from ingle.worker.failures import Failure

log = Logger("worker")

#: Seconds that initialisation may take at least; a function's own time limit counts if it is longer. As on AWS.
INIT_LIMIT = 130.0
#: Clones kept ready of each template.
SPARE = 1
#: A clone is made this long after one was taken, in seconds: not beside the restore that is under way.
_REFILL_DELAY = 0.02
#: How long a template may take for a clone, in seconds. It is the function's process, and may do anything.
_FORK_SECONDS = 10.0

#: Open an environment of the version, to be initialised; its `not_cloneable` tells whether it can be a template.
Open = Callable[[Version], Awaitable[Environment]]


class InitialisationFailed(Exception):
    """The function could not be initialised; the text is for its owner."""


@dataclass(slots=True, eq=False)
class Snapshot:
    """`template` is None where environments start the ordinary way."""

    version: Version
    template: Environment | None
    spare: deque[Sandbox] = field(default_factory=deque)
    forking: int = 0
    coming: int = 0

    @property
    def usable(self) -> bool:
        return self.template is None or self.template.alive


class Snapshots:
    """`async with Snapshots(...)`."""

    def __init__(
        self, sandboxes: SupervisorClient, open_environment: Open, network: Callable[[Version], str | None]
    ) -> None:
        """`network`: what a new environment of a version is attached to."""
        self._sandboxes = sandboxes
        self._open = open_environment
        self._network = network
        self._snapshots: dict[tuple[FunctionKey, str], Snapshot] = {}
        self._making: dict[tuple[FunctionKey, str], tuple[Version, asyncio.Task[Snapshot]]] = {}
        self._background = Background()

    async def __aenter__(self) -> Self:
        await self._background.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for _version, task in self._making.values():
            task.cancel()
        await self._background.__aexit__()

    # --- templates --------------------------------------------------------------------------------------------------

    async def make(self, version: Version) -> Snapshot:
        """The snapshot of `version`, made if there is none. Raises InitialisationFailed, CannotPlace."""
        place = (version.key, version.version)
        snapshot = self._snapshots.get(place)
        if snapshot is not None and snapshot.usable and snapshot.version.configuration == version.configuration:
            return snapshot
        if snapshot is not None:
            self._drop(place)
        if place not in self._making:
            task = asyncio.ensure_future(self._make(version))
            self._making[place] = (version, task)
            task.add_done_callback(lambda done: self._made(place, done))
        task = self._making[place][1]
        await asyncio.wait([task])
        if task.cancelled():
            raise CannotPlace("the version was deleted")
        return task.result()

    def _made(self, place: tuple[FunctionKey, str], done: asyncio.Task[Snapshot]) -> None:
        if place in self._making and self._making[place][1] is done:
            del self._making[place]
        if not done.cancelled():
            done.exception()  # told to those who wait, if anybody does

    async def _make(self, version: Version) -> Snapshot:
        environment = await self._open(version)
        try:
            outcome = await environment.initialise(max(INIT_LIMIT, version.configuration.timeout))
        except EnvironmentLost as error:
            raise CannotPlace("the environment ended while it was initialised") from error
        except BaseException:
            environment.stop()
            raise
        if outcome is not None:
            environment.stop()
            raise InitialisationFailed(_words(outcome))
        snapshot = Snapshot(version, environment)
        if environment.not_cloneable is not None:
            log.info("a version cannot be cloned", function=version.key.name, reason=environment.not_cloneable)
            environment.stop()
            snapshot.template = None
        self._snapshots[version.key, version.version] = snapshot
        self._refill(snapshot)
        return snapshot

    def function_changed(self, key: FunctionKey, function: Function | None) -> None:
        """Drop what was made for versions that are no longer there."""
        made = [(place, snapshot.version) for place, snapshot in self._snapshots.items() if place[0] == key]
        making = [(place, version) for place, (version, _) in self._making.items() if place[0] == key]
        for place, version in made + making:
            current = None if function is None else function.version(version.version)
            if current is None or current.configuration != version.configuration:
                self._drop(place)

    def _drop(self, place: tuple[FunctionKey, str]) -> None:
        if place in self._making:
            self._making.pop(place)[1].cancel()
        snapshot = self._snapshots.pop(place, None)
        if snapshot is None:
            return
        if snapshot.template is not None:
            snapshot.template.stop()
        while snapshot.spare:
            self._sandboxes.destroy(snapshot.spare.popleft())

    # --- clones -----------------------------------------------------------------------------------------------------

    async def clone(self, version: Version) -> Sandbox | None:
        """A sandbox whose runtime is initialised and waits to be resumed; None where one has to be started."""
        if not starts_from_snapshot(version):
            return None
        try:
            snapshot = await self.make(version)
        except (InitialisationFailed, CannotPlace) as error:
            # The environment that is started instead tells its caller.
            log.warning("a version could not be initialised again", function=version.key.name, reason=str(error))
            return None
        if snapshot.template is None:
            return None
        asyncio.get_running_loop().call_later(_REFILL_DELAY, self._refill, snapshot)
        while snapshot.spare:
            sandbox = snapshot.spare.popleft()
            if not sandbox.released:
                return sandbox
        try:
            return await self._fork(snapshot, snapshot.template)
        except SandboxError as error:
            log.warning("a version could not be cloned", function=version.key.name, reason=str(error))
            return None

    async def _fork(self, snapshot: Snapshot, template: Environment) -> Sandbox:
        """Raises SandboxError, and InterfaceNotReady where its network cannot be had now."""
        configuration = snapshot.version.configuration
        snapshot.forking += 1
        template.sandbox.thaw()
        try:
            async with asyncio.timeout(_FORK_SECONDS):
                sandbox = await self._sandboxes.clone(
                    template.sandbox, configuration.ephemeral_storage, configuration.memory,
                    self._network(snapshot.version),
                )  # fmt: skip
            sandbox.inherited_memory = template.sandbox.memory_peak() or 0
            return sandbox
        except TimeoutError as error:
            raise SandboxError("the initialised process does not answer") from error
        finally:
            snapshot.forking -= 1
            self._rest(snapshot, template)

    @staticmethod
    def _rest(snapshot: Snapshot, template: Environment) -> None:
        """Between forks nothing runs in a template, whatever the function left there."""
        if snapshot.forking == 0 and template.alive and not template.sandbox.released:
            template.sandbox.freeze()

    def _refill(self, snapshot: Snapshot) -> None:
        current = self._snapshots.get((snapshot.version.key, snapshot.version.version))
        if current is not snapshot or snapshot.template is None or not snapshot.template.alive:
            return
        while len(snapshot.spare) + snapshot.coming < SPARE:
            snapshot.coming += 1
            self._background.start(self._add_spare(snapshot, snapshot.template))

    async def _add_spare(self, snapshot: Snapshot, template: Environment) -> None:
        try:
            sandbox = await self._fork(snapshot, template)
        except (SandboxError, InterfaceNotReady) as error:
            log.warning("a clone could not be made ahead", function=snapshot.version.key.name, reason=str(error))
            return
        finally:
            snapshot.coming -= 1
        place = (snapshot.version.key, snapshot.version.version)
        if sandbox.released or self._snapshots.get(place) is not snapshot:
            self._sandboxes.destroy(sandbox)
            return

        def gone() -> None:
            with contextlib.suppress(ValueError):
                snapshot.spare.remove(sandbox)

        sandbox.on_gone = gone
        snapshot.spare.append(sandbox)


def _words(outcome: Reply | Failure) -> str:
    """What a failed initialisation is called in the state of the version."""
    if isinstance(outcome, Failure):
        return f"The function could not be initialised: {outcome.kind}: {outcome.message}"
    try:
        document = json.loads(outcome.body)
        return f"The function could not be initialised: {document['errorType']}: {document['errorMessage']}"
    except (ValueError, LookupError, TypeError):
        return f"The function could not be initialised: {outcome.error_type or 'Runtime.Unknown'}"
