"""What of one place is to be done, when, and how much of it at one time. No I/O.

A place is a function, whose events run, or a destination, which gets results. Each has a lane of its own, so that no
backlog delays what is not behind it.
"""

from __future__ import annotations

import heapq
from collections.abc import Container
from dataclasses import dataclass, field

from ingle.domain.event import Event, Progress
from ingle.domain.function import FunctionKey

#: How much of a lane is under way at one time: at first, and at the most. In between it grows by an eighth, but no less
#: than a step, in each second in which its head is late.
AT_ONCE, STEP, MOST = 4, 2, 500
#: With so many ends in a second it shows whether having more at one time makes them more: by so much, or growing waits.
_MEANINGFUL, _WORTH, _GROWTH_PAUSE = 20, 1.05, 10_000
#: Events that are being written down, beyond which none begins: so many there are only if the disk is in trouble.
MOST_WRITING = 4000
#: What a success adds to a limit that was learned from refusals.
_REGAIN = 0.1
#: Seconds after which what is due and had to wait is looked at again, and after which anything is: clocks are set.
_LOOK_AGAIN, _LONGEST_WAIT = 1.0, 60.0
#: Milliseconds.
_LATE = 1000

#: A function, or the ARN of a destination.
Place = FunctionKey | str


@dataclass(slots=True, eq=False)
class Entry:
    """An event in the queue.

    `loaded`: payloads are in memory, its own and that of the last response. `running`: it is in no lane at the moment.
    """

    number: int
    event: Event
    progress: Progress
    loaded: bool
    running: bool = False

    @property
    def size(self) -> int:
        """Bytes of payloads in memory."""
        response = self.progress.response
        return len(self.event.payload) + (0 if response is None else len(response.payload))


@dataclass(slots=True, eq=False)
class Share:
    """What lanes of one kind have between them. None takes more than it leaves, so that there is room for others."""

    capacity: int
    running: int = 0
    writing: int = 0

    @property
    def free(self) -> int:
        return self.capacity - self.running


@dataclass(slots=True, eq=False)
class Lane:
    """By when it is due, then by number.

    `writing`: how much has ended and is not written down yet; some of it comes back. `failing`: why the place takes
    nothing at the moment.
    """

    place: Place
    share: Share
    waiting: list[tuple[int, int, Entry]] = field(default_factory=list)
    running: int = 0
    writing: int = 0
    window: int = AT_ONCE
    limit: float = MOST
    failing: str | None = None

    _ended: int = 0  # since `_looked`, as is the next
    _peak: int = 0
    _looked: int = 0
    _rate: float = 0.0  # ends in a second before it grew last
    _grow_from: int = 0

    def push(self, entry: Entry) -> None:
        entry.running = False
        heapq.heappush(self.waiting, (entry.progress.due, entry.number, entry))

    def take(self, now: int) -> Entry | None:
        """What is due and may be under way, if anything; `leave` tells that it has ended, `written` that it is done."""
        if not self.waiting or self.waiting[0][0] > now or self.share.writing >= MOST_WRITING:
            return None
        if self.running >= self._room(now):
            return None
        entry = heapq.heappop(self.waiting)[2]
        entry.running = True
        self.running += 1
        self._peak = max(self._peak, self.running)
        self.share.running += 1
        return entry

    def leave(self) -> None:
        self.running -= 1
        self.share.running -= 1
        self._ended += 1
        self.writing += 1
        self.share.writing += 1

    def written(self) -> None:
        self.writing -= 1
        self.share.writing -= 1

    @property
    def empty(self) -> bool:
        return not (self.waiting or self.running or self.writing)

    def seconds(self, now: int) -> float | None:
        """When to look at the lane again if nothing ends before; None if nothing waits."""
        if not self.waiting:
            return None
        wait = (self.waiting[0][0] - now) / 1000
        return min(wait, _LONGEST_WAIT) if wait > 0 else _LOOK_AGAIN

    def hurry(self, now: int, numbers: Container[int] | None = None) -> None:
        """What waits is due now, all of it or the events of some numbers."""
        self.waiting = [
            (min(due, now) if numbers is None or number in numbers else due, number, entry)
            for due, number, entry in self.waiting
        ]
        heapq.heapify(self.waiting)

    def withdraw(self, numbers: Container[int]) -> None:
        self.waiting = [item for item in self.waiting if item[1] not in numbers]
        heapq.heapify(self.waiting)

    def refused(self) -> None:
        """There was no room for one of those that are under way."""
        self.limit = max(1.0, float(self.running - 1))

    def broken(self, why: str) -> None:
        """The place takes nothing: from now on one attempt at a time finds out whether it does again."""
        self.limit = 1.0
        self.failing = why

    def succeeded(self, now: int) -> None:
        self.limit = min(self.limit + _REGAIN, float(MOST))
        if self.failing is not None:
            self.failing = None
            self.hurry(now)

    def _room(self, now: int) -> int:
        """How much may be under way: one in any case, and no more than others find left."""
        if now - self.waiting[0][0] >= _LATE and now - self._looked >= _LATE:
            self._grow(now)
        wanted = min(self.window, int(self.limit))
        return max(1, wanted if self.running < self.share.free else min(wanted, self.running))

    def _grow(self, now: int) -> None:
        """Functions that wait profit from having more of them, those that work do not: then it is memory wasted."""
        ended, rate = self._ended, self._ended * 1000 / (now - self._looked)
        peak, self._peak = self._peak, self.running
        self._ended, self._looked = 0, now
        if peak < self.window:
            return  # something else is in the way
        if ended < _MEANINGFUL or rate > self._rate * _WORTH or now >= self._grow_from:
            self.window = min(self.window + max(STEP, self.window // 8), MOST)
            self._rate, self._grow_from = rate, now + _GROWTH_PAUSE
