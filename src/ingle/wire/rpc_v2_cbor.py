"""Smithy's RPC v2 with CBOR: POST to `/service/<target prefix>/operation/<name>`, every member in the body."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ingle.wire import timestamps
from ingle.wire.cbor import CborError, decode, encode
from ingle.wire.codec import CompiledModel, Parse, Serialize, error_body, modelled_status, query_error, speaks
from ingle.wire.constraints import enforce
from ingle.wire.json_values import Convert, JsonParsers, JsonSerializers
from ingle.wire.messages import ErrorAnswer, HttpRequest, HttpResponse, SerializationFailure, UnknownOperation
from ingle.wire.model import Member, Shape

_HEADERS = [(b"content-type", b"application/cbor"), (b"smithy-protocol", b"rpc-v2-cbor")]
_FLOATS = frozenset({"double", "float"})


class CborParsers(JsonParsers):
    """Blobs and moments are kinds of CBOR; everything else is as in JSON."""

    def member(self, member: Member) -> Convert:
        return _moment if member.shape.type == "timestamp" else self.shape(member.shape)

    def shape(self, shape: Shape) -> Convert:
        return _blob if shape.type == "blob" else super().shape(shape)


class CborSerializers(JsonSerializers):
    def member(self, member: Member) -> Convert:
        return _as_moment if member.shape.type == "timestamp" else self.shape(member.shape)

    def shape(self, shape: Shape) -> Convert:
        if shape.type == "blob":
            return _as_bytes
        return float if shape.type in _FLOATS else super().shape(shape)


class RpcV2Cbor:
    """See `codec.Protocol`."""

    name = "rpc-v2-cbor"

    def target(self, request: HttpRequest) -> str:
        """`prefix.operation`, as the JSON protocols write it. Raises UnknownOperation."""
        parts = request.path.split("/")
        if len(parts) != 5 or parts[1] != "service" or parts[3] != "operation":
            raise UnknownOperation("The requested operation is not known.")
        return f"{parts[2]}.{parts[4]}"

    def find(self, compiled: CompiledModel, method: str, path: str, query: str, target: str) -> str:
        prefix, _, name = target.rpartition(".")
        known = prefix == compiled.model.metadata.get("targetPrefix") and name in compiled.model.operations
        if method != "POST" or not known or not speaks(compiled.model, "smithy-rpc-v2-cbor"):
            raise UnknownOperation("The requested operation is not known.")
        return name

    def compile(self, compiled: CompiledModel, operation: str) -> tuple[Parse, Serialize]:
        return _compile_parse(compiled, operation), _compile_serialize(compiled, operation)

    def error(self, compiled: CompiledModel, answer: ErrorAnswer) -> HttpResponse:
        members = error_body(answer)
        members.pop("Type", None)  # a member of rest-json's errors only
        return HttpResponse(
            status=modelled_status(compiled.model, answer),
            headers=[*_HEADERS, *query_error(compiled.model, answer)],
            body=encode({"__type": answer.code, **members}),
        )

    def stamp(self, response: HttpResponse, request_id: str) -> None:
        """The header is the only place."""


def _blob(value: Any) -> bytes:
    if type(value) is not bytes:
        raise SerializationFailure("A value was found where a blob is expected.")
    return value


def _moment(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise SerializationFailure("A value was found where a timestamp is expected.")
    return value


def _as_bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _as_moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return timestamps.from_epoch(value)


def _compile_parse(compiled: CompiledModel, operation: str) -> Parse:
    shape = compiled.model.io_shape(operation, "input")
    if shape is None:
        return lambda request: {}
    structure = CborParsers().structure(list(shape.members.values()))
    check = compiled.constraints.compile_input(shape)

    def parse(request: HttpRequest) -> dict[str, Any]:
        try:
            params: dict[str, Any] = structure(decode(request.body) if request.body else {})
        except CborError as error:
            raise SerializationFailure(f"The request body is not CBOR: {error}.") from None
        return enforce(check, params)

    return parse


def _compile_serialize(compiled: CompiledModel, operation: str) -> Serialize:
    shape = compiled.model.io_shape(operation, "output")
    write = None if shape is None else CborSerializers().structure(list(shape.members.values()))

    def serialize(result: Mapping[str, Any]) -> HttpResponse:
        body = b"" if write is None else encode(write(result))
        return HttpResponse(status=200, headers=list(_HEADERS), body=body)

    return serialize


RPC_V2_CBOR = RpcV2Cbor()
