"""An asynchronous invocation: what was accepted, how far it is, and where its result has to go. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ingle.domain.function import FunctionKey


class Condition(StrEnum):
    """Why an event is over, in AWS's words."""

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    AGE_EXCEEDED = "EventAgeExceeded"
    ZERO_RESERVED = "ZeroReservedConcurrency"
    RECURSIVE = "RecursiveInvocation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`id` is the request id that all its attempts have. `accepted` is epoch milliseconds.

    `qualifier` and `arn` are as the caller used them; which version that means is decided by every attempt anew.
    """

    id: str
    key: FunctionKey
    qualifier: str | None
    arn: str
    payload: bytes = field(repr=False)
    accepted: int
    trace_header: str | None = None
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the function answered to the last attempt; `error` is the X-Amz-Function-Error value or None."""

    version: str
    payload: bytes = field(repr=False)
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something to send when the event is over: the invocation record, or the event itself to a dead-letter queue."""

    arn: str
    dead_letter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an event is. `due` is when it is next looked at, in epoch milliseconds.

    `attempts`: how often the function ran; `failures`: how often it failed; `refusals`: how often in a row it could not
    be run, or a delivery failed. `condition` is there once the function will not be run again, with what is still to be
    delivered; `ended` is when that was, in epoch milliseconds.
    """

    due: int
    attempts: int = 0
    failures: int = 0
    refusals: int = 0
    response: Response | None = None
    condition: Condition | None = None
    ended: int = 0
    deliveries: tuple[Delivery, ...] = ()
