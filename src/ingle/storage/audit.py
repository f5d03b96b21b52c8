"""The audit log: one JSON record for each management call, a file for each day, kept for 90 days.

Records are written a moment after their call, in a thread, and synced. Written through `app`; `ingle audit` reads the
files beside a running server.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ingle.domain.clock import Clock

#: Days, as CloudTrail keeps its event history.
KEPT = 90
_PAUSE = 0.2
_SUFFIX = ".jsonl"


class AuditLog:
    """`async with AuditLog(...) as audit: audit.append(record)`.

    `lost` is told of records that cannot be written: how many, and why.
    """

    def __init__(self, directory: Path, clock: Clock, lost: Callable[[int, str], None]) -> None:
        self._directory = directory
        self._clock = clock
        self._waiting: list[str] = []
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._swept: date | None = None
        self._lost = lost

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._flush()

    def append(self, record: Mapping[str, Any]) -> None:
        """Never waits and never raises."""
        self._waiting.append(json.dumps(record, separators=(",", ":"), default=str))
        self._wake.set()

    async def _write_on(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(_PAUSE)
            self._wake.clear()
            await self._flush()

    async def _flush(self) -> None:
        lines, self._waiting = self._waiting, []
        if not lines:
            return
        day = datetime.fromtimestamp(self._clock.now(), UTC).date()
        try:
            await asyncio.to_thread(self._write, day, lines)
        except OSError as error:
            self._lost(len(lines), str(error))

    def _write(self, day: date, lines: list[str]) -> None:
        self._directory.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        with open(os.open(self._directory / f"{day}{_SUFFIX}", flags, 0o600), "r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            # A line that a crash or a full disk tore must not swallow the next one.
            torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
            data = memoryview(("\n" * torn + "".join(f"{line}\n" for line in lines)).encode())
            while data:
                data = data[file.write(data) :]
            os.fsync(file.fileno())
        if self._swept != day:
            self._swept = day
            self._sweep(day)

    def _sweep(self, day: date) -> None:
        oldest = str(day - timedelta(days=KEPT))
        for path in self._directory.glob(f"*{_SUFFIX}"):
            if path.stem < oldest:
                path.unlink()


def read_audit(directory: Path, since: float) -> Iterator[dict[str, Any]]:
    """The records of calls since `since` (epoch seconds), oldest first. A torn last line is left out."""
    first = datetime.fromtimestamp(since, UTC)
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        if path.stem < str(first.date()):
            continue
        with path.open(encoding="utf-8") as file:
            for line in file:
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if record.get("eventTime", "") >= f"{first:%Y-%m-%dT%H:%M:%SZ}":
                    yield record
