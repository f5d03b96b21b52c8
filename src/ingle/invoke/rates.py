"""How many invocations begin in a second. Pure; time is given."""

from __future__ import annotations


class Rate:
    """A bucket that holds what one second allows and fills up within one."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left: float | None = None  # full
        self._at = 0.0

    def take(self, limit: int, now: float) -> bool:
        """Whether one more may begin where `limit` may in a second; it is counted then. `now` is in seconds, of a
        clock that only goes forward."""
        left = limit if self._left is None else min(self._left + (now - self._at) * limit, limit)
        self._at = now
        if left < 1:
            self._left = left
            return False
        self._left = left - 1
        return True
