"""AWS JSON 1.0 and 1.1: POST to `/`, the operation in `X-Amz-Target`, every member in the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingle.wire import event_stream
from ingle.wire.codec import CompiledModel, Parse, Serialize, error_body, modelled_status, query_error
from ingle.wire.constraints import enforce
from ingle.wire.json_values import parse_document, write_document
from ingle.wire.messages import ErrorAnswer, HttpRequest, HttpResponse, UnknownOperation
from ingle.wire.model import Member


class AwsJson:
    """See `codec.Protocol`. The versions differ in their content type."""

    def __init__(self, version: str) -> None:
        self.name = f"json-{version}"
        self._content_type = (b"content-type", f"application/x-amz-json-{version}".encode())

    def target(self, request: HttpRequest) -> str:
        return request.headers.get(b"x-amz-target", b"").decode("latin-1")

    def find(self, compiled: CompiledModel, method: str, path: str, query: str, target: str) -> str:
        prefix, _, name = target.rpartition(".")
        known = prefix == compiled.model.metadata.get("targetPrefix") and name in compiled.model.operations
        if method != "POST" or path.strip("/") or not known:
            raise UnknownOperation("The requested operation is not known.")
        return name

    def compile(self, compiled: CompiledModel, operation: str) -> tuple[Parse, Serialize]:
        return self._parse(compiled, operation), self._serialize(compiled, operation)

    def error(self, compiled: CompiledModel, answer: ErrorAnswer) -> HttpResponse:
        members = error_body(answer)
        members.pop("Type", None)  # a member of rest-json's errors only
        if answer.message is None:
            del members[answer.message_member]  # AWS: a null in rest-json, and nothing here
        body = write_document({"__type": answer.code, **members})
        return HttpResponse(
            status=modelled_status(compiled.model, answer),
            headers=[
                self._content_type,
                (b"x-amzn-errortype", answer.code.encode("latin-1")),
                *query_error(compiled.model, answer),
            ],
            body=body,
        )

    def stamp(self, response: HttpResponse, request_id: str) -> None:
        """The header is the only place."""

    def _parse(self, compiled: CompiledModel, operation: str) -> Parse:
        shape = compiled.model.io_shape(operation, "input")
        if shape is None:
            return lambda request: {}
        structure = compiled.parsers.structure(list(shape.members.values()))
        check = compiled.constraints.compile_input(shape)

        def parse(request: HttpRequest) -> dict[str, Any]:
            return enforce(check, structure(parse_document(request.body)))

        return parse

    def _serialize(self, compiled: CompiledModel, operation: str) -> Serialize:
        shape = compiled.model.io_shape(operation, "output")
        if shape is None:
            return lambda result: HttpResponse(status=200, headers=[self._content_type])
        streams = [member for member in shape.members.values() if member.shape.is_event_stream]
        members = [member for member in shape.members.values() if member not in streams]
        structure = compiled.serializers.structure(members)
        if streams:
            return self._stream(compiled, streams[0], members)

        def serialize(result: Mapping[str, Any]) -> HttpResponse:
            return HttpResponse(status=200, headers=[self._content_type], body=write_document(structure(result)))

        return serialize

    def _stream(self, compiled: CompiledModel, stream: Member, members: list[Member]) -> Serialize:
        """In this protocol the members beside a stream travel in a first event of their own."""
        structure = compiled.serializers.structure(members)
        encode = event_stream.compile_events(stream.shape, compiled.serializers)
        first = {
            ":message-type": "event",
            ":event-type": "initial-response",
            ":content-type": self._content_type[1].decode(),
        }

        def serialize(result: Mapping[str, Any]) -> HttpResponse:
            body = event_stream.encode_frame(first, write_document(structure(result)))
            body += event_stream.encode_all(result.get(stream.name) or (), encode)
            return HttpResponse(status=200, headers=[(b"content-type", event_stream.CONTENT_TYPE)], body=body)

        return serialize


JSON_1_0 = AwsJson("1.0")
JSON_1_1 = AwsJson("1.1")
