"""The outcome that an environment waits for, one at a time and never for longer than it may take.

Used by `worker.environment`. One timer serves many outcomes: a warm invocation makes none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ingle.runtime_api.session import Reply
from ingle.worker.failures import Failure

Outcome = Reply | Failure


def failure_of(outcome: Outcome) -> Failure:
    """What records say of it; a runtime that reported the error itself gave its type."""
    return outcome if isinstance(outcome, Failure) else Failure(kind=outcome.error_type or "", message="")


class Verdict:
    """`late` makes the outcome of a wait that took too long."""

    def __init__(self, loop: asyncio.AbstractEventLoop, late: Callable[[], Outcome]) -> None:
        self._loop = loop
        self._late = late
        self._waiting: asyncio.Future[Outcome] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, limit: float) -> asyncio.Future[Outcome]:
        """The next outcome, which is `late` after `limit` seconds. Expect nothing else before it is there."""
        waiting: asyncio.Future[Outcome] = self._loop.create_future()
        self._waiting = waiting
        self._deadline = self._loop.time() + limit
        if self._timer is None or self._timer.when() > self._deadline:
            self._arm()
        return waiting

    @property
    def left(self) -> float:
        """Seconds of the last limit that are left."""
        return self._deadline - self._loop.time()

    def settle(self, outcome: Outcome) -> None:
        """Nothing happens if no outcome is expected."""
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            if not waiting.done():
                waiting.set_result(outcome)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._check)

    def _check(self) -> None:
        """A timer finds out when it fires whether the deadline of what is expected now has passed."""
        self._timer = None
        if self._waiting is None:
            return
        if self._loop.time() >= self._deadline:
            self.settle(self._late())
        else:
            self._arm()
