"""How a call of a companion fails.

    CompanionError
    ├── Refused          it answered with an error of its service
    ├── Unreachable      it did not answer, or not in time, or not in HTTP, however often it was asked
    │   └── Unconnected  it did not even take a connection
    └── TooLarge         its answer has more bytes than were asked for

Those who call one translate these into the words of their own API.
"""

from __future__ import annotations


class CompanionError(Exception):
    """The text is for people, and names no credential."""


class Refused(CompanionError):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class Unreachable(CompanionError):
    pass


class Unconnected(Unreachable):
    pass


class TooLarge(CompanionError):
    pass
