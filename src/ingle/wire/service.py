"""A service and its operations: the face of the wire layer.

Owns choosing the protocol from a request and compiling operations when they are first used. Called by `frontend` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from typing import Any

from ingle.wire.aws_json import JSON_1_0, JSON_1_1
from ingle.wire.aws_query import QUERY
from ingle.wire.codec import CompiledModel, Parse, Protocol, Serialize, protocols
from ingle.wire.compression import inflate
from ingle.wire.memo import remember
from ingle.wire.messages import ErrorAnswer, HttpRequest, HttpResponse, UnknownOperation
from ingle.wire.model import ModelFile
from ingle.wire.rest_json import RestJson
from ingle.wire.rpc_v2_cbor import RPC_V2_CBOR

REST_JSON = RestJson()
_FORM = b"application/x-www-form-urlencoded"


def choose_protocol(headers: Mapping[bytes, bytes], path: str = "", query: str = "") -> Protocol:
    """The protocol that a request speaks, from its headers (lower-case names), raw path and query string."""
    if b"x-amz-target" in headers:
        return JSON_1_0 if headers.get(b"content-type", b"").startswith(b"application/x-amz-json-1.0") else JSON_1_1
    if path == "/":
        # On other paths the type of a form means nothing: it is what curl sends when it is told no type.
        if headers.get(b"content-type", b"").startswith(_FORM) or "Action=" in query:
            return QUERY
    elif headers.get(b"smithy-protocol") == b"rpc-v2-cbor":
        return RPC_V2_CBOR
    return REST_JSON


class Operation:
    """One operation of a service in one protocol, compiled when it is first parsed or serialised."""

    __slots__ = ("_compiled", "_parse", "_serialize", "name", "protocol", "service_name")

    def __init__(self, compiled: CompiledModel, name: str, protocol: Protocol) -> None:
        self.name = name
        self.service_name = compiled.model.name
        self.protocol = protocol
        self._compiled = compiled
        self._parse: Parse | None = None
        self._serialize: Serialize | None = None

    def parse(self, request: HttpRequest) -> dict[str, Any]:
        """The parameters by their API names; blobs are bytes, timestamps aware datetimes.

        Raises SerializationFailure for what is not the protocol, ConstraintViolation for what breaks the model's
        constraints (all of them together).
        """
        if self._parse is None:
            self._compile()
            assert self._parse is not None
        return self._parse(request)

    def serialize(self, result: Mapping[str, Any]) -> HttpResponse:
        """The answer to `result`. Members that are None or unknown to the model are left out."""
        if self._serialize is None:
            self._compile()
            assert self._serialize is not None
        return self._serialize(result)

    def _compile(self) -> None:
        parse, self._serialize = self.protocol.compile(self._compiled, self.name)
        compressed = "requestcompression" in self._compiled.model.operations[self.name]
        self._parse = _inflating(parse) if compressed else parse


def _inflating(parse: Parse) -> Parse:
    def parse_inflated(request: HttpRequest) -> dict[str, Any]:
        inflate(request)
        return parse(request)

    return parse_inflated


class Service:
    """A service's model with its compiled operations. Use `Service.load`; one instance serves the whole process.

    A model that takes long to load is loaded when it is first asked about: by `prepare`, so that nobody waits for it.
    """

    def __init__(self, name: str) -> None:
        self._file = ModelFile(name)
        if not self._file.is_large:
            self.prepare()
        metadata = self._file.metadata() if self._file.is_large else self._compiled.model.metadata
        self._operations: dict[tuple[str, str], Operation] = {}
        self._routed: dict[tuple[str, str, str, str, str], Operation] = {}
        self.name = name
        #: The service's name in a signature's credential scope.
        self.signing_name: str = metadata.get("signingName", metadata["endpointPrefix"])
        #: What precedes the operation in X-Amz-Target; None for services without such a header.
        self.target_prefix: str | None = metadata.get("targetPrefix")
        #: What requests of the query protocol name in `Version`.
        self.api_version: str = metadata["apiVersion"]

    @staticmethod
    @cache
    def load(name: str) -> Service:
        """The service named as in botocore, for example `lambda`. Raises LookupError for an unknown one."""
        return Service(name)

    @cached_property
    def _compiled(self) -> CompiledModel:
        return CompiledModel(self._file.load())

    @property
    def is_prepared(self) -> bool:
        return "_compiled" in self.__dict__

    def prepare(self) -> None:
        """Load the model, which may take a tenth of a second. Idempotent; may be called in a thread."""
        assert self._compiled is not None

    @property
    def operation_names(self) -> tuple[str, ...]:
        return tuple(self._compiled.model.operations)

    @property
    def protocols(self) -> Sequence[str]:
        """What the service speaks, in botocore's names."""
        return protocols(self._compiled.model)

    def input_members(self, operation: str) -> frozenset[str]:
        """The names of an operation's members, in the API and where they travel under another."""
        shape = self._compiled.model.io_shape(operation, "input")
        members = {} if shape is None else shape.members
        return frozenset(members) | {member.wire_name for member in members.values()}

    def route(
        self, method: str, raw_path: str, query: str = "", *, target: str = "", protocol: Protocol = REST_JSON
    ) -> Operation:
        """The operation that a request line (and X-Amz-Target) means. Raises UnknownOperation."""
        line = (method, raw_path, query, target, protocol.name)
        found = self._routed.get(line)
        if found is None:
            found = self.operation(protocol.find(self._compiled, method, raw_path, query, target), protocol)
            remember(self._routed, line, found)
        return found

    def operation(self, name: str, protocol: Protocol = REST_JSON) -> Operation:
        """An operation by name. Raises UnknownOperation."""
        found = self._operations.get((name, protocol.name))
        if found is None:
            if name not in self._compiled.model.operations:
                raise UnknownOperation(f"{self.name} has no operation {name}.")
            found = self._operations[(name, protocol.name)] = Operation(self._compiled, name, protocol)
        return found

    def allowed_methods(self, raw_path: str) -> list[str]:
        """The methods that rest-json operations have for a path; for OPTIONS requests."""
        try:
            REST_JSON.find(self._compiled, "OPTIONS", raw_path, "", "")
        except UnknownOperation:
            routes = self._compiled.routes
            return routes.methods(raw_path) if routes is not None else []
        return ["OPTIONS"]

    def error(
        self,
        code: str,
        message: str | None,
        message_member: str = "message",
        type: str | None = None,  # noqa: A002 - the member is called Type
        members: Mapping[str, Any] | None = None,
        http_status: int = 400,
        *,
        protocol: Protocol = REST_JSON,
    ) -> HttpResponse:
        """An error answer. `http_status` counts only for codes that the model does not name; see ErrorAnswer."""
        answer = ErrorAnswer(
            code=code,
            message=message,
            message_member=message_member,
            type=type,
            members=members or {},
            http_status=http_status,
        )
        return protocol.error(self._compiled, answer)
