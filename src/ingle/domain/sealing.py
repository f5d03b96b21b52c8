"""Wrapping secrets that have to be stored and read again, under a key that the database does not have."""

from __future__ import annotations

from typing import Protocol


class CannotOpen(Exception):
    """What was sealed cannot be opened: another key, another context, or altered."""


class Sealer(Protocol):
    """Seals small secrets. `context` says what is sealed; it has to be the same to open it."""

    def seal(self, secret: bytes, context: str) -> bytes: ...

    def open(self, sealed: bytes, context: str) -> bytes:
        """Raises CannotOpen."""
        ...
