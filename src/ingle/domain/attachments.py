"""What is attached to a function beside its configuration: its policy, its URL, ... Pure.

An attachment is a frozen value that is about a function, one version or one alias of it, that changes without a new
version, and that goes with what it is attached to. Each kind is a class of its own (`domain.policy.Policy`, ...).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Attachments:
    """At most one value of each kind for each qualifier. What is about the function itself is at `$LATEST`."""

    values: Mapping[tuple[type[Any], str], Any] = field(default_factory=dict)

    def get(self, kind: type[Kind], qualifier: str) -> Kind | None:
        return cast("Kind | None", self.values.get((kind, qualifier)))

    def of(self, kind: type[Kind]) -> Iterator[tuple[str, Kind]]:
        """The values of a kind with their qualifiers, in the order of these: `$LATEST`, then numbers and aliases."""
        found = sorted(qualifier for held, qualifier in self.values if held is kind)
        return ((qualifier, cast("Kind", self.values[kind, qualifier])) for qualifier in found)

    def having(self, qualifier: str, value: Any) -> Attachments:
        """With `value` in place of what was there of its kind."""
        return Attachments({**self.values, (type(value), qualifier): value})

    def without(self, kind: type[Any], qualifier: str) -> Attachments:
        return Attachments({key: value for key, value in self.values.items() if key != (kind, qualifier)})

    def without_qualifier(self, qualifier: str) -> Attachments:
        """What is left when a version or an alias goes."""
        return Attachments({key: value for key, value in self.values.items() if key[1] != qualifier})
