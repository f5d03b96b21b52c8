"""How many invocations may run at one time, as functions ask for it: reserved and provisioned concurrency. Pure.

Reserved concurrency is a guarantee and a cap of a whole function, taken out of its account's pool. Provisioned
concurrency is a number of environments that are initialised ahead for one version; it counts inside the function's
reserve, or without one is taken out of the account's pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingle.domain.function import Function

#: Of an account's pool, what functions without a reserve have in common at least.
UNRESERVED_MINIMUM = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """What a version or alias asks for. `last_modified`: epoch milliseconds."""

    requested: int
    last_modified: int


class AllocationStatus(StrEnum):
    IN_PROGRESS = "IN_PROGRESS"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """What a version has of its provisioned concurrency: initialised environments, and those of them that serve."""

    status: AllocationStatus = AllocationStatus.IN_PROGRESS
    reason: str | None = None
    allocated: int = 0
    available: int = 0


#: Of what nobody has looked after yet.
NOTHING_YET = Allocation()


def provisioned_versions(function: Function) -> dict[str, int]:
    """Environments by the version that they are provisioned for; of an alias, its main version."""
    found: dict[str, int] = {}
    for qualifier, config in function.provisioned.items():
        alias = function.aliases.get(qualifier)
        version = qualifier if alias is None else alias.version
        found[version] = found.get(version, 0) + config.requested
    return found


def total_provisioned(function: Function) -> int:
    return sum(config.requested for config in function.provisioned.values())


def claim(function: Function | None) -> int:
    """What a function takes out of the pool of its account, whether or not it runs."""
    if function is None:
        return 0
    return total_provisioned(function) if function.reserved is None else function.reserved


def unreserved_minimum(limit: int) -> int:
    """What must stay unclaimed of an account's pool of `limit`: an account with a small one can reserve nothing."""
    return min(UNRESERVED_MINIMUM, limit)
