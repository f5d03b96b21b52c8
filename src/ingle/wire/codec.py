"""The small interface that every AWS protocol implements: rest-json, JSON 1.0/1.1, query, RPC v2 with CBOR.

A protocol finds the operation that a request names, compiles an operation into a parser and a serializer, and writes
errors. It is chosen from the request, never from a model's metadata: new models name protocols that clients do not use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from typing import Protocol as Interface

from ingle.wire.constraints import ConstraintCompiler
from ingle.wire.json_values import JsonParsers, JsonSerializers
from ingle.wire.messages import ErrorAnswer, HttpRequest, HttpResponse
from ingle.wire.model import ServiceModel
from ingle.wire.query_values import QueryParsers
from ingle.wire.routes import Routes
from ingle.wire.xml_values import XmlSerializers

Parse = Callable[[HttpRequest], dict[str, Any]]
Serialize = Callable[[Mapping[str, Any]], HttpResponse]


@dataclass(slots=True)
class CompiledModel:
    """One service's model with everything that is compiled from it once and shared by its operations."""

    model: ServiceModel
    parsers: JsonParsers = field(default_factory=JsonParsers)
    serializers: JsonSerializers = field(default_factory=JsonSerializers)
    query_parsers: QueryParsers = field(default_factory=QueryParsers)
    xml_serializers: XmlSerializers = field(default_factory=XmlSerializers)
    constraints: ConstraintCompiler = field(init=False)
    routes: Routes | None = None

    def __post_init__(self) -> None:
        self.constraints = ConstraintCompiler(self.model)


class Protocol(Interface):
    """One AWS protocol. Stateless: what is compiled lives in the CompiledModel."""

    @property
    def name(self) -> str:
        """The protocol's name, for example `rest-json`."""

    def target(self, request: HttpRequest) -> str:
        """What names service and operation beside method and path, `service.operation`; empty where nothing does.

        Raises UnknownOperation, SerializationFailure.
        """

    def find(self, compiled: CompiledModel, method: str, path: str, query: str, target: str) -> str:
        """The name of the operation that a request means. Raises UnknownOperation."""

    def compile(self, compiled: CompiledModel, operation: str) -> tuple[Parse, Serialize]:
        """The operation's parser (constraints included) and serializer."""

    def error(self, compiled: CompiledModel, answer: ErrorAnswer) -> HttpResponse:
        """An error answer; the status is the model's where the model knows the code."""

    def stamp(self, response: HttpResponse, request_id: str) -> None:
        """Put the request id into the answer, where the protocol has a place for it besides the header."""


def modelled_status(model: ServiceModel, answer: ErrorAnswer) -> int:
    """The HTTP status of an error: the model's, else 500 or 400 by who is at fault, else the answer's own."""
    if not model.has_shape(answer.code):
        return answer.http_status
    shape = model.shape(answer.code)
    if not shape.raw.get("exception"):
        return answer.http_status
    status: int | None = shape.raw.get("error", {}).get("httpStatusCode")
    if status is not None:
        return status
    return 500 if shape.raw.get("fault") else 400


def speaks(model: ServiceModel, protocol: str) -> bool:
    """Whether the service has this protocol (botocore's name for it) among its own."""
    return protocol in protocols(model)


def protocols(model: ServiceModel) -> Sequence[str]:
    """What the service speaks, in botocore's names."""
    found: Sequence[str] = model.metadata.get("protocols") or [model.metadata["protocol"]]
    return found


def wire_code(model: ServiceModel, code: str) -> str:
    """What an error is called on the wire of the query protocol: the model may have a name for that only."""
    if not model.has_shape(code):
        return code
    name: str = model.shape(code).raw.get("error", {}).get("code", code)
    return name


def is_senders_fault(model: ServiceModel, answer: ErrorAnswer) -> bool:
    return modelled_status(model, answer) < 500


def query_error(model: ServiceModel, answer: ErrorAnswer) -> list[tuple[bytes, bytes]]:
    """The header that tells clients of a service that once spoke query what the error was called there."""
    if "awsQueryCompatible" not in model.metadata:
        return []
    fault = "Sender" if is_senders_fault(model, answer) else "Receiver"
    return [(b"x-amzn-query-error", f"{wire_code(model, answer.code)};{fault}".encode("latin-1"))]


def error_body(answer: ErrorAnswer, in_header: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The members of an error's JSON body; those that travel in headers are left out."""
    body: dict[str, Any] = {answer.message_member: answer.message}
    if answer.type is not None:
        body["Type"] = answer.type
    body.update((name, value) for name, value in answer.members.items() if name not in in_header)
    return body
