"""The error in an XML answer, as S3 and the query protocol have it."""

from __future__ import annotations

import html
import re

from ingle.companions.errors import Refused
from ingle.companions.http import Answer

_MEANINGS = {
    403: ("AccessDenied", "Access Denied"),
    404: ("NoSuchKey", "The specified key does not exist."),
}


def refusal(answer: Answer) -> Refused:
    """What a companion says is wrong; an answer without words gets those of its status."""
    text = answer.body.decode("utf-8", "replace")
    code, message = _MEANINGS.get(answer.status, (f"Http{answer.status}", "The request failed."))
    return Refused(answer.status, _element(text, "Code") or code, _element(text, "Message") or message)


def _element(text: str, name: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return html.unescape(found[1]) if found else ""
