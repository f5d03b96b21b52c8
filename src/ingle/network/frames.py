"""Messages of any length over a SOCK_SEQPACKET socket, which carries some hundred kilobytes at once and no more.

A message is cut into parts; the first byte of each says whether another follows. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

_LAST, _MORE = b".", b"+"
_PART = 64 * 1024
#: Bytes that a receiver has to have room for.
LONGEST = _PART + 1


def cut(message: bytes) -> Iterator[bytes]:
    """The parts of a message, in the order in which they are to be sent."""
    for start in range(0, max(1, len(message)), _PART):
        following = start + _PART < len(message)
        yield (_MORE if following else _LAST) + message[start : start + _PART]


class Joiner:
    """Puts the parts of one sender's messages together."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def add(self, part: bytes) -> bytes | None:
        """The message that ends with `part`; None: more is to come."""
        self._parts.append(part[1:])
        if part[:1] == _MORE:
            return None
        message, self._parts = b"".join(self._parts), []
        return message
