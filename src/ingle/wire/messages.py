"""HTTP messages as the wire layer sees them, and the ways a request can be unreadable.

Owns no protocol knowledge. Used by every module of `wire` and by `frontend`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class HttpRequest:
    """One request. `path` and `query` are raw: percent-encoding is intact. Header names are lower-case bytes.

    Not frozen: a frozen dataclass costs a microsecond more to make, once for each invocation.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True, kw_only=True)
class HttpResponse:
    """One answer. Content-Length and the request id are the sender's to add.

    `chunks`: the body of an answer that is sent while it is made, in place of `body`.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    chunks: AsyncGenerator[bytes, None] | None = None
    #: The elements, outermost first, in which the document carries the request id at its end; none: it does not.
    id_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """An error to be told to a client.

    `http_status` counts only for a code that the service model does not name. `message_member` is the member that
    carries the text, `type` the value of a `Type` member (None: no such member), `members` further members of the
    modelled exception by their names in the model.
    """

    code: str
    message: str | None
    message_member: str = "message"
    type: str | None = None
    members: Mapping[str, Any] = field(default_factory=dict)
    http_status: int = 400


class WireError(Exception):
    """A request that cannot become an operation's parameters."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnknownOperation(WireError):
    """No operation of the service has this method and path, or this target."""


class SerializationFailure(WireError):
    """The request is not the protocol's: malformed JSON, a wrong JSON type, bad base64, bad UTF-8."""


class ConstraintViolation(WireError):
    """Members break constraints of the model. The message is AWS's, for all violations together.

    `code`: what the service calls it, where it has names of its own.
    """

    def __init__(self, message: str, code: str = "ValidationException") -> None:
        super().__init__(message)
        self.code = code
