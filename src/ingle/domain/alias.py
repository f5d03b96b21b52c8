"""What an alias is: a name of a function's that stands for one of its versions, or for two by weight. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """`version` is `$LATEST` or a number. `weights` are the shares of invocations, from 0 to 1, of other versions.

    `revision_id` is a UUID that changes with every accepted change.
    """

    name: str
    version: str
    revision_id: str
    description: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def versions(self) -> tuple[str, ...]:
        """Every version that the alias may stand for, the main one first."""
        return (self.version, *self.weights)

    def choose(self, drawn: float) -> str:
        """The version for one invocation. `drawn` is a number from [0, 1), each as likely as any other."""
        for version, weight in self.weights.items():
            if drawn < weight:
                return version
            drawn -= weight
        return self.version
