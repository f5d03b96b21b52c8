"""Numbers of links, from which their addresses and names come. Pure."""

from __future__ import annotations

from ingle.network.addresses import MOST_LINKS


class Numbers:
    """Numbers of links. One that was given back is given again as late as possible: packets of its last holder may
    still be under way."""

    def __init__(self) -> None:
        self._next = 0
        self._taken: set[int] = set()

    def take(self) -> int:
        """Raises OSError."""
        if len(self._taken) >= MOST_LINKS:
            raise OSError("no more links can be made")
        while True:
            self._next = self._next % MOST_LINKS + 1
            if self._next not in self._taken:
                self._taken.add(self._next)
                return self._next

    def give_back(self, number: int) -> None:
        self._taken.discard(number)
