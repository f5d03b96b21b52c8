"""One invocation: what goes into an execution environment and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ingle.domain.tracing import InvocationTrace


class InvocationType(StrEnum):
    REQUEST_RESPONSE = "RequestResponse"
    EVENT = "Event"
    DRY_RUN = "DryRun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """`payload` is opaque JSON bytes, never decoded on the way. `invoked_arn` is the ARN as the caller used it.

    `client_context` is the decoded JSON text of X-Amz-Client-Context; `trace_id` the X-Ray header for the runtime;
    `trace` has the ids of what Ingle tells, if the function has active tracing and the invocation is sampled.
    """

    request_id: str
    payload: bytes
    invoked_arn: str
    client_context: str | None = None
    trace_id: str | None = None
    trace: InvocationTrace | None = None
    tail: bool = False  # the caller wants the last 4 KB of the log


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationResult:
    """What the function answered. `error` is the X-Amz-Function-Error value ("Unhandled") or None.

    `log_tail`: the last 4 KB of the invocation's log, if it was asked for. `duration_ms`: how long the function ran;
    `init_ms`: how long its environment initialised before, in a cold start. `provisioned`: whether the environment had
    been initialised ahead, as provisioned concurrency.
    """

    payload: bytes
    error: str | None = None
    executed_version: str = "$LATEST"
    log_tail: bytes | None = None
    duration_ms: float = 0.0
    init_ms: float | None = None
    provisioned: bool = False
