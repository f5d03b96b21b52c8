"""The rest-json protocol: method and path name the operation; members travel in path, query, headers and body."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import orjson

from ingle.wire import event_stream, timestamps
from ingle.wire.codec import CompiledModel, Parse, Serialize, error_body, modelled_status
from ingle.wire.constraints import Check, enforce
from ingle.wire.json_values import decode_base64, parse_document, write_document
from ingle.wire.memo import remember
from ingle.wire.messages import ErrorAnswer, HttpRequest, HttpResponse, SerializationFailure, UnknownOperation
from ingle.wire.model import Member, Shape
from ingle.wire.overrides import HEADER_NAMES, PAYLOAD_CONTENT_TYPES
from ingle.wire.routes import LabelSlot, Routes, label_slots, split_path

Extract = Callable[[HttpRequest, dict[str, Any]], None]
FromText = Callable[[str], Any]
ToText = Callable[[Any], str]

_JSON = (b"content-type", b"application/json")
_BODILESS = frozenset({204, 304})
_DEFAULT_STYLES = {"header": timestamps.RFC822, "querystring": timestamps.ISO8601, "uri": timestamps.ISO8601}


class RestJson:
    """See `codec.Protocol`."""

    name = "rest-json"

    def target(self, request: HttpRequest) -> str:
        """Method and path say it all."""
        return ""

    def find(self, compiled: CompiledModel, method: str, path: str, query: str, target: str) -> str:
        if compiled.routes is None:
            compiled.routes = Routes(compiled.model)
        name = compiled.routes.find(method, path, query)
        if name is None:
            raise UnknownOperation(f"No operation of {compiled.model.name} is {method} on this path.")
        return name

    def compile(self, compiled: CompiledModel, operation: str) -> tuple[Parse, Serialize]:
        return _compile_parse(compiled, operation), _compile_serialize(compiled, operation)

    def error(self, compiled: CompiledModel, answer: ErrorAnswer) -> HttpResponse:
        headers = [_JSON, (b"x-amzn-errortype", answer.code.encode("latin-1"))]
        in_header = set()
        if compiled.model.has_shape(answer.code):
            for member in compiled.model.shape(answer.code).members.values():
                if member.location == "header" and answer.members.get(member.name) is not None:
                    in_header.add(member.name)
                    headers.append((member.wire_name.lower().encode(), str(answer.members[member.name]).encode()))
        body = write_document(error_body(answer, frozenset(in_header)))
        return HttpResponse(status=modelled_status(compiled.model, answer), headers=headers, body=body)

    def stamp(self, response: HttpResponse, request_id: str) -> None:
        """The header is the only place."""


def _compile_parse(compiled: CompiledModel, operation: str) -> Parse:
    shape = compiled.model.io_shape(operation, "input")
    if shape is None:
        return lambda request: {}
    uri = compiled.model.operations[operation]["http"]["requestUri"]
    extractors = [
        extract
        for extract in (
            _body_extractor(compiled, shape),
            _query_extractor(_located(shape, "querystring")),
            _header_extractor(_located(shape, "header")),
            _prefix_extractor(_located(shape, "headers")),
            _label_extractor(_located(shape, "uri"), label_slots(uri)),
        )
        if extract is not None
    ]
    check: Check | None = compiled.constraints.compile_input(shape)
    if _has_opaque_body(shape):
        assert shape.payload is not None
        return _parse_remembered(
            extractors[1:], _payload_extractor(compiled, shape.members[shape.payload]), shape, check
        )

    def parse(request: HttpRequest) -> dict[str, Any]:
        return _extracted(extractors, check, request)

    return parse


def _extracted(extractors: list[Extract], check: Check | None, request: HttpRequest) -> dict[str, Any]:
    """What the extractors find. Raises ConstraintViolation with everything that is wrong with it."""
    params: dict[str, Any] = {}
    for extract in extractors:
        extract(request, params)
    return enforce(check, params)


def _has_opaque_body(shape: Shape) -> bool:
    """Whether the body is optional bytes that no constraint looks at, and a fixed set of headers is read."""
    if shape.payload is None or shape.payload in shape.required or _located(shape, "headers"):
        return False
    return shape.members[shape.payload].shape.type == "blob"


def _parse_remembered(extractors: list[Extract], payload: Extract, shape: Shape, check: Check | None) -> Parse:
    """For operations whose body is opaque: what stands before the body is the same for most requests of a client, so
    the outcome of parsing and checking it is remembered by exactly the text that decides it."""
    names = [member.wire_name.lower().encode() for member in _located(shape, "header")]
    known: dict[tuple[Any, ...], dict[str, Any]] = {}

    def parse(request: HttpRequest) -> dict[str, Any]:
        headers = request.headers
        decides = (request.path, request.query, *[headers.get(name) for name in names])
        before = known.get(decides)
        if before is None:
            before = _extracted(extractors, check, request)
            if all(isinstance(value, (str, int)) for value in before.values()):
                remember(known, decides, before)
        params = before.copy()
        payload(request, params)
        return params

    return parse


def _located(shape: Shape, location: str | None) -> list[Member]:
    return [member for member in shape.members.values() if member.location == location]


def _body_extractor(compiled: CompiledModel, shape: Shape) -> Extract | None:
    if shape.payload is not None:
        return _payload_extractor(compiled, shape.members[shape.payload])
    members = _located(shape, None)
    if not members:
        return None
    structure = compiled.parsers.structure(members)

    def extract(request: HttpRequest, params: dict[str, Any]) -> None:
        if request.body:
            params.update(structure(parse_document(request.body)))

    return extract


def _payload_extractor(compiled: CompiledModel, member: Member) -> Extract:
    name = member.name
    if member.shape.type == "blob":
        convert: Callable[[bytes], Any] = bytes
    elif member.shape.type == "string":
        convert = _utf8
    else:
        structure = compiled.parsers.member(member)

        def convert(body: bytes) -> Any:
            return structure(parse_document(body))

    def extract(request: HttpRequest, params: dict[str, Any]) -> None:
        if request.body:
            params[name] = convert(request.body)

    return extract


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise SerializationFailure("Invalid UTF-8") from None


def _query_extractor(members: list[Member]) -> Extract | None:
    if not members:
        return None
    scalars = {member.wire_name: (member.name, _from_text(member)) for member in members if not _is_list(member)}
    lists = {
        member.wire_name: (member.name, _from_text(member.shape.part("member"), "querystring"))
        for member in members
        if _is_list(member)
    }

    def extract(request: HttpRequest, params: dict[str, Any]) -> None:
        if not request.query:
            return
        for key, text in _query_pairs(request.query):
            if key in scalars:
                name, convert = scalars[key]
                params[name] = convert(text)
            elif key in lists:
                name, convert = lists[key]
                params.setdefault(name, []).append(convert(text))

    return extract


def _query_pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except UnicodeDecodeError:
        raise SerializationFailure("Invalid UTF-8 in the query") from None
    except ValueError:
        raise SerializationFailure("Too many query parameters") from None


def _is_list(member: Member) -> bool:
    return member.shape.type == "list"


def _header_extractor(members: list[Member]) -> Extract | None:
    if not members:
        return None
    table = [(member.wire_name.lower().encode(), member.name, _header_text(member)) for member in members]

    def extract(request: HttpRequest, params: dict[str, Any]) -> None:
        headers = request.headers
        for wire_name, name, convert in table:
            raw = headers.get(wire_name)
            if raw is not None:
                params[name] = convert(raw.decode("latin-1"))

    return extract


def _header_text(member: Member) -> FromText:
    if _is_list(member):
        element = _from_text(member.shape.part("member"), "header")
        return lambda text: [element(part.strip()) for part in text.split(",")]
    if member.json_value:
        return _encoded_json
    return _from_text(member)


def _encoded_json(text: str) -> Any:
    try:
        return orjson.loads(b64decode(text, validate=True))
    except ValueError:
        raise SerializationFailure("Invalid JSON in a header") from None


def _prefix_extractor(members: list[Member]) -> Extract | None:
    if not members:
        return None
    (member,) = members
    prefix = member.wire_name.lower().encode()

    def extract(request: HttpRequest, params: dict[str, Any]) -> None:
        found = {
            name[len(prefix) :].decode("latin-1"): value.decode("latin-1")
            for name, value in request.headers.items()
            if name.startswith(prefix)
        }
        if found:
            params[member.name] = found

    return extract


def _label_extractor(members: list[Member], slots: list[LabelSlot]) -> Extract | None:
    if not members:
        return None
    by_wire_name = {member.wire_name: member for member in members}
    table = [(slot.index, slot.end, by_wire_name[slot.name]) for slot in slots]
    readers = [(index, end, member.name, _from_text(member)) for index, end, member in table]

    def extract(request: HttpRequest, params: dict[str, Any]) -> None:
        segments = split_path(request.path)
        for index, end, name, convert in readers:
            text = segments[index] if end is None else "/".join(segments[index : end or None])
            params[name] = convert(_decoded(text))

    return extract


def _decoded(text: str) -> str:
    if "%" not in text and text.isascii():
        return text
    return _utf8(unquote_to_bytes(text.encode("latin-1")))


def _from_text(member: Member, location: str | None = None) -> FromText:
    """How a path label, query parameter or header becomes a member's value."""
    kind = member.shape.type
    if kind == "string":
        return str
    if kind == "boolean":
        return _boolean
    if kind in ("integer", "long", "short", "byte"):
        return _integer
    if kind in ("float", "double"):
        return _float
    if kind == "blob":
        return decode_base64
    if kind == "timestamp":
        return _timestamp(member.timestamp_format or _DEFAULT_STYLES[member.location or location or "querystring"])
    raise NotImplementedError(f"{member.shape.name}: {kind} outside a body")


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise SerializationFailure("STRING_VALUE can not be converted to a Boolean")
    return text.lower() == "true"


