"""How large a request body may be, by operation, and what AWS answers to a larger one.

Called by `asgi`, which checks Content-Length before it reads a body and the bytes while it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ingle.domain.errors import RequestEntityTooLarge

#: Bytes. The first two are documented; AWS names the limit of CreateFunction in its answer.
SYNCHRONOUS_PAYLOAD = 6_291_456
ASYNCHRONOUS_PAYLOAD = 1_048_576
#: Of InvokeAsync, whose limit stayed what it was when that of events was raised.
INVOKE_ASYNC_PAYLOAD = 262_144
PACKAGE_UPLOAD = 70_167_211
#: Every other operation: what a synchronous payload may have, so that nothing useful is refused.
DEFAULT = 6_291_456
#: AWS documents 5,120 bytes as an example for this operation. A legal configuration can be larger: 4 KB of variables
#: may be written with six-byte escapes, and layers, image settings and VPC settings come on top. One MiB refuses only
#: what cannot be a configuration.
CONFIGURATION = 1 << 20

#: Of a test event, which has the bytes of a synchronous payload and may be written with six-byte escapes.
TEST_EVENT = 3 * SYNCHRONOUS_PAYLOAD + (64 << 10)

_BY_OPERATION: Mapping[tuple[str, str], int] = {
    ("lambda", "CreateFunction"): PACKAGE_UPLOAD,
    ("lambda", "UpdateFunctionCode"): PACKAGE_UPLOAD,
    ("lambda", "PublishLayerVersion"): PACKAGE_UPLOAD,
    ("lambda", "UpdateFunctionConfiguration"): CONFIGURATION,
    ("ingle", "PutTestEvent"): TEST_EVENT,
}
_DEFAULT_INVOCATION_TYPES: Mapping[str, str] = {
    "Invoke": "RequestResponse",
    "InvokeWithResponseStream": "RequestResponse",
}


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """`error(n)` is the answer to a body of n bytes, or of more than n when its length is not known beforehand."""

    size: int
    error: Callable[[int], RequestEntityTooLarge]


#: Of a request to a function URL: it becomes a synchronous payload.
URL_LIMIT = BodyLimit(SYNCHRONOUS_PAYLOAD, lambda _: RequestEntityTooLarge("Request Too Long"))
#: Of a form that names its operation: which one it is turns out when it has been read.
FORM_LIMIT = BodyLimit(DEFAULT, lambda received: RequestEntityTooLarge(f"Request must be smaller than {DEFAULT} bytes"))


def _invocation_limit(invocation_type: str, size: int) -> BodyLimit:
    def error(received: int) -> RequestEntityTooLarge:
        return RequestEntityTooLarge(
            f"{received} byte payload is too large for the {invocation_type} invocation type (limit {size} bytes)"
        )

    return BodyLimit(size, error)


_INVOCATION_LIMITS: Mapping[str, BodyLimit] = {
    "RequestResponse": _invocation_limit("RequestResponse", SYNCHRONOUS_PAYLOAD),
    "DryRun": _invocation_limit("DryRun", SYNCHRONOUS_PAYLOAD),
    "Event": _invocation_limit("Event", ASYNCHRONOUS_PAYLOAD),
}


_INVOKE_ASYNC = _invocation_limit("Event", INVOKE_ASYNC_PAYLOAD)


def body_limit(service: str, operation: str, headers: Mapping[bytes, bytes]) -> BodyLimit:
    """The limit for one request. Invocations: by the type that their header names."""
    if (service, operation) == ("lambda", "InvokeAsync"):
        return _INVOKE_ASYNC
    default_type = _DEFAULT_INVOCATION_TYPES.get(operation) if service == "lambda" else None
    if default_type is not None:
        named = headers.get(b"x-amz-invocation-type")
        if named is None:
            return _INVOCATION_LIMITS[default_type]
        # A type that does not exist is a constraint violation, once the body has been read.
        return _INVOCATION_LIMITS.get(named.decode("latin-1"), _INVOCATION_LIMITS[default_type])
    size = _BY_OPERATION.get((service, operation), DEFAULT)
    text = f"Request must be smaller than {size} bytes for the {operation} operation"
    return BodyLimit(size, lambda received: RequestEntityTooLarge(text))
