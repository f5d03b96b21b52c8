"""Statistics of a metric by their names: `Sum`, `Average`, `p99.9` and the like. Pure.

Trimmed means, percentile ranks and the other statistics that CloudWatch can make of raw values are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ingle.domain.errors import NotImplementedByIngle
from ingle.domain.metrics import Aggregate

#: The value, or None where the values do not tell.
Statistic = Callable[[Aggregate], float | None]

SIMPLE: dict[str, Statistic] = {
    "SampleCount": lambda found: found.count,
    "Average": lambda found: found.average,
    "Sum": lambda found: found.total,
    "Minimum": lambda found: found.minimum,
    "Maximum": lambda found: found.maximum,
}
_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d{0,10})?)\Z")
_OTHERS = re.compile(r"(?i)(iqm|(tm|wm|tc|ts)\d+(\.\d+)?|(tm|wm|tc|ts|pr)\([^)]*\))\Z")


def percentile(name: str) -> Statistic | None:
    """The statistic that `p` and a number from 0 to 100 means; None for anything else. Raises NotImplementedByIngle."""
    if _OTHERS.match(name):
        raise NotImplementedByIngle(f"Ingle does not implement the statistic {name} yet.")
    match = _PERCENTILE.match(name)
    if match is None or float(match[1]) > 100:
        return None
    percent = float(match[1])
    return lambda found: found.percentile(percent)


def statistic(name: str) -> Statistic | None:
    """Any statistic by its name; None for none. Raises NotImplementedByIngle."""
    return SIMPLE.get(name) or percentile(name)
