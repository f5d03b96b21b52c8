"""Slows down who keeps failing to prove who they are: guessing costs time, and a flood costs no signatures.

Counted by address and access key; unknown keys of one address count together, so that knowing a key tells nothing.
Used by whoever verifies signatures: `dispatch`, `function_urls`, `forwarding`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType

from ingle.domain.errors import ServiceError
from ingle.frontend.authentication import Identity
from ingle.frontend.authentication_errors import AuthenticationError

#: Failures that are free, and how many more each second.
BURST = 20
RATE = 1.0
_REMEMBERED = 4096

Place = tuple[str, str]


class Throttled(ServiceError):
    code = "ThrottlingException"
    http_status = 429
    type = None


class Failures:
    """`clock`: seconds that only grow."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: When the failures of a place will be forgotten, in seconds: each puts it off.
        self._until: OrderedDict[Place, float] = OrderedDict()

    def counted(self, source: str, identity: Identity) -> _Attempt:
        """`with` it a caller at `source` proves to be `identity`: AuthenticationError in it counts as a failure.

        Raises Throttled, on entering, for who failed too often lately.
        """
        return _Attempt(self, (source, (identity.access_key_id or "") if identity.credential is not None else ""))

    def require_patience(self, place: Place) -> None:
        """Raise Throttled for a place that failed too often lately."""
        if self._until and self._until.get(place, 0.0) - self._clock() > (BURST - 1) / RATE:
            raise Throttled("Rate exceeded")

    def note(self, place: Place) -> None:
        now = self._clock()
        self._until[place] = max(self._until.pop(place, now), now) + 1 / RATE
        if len(self._until) > _REMEMBERED:
            self._until.popitem(last=False)


class _Attempt:
    def __init__(self, failures: Failures, place: Place) -> None:
        self._failures = failures
        self._place = place

    def __enter__(self) -> None:
        self._failures.require_patience(self._place)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, AuthenticationError):
            self._failures.note(self._place)
