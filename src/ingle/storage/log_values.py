"""What the log store hands out: events with positions, descriptions of groups and streams. Times in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from ingle.storage.errors import BadPosition


class GroupKey(NamedTuple):
    account: str
    region: str
    name: str


class Position(NamedTuple):
    """Where an event is, in the order in which events are read: by timestamp, then as they came. Opaque to callers."""

    timestamp: int
    segment: int
    offset: int
    item: int

    def token(self) -> str:
        """A text without spaces that `parse` understands, also after a restart."""
        return ".".join(f"{part:x}" for part in self)

    @classmethod
    def parse(cls, token: str) -> Self:
        """Raises BadPosition."""
        try:
            timestamp, segment, offset, index = (int(part, 16) for part in token.split("."))
        except ValueError:
            raise BadPosition("This is no position of a log event.") from None
        return cls(timestamp, segment, offset, index)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    timestamp: int
    ingestion: int
    stream: str
    message: str
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupInfo:
    """`stored_bytes` is what the group takes on disk. `retention_days` None: for ever."""

    name: str
    created: int
    stored_bytes: int
    retention_days: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo:
    """The times of events are None while the stream has none."""

    name: str
    created: int
    first_event: int | None = None
    last_event: int | None = None
    last_ingestion: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which events to read. `start` inclusive, `end` exclusive; `after` and `before` exclusive.

    `streams` None: all. `backward`: the last `limit` events instead of the first; the order of the answer is the same.
    """

    streams: frozenset[str] | None = None
    start: int | None = None
    end: int | None = None
    after: Position | None = None
    before: Position | None = None
    limit: int = 10_000
    backward: bool = False


class Page:
    """Gathers the answer of a query: the `limit` first events (backward: the last), given in any order.

    Sorts only when twice the limit has gathered, so that many small additions stay cheap.
    """

    def __init__(self, limit: int, backward: bool) -> None:
        self._limit = limit
        self._backward = backward
        self._events: list[LogEvent] = []
        #: Once the page is full: nothing beyond this timestamp belongs to it. Only ever too generous.
        self._edge: int | None = None

    def add(self, events: list[LogEvent]) -> None:
        self._events += events
        full = len(self._events) >= self._limit if self._edge is None else len(self._events) >= 2 * self._limit
        if full:
            self._trim()

    def excludes(self, first: int, last: int) -> bool:
        """Whether no event between these timestamps can belong to the page any more."""
        if self._edge is None:
            return self._limit <= 0
        return last < self._edge if self._backward else first > self._edge

    def events(self) -> list[LogEvent]:
        """Oldest first."""
        self._trim()
        return self._events[::-1] if self._backward else self._events

    def _trim(self) -> None:
        self._events.sort(key=_position, reverse=self._backward)
        del self._events[max(self._limit, 0) :]
        if self._events and len(self._events) == self._limit:
            self._edge = self._events[-1].timestamp


def _position(event: LogEvent) -> Position:
    return event.position
