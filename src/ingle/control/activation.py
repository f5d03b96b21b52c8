"""Brings accepted changes into effect: Pending to Active or Failed, InProgress to Successful or Failed.

Watches the catalog for versions that await preparation, asks for it through the catalog, and commits the outcome. What
a server left unfinished is resumed at the next start. Preparing itself is the business of `placement`.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from ingle.catalog import Prepared
from ingle.control.function_records import FunctionRecords
from ingle.control.package_references import PackageReferences, packages_of
from ingle.control.private_networks import PrivateNetworks
from ingle.domain import lifecycle
from ingle.domain.clock import Ids
from ingle.domain.function import Function, FunctionKey, Version
from ingle.observability.log import Logger
from ingle.storage.errors import StorageError

_log = Logger("control")

#: Seconds between two tries to commit an outcome: at first, and at the most.
_FIRST_DELAY = 1.0
_LONGEST_DELAY = 60.0

#: Told when preparing breaks for a reason of the server's own; the log has the cause.
_INTERNAL_ERROR = Prepared(reason_code="InternalError", reason="An internal error occurred while preparing the code.")


class Activation:
    """`async with Activation(...)`: works between enter and exit, on the event loop of the catalog.

    Enter it after the catalog has been filled from the store. At exit, unfinished preparations are given up and stay
    Pending or InProgress in the store. A commit that fails is tried again.
    """

    def __init__(
        self, records: FunctionRecords, packages: PackageReferences, networks: PrivateNetworks, ids: Ids
    ) -> None:
        self._records = records
        self._networks = networks
        self._packages = packages
        self._ids = ids
        self._group = asyncio.TaskGroup()
        #: The preparations under way, by the revision that each prepares.
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._open = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._open = True
        self._records.catalog.follow(self._changed)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        for task in self._tasks.values():
            task.cancel()
        await self._group.__aexit__(kind, error, trace)

    def _changed(self, key: FunctionKey, function: Function | None) -> None:
        if not self._open or function is None:
            return
        for version in function.every_version:
            if version.revision_id not in self._tasks and lifecycle.awaits_preparation(version):
                self._start(version)

    def _start(self, version: Version) -> None:
        revision = version.revision_id
        task = self._group.create_task(self._activate(version), name=f"activate {version.key.name} {version.version}")
        self._tasks[revision] = task
        task.add_done_callback(lambda _: self._tasks.pop(revision, None))

    async def _activate(self, version: Version) -> None:
        outcome = await self._prepare(version)
        delay = _FIRST_DELAY
        while True:
            try:
                await self._settle(version, outcome)
                return
            except (StorageError, OSError) as error:
                # One failed write must not stop what runs; the function stays as it is meanwhile.
                _log.error("an activation waits for the store", function=version.key.name, reason=str(error))
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)

    async def _settle(self, version: Version, outcome: Prepared) -> None:
        async with self._records.exclusive(version.key):
            function = self._records.get(version.key)
            current = None if function is None else function.version(version.version)
            if function is None or current is None or current.revision_id != version.revision_id:
                return  # deleted, or deleted and created anew: the outcome is about nothing that exists
            settled = self._settled(function, version.version, outcome)
            await self._records.save(settled)
            await self._packages.release(packages_of(function) - packages_of(settled))

    async def _prepare(self, version: Version) -> Prepared:
        try:
            attached = await self._networks.prepare(version)
            return await self._records.catalog.prepare(version) if attached.ok else attached
        except Exception:  # one function fails to become active; the activation of others goes on
            _log.error("preparing a function failed", function=version.key.name, exc_info=True)
            return _INTERNAL_ERROR

    def _settled(self, function: Function, version: str, outcome: Prepared) -> Function:
        revision = self._ids.uuid()
        code = outcome.reason_code
        if code is None:
            return lifecycle.prepared(function, version=version, revision_id=revision)
        reason = outcome.reason or code
        return lifecycle.preparation_failed(function, version=version, reason=reason, code=code, revision_id=revision)
