"""How fast a function may get new environments: 1,000 every 10 seconds, as on AWS. Pure; time is given."""

from __future__ import annotations

from ingle.domain.function import FunctionKey

#: Environments at once, and how many come back each second. What was not used is not saved up beyond the former.
BURST = 1000
PER_SECOND = 100.0


class ScalingRate:
    """A bucket of starts for each function that has had some lately."""

    def __init__(self) -> None:
        #: What is left of each bucket, and when that was worked out.
        self._left: dict[FunctionKey, tuple[float, float]] = {}

    def take(self, key: FunctionKey, now: float) -> bool:
        """Whether the function may have one more environment at `now`, in seconds; it is counted then."""
        left = self._at(key, now)
        if left < 1:
            return False
        self._left[key] = (left - 1, now)
        return True

    def forget(self, now: float) -> None:
        """Drop what has filled up again."""
        for key in [key for key in self._left if self._at(key, now) >= BURST]:
            del self._left[key]

    def _at(self, key: FunctionKey, now: float) -> float:
        left, then = self._left.get(key, (float(BURST), now))
        return min(left + (now - then) * PER_SECOND, float(BURST))
