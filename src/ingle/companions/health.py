"""How the companions are doing: what was asked of each, and whether the last request reached it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


class Health:
    """`requests` and `failures` by signing name, since the server was started."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._failing: dict[str, str] = {}

    def answered(self, service: str) -> None:
        """Whatever it answered: it is there."""
        self.requests[service] += 1
        self._failing.pop(service, None)

    def failed(self, service: str, reason: str) -> None:
        self.requests[service] += 1
        self.failures[service] += 1
        self._failing[service] = reason

    @property
    def failing(self) -> Mapping[str, str]:
        """Services whose last request got no answer, with the reason."""
        return self._failing
