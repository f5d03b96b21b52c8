"""The layers of this server, as one thing to change: durable store first, then memory, one change at a time."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from ingle.catalog.layers import LayerCatalog
from ingle.control.ports import LayerStore
from ingle.domain.layer import Layer, LayerKey


class LayerRecords:
    """Writes go through here, inside `exclusive`. A commit that fails changes nothing in memory."""

    def __init__(self, store: LayerStore, catalog: LayerCatalog) -> None:
        self._store = store
        self.catalog = catalog
        self._locks: WeakValueDictionary[LayerKey, asyncio.Lock] = WeakValueDictionary()

    def exclusive(self, key: LayerKey) -> asyncio.Lock:
        """`async with records.exclusive(key)`: no other change of this layer happens inside the block."""
        return self._locks.setdefault(key, asyncio.Lock())

    def get(self, key: LayerKey) -> Layer:
        """The layer as it is; without versions if none was ever published."""
        return self.catalog.get(key) or Layer(key=key)

    async def save(self, layer: Layer, number: int) -> None:
        """`number` is the version that was changed, added or taken away."""
        await self._store.save_layer(layer, number)
        self.catalog.put(layer)