def _integer(text: str) -> int:
    # int() would take underscores, white space and digits of other scripts.
    if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 20:
        raise SerializationFailure("STRING_VALUE can not be converted to an Integer")
    return int(text)


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SerializationFailure("STRING_VALUE can not be converted to a Double") from None


def _timestamp(style: str) -> FromText:
    def convert(text: str) -> Any:
        try:
            return timestamps.parse_text(text, style)
        except ValueError:
            raise SerializationFailure("STRING_VALUE can not be converted to a timestamp") from None

    return convert


def _compile_serialize(compiled: CompiledModel, operation: str) -> Serialize:
    default_status: int = compiled.model.operations[operation]["http"].get("responseCode", 200)
    shape = compiled.model.io_shape(operation, "output")
    if shape is None:
        return lambda result: HttpResponse(status=default_status, headers=[])
    status_member = next((member.name for member in _located(shape, "statusCode")), None)
    header_table = [
        (
            HEADER_NAMES.get((compiled.model.name, shape.name, member.name)) or member.wire_name.lower().encode(),
            member.name,
            _to_text(member),
        )
        for member in _located(shape, "header")
    ]
    #: A member that travels as the Content-Type header takes the place of the body's own.
    typed_by = next((name for wire_name, name, _ in header_table if wire_name == b"content-type"), None)
    prefixed = [(member.wire_name.lower(), member.name) for member in _located(shape, "headers")]
    content_type, write_body = _body_writer(compiled, shape)
    write_chunks = _chunk_writer(compiled, shape)

    def serialize(result: Mapping[str, Any]) -> HttpResponse:
        status = default_status if status_member is None else result.get(status_member) or default_status
        headers = []
        body = b""
        chunks = None if write_chunks is None else write_chunks(result)
        if status not in _BODILESS:
            if chunks is None:
                body = write_body(result)
            if typed_by is None or result.get(typed_by) is None:
                headers.append(content_type)
        for wire_name, name, convert in header_table:
            value = result.get(name)
            if value is not None:
                headers.append((wire_name, convert(value).encode("latin-1")))
        for prefix, name in prefixed:
            headers += [((prefix + key).encode(), text.encode()) for key, text in (result.get(name) or {}).items()]
        return HttpResponse(status=status, headers=headers, body=body, chunks=chunks)

    return serialize


