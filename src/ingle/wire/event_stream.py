"""Event streams (application/vnd.amazon.eventstream): one frame for each event of a structure marked `eventstream`.

A frame is: total length, headers length, CRC-32 of those; headers; payload; CRC-32 of everything before it. Numbers are
big-endian. Called by the protocol modules for answers whose payload is a stream.
"""

from __future__ import annotations

import struct
from binascii import crc32
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from ingle.wire.json_values import JsonSerializers, write_document
from ingle.wire.model import Member, Shape

CONTENT_TYPE = b"application/vnd.amazon.eventstream"
_STRING_HEADER = 7

Encode = Callable[[Mapping[str, Any]], bytes]


def encode_frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame with string headers."""
    return _frame(_packed_headers(headers), payload)


def _frame(packed: bytes, payload: bytes) -> bytes:
    prelude = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    head = prelude + struct.pack(">I", crc32(prelude)) + packed
    # One copy of the payload: it may be large, and there may be many.
    return b"".join((head, payload, struct.pack(">I", crc32(payload, crc32(head)))))


def _packed_headers(headers: Mapping[str, str]) -> bytes:
    return b"".join(_packed_header(name, value) for name, value in headers.items())


def _packed_header(name: str, value: str) -> bytes:
    encoded, text = name.encode(), value.encode()
    return struct.pack(">B", len(encoded)) + encoded + struct.pack(">BH", _STRING_HEADER, len(text)) + text


def compile_events(shape: Shape, serializers: JsonSerializers) -> Encode:
    """An encoder of one event, given as `{event name: members}`. `shape` is the structure of all events."""
    encoders = {name: _compile_event(name, member.shape, serializers) for name, member in shape.members.items()}

    def encode(event: Mapping[str, Any]) -> bytes:
        (name, members), *_ = event.items()
        return encoders[name](members)

    return encode


def _compile_event(name: str, shape: Shape, serializers: JsonSerializers) -> Encode:
    kind = "exception" if shape.raw.get("exception") else "event"
    headers = {":message-type": kind, f":{kind}-type": name}
    event_headers = [member for member in shape.members.values() if member.raw.get("eventheader")]
    payload = next((member for member in shape.members.values() if member.raw.get("eventpayload")), None)
    if payload is not None and payload.shape.type in ("blob", "string"):
        content_type = "application/octet-stream" if payload.shape.type == "blob" else "text/plain"
        write = _raw_writer(payload)
    else:
        content_type = "application/json"
        members = [member for member in shape.members.values() if member not in event_headers]
        write = _document_writer(payload, members, serializers)
    headers[":content-type"] = content_type
    if not event_headers:
        packed = _packed_headers(headers)
        return lambda event: _frame(packed, write(event))

    def encode(event: Mapping[str, Any]) -> bytes:
        own = {member.name: str(event[member.name]) for member in event_headers if member.name in event}
        return encode_frame(headers | own, write(event))

    return encode


def _raw_writer(payload: Member) -> Encode:
    def write(event: Mapping[str, Any]) -> bytes:
        value: str | bytes = event.get(payload.name, b"")
        return value.encode() if isinstance(value, str) else value

    return write


def _document_writer(payload: Member | None, members: list[Member], serializers: JsonSerializers) -> Encode:
    if payload is not None:
        convert = serializers.member(payload)
        return lambda event: write_document(convert(event.get(payload.name, {})))
    structure = serializers.structure(members)
    return lambda event: write_document(structure(event))


def encode_all(events: Iterable[Mapping[str, Any]], encode: Encode) -> bytes:
    return b"".join(encode(event) for event in events)


async def encode_each(events: AsyncGenerator[Mapping[str, Any], None], encode: Encode) -> AsyncGenerator[bytes, None]:
    """Each event as it comes. Closing this closes `events`."""
    async with aclosing(events):
        async for event in events:
            yield encode(event)
