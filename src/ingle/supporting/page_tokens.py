"""Pagination tokens: the sort key of a page's last item, opaque to callers, kept nowhere, good after a restart."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson


def encode(*key: Any) -> str:
    """A token for the place after `key`."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode()


def decode(token: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The key in a token, whose parts are of these types; None without a token, and for one that is not ours."""
    if token is None:
        return None
    try:
        key = orjson.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error):
        return None
    return tuple(key) if isinstance(key, list) and [type(part) for part in key] == list(kinds) else None
