"""Time and identifiers as parameters: components receive them, so that tests decide them.

Implementations for the running server are here too; nothing else in the package asks the machine for the time of day
or for a random identifier.
"""

from __future__ import annotations

import time
import uuid
from datetime import UTC, date, datetime
from typing import Protocol


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
        return str(uuid.uuid4())


def milliseconds(clock: Clock) -> int:
    """The current time in whole milliseconds since the epoch."""
    return int(clock.now() * 1000)


def today(clock: Clock) -> date:
    """The current calendar day in UTC: the day that runtime deprecation counts by."""
    return datetime.fromtimestamp(clock.now(), UTC).date()
