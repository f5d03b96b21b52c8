"""How the companions are doing: what was asked of each, and whether the last request reached it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

#: Services that are counted apart.
MOST = 128


class Health:
    """`requests` and `failures` by signing name, since the server was started."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._failing: dict[str, str] = {}

    def answered(self, service: str) -> None:
        """Whatever it answered: it is there."""
        service = self._known(service)
        self.requests[service] += 1
        self._failing.pop(service, None)

    def _known(self, service: str) -> str:
        """Callers choose names: only so many are counted apart."""
        return service if service in self.requests or len(self.requests) < MOST else "other"

    def failed(self, service: str, reason: str) -> None:
        service = self._known(service)
        self.requests[service] += 1
        self.failures[service] += 1
        self._failing[service] = reason

    @property
    def failing(self) -> Mapping[str, str]:
        """Services whose last request got no answer, with the reason."""
        return self._failing
