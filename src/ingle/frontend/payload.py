"""Checks that an invocation's payload is JSON, without keeping what it says. Called by `dispatch`.

Small payloads are checked where they are, large ones in a worker thread.
"""

from __future__ import annotations

import asyncio

from ingle.domain.errors import InvalidRequestContent, UnsupportedMediaType
from ingle.json_check import SMALL, is_json
from ingle.wire import explain_json_error

INLINE_SIZE = SMALL
EMPTY_EVENT = b"{}"
_PREFIX = "Could not parse request body into json: Could not parse payload into json: "
#: Clients that send bytes name no JSON type (SDKs say octet-stream, curl says form-urlencoded): only what cannot be
#: JSON is refused.
_FOREIGN_TYPES = (b"multipart/", b"image/", b"audio/", b"video/", b"text/html", b"text/xml", b"application/xml")


def check_content_type(content_type: bytes | None) -> None:
    """Raise UnsupportedMediaType for a content type that cannot be JSON."""
    if content_type is not None and content_type.lower().startswith(_FOREIGN_TYPES):
        raise UnsupportedMediaType("The content type of the Invoke request body is not JSON.")


async def checked_payload(payload: bytes) -> bytes:
    """The payload, `{}` for an empty one. Raises InvalidRequestContent, in AWS's words, for what is not JSON."""
    if not payload:
        return EMPTY_EVENT
    if len(payload) <= INLINE_SIZE:
        if not is_json(payload):
            _explain(payload)
    elif not await asyncio.to_thread(is_json, payload):
        await asyncio.to_thread(_explain, payload)
    return payload


def _explain(payload: bytes) -> None:
    """Raise for the first error. None found: the text is JSON by AWS's parser, if not by ours."""
    found = explain_json_error(payload)
    if found is not None:
        raise InvalidRequestContent(_PREFIX + found)
