"""Names kept sorted, so that a page of a long list costs what the page holds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator


class SortedNames:
    """Each name once. A name is added or dropped in the time that moving the names behind it takes."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str) -> None:
        """Idempotent."""
        if self._place(name) is None:
            insort(self._names, name)

    def discard(self, name: str) -> None:
        """Idempotent."""
        place = self._place(name)
        if place is not None:
            del self._names[place]

    def after(self, name: str | None) -> Iterator[str]:
        """The names that sort behind `name`, in order; all of them if it is None. Not while names change."""
        start = 0 if name is None else bisect_right(self._names, name)
        return (self._names[place] for place in range(start, len(self._names)))

    def _place(self, name: str) -> int | None:
        place = bisect_left(self._names, name)
        return place if place < len(self._names) and self._names[place] == name else None
