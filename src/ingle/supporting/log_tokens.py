"""Pagination tokens of the CloudWatch Logs API: opaque to callers, kept nowhere, good after a restart."""

from __future__ import annotations

from typing import Any

from ingle.storage.errors import BadPosition
from ingle.storage.log_values import Position
from ingle.supporting import page_tokens
from ingle.supporting.log_errors import LogsInvalidParameter

encode = page_tokens.encode

#: Before every event.
START = Position(0, 0, 0, 0)


def decode(token: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The key in a token. Raises LogsInvalidParameter."""
    key = page_tokens.decode(token, *kinds)
    if token is not None and key is None:
        raise invalid()
    return key


def forward(position: Position, *, including: bool = False) -> str:
    """Token for what comes after `position`, or from it on."""
    return "f/" + (_shifted(position, -1) if including else position).token()


def backward(position: Position, *, including: bool = False) -> str:
    """Token for what comes before `position`, or up to it."""
    return "b/" + (_shifted(position, 1) if including else position).token()


def _shifted(position: Position, by: int) -> Position:
    return Position(*position[:-1], position[-1] + by)


def position(token: str) -> Position:
    """Raises LogsInvalidParameter."""
    try:
        return Position.parse(token)
    except BadPosition:
        raise invalid() from None


def invalid() -> LogsInvalidParameter:
    return LogsInvalidParameter("The specified nextToken is invalid.")
