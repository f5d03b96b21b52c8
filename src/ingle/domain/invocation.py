"""One invocation: what goes into an execution environment and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ingle.domain.tracing import InvocationTrace


class InvocationType(StrEnum):
    REQUEST_RESPONSE = "RequestResponse"
    EVENT = "Event"
    DRY_RUN = "DryRun"


class Flow(Protocol):
    """Where a response comes from. Calls return at once; either may be repeated, and come after the response's end."""

    def pause(self) -> None:
        """Let the function wait: nothing more is read from it."""
        ...

    def resume(self) -> None: ...


class ResponseSink(Protocol):
    """Where a response goes while the function produces it. Calls come from the event loop and return at once."""

    @property
    def size(self) -> int:
        """Bytes that were written."""
        ...

    def begin(self, content_type: str | None, source: Flow) -> None:
        """The function has begun to respond. Called once, and not at all for a response that comes as a whole."""
        ...

    def write(self, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """`payload` is opaque JSON bytes, never decoded on the way. `invoked_arn` is the ARN as the caller used it.

    `client_context` is the decoded JSON text of X-Amz-Client-Context; `trace_id` the X-Ray header for the runtime;
    `trace` has the ids of what Ingle tells, if the function has active tracing and the invocation is sampled. `sink`
    takes the response while it is produced, if the caller wants it so and the function streams.
    """

    request_id: str
    payload: bytes
    invoked_arn: str
    client_context: str | None = None
    trace_id: str | None = None
    trace: InvocationTrace | None = None
    tail: bool = False  # the caller wants the last 4 KB of the log
    tenant_id: str | None = None
    sink: ResponseSink | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationResult:
    """What the function answered. `error` is the X-Amz-Function-Error value ("Unhandled") or None.

    `log_tail`: the last 4 KB of the invocation's log, if it was asked for. `duration_ms`: how long the function ran;
    `init_ms`: how long its environment initialised before, in a cold start. `provisioned`: whether the environment had
    been initialised ahead, as provisioned concurrency. `payload` of a response that went into a sink is the error that
    it ended with, or empty. `error_type`: the kind of an error, where the runtime or Ingle named one.
    """

    payload: bytes
    error: str | None = None
    error_type: str | None = None
    executed_version: str = "$LATEST"
    log_tail: bytes | None = None
    duration_ms: float = 0.0
    init_ms: float | None = None
    provisioned: bool = False
