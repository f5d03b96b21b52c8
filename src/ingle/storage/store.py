"""What the control plane asks of a store of functions and of layers, in its own words."""

from __future__ import annotations

from typing import Protocol

from ingle.domain.function import Function, FunctionKey
from ingle.domain.layer import Layer


class FunctionStore(Protocol):
    """Functions by key, durable.

    Calls return after the durable commit and never block the event loop. Calls of one caller take effect in order. A
    cancelled call may still take effect. Every call may raise StorageFull or StorageUnavailable, and changes nothing
    when it does. After close, every call raises StorageUnavailable.
    """

    async def load_all(self) -> list[Function]:
        """All functions, ordered by account, region and name."""
        ...

    async def insert(self, function: Function) -> None:
        """Raises RecordExists if the key is taken."""
        ...

    async def save(self, function: Function, before: Function | None = None) -> None:
        """Replaces the whole record. Raises RecordNotFound: a save never brings a deleted function back.

        `before`, where it is given, is what the store holds now: only what differs from it is written.
        """
        ...

    async def delete(self, key: FunctionKey) -> None:
        """Idempotent."""
        ...


class LayerStore(Protocol):
    """Layers by key, durable. Promises what `FunctionStore` does."""

    async def load_layers(self) -> list[Layer]:
        """All layers, ordered by account, region and name; also those that have no version left."""
        ...

    async def save_layer(self, layer: Layer, number: int) -> None:
        """Stores the version `number` as `layer` has it, or removes it if the layer has it no more.

        `layer` may be new, and else differs from what is stored in this version only.
        """
        ...
