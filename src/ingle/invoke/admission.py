"""How many invocations run at one time, counted with permits that give themselves back."""

from __future__ import annotations

from ingle.domain.errors import TooManyRequests
from ingle.domain.function import Version


class Permit:
    """A running invocation's place in the count of its scope, from `with` to the end of its block."""

    __slots__ = ("_running", "_scope")

    def __init__(self, running: dict[tuple[str, str], int], scope: tuple[str, str]) -> None:
        self._running = running
        self._scope = scope

    def __enter__(self) -> None:
        self._running[self._scope] = self._running.get(self._scope, 0) + 1

    def __exit__(self, *_: object) -> None:
        self._running[self._scope] -= 1


class Admission:
    """`limit`: concurrent invocations of one account in one region."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running: dict[tuple[str, str], int] = {}

    def admit(self, version: Version) -> Permit:
        """A permit for one invocation, to be entered at once. Raises TooManyRequests."""
        scope = (version.key.account, version.key.region)
        if self._running.get(scope, 0) >= self._limit:
            raise TooManyRequests("Rate Exceeded.", Reason="ConcurrentInvocationLimitExceeded")
        return Permit(self._running, scope)
