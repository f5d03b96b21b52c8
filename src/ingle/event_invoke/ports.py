"""What the queue needs of others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from ingle.domain.event import Delivery, Event, Progress, Response
from ingle.domain.function import FunctionKey

#: Run the function once. Raises ServiceError where it could not be run.
Run = Callable[[Event], Awaitable[Response]]
#: Send one thing on. Raises DeliveryFailed.
Deliver = Callable[[Event, Progress, Delivery], Awaitable[None]]
#: A metric of a function: its name, value and unit.
Record = Callable[[FunctionKey, str, float, str], None]


class DeliveryFailed(Exception):
    """A destination did not take what was sent; the text is for people.

    `final`: it never will. `broken`: it takes nothing at all at the moment, whatever is sent.
    """

    def __init__(self, text: str, *, final: bool = False, broken: bool = False) -> None:
        super().__init__(text)
        self.final = final
        self.broken = broken


class Store(Protocol):
    """What `storage.event_store` promises."""

    def begin_add(self, event: Event) -> tuple[int, asyncio.Future[None]]: ...
    async def change(self, number: int, progress: Progress) -> None: ...
    async def remove(self, numbers: Iterable[int]) -> None: ...
    async def load(self, after: int = 0) -> Sequence[tuple[int, Event, Progress, bool]]: ...
    async def bodies(self, number: int) -> tuple[bytes, bytes | None] | None: ...
