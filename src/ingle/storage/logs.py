"""Log lines of functions: buffered on the event loop, written by a thread in batches, read back by time.

Owns what is below its directory. `worker` appends, `supporting.logs` serves it as the CloudWatch Logs API. An event is
safe from a kill of the server once a flush has written it (every 50 ms, or on `flush`); finished segments are synced
to the device, the one in progress is when the store closes.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from ingle.domain.clock import Clock, milliseconds
from ingle.storage.errors import (
    LogGroupExists,
    LogGroupNotFound,
    LogStreamNotFound,
    StorageError,
    StorageUnavailable,
    of_os_error,
)
from ingle.storage.log_buffer import Batch, LogBuffer, LogStream
from ingle.storage.log_groups import SEGMENT_BYTES, LogGroup
from ingle.storage.log_values import GroupInfo, GroupKey, LogEvent, Position, Query, StreamInfo

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)

_FLUSH_SECONDS = 0.04
_RETRY_SECONDS = 1.0
_RETENTION_SECONDS = 3600.0


class LogStore:
    """Log groups below `path`. `async with LogStore(path, clock) as logs`; leaving flushes. Calls after that raise.

    `buffer_bytes` bounds what waits in memory, see `log_buffer`. Every call but `stream` may raise StorageFull or
    StorageUnavailable.
    """

    def __init__(
        self, path: Path, clock: Clock, *, buffer_bytes: int = 64 * 1024 * 1024, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        self._path = path
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._buffer = LogBuffer(buffer_bytes)
        self._groups: dict[GroupKey, LogGroup] = {}
        self._flushing = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._thread: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ingle-logs")
        try:
            await self._run(self._load)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        await self._tasks.__aenter__()
        self._tasks.create_task(self._flusher(), name="log-flusher")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._buffer.wake.set()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        finally:
            await self._run(self._sync)
            thread, self._thread = self._thread, None
            if thread is not None:
                thread.shutdown(wait=False)

    @property
    def dropped(self) -> int:
        """Lines lost so far because the disk stayed full."""
        return self._buffer.dropped

    @property
    def waiting_bytes(self) -> int:
        """What is not written yet, about."""
        return self._buffer.size

    def stream(self, account: str, region: str, group: str, stream_name: str) -> LogStream:
        """The group is created with the first event if it does not exist then, also if it was deleted meanwhile."""
        return LogStream(self._buffer, GroupKey(account, region, group), stream_name)

    async def flush(self) -> bool:
        """Returns when every event appended before is written. False if some could not be: they are kept for later."""
        if self._stopping.is_set():
            raise StorageUnavailable("The log store is closed.")
        # A task of its own: a caller that is cancelled must not take the events along that a failed write gives back.
        return await asyncio.shield(self._tasks.create_task(self._flush()))

    async def put_events(
        self, account: str, region: str, group: str, stream: str, events: Sequence[tuple[int, str]]
    ) -> None:
        """Writes (timestamp, message) pairs, all or none. Raises LogGroupNotFound, LogStreamNotFound, StorageFull."""
        ingestion = milliseconds(self._clock)

        def put() -> None:
            found = self._group(GroupKey(account, region, group))
            if not found.has_stream(stream):
                raise LogStreamNotFound(f"The log stream {stream} does not exist.")
            found.append([(stream, timestamp, (message,), 0) for timestamp, message in events], ingestion)

        await self._after_flush(put)

    async def create_group(self, account: str, region: str, group: str, tags: Mapping[str, str] | None = None) -> None:
        """Raises LogGroupExists."""
        key = GroupKey(account, region, group)
        now = milliseconds(self._clock)

        def create() -> None:
            if key in self._groups:
                raise LogGroupExists(f"The log group {group} exists.")
            self._create(key, now, tags)

        await self._after_flush(create)

    async def delete_group(self, account: str, region: str, group: str) -> None:
        """Raises LogGroupNotFound."""
        key = GroupKey(account, region, group)

        def remove() -> None:
            self._group(key).delete()
            del self._groups[key]

        await self._after_flush(remove)

    async def put_retention(self, account: str, region: str, group: str, days: int | None) -> None:
        """Events older than `days` go, in whole segments; None keeps them. Raises LogGroupNotFound."""
        now = milliseconds(self._clock)

        def put() -> None:
            found = self._group(GroupKey(account, region, group))
            found.retention_days = days
            found.describe()
            found.apply_retention(now)

        await self._after_flush(put)

    async def change_tags(
        self, account: str, region: str, group: str, change: Callable[[dict[str, str]], None]
    ) -> None:
        """`change` gets the tags and changes them; what it raises leaves them as they were. Raises LogGroupNotFound."""

        def put() -> None:
            found = self._group(GroupKey(account, region, group))
            before, tags = found.tags, dict(found.tags)
            change(tags)
            found.tags = tags
            try:
                found.describe()
            except OSError:
                found.tags = before
                raise

        await self._after_flush(put)

    async def tags(self, account: str, region: str, group: str) -> Mapping[str, str]:
        """Raises LogGroupNotFound."""
        return await self._after_flush(lambda: dict(self._group(GroupKey(account, region, group)).tags))

    async def apply_retention(self) -> None:
        """Deletes what is too old. The store does it by itself every hour."""
        now = milliseconds(self._clock)

        def apply() -> None:
            for group in self._groups.values():
                group.apply_retention(now)

        await self._run(apply)

    async def create_stream(self, account: str, region: str, group: str, stream: str) -> None:
        """Raises LogGroupNotFound, LogStreamExists."""
        now = milliseconds(self._clock)
        await self._after_flush(lambda: self._group(GroupKey(account, region, group)).create_stream(stream, now))

    async def delete_stream(self, account: str, region: str, group: str, stream: str) -> None:
        """Raises LogGroupNotFound, LogStreamNotFound.

        The space comes back when everything before it in the group is deleted or too old.
        """
        now = milliseconds(self._clock)
        await self._after_flush(lambda: self._group(GroupKey(account, region, group)).delete_stream(stream, now))

    async def groups(self, account: str, region: str, prefix: str = "") -> list[GroupInfo]:
        """By name."""

        def describe() -> list[GroupInfo]:
            wanted = (key for key in self._groups if key[:2] == (account, region) and key.name.startswith(prefix))
            return [self._groups[key].info() for key in sorted(wanted)]

        return await self._after_flush(describe)

    async def streams(self, account: str, region: str, group: str, prefix: str = "") -> list[StreamInfo]:
        """By name. Raises LogGroupNotFound."""
        return await self._after_flush(lambda: self._group(GroupKey(account, region, group)).streams(prefix))

    async def read(
        self,
        account: str,
        region: str,
        group: str,
        *,
        streams: Sequence[str] | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        after: Position | None = None,
        before: Position | None = None,
        limit: int = 10_000,
        backward: bool = False,
    ) -> list[LogEvent]:
        """Up to `limit` events, oldest first; of several streams interleaved by time. Raises LogGroupNotFound.

        `start_ms` inclusive, `end_ms` exclusive; `after` and `before` (an event's position) exclusive. `backward`
        takes the newest that match instead of the oldest. Streams that do not exist have no events.
        """
        query = Query(
            streams=None if streams is None else frozenset(streams),
            start=start_ms,
            end=end_ms,
            after=after,
            before=before,
            limit=limit,
            backward=backward,
        )
        return await self._after_flush(lambda: self._group(GroupKey(account, region, group)).read(query))

    async def _after_flush(self, work: Callable[[], _Result]) -> _Result:
        await self.flush()
        return await self._run(work)

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        if self._thread is None:
            raise StorageUnavailable("The log store is closed.")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except OSError as error:
            raise of_os_error(error, "using the logs") from error

    async def _flusher(self) -> None:
        """Sleeps until there is an event, then lets more of them gather. Ends when the store closes."""
        buffer = self._buffer
        checked = 0.0
        while not self._stopping.is_set():
            now = self._clock.now()
            if abs(now - checked) >= _RETENTION_SECONDS:
                checked = now
                await self._retain()
            await _within(_RETENTION_SECONDS, buffer.wake)
            buffer.wake.clear()
            await _within(_FLUSH_SECONDS, self._stopping)
            while not await self._flush() and not self._stopping.is_set():
                await _within(_RETRY_SECONDS, self._stopping)
        if not await self._flush():
            lost = sum(len(lines) for _, batches in buffer.take() for _, _, lines, _ in batches)
            buffer.dropped += lost
            _log.error("log lines were lost at shutdown: %d", lost)

    async def _retain(self) -> None:
        try:
            await self.apply_retention()
        except StorageError as error:
            _log.warning("retention of logs failed: %s", error)

    async def _flush(self) -> bool:
        async with self._flushing:
            taken = self._buffer.take()
            if not taken:
                return True
            ingestion = milliseconds(self._clock)
            failed = await self._run(lambda: self._write(taken, ingestion))
            self._buffer.stuck = bool(failed)
            if failed:
                self._buffer.put_back(failed)
            return not failed

    def _write(self, taken: list[tuple[GroupKey, list[Batch]]], ingestion: int) -> list[tuple[GroupKey, list[Batch]]]:
        """Writes group by group; returns those that could not be written."""
        failed = []
        for key, batches in taken:
            try:
                group = self._groups.get(key) or self._create(key, ingestion)
                group.append(batches, ingestion)
            except OSError as error:
                failed.append((key, batches))
                _log.warning("log lines of %s wait: %s", key.name, error.strerror)
        return failed

    def _group(self, key: GroupKey) -> LogGroup:
        group = self._groups.get(key)
        if group is None:
            raise LogGroupNotFound(f"The log group {key.name} does not exist.")
        return group

    def _create(self, key: GroupKey, now: int, tags: Mapping[str, str] | None = None) -> LogGroup:
        group = self._groups[key] = LogGroup.create(self._path, key, now, self._segment_bytes, tags)
        return group

    def _load(self) -> None:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for directory in self._path.iterdir():
            if directory.name.startswith("."):
                shutil.rmtree(directory)
            elif (group := LogGroup.load(directory, self._segment_bytes)) is not None:
                self._groups[group.key] = group

    def _sync(self) -> None:
        for group in self._groups.values():
            group.sync()


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Waits for the event, but not longer."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
