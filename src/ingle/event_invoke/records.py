"""What destinations get: the invocation record, and the attributes of a message in a dead-letter queue. Pure.

Source: "Capturing records of Lambda asynchronous invocations" and "Dead-letter queues" in the developer guide.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ingle.domain.clock import iso_time
from ingle.domain.event import Condition, Event, Progress
from ingle.domain.function import LATEST
from ingle.json_check import is_json

#: Bytes of the error message in a dead-letter queue.
_LONGEST_MESSAGE = 1024


def qualified_arn(event: Event) -> str:
    return event.arn if event.qualifier is not None else f"{event.arn}:{LATEST}"


def record(event: Event, progress: Progress) -> bytes:
    """The invocation record of an event that is over. Payloads stand in it as they are."""
    assert progress.condition is not None
    context = {
        "requestId": event.id,
        "functionArn": qualified_arn(event),
        "condition": progress.condition.value,
        "approximateInvokeCount": progress.attempts,
    }
    members = [
        f'"version":"1.0","timestamp":{json.dumps(iso_time(progress.ended))}',
        f'"requestContext":{_compact(context)}',
        f'"requestPayload":{event.payload.decode()}',  # was checked when it was accepted
    ]
    response = progress.response
    if response is not None:
        about: dict[str, Any] = {"statusCode": 200, "executedVersion": response.version}
        if response.error is not None:
            about["functionError"] = response.error
        members += [f'"responseContext":{_compact(about)}', f'"responsePayload":{_embedded(response.payload)}']
    return f"{{{','.join(members)}}}".encode()


def detail_type(progress: Progress) -> str:
    """Of the event on an EventBridge bus."""
    outcome = "Success" if progress.condition is Condition.SUCCESS else "Failure"
    return f"Lambda Function Invocation Result - {outcome}"


def object_key(event: Event, progress: Progress, unique: str) -> str:
    """Where the record is in a bucket."""
    moment = datetime.fromtimestamp(progress.ended / 1000, UTC)
    return f"aws/lambda/async/{event.key.name}/{moment:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{unique}"


def dead_letter_attributes(event: Event, progress: Progress) -> dict[str, tuple[str, str]]:
    """Name -> (data type, value)."""
    code, message = _failure(progress)
    attributes = {"RequestID": ("String", event.id), "ErrorCode": ("Number", code)}
    if message:
        attributes["ErrorMessage"] = ("String", message)
    return attributes


def _failure(progress: Progress) -> tuple[str, str]:
    """The HTTP status and the words of why an event failed."""
    if progress.response is None:
        return "429", "Rate Exceeded."
    try:
        document = json.loads(progress.response.payload)
        found = document.get("errorMessage", "") if isinstance(document, dict) else ""
    except ValueError:
        found = ""
    text = found if isinstance(found, str) else json.dumps(found)
    return "200", text.encode("utf-8", "replace")[:_LONGEST_MESSAGE].decode("utf-8", "ignore")


def _compact(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"))


def _embedded(payload: bytes) -> str:
    """A payload as a JSON value: as it is, or as a string if it is no JSON."""
    return payload.decode() if is_json(payload) else json.dumps(payload.decode("utf-8", "replace"))
