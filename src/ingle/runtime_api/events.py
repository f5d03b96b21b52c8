"""What a runtime and the extensions beside it are sent of an invocation, and at the end.

Pure. Every `deadline` is in milliseconds since the epoch. Source: AWS's references of the Runtime API and the
Extensions API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingle.domain.invocation import Invocation


def invocation_head(invocation: Invocation, deadline: int) -> bytes:
    """The head of the answer to a runtime's poll."""
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        f"Lambda-Runtime-Aws-Request-Id: {invocation.request_id}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n"
        f"Lambda-Runtime-Invoked-Function-Arn: {invocation.invoked_arn}\r\n"
        f"Content-Length: {len(invocation.payload)}\r\n"
    )
    if invocation.trace_id:
        head += f"Lambda-Runtime-Trace-Id: {invocation.trace_id}\r\n"
    if invocation.client_context:
        head += f"Lambda-Runtime-Client-Context: {invocation.client_context}\r\n"
    if invocation.tenant_id:
        head += f"Lambda-Runtime-Aws-Tenant-Id: {invocation.tenant_id}\r\n"
    return (head + "\r\n").encode()


def invoke_event(invocation: Invocation, deadline: int) -> Mapping[str, Any]:
    """What extensions get of an invocation."""
    event: dict[str, Any] = {
        "eventType": "INVOKE", "deadlineMs": deadline, "requestId": invocation.request_id,
        "invokedFunctionArn": invocation.invoked_arn,
    }  # fmt: skip
    if invocation.trace_id:
        event["tracing"] = {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id}
    return event


def shutdown_event(reason: str, deadline: int) -> Mapping[str, Any]:
    """`reason`: SPINDOWN, TIMEOUT or FAILURE."""
    return {"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline}
