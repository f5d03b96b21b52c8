"""Time and identifiers as parameters: components receive them, so that tests decide them.

Implementations for the running server are here too; nothing else in the package asks the machine for the time of day
or for a random identifier.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime
from typing import Protocol

#: The bits of a UUID that are fixed by its version and its variant.
_UUID_MASK = ~(0xF000 << 64 | 0xC000 << 48)
_UUID_VERSION_4 = 0x4000 << 64 | 0x8000 << 48


class Clock(Protocol):
    """Wall-clock time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class Ids(Protocol):
    """Makes identifiers that were never used before."""

    def uuid(self) -> str:
        """A UUID in its 36-character lower-case form."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()


class RandomIds:
    """Random (version 4) UUIDs."""

    def uuid(self) -> str:
        # By hand, since every request has one: the library's class costs more than reading its random bytes.
        number = int.from_bytes(os.urandom(16), "big") & _UUID_MASK | _UUID_VERSION_4
        digits = f"{number:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def milliseconds(clock: Clock) -> int:
    """The current time in whole milliseconds since the epoch."""
    return int(clock.now() * 1000)


def today(clock: Clock) -> date:
    """The current calendar day in UTC: the day that runtime deprecation counts by."""
    return datetime.fromtimestamp(clock.now(), UTC).date()


def iso_time(milliseconds: int) -> str:
    """UTC with milliseconds, as AWS writes it in records and log lines: 2024-01-02T03:04:05.678Z."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03d}Z"
