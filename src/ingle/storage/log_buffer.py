"""Log lines that are not written yet: bounded, and fair between functions.

Each log group has a share of the buffer. A group that has used half of it is `full`: whoever reads a function's pipes
stops there, the pipe fills up, and the function waits rather than its lines are lost. While the disk takes nothing no
one is told to wait; then a group's oldest lines go when its share is used up, and are counted: those before a crash are
the last ones. Event loop only; owned by `logs`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from weakref import WeakValueDictionary

from ingle.storage.log_values import GroupKey

#: How many groups can fill the buffer together.
_SHARES = 8
#: What lines and batches take beyond their text, about.
_LINE_OVERHEAD = 48
_BATCH_OVERHEAD = 160
_ONE_LINE = _LINE_OVERHEAD + _BATCH_OVERHEAD


#: Stream, timestamp, lines of that time, and about how many bytes they take. The lines are all texts, or all bytes as
#: the function wrote them. A plain tuple: every invocation makes three.
Batch = tuple[str, int, Sequence[str] | Sequence[bytes], int]


class Share:
    """What waits of one group."""

    __slots__ = ("__weakref__", "batches", "key", "size", "waiters")

    def __init__(self, key: GroupKey) -> None:
        self.key = key
        self.batches: deque[Batch] = deque()
        self.size = 0
        self.waiters: list[Callable[[], None]] = []


class LogBuffer:
    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.share_limit = limit // _SHARES
        self._shares: WeakValueDictionary[GroupKey, Share] = WeakValueDictionary()
        #: Those with lines. Strong references: a group outlives its streams until its lines are written.
        self._filled: dict[GroupKey, Share] = {}
        self.size = 0
        self.dropped = 0
        #: Set when there is a line to write.
        self.wake = asyncio.Event()
        #: Whether the last write failed.
        self.stuck = False

    def share(self, key: GroupKey) -> Share:
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = Share(key)
        return share

    def note(self, share: Share) -> None:
        """`share` gets its first line after it was taken."""
        self._filled[share.key] = share
        self.wake.set()

    def is_full(self, share: Share) -> bool:
        return (share.size > self.share_limit // 2 or self.size > self.limit // 2) and not self.stuck

    def when_room(self, share: Share, callback: Callable[[], None]) -> None:
        """Call back once, from the event loop, when the share is not full any more."""
        if self.is_full(share):
            share.waiters.append(callback)
        else:
            asyncio.get_running_loop().call_soon(callback)

    def take(self) -> list[tuple[GroupKey, list[Batch]]]:
        """Everything that waits, oldest first in each group."""
        taken = []
        filled, self._filled = self._filled, {}
        for share in filled.values():
            taken.append((share.key, list(share.batches)))
            share.batches.clear()
            share.size = 0
        self.size = 0
        for share in filled.values():
            self._tell_waiters(share)
        return taken

    def put_back(self, failed: list[tuple[GroupKey, list[Batch]]]) -> None:
        """What could not be written comes before what came meanwhile."""
        for key, batches in failed:
            share = self.share(key)
            self._filled[key] = share
            share.batches.extendleft(reversed(batches))
            size = sum(batch[3] for batch in batches)
            share.size += size
            self.size += size
            self.make_room(share)
            self._tell_waiters(share)

    def _tell_waiters(self, share: Share) -> None:
        waiters, share.waiters = share.waiters, []
        loop = asyncio.get_running_loop()
        for callback in waiters:
            loop.call_soon(callback)

    def make_room(self, share: Share) -> None:
        """Drops the oldest lines of a group that has too many, and of the largest while all together are too many."""
        while share.size > self.share_limit and len(share.batches) > 1:
            self._drop_oldest(share)
        while self.size > self.limit:
            largest = max(self._filled.values(), key=lambda found: found.size)
            if len(largest.batches) < 2:
                return
            self._drop_oldest(largest)

    def _drop_oldest(self, share: Share) -> None:
        _, _, lines, size = share.batches.popleft()
        share.size -= size
        self.size -= size
        self.dropped += len(lines)


class LogStream:
    """Where one execution environment's lines go. Creates nothing until its first line is flushed.

    Event loop only; nothing here waits or raises.
    """

    __slots__ = ("_buffer", "_share", "name")

    def __init__(self, buffer: LogBuffer, key: GroupKey, name: str) -> None:
        self._buffer = buffer
        self._share = buffer.share(key)
        self.name = name

    def append(self, timestamp_ms: int, message: str) -> None:
        self._add(timestamp_ms, (message,), len(message) + _ONE_LINE)

    def append_many(self, timestamp_ms: int, lines: Sequence[bytes]) -> None:
        """One event for each line. Bytes are stored as they are; what is not UTF-8 is replaced when they are read.

        `lines` is kept: it must not change.
        """
        if lines:
            size = sum(map(len, lines)) + _LINE_OVERHEAD * len(lines) + _BATCH_OVERHEAD
            self._add(timestamp_ms, lines, size)

    def _add(self, timestamp: int, lines: Sequence[str] | Sequence[bytes], size: int) -> None:
        share, buffer = self._share, self._buffer
        if not share.batches:
            buffer.note(share)
        share.batches.append((self.name, timestamp, lines, size))
        share.size += size
        buffer.size += size
        if share.size > buffer.share_limit or buffer.size > buffer.limit:
            buffer.make_room(share)

    @property
    def full(self) -> bool:
        """Whether whoever reads a function's output is to stop for now: so much of its group waits to be written."""
        return self._buffer.is_full(self._share)

    def when_room(self, callback: Callable[[], None]) -> None:
        """Call back once, from the event loop, when the stream is not `full` any more."""
        self._buffer.when_room(self._share, callback)
