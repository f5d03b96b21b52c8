"""How many invocations run at one time, counted with permits that give themselves back, and how many begin in a second.

What counts is what runs of each version; everything else follows from that. A version's invocations take up what is
provisioned for it, those beyond that the rest of its function's reserve, or without a reserve what the account has not
claimed. So a change of settings moves what already runs to where it belongs, and no order of changes and endings
leaves a count wrong. Memory only; called by the invoker for every invocation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from ingle.catalog import Catalog
from ingle.domain.concurrency import provisioned_versions, total_provisioned
from ingle.domain.errors import TooManyRequests
from ingle.domain.function import Function, FunctionKey, Version
from ingle.invoke.rates import Rate

#: What a caller is told to wait, in seconds, where the account's pool is used up, or its rate.
_RETRY_AFTER = "1"


class Pool:
    """What of an account's concurrency in a region is used by functions without a reserve, beyond what they have
    provisioned. `peak`: the most since the last look."""

    __slots__ = ("peak", "rate", "running")

    def __init__(self) -> None:
        self.rate = Rate()
        self.running = 0
        self.peak = 0

    def add(self, number: int) -> None:
        self.running += number
        if self.running > self.peak:
            self.peak = self.running

    def look(self) -> int:
        peak, self.peak = self.peak, self.running
        return peak


class Share:
    """A function's: `reserved` as it is set, `rest` what of it is not provisioned, `running` what runs beyond that."""

    __slots__ = ("pool", "rate", "reserved", "rest", "running")

    def __init__(self, pool: Pool) -> None:
        self.rate = Rate()
        self.pool = pool
        self.reserved = False
        self.rest = 0
        self.running = 0


class Slot:
    """A version's: how many of its invocations run, and for how many it has provisioned concurrency. A context around
    the running of one, to be entered at once when it was admitted."""

    __slots__ = ("provisioned", "rate", "running", "share")

    def __init__(self, share: Share, provisioned: int) -> None:
        self.rate = Rate()
        self.share = share
        self.provisioned = provisioned
        self.running = 0

    @property
    def beyond(self) -> int:
        """How many run beyond what is provisioned."""
        return max(self.running - self.provisioned, 0)

    def __enter__(self) -> None:
        self.running += 1
        if self.running > self.provisioned:
            share = self.share
            share.running += 1
            if not share.reserved:
                share.pool.add(1)

    def __exit__(self, *_: object) -> None:
        if self.running > self.provisioned:
            share = self.share
            share.running -= 1
            if not share.reserved:
                share.pool.running -= 1
        self.running -= 1


class Admission:
    """Limits of concurrency are the catalog's.

    `per_second`: invocations that may begin in a second for each that may run at one time; 0: that is not limited.
    `clock` gives seconds, and only goes forward.
    """

    def __init__(
        self, catalog: Catalog, per_second: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:  # fmt: skip
        self._per_second = per_second
        self._clock = clock
        self._catalog = catalog
        self._concurrency = catalog.concurrency
        self._pools: dict[tuple[str, str], Pool] = {}
        self._shares: dict[FunctionKey, Share] = {}
        self._slots: dict[tuple[FunctionKey, str], Slot] = {}
        #: The slots of each function, by version.
        self._of: dict[FunctionKey, dict[str, Slot]] = {}
        catalog.subscribe(self._changed)

    def admit(self, version: Version) -> Slot:
        """A permit for one invocation, to be entered at once. Raises TooManyRequests."""
        slot = self._slots.get((version.key, version.version)) or self._new(version)
        room = slot.running < slot.provisioned
        if room and self._timely(slot.rate, slot.provisioned):
            return slot
        share = slot.share
        if share.reserved:
            if share.running >= share.rest and not room:
                raise TooManyRequests("Rate Exceeded.", Reason="ReservedFunctionConcurrentInvocationLimitExceeded")
            if not self._timely(share.rate, share.rest):
                raise TooManyRequests("Rate Exceeded.", Reason="ReservedFunctionInvocationRateLimitExceeded")
            return slot
        unreserved = self._concurrency.unreserved(version.key.account, version.key.region)
        if share.pool.running >= unreserved and not room:
            raise _throttled("ConcurrentInvocationLimitExceeded")
        if not self._timely(share.pool.rate, unreserved):
            raise _throttled("FunctionInvocationRateLimitExceeded")
        return slot

    def _timely(self, rate: Rate, concurrency: int) -> bool:
        """Whether one more invocation may begin now; it is counted then."""
        return self._per_second == 0 or rate.take(concurrency * self._per_second, self._clock())

    def unreserved(self) -> Iterator[tuple[str, str, int]]:
        """(account, region, the most that ran unreserved since the last look)."""
        for (account, region), pool in self._pools.items():
            yield account, region, pool.look()

    def running(self, account: str, region: str) -> int:
        """What functions without a reserve run now, beyond what they have provisioned."""
        pool = self._pools.get((account, region))
        return 0 if pool is None else pool.running

    def in_use(self, account: str, region: str) -> dict[str, dict[str, int]]:
        """How many invocations run of each function that runs, by name and version."""
        found: dict[str, dict[str, int]] = {}
        for key, slots in self._of.items():
            if (key.account, key.region) == (account, region):
                running = {number: slot.running for number, slot in slots.items() if slot.running}
                if running:
                    found[key.name] = running
        return found

    def _new(self, version: Version) -> Slot:
        key = version.key
        share = self._shares.get(key)
        if share is None:
            pool = self._pools.setdefault((key.account, key.region), Pool())
            share = self._shares[key] = Share(pool)
            self._of[key] = {}
        slot = self._of[key][version.version] = self._slots[key, version.version] = Slot(share, 0)
        function = self._catalog.get(key)
        if function is not None:
            self._apply(key, function)
        return slot

    def _changed(self, key: FunctionKey, function: Function | None) -> None:
        if key not in self._shares:
            return
        if function is not None:
            self._apply(key, function)
        # What runs of versions that are gone still counts in their account's pool, or their function's share.
        gone = [
            number for number, slot in self._of[key].items()
            if function is None or (function.version(number) is None and slot.running == 0)
        ]  # fmt: skip
        if function is None:
            self._settle(key, reserved=None, provisioned={}, total=0)
        for number in gone:
            del self._of[key][number], self._slots[key, number]
        if function is None:
            del self._of[key], self._shares[key]

    def _apply(self, key: FunctionKey, function: Function) -> None:
        self._settle(
            key, reserved=function.reserved, provisioned=provisioned_versions(function),
            total=total_provisioned(function),
        )  # fmt: skip

    def _settle(self, key: FunctionKey, *, reserved: int | None, provisioned: Mapping[str, int], total: int) -> None:
        """Count what runs by new settings."""
        share, slots = self._shares[key], self._of[key]
        before = 0 if share.reserved else share.running
        for number, slot in slots.items():
            slot.provisioned = provisioned.get(number, 0)
        share.running = sum(slot.beyond for slot in slots.values())
        share.reserved = reserved is not None
        share.rest = 0 if reserved is None else reserved - total
        share.pool.add((0 if share.reserved else share.running) - before)


def _throttled(reason: str) -> TooManyRequests:
    return TooManyRequests("Rate Exceeded.", Reason=reason, retryAfterSeconds=_RETRY_AFTER)
