"""The disk under the data directory: whether new work may still be put on it.

A part of it is kept in reserve, for the lines, metrics and answers of what is there already: below it the disk counts
as full, which ends by itself when there is space again. Read by `app`, health, metrics and `ingle doctor`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_log = logging.getLogger(__name__)

_LEAST_RESERVE = 4 << 20
_MOST_RESERVE = 256 << 20
_RESERVED_PART = 50
#: Once full, a disk stays so until this much more than the reserve is free: it must not flicker.
_RECOVERED = 1.25
_LEAST_FILES = 64
LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Bytes and files that can still be made; `files` None where the file system does not count them."""

    free: int
    total: int
    files: int | None = None

    @classmethod
    def of(cls, path: Path) -> Space:
        """Raises OSError."""
        found = os.statvfs(path)
        return cls(
            free=found.f_bavail * found.f_frsize,
            total=found.f_blocks * found.f_frsize,
            files=found.f_favail if found.f_files else None,
        )

    @property
    def reserve(self) -> int:
        """A fiftieth of the disk, but no more than 256 MB and no less than 4 MB."""
        return min(max(self.total // _RESERVED_PART, _LEAST_RESERVE), _MOST_RESERVE)

    def is_full(self, *, before: bool = False) -> bool:
        """`before`: whether it was full when it was looked at last."""
        needed = self.reserve * (_RECOVERED if before else 1)
        return self.free < needed or (self.files is not None and self.files < _LEAST_FILES)


class Disk:
    """`space` and `full` are as of the last look. `watch` looks again and again."""

    def __init__(self, path: Path, look: Callable[[Path], Space] = Space.of) -> None:
        self._path = path
        self._look = look
        self.space = look(path)
        self.full = False
        self._judge()

    def describe(self) -> str:
        return (
            f"{self.space.free >> 20} MB of {self.space.total >> 20} MB free, {self.space.reserve >> 20} MB kept back"
        )

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        try:
            # In a thread: a file server that does not answer must not stop everything.
            self.space = await asyncio.to_thread(self._look, self._path)
        except OSError as error:
            _log.warning("the data directory's disk cannot be looked at: %s", error.strerror)
            return
        self._judge()

    def _judge(self) -> None:
        full = self.space.is_full(before=self.full)
        if full and not self.full:
            _log.error("the disk is full (%s): new functions and changes are refused", self.describe())
        elif self.full and not full:
            _log.warning("the disk has space again (%s)", self.describe())
        self.full = full
