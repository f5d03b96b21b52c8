"""Reading the audit log backwards, the newest record first, a bounded piece of it at a time.

A place in the log is a file and an offset in it, so it is good while records are added behind and files go before.
Blocks: for a thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

#: Bytes that one call looks at, about.
BUDGET = 4 << 20
_BLOCK = 64 << 10
_SUFFIX = ".jsonl"


class Place(NamedTuple):
    """Behind the records that are still to be read: a day, and an offset in its file."""

    day: str
    offset: int


@dataclass(frozen=True, slots=True)
class Line:
    """A record as it stands in the file, and where it begins."""

    text: bytes
    place: Place


@dataclass(slots=True)
class Budget:
    """How many bytes may still be looked at. `spent` once the rest has to wait."""

    left: int = BUDGET

    @property
    def spent(self) -> bool:
        return self.left <= 0


def backwards(directory: Path, budget: Budget, start: Place | None = None, newest_day: str | None = None,
              oldest_day: str | None = None) -> Iterator[Line]:  # fmt: skip
    """The lines before `start`, or all of them, the last first; no more once `budget` is spent.

    Days are as files are named, `2026-11-29`. A torn last line is as good as none: it comes, and is no JSON.
    """
    days = sorted((path.stem for path in directory.glob(f"*{_SUFFIX}")), reverse=True)
    for day in days:
        if (newest_day is not None and day > newest_day) or (start is not None and day > start.day):
            continue
        if oldest_day is not None and day < oldest_day:
            return
        end = start.offset if start is not None and day == start.day else None
        try:
            yield from _of_day(directory / f"{day}{_SUFFIX}", day, end, budget)
        except FileNotFoundError:
            continue  # its time has come
        if budget.spent:
            return


def _of_day(path: Path, day: str, end: int | None, budget: Budget) -> Iterator[Line]:
    with open(path, "rb") as file:
        position = file.seek(0, os.SEEK_END)
        if end is not None:
            position = min(position, end)
        # The end of a line that begins further ahead, in pieces, the last first.
        tail: list[bytes] = []
        while position > 0:
            size = min(_BLOCK, position)
            position -= size
            budget.left -= size
            file.seek(position)
            block = file.read(size)
            # What precedes the first line end is such an end. The last byte of all ends the last line.
            first = 0 if position == 0 else block.find(b"\n", 0, len(block) - (not tail)) + 1
            if first == 0 and position > 0:
                tail.append(block)  # all of one line
                continue
            lines = block[first:] + b"".join(reversed(tail))
            tail = [block[:first]]
            at = position + first + len(lines)
            for line in reversed(lines.splitlines(keepends=True)):
                at -= len(line)
                yield Line(line, Place(day, at))
            if budget.spent:
                return
