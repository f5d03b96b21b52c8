"""How far an event is, as bytes in its row: JSON, without what the function answered, which is beside it."""

from __future__ import annotations

import json
from typing import Any

from ingle.domain.event import Condition, Delivery, Progress, Response


def encode_progress(progress: Progress) -> bytes:
    document: dict[str, Any] = {
        "due": progress.due,
        "attempts": progress.attempts,
        "failures": progress.failures,
        "refusals": progress.refusals,
        "ended": progress.ended,
    }
    if progress.response is not None:
        document["response"] = {"version": progress.response.version, "error": progress.response.error}
    if progress.condition is not None:
        document["condition"] = progress.condition.value
        document["deliveries"] = [[item.arn, item.dead_letter] for item in progress.deliveries]
    return json.dumps(document).encode()


def decode_progress(data: bytes) -> Progress:
    """The inverse, but that a response has no payload. Raises KeyError or ValueError on bytes that it did not make."""
    document = json.loads(data)
    response, condition = document.get("response"), document.get("condition")
    return Progress(
        due=document["due"],
        attempts=document["attempts"],
        failures=document["failures"],
        refusals=document["refusals"],
        ended=document["ended"],
        response=None
        if response is None
        else Response(version=response["version"], payload=b"", error=response["error"]),
        condition=None if condition is None else Condition(condition),
        deliveries=tuple(Delivery(arn=arn, dead_letter=dead) for arn, dead in document.get("deliveries", [])),
    )
