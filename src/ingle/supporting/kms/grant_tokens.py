"""Grant tokens: texts that name a grant. They give no permission by themselves, so they need no secret.

Every CreateGrant gives out a new one, and all of a grant's mean the same.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from typing import Any

from ingle.supporting.kms.errors import InvalidGrantToken

_PREFIX = b"ingle-grant:"
_ID = re.compile(r"[0-9a-f]{64}")
_NOISE_BYTES = 16


def new_token(key_id: str, grant_id: str) -> str:
    content = _PREFIX + f"{key_id}:{grant_id}:".encode() + secrets.token_bytes(_NOISE_BYTES)
    return base64.b64encode(content).decode()


def named(token: str) -> tuple[str, str]:
    """The ids of the key and of the grant. Raises InvalidGrantToken."""
    try:
        content = base64.b64decode(token, validate=True)
        prefix, key_id, grant_id = content[: -_NOISE_BYTES - 1].split(b":")
        found = key_id.decode("ascii"), grant_id.decode("ascii")
    except (binascii.Error, ValueError):
        raise _invalid() from None
    if prefix + b":" != _PREFIX or not _ID.fullmatch(found[1]):
        raise _invalid()
    return found


def check_tokens(params: Mapping[str, Any]) -> None:
    """Raise InvalidGrantToken unless every token of a request is one."""
    for token in params.get("GrantTokens", ()):
        named(token)


def _invalid() -> InvalidGrantToken:
    return InvalidGrantToken("The grant token is not valid.")
