"""One log group on disk: a directory with its description and its segments.

    <logs>/<readable part>-<hash of account, region, name>/group.json
                                                          /0000000001.log, 0000000002.log, ...

Only the last segment grows; retention deletes from the front, so what says that a stream was deleted outlives what was
deleted. Everything here blocks and belongs to the log store's thread; `logs` is the only caller.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ingle.storage.errors import LogStreamExists, LogStreamNotFound, StorageUnavailable
from ingle.storage.files import sync_directory, write_atomically
from ingle.storage.log_buffer import Batch
from ingle.storage.log_frames import Frame, Kind, encode_events, encode_mark, scan
from ingle.storage.log_segments import SUFFIX, Segment, Span
from ingle.storage.log_values import GroupInfo, GroupKey, LogEvent, Page, Query, StreamInfo

SEGMENT_BYTES = 8 * 1024 * 1024
_DESCRIPTION = "group.json"
_DAY_MS = 86_400_000


def directory_name(key: GroupKey) -> str:
    """A file name for any group's name: readable in front, unique by the hash, at most 113 bytes."""
    digest = hashlib.sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '_', key.name)[:80]}-{digest}"


class LogGroup:
    def __init__(
        self, directory: Path, key: GroupKey, created: int, retention_days: int | None, rotate_at: int
    ) -> None:
        self.key = key
        self.created = created
        self.retention_days = retention_days
        self.tags: dict[str, str] = {}
        self._directory = directory
        self._rotate_at = rotate_at
        self._deleted: dict[str, tuple[int, int]] = {}
        #: Found when they are first needed: a start with very many groups looks at none of them.
        self._segments: list[Segment] = []
        self._recovered = False
        self._indexed = False
        self._written = False

    @classmethod
    def create(
        cls, logs: Path, key: GroupKey, created: int, rotate_at: int, tags: Mapping[str, str] | None = None
    ) -> LogGroup:
        """Durable when it returns. Raises OSError."""
        directory = logs / directory_name(key)
        directory.mkdir(mode=0o700, exist_ok=True)
        group = cls(directory, key, created, None, rotate_at)
        group.tags.update(tags or {})
        group.describe()
        sync_directory(logs)
        return group

    @classmethod
    def load(cls, directory: Path, rotate_at: int) -> LogGroup | None:
        """None if the directory holds no group: its creation was interrupted before it was acknowledged.

        Raises StorageUnavailable if the description is damaged.
        """
        try:
            description = json.loads((directory / _DESCRIPTION).read_bytes())
            key = GroupKey(description["account"], description["region"], description["name"])
            group = cls(directory, key, description["created"], description["retention_days"], rotate_at)
            group.tags.update(description.get("tags", {}))
            return group
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, KeyError, TypeError):
            raise StorageUnavailable(f"The log group's description in {directory} is damaged.") from None

    def describe(self) -> None:
        """Writes the description."""
        description = {
            **self.key._asdict(), "created": self.created, "retention_days": self.retention_days, "tags": self.tags,
        }  # fmt: skip
        write_atomically(self._directory / _DESCRIPTION, json.dumps(description).encode())

    def delete(self) -> None:
        """Gone at once; a crash while files are removed leaves a directory with a dot, swept at start."""
        grave = self._directory.with_name(f".deleted-{secrets.token_hex(8)}")
        self._directory.rename(grave)
        shutil.rmtree(grave)

    def info(self) -> GroupInfo:
        self._recover()
        stored = sum(segment.size for segment in self._segments)
        return GroupInfo(
            name=self.key.name,
            created=self.created,
            stored_bytes=stored,
            retention_days=self.retention_days,
            tags=dict(self.tags),
        )

    def append(self, batches: Iterable[Batch], ingestion: int) -> None:
        """Writes lines of some streams, all or none. Raises OSError."""
        streams: dict[str, tuple[list[int], list[str | bytes]]] = {}
        for stream, timestamp, batch, _ in batches:
            columns = streams.get(stream)
            if columns is None:
                columns = streams[stream] = [], []
            if len(batch) == 1:
                columns[0].append(timestamp)
                columns[1].append(batch[0])
            else:
                columns[0].extend([timestamp] * len(batch))
                columns[1].extend(batch)
        self._write(
            b"".join([encode_events(name, ingestion, times, _bytes(lines)) for name, (times, lines) in streams.items()])
        )

    def create_stream(self, name: str, now: int) -> None:
        if self.has_stream(name):
            raise LogStreamExists(f"The log stream {name} exists.")
        self._write(encode_mark(Kind.CREATED, name, now))

    def delete_stream(self, name: str, now: int) -> None:
        if not self.has_stream(name):
            raise LogStreamNotFound(f"The log stream {name} does not exist.")
        self._write(encode_mark(Kind.DELETED, name, now))
        self._drop_segments(lambda segment: not segment.spans)

    def has_stream(self, name: str) -> bool:
        self._index()
        return any(name in segment.spans for segment in self._segments)

    def streams(self, prefix: str) -> list[StreamInfo]:
        """By name."""
        self._index()
        merged: dict[str, list[Span]] = {}
        for segment in self._segments:
            for name, span in segment.spans.items():
                if name.startswith(prefix):
                    merged.setdefault(name, []).append(span)
        return [_stream_info(name, spans) for name, spans in sorted(merged.items())]

    def read(self, query: Query) -> list[LogEvent]:
        """Ordered by position. Segments are read in the order of time, and no more of them than the limit needs."""
        self._index()
        wanted = [(bounds, segment) for segment in self._segments if (bounds := segment.overlaps(query))]
        wanted.sort(key=lambda item: -item[0][1] if query.backward else item[0][0])
        page = Page(query.limit, query.backward)
        for (first, last), segment in wanted:
            if page.excludes(first, last):
                break
            segment.select(query, self._deleted, page)
        return page.events()

    def apply_retention(self, now: int) -> None:
        """Deletes segments from the front while all that is in them is too old, by timestamp of the events."""
        if self.retention_days is not None:
            self._index()
            limit = now - self.retention_days * _DAY_MS
            self._drop_segments(lambda segment: segment.newest() < limit)

    def _drop_segments(self, useless: Callable[[Segment], bool]) -> None:
        """Deletes useless segments from the front, up to the first that is not."""
        found = list(itertools.takewhile(lambda segment: segment.size > 0 and useless(segment), self._segments))
        if found and found[-1] is self._segments[-1]:
            self._rotate()
        for segment in found:
            segment.path.unlink(missing_ok=True)
            self._segments.remove(segment)

    def sync(self) -> None:
        """Makes what this process wrote durable against a crash of the machine too."""
        if self._written:
            self._segments[-1].sync()
            self._written = False

    def _write(self, data: bytes) -> None:
        self._recover()
        if not self._segments or self._segments[-1].size >= self._rotate_at:
            self._rotate()
        segment = self._segments[-1]
        base = segment.size
        segment.append(data)
        self._written = True
        if self._indexed:
            for frame in scan(data, verify=False):
                self._note(segment, frame._replace(offset=base + frame.offset, end=base + frame.end))

    def _rotate(self) -> None:
        self.sync()
        number = self._segments[-1].number + 1 if self._segments else 1
        self._segments.append(Segment.at(self._directory, number))

    def _recover(self) -> None:
        """Only the last segment can be torn: the others were finished before it was begun."""
        if not self._recovered:
            names = self._directory.glob(f"*{SUFFIX}")
            numbers = sorted(int(path.stem) for path in names if path.stem.isdigit())
            self._segments = [Segment.at(self._directory, number) for number in numbers]
            if self._segments:
                self._segments[-1].recover()
            self._recovered = True

    def _index(self) -> None:
        if self._indexed:
            return
        self._recover()
        for segment in self._segments:
            if segment.size:
                for frame in segment.frames():
                    self._note(segment, frame)
        self._indexed = True

    def _note(self, segment: Segment, frame: Frame) -> None:
        if frame.kind == Kind.DELETED:
            self._deleted[frame.stream] = (segment.number, frame.offset)
            for other in self._segments:
                if other.number <= segment.number:
                    other.spans.pop(frame.stream, None)
            return
        segment.spans.setdefault(frame.stream, Span(created=frame.ingestion)).add(frame)


def _bytes(lines: Iterable[str | bytes]) -> list[bytes]:
    return [line if isinstance(line, bytes) else line.encode("utf-8", "backslashreplace") for line in lines]


def _stream_info(name: str, spans: Sequence[Span]) -> StreamInfo:
    filled = [span for span in spans if span.count]
    if not filled:
        return StreamInfo(name=name, created=spans[0].created)
    return StreamInfo(
        name=name,
        created=spans[0].created,
        first_event=min(span.first for span in filled),
        last_event=max(span.last for span in filled),
        last_ingestion=max(span.ingestion for span in filled),
    )