def _chunk_writer(compiled: CompiledModel, shape: Shape) -> Callable[[Any], AsyncGenerator[bytes, None] | None] | None:
    """What makes the body of an answer whose events come one after another; None if there are no such answers."""
    member = None if shape.payload is None else shape.members[shape.payload]
    if member is None or not member.shape.is_event_stream:
        return None
    name, encode = member.name, event_stream.compile_events(member.shape, compiled.serializers)

    def write(result: Mapping[str, Any]) -> AsyncGenerator[bytes, None] | None:
        events = result.get(name)
        return event_stream.encode_each(events, encode) if isinstance(events, AsyncGenerator) else None

    return write


def _to_text(member: Member) -> ToText:
    """How a member's value is written into a header."""
    kind = member.shape.type
    if member.json_value:
        return lambda value: b64encode(orjson.dumps(value)).decode()
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    if kind == "timestamp":
        style = member.timestamp_format or timestamps.RFC822
        return lambda value: timestamps.format_text(value, style)
    if kind == "blob":
        return lambda value: b64encode(value).decode()
    if kind == "list":
        return lambda value: ",".join(map(str, value))
    return str


def _body_writer(compiled: CompiledModel, shape: Shape) -> tuple[tuple[bytes, bytes], Callable[[Any], bytes]]:
    """The content type of an output's body, and what makes the body."""
    if shape.payload is None:
        structure = compiled.serializers.structure(_located(shape, None))
        return _JSON, lambda result: write_document(structure(result))
    member = shape.members[shape.payload]
    name = member.name
    if member.shape.is_event_stream:
        encode = event_stream.compile_events(member.shape, compiled.serializers)
        content_type = (b"content-type", event_stream.CONTENT_TYPE)
        return content_type, lambda result: event_stream.encode_all(result.get(name) or (), encode)
    if member.shape.type == "blob":
        kind = PAYLOAD_CONTENT_TYPES.get((compiled.model.name, shape.name), b"application/octet-stream")
        return (b"content-type", kind), lambda result: result.get(name) or b""
    if member.shape.type == "string":
        return (b"content-type", b"text/plain"), lambda result: (result.get(name) or "").encode()
    convert = compiled.serializers.member(member)
    return _JSON, lambda result: write_document(convert(result.get(name) or {}))
