"""The functions of this server, as one thing to change: durable store first, then memory, one change at a time.

Used by the operations and by activation, which write the same functions. Readers use the catalog.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from ingle.catalog import Catalog
from ingle.control.ports import FunctionGrants, FunctionStore
from ingle.domain.function import Function, FunctionKey


class FunctionRecords:
    """Writes go through here, inside `exclusive`. A commit that fails changes nothing in memory.

    A call that is cancelled in the middle of its commit may leave the store ahead of the catalog. Only the end of the
    server cancels calls, and the next start reads the store.
    """

    def __init__(self, store: FunctionStore, catalog: Catalog, grants: FunctionGrants) -> None:
        self._store = store
        self.catalog = catalog
        self._grants = grants
        self._locks: WeakValueDictionary[FunctionKey, asyncio.Lock] = WeakValueDictionary()

    def exclusive(self, key: FunctionKey) -> asyncio.Lock:
        """`async with records.exclusive(key)`: no other change of this function happens inside the block."""
        return self._locks.setdefault(key, asyncio.Lock())

    def get(self, key: FunctionKey) -> Function | None:
        return self.catalog.get(key)

    async def insert(self, function: Function) -> None:
        await self._store.insert(function)
        self.catalog.put(function)

    async def save(self, function: Function) -> None:
        before = self.get(function.key)
        await self._store.save(function, before=before)
        self.catalog.put(function)
        await self._grants.settle(before, function)

    async def delete(self, key: FunctionKey) -> None:
        before = self.get(key)
        await self._store.delete(key)
        self.catalog.remove(key)
        await self._grants.settle(before, None)
