"""What the control plane asks of a store of functions, in its own words."""

from __future__ import annotations

from typing import Protocol

from ingle.domain.function import Function, FunctionKey


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
