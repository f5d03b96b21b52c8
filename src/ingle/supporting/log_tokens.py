"""Pagination tokens of the CloudWatch Logs API: opaque to callers, kept nowhere, good after a restart."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from ingle.storage.errors import BadPosition
from ingle.storage.log_values import Position
from ingle.supporting.log_errors import LogsInvalidParameter

#: Before every event.
START = Position(0, 0, 0, 0)


def encode(*key: str | int) -> str:
    """A token for the place after `key`, the sort key of the last item of a page."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode()


def decode(token: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The key in a token. Raises LogsInvalidParameter."""
    if token is None:
        return None
    try:
        key = orjson.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error):
        raise invalid() from None
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
        raise invalid()
    return tuple(key)


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
