"""How many invocations run at one time, counted with permits that give themselves back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ingle.domain.errors import TooManyRequests
from ingle.domain.function import Version


class Admission:
    """`limit`: concurrent invocations of one account in one region."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running: dict[tuple[str, str], int] = {}

    @contextmanager
    def admit(self, version: Version) -> Iterator[None]:
        """Hold a permit for one invocation. Raises TooManyRequests."""
        scope = (version.key.account, version.key.region)
        running = self._running.get(scope, 0)
        if running >= self._limit:
            raise TooManyRequests("Rate Exceeded.", Reason="ConcurrentInvocationLimitExceeded")
        self._running[scope] = running + 1
        try:
            yield
        finally:
            self._running[scope] -= 1
