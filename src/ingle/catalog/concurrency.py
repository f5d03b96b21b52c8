"""The accounts' pools of concurrency, and what placement reports of provisioned environments. Memory only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Set as AbstractSet

from ingle.domain.concurrency import NOTHING_YET, Allocation, claim, unreserved_minimum
from ingle.domain.function import Function, FunctionKey

#: AWS's default for an account and region.
ACCOUNT_CONCURRENCY = 1000


class ConcurrencyCatalog:
    """`limit`: the pool of every account in every region.

    `control` and `invoke` read it; the catalog counts claims in the step that commits; `placement` writes allocations.
    """

    def __init__(self, limit: int = ACCOUNT_CONCURRENCY) -> None:
        self.limit = limit
        self._claims: Counter[tuple[str, str]] = Counter()
        #: Names of functions by account and region that have settings.
        self._configured: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._allocations: dict[tuple[FunctionKey, str], Allocation] = {}

    @property
    def minimum(self) -> int:
        """What functions without a reserve keep in common."""
        return unreserved_minimum(self.limit)

    def claimed(self, account: str, region: str) -> int:
        """Concurrency that functions have reserved, or provisioned outside a reserve."""
        return self._claims[account, region]

    def unreserved(self, account: str, region: str) -> int:
        """What is left for functions without a reserve; 0 where the limit was lowered below what is claimed."""
        return max(self.limit - self.claimed(account, region), 0)

    def changed(self, key: FunctionKey, before: Function | None, after: Function | None) -> None:
        """Told by the catalog of every change of a function."""
        difference = claim(after) - claim(before)
        if difference:
            self._claims[key.account, key.region] += difference
        if after is not None and (after.reserved is not None or after.provisioned):
            self._configured[key.account, key.region].add(key.name)
        elif before is not None and (before.reserved is not None or before.provisioned):
            self._configured[key.account, key.region].discard(key.name)

    def configured(self, account: str, region: str) -> AbstractSet[str]:
        """The names of functions that have reserved or provisioned concurrency."""
        return self._configured.get((account, region), set())

    def allocation(self, key: FunctionKey, version: str) -> Allocation:
        return self._allocations.get((key, version), NOTHING_YET)

    def report(self, key: FunctionKey, version: str, allocation: Allocation | None) -> None:
        """What `version` has of its provisioned concurrency now; None: nothing is provisioned for it any more."""
        if allocation is None:
            self._allocations.pop((key, version), None)
        else:
            self._allocations[key, version] = allocation
