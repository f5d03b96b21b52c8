"""Functions in private networks that nobody invokes for long: their interfaces are taken from them until they are.

An attached version without an execution environment for that time becomes Inactive, and its interfaces go if nobody
else needs them. The invocation that finds it so is refused and wakes it: it is Pending until it has interfaces again. A
version that cannot have them then is Inactive again, and the next invocation tries anew.

Source of the rules: "Lambda function states" in the developer guide. The time counts from the server's start at the
earliest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from ingle.background import Background
from ingle.control.function_records import FunctionRecords
from ingle.domain import lifecycle
from ingle.domain.clock import Clock, Ids
from ingle.domain.function import Function, FunctionKey, State, Version
from ingle.observability.log import Logger
from ingle.storage.errors import StorageError

_LOOK_SECONDS = 1.0

_log = Logger("control")


class IdleFunctions:
    """`used`: whether a version has an environment, or is about to. `patience`: how long it may have none; seconds."""

    def __init__(
        self, records: FunctionRecords, clock: Clock, ids: Ids, used: Callable[[Version], bool], patience: float,
        background: Background,
    ) -> None:  # fmt: skip
        self._records = records
        self._clock = clock
        self._ids = ids
        self._used = used
        self._patience = patience
        self._background = background
        self._attached: dict[FunctionKey, Function] = {}
        #: When each version was last seen in use, by its revision.
        self._seen: dict[str, float] = {}
        self._waking: set[str] = set()
        records.catalog.follow(self._changed)
        records.catalog.on_wake = self.wake

    async def watch(self) -> None:
        """Look now and then, for as long as the server runs."""
        while True:
            try:
                await self.look()
            except StorageError as error:
                _log.error("idle functions wait for the store", reason=str(error))
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        now = self._clock.now()
        candidates = list(self._candidates())
        seen = {version.revision_id: self._last_use(version, now) for version in candidates}
        self._seen = seen
        for version in candidates:
            if now - seen[version.revision_id] >= self._patience:
                await self._change(version, State.ACTIVE, lifecycle.idled)

    def wake(self, version: Version) -> None:
        """Somebody wants to invoke a version that is Inactive. Does not wait."""
        if version.revision_id not in self._waking:
            self._waking.add(version.revision_id)
            self._background.start(self._wake(version))

    async def _wake(self, version: Version) -> None:
        try:
            await self._change(version, State.INACTIVE, lifecycle.woken)
        except StorageError as error:
            _log.error("an idle function cannot be woken", function=version.key.name, reason=str(error))
        finally:
            self._waking.discard(version.revision_id)

    async def _change(self, version: Version, state: State, step: Callable[..., Function]) -> None:
        """A step of a version that is in `state`, unless it has changed meanwhile."""
        async with self._records.exclusive(version.key):
            function = self._records.get(version.key)
            current = None if function is None else function.version(version.version)
            if function is not None and current is not None and current.revision_id == version.revision_id:
                assert current.state is state, "a version that is the same is in the same state"
                await self._records.save(step(function, version=version.version, revision_id=self._ids.uuid()))

    def _last_use(self, version: Version, now: float) -> float:
        return now if self._used(version) else self._seen.get(version.revision_id, now)

    def _candidates(self) -> Iterator[Version]:
        for function in self._attached.values():
            for version in function.every_version:
                if version.configuration.attached_vpc is not None and lifecycle.may_idle(function, version):
                    yield version

    def _changed(self, key: FunctionKey, function: Function | None) -> None:
        self._attached.pop(key, None)
        if function is not None and any(version.configuration.attached_vpc for version in function.every_version):
            self._attached[key] = function
