"""The bytes of a log segment: frames, each with the events that one stream got in one flush.

    u32 length of the body   u32 CRC-32 of everything after it   u8 kind   u16 length of the stream's name
    u32 count of events      i64 ingestion   i64 smallest timestamp   i64 largest timestamp
    body: the stream's name, then of all events the timestamps (i64), the lengths (u32), and the messages

Times are milliseconds since the epoch, messages are bytes as the function wrote them. A frame is whole or it is not
there: the length and the CRC tell. Columns rather than records, because a column is packed and joined without a step of
Python for each line. Used by `log_segments` and `log_groups`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

_HEADER = struct.Struct("<IIBHIqqq")
_UNCHECKED = 8  # bytes of the header that the CRC does not cover: the length and itself

#: A body is cut into frames of about this size, so that reading one event never means decoding megabytes.
_FRAME_BYTES = 256 * 1024
#: Timestamps beyond are brought here: one that no integer of 64 bits holds must not stop the events around it.
_MAX_TIME = 2**62


class Kind(IntEnum):
    EVENTS = 0
    CREATED = 1  # the stream exists, also without events
    DELETED = 2  # forget everything of the stream up to here


class Frame(NamedTuple):
    """A frame's header and place. `events` counts; `first` and `last` are the smallest and largest timestamps."""

    kind: int
    stream: str
    events: int
    ingestion: int
    first: int
    last: int
    offset: int
    end: int


def encode_mark(kind: Kind, stream: str, ingestion: int) -> bytes:
    return _frame(kind, stream, ingestion, (), ())


def encode_events(stream: str, ingestion: int, times: Sequence[int], lines: Sequence[bytes]) -> bytes:
    """Frames with the events in the order they came: `times` and `lines` belong together."""
    if max(times) > _MAX_TIME or min(times) < -_MAX_TIME:
        times = [max(-_MAX_TIME, min(time, _MAX_TIME)) for time in times]
    pieces = -(-sum(map(len, lines)) // _FRAME_BYTES) or 1
    step = -(-len(lines) // pieces)
    return b"".join(
        [
            _frame(Kind.EVENTS, stream, ingestion, times[at : at + step], lines[at : at + step])
            for at in range(0, len(lines), step)
        ]
    )


def _frame(kind: Kind, stream: str, ingestion: int, times: Sequence[int], lines: Sequence[bytes]) -> bytes:
    name = stream.encode("utf-8", "backslashreplace")
    columns = struct.pack(f"<{len(times)}q{len(lines)}I", *times, *map(len, lines))
    body = b"".join([name, columns, *lines])
    first, last = (min(times), max(times)) if times else (0, 0)
    header = _HEADER.pack(len(body), 0, kind, len(name), len(times), ingestion, first, last)[_UNCHECKED:]
    return struct.pack("<II", len(body), zlib.crc32(body, zlib.crc32(header))) + header + body


def scan(data: bytes, *, verify: bool) -> Iterator[Frame]:
    """The frames of a segment, up to the first that is torn. `verify`: or damaged; costs reading every byte."""
    offset = 0
    view = memoryview(data)
    while offset + _HEADER.size <= len(data):
        length, crc, kind, name_length, count, ingestion, first, last = _HEADER.unpack_from(data, offset)
        body = offset + _HEADER.size
        end = body + length
        if end > len(data) or name_length > length:
            return
        if verify and zlib.crc32(view[offset + _UNCHECKED : end]) != crc:
            return
        name = data[body : body + name_length].decode("utf-8", "replace")
        yield Frame(kind, name, count, ingestion, first, last, offset, end)
        offset = end


def decode_events(data: bytes, frame: Frame) -> list[tuple[int, str]]:
    """The events of a frame, in the order they came; none if it is damaged."""
    _, crc, _, name_length, count, *_ = _HEADER.unpack_from(data, frame.offset)
    if zlib.crc32(memoryview(data)[frame.offset + _UNCHECKED : frame.end]) != crc:
        return []
    at = frame.offset + _HEADER.size + name_length
    columns = struct.unpack_from(f"<{count}q{count}I", data, at)
    at += 12 * count
    events: list[tuple[int, str]] = []
    for timestamp, length in zip(columns[:count], columns[count:], strict=True):
        events.append((timestamp, data[at : at + length].decode("utf-8", "replace")))
        at += length
    return events
