"""One segment of a log group: its file, and a summary of what is in it.

A summary holds a span per stream, not a row per event: reads find their segments by it and scan only those. Everything
here blocks and belongs to the log store's thread. Used by `log_groups`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingle.storage.log_frames import Frame, Kind, decode_events, scan
from ingle.storage.log_values import LogEvent, Page, Position, Query

SUFFIX = ".log"


@dataclass(slots=True, kw_only=True)
class Span:
    """What a segment has of one stream. Without events (`count` 0), the times of events mean nothing."""

    created: int
    first: int = 0
    last: int = 0
    ingestion: int = 0
    count: int = 0

    def add(self, frame: Frame) -> None:
        if frame.events == 0:
            return
        self.first = min(self.first, frame.first) if self.count else frame.first
        self.last = max(self.last, frame.last) if self.count else frame.last
        self.ingestion = max(self.ingestion, frame.ingestion)
        self.count += frame.events


@dataclass(slots=True, kw_only=True)
class Segment:
    """`size` is the length of the whole frames: what the file has beyond it was torn."""

    path: Path
    number: int
    size: int
    spans: dict[str, Span] = field(default_factory=dict)

    @classmethod
    def at(cls, directory: Path, number: int) -> Segment:
        path = directory / f"{number:010d}{SUFFIX}"
        return cls(path=path, number=number, size=path.stat().st_size if path.exists() else 0)

    def recover(self) -> None:
        """Truncates what a crash left of a last frame."""
        end = 0
        for frame in scan(self.read(), verify=True):
            end = frame.end
        if end < self.size:
            os.truncate(self.path, end)
            self.size = end

    def append(self, data: bytes) -> None:
        """Raises OSError, after removing what was written in part."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            try:
                written = 0
                while written < len(data):
                    written += os.write(descriptor, memoryview(data)[written:])
            except OSError:
                os.ftruncate(descriptor, self.size)
                raise
        finally:
            os.close(descriptor)
        self.size += len(data)

    def sync(self) -> None:
        """Makes a finished segment durable against a crash of the machine too."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self) -> bytes:
        with open(self.path, "rb") as file:
            return file.read(self.size)

    def frames(self) -> Iterator[Frame]:
        """Whole and undamaged: a header that lies would put wrong times into the summary."""
        return scan(self.read(), verify=True)

    def newest(self) -> int:
        """The largest timestamp; of a stream without events, when it was created."""
        return max((span.last if span.count else span.created for span in self.spans.values()), default=0)

    def overlaps(self, query: Query) -> tuple[int, int] | None:
        """The smallest and largest timestamp of what the query may want from here; None if nothing."""
        wanted = (span for name, span in self.spans.items() if query.streams is None or name in query.streams)
        spans = [span for span in wanted if span.count and in_range(span.first, span.last, query)]
        return (min(span.first for span in spans), max(span.last for span in spans)) if spans else None

    def select(self, query: Query, deleted: dict[str, tuple[int, int]], page: Page) -> None:
        """Adds the events that the query wants to the page. `deleted`: where each deleted stream ended."""
        data = self.read()
        frames = [frame for frame in scan(data, verify=False) if self._wanted(frame, query, deleted)]
        # In the order in which the page fills, so that a page of a large segment decodes only a few of its frames.
        frames.sort(key=lambda frame: -frame.last if query.backward else frame.first)
        for frame in frames:
            if page.excludes(frame.first, frame.last):
                return
            page.add(list(self._events(data, frame, query)))

    def _wanted(self, frame: Frame, query: Query, deleted: dict[str, tuple[int, int]]) -> bool:
        if frame.kind != Kind.EVENTS or (query.streams is not None and frame.stream not in query.streams):
            return False
        gone = frame.stream in deleted and (self.number, frame.offset) <= deleted[frame.stream]
        return not gone and in_range(frame.first, frame.last, query)

    def _events(self, data: bytes, frame: Frame, query: Query) -> Iterator[LogEvent]:
        for index, (timestamp, message) in enumerate(decode_events(data, frame)):
            position = Position(timestamp, self.number, frame.offset, index)
            if (
                in_range(timestamp, timestamp, query)
                and (query.after is None or position > query.after)
                and (query.before is None or position < query.before)
            ):
                yield LogEvent(
                    timestamp=timestamp,
                    ingestion=frame.ingestion,
                    stream=frame.stream,
                    message=message,
                    position=position,
                )


def in_range(first: int, last: int, query: Query) -> bool:
    """Whether events between `first` and `last` can be wanted, as far as times tell."""
    return not (
        (query.start is not None and last < query.start)
        or (query.end is not None and first >= query.end)
        or (query.after is not None and last < query.after.timestamp)
        or (query.before is not None and first > query.before.timestamp)
    )
