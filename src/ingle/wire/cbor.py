"""CBOR as Smithy's RPC v2 uses it: RFC 8949 without bignums; of the tags, only number 1, a moment in epoch seconds.

A moment is an aware datetime here, a byte string is bytes. `decode` takes what strangers send: it is bounded in depth
and never makes more of a message than the message has bytes.
"""

from __future__ import annotations

import math
import struct
from datetime import datetime
from typing import Any

from ingle.wire import timestamps

_DEEPEST = 64
_INDEFINITE = 31
_BREAK = 0xFF
_EPOCH_TAG = 1
_SIMPLE: dict[int, Any] = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_LENGTHS = {24: 1, 25: 2, 26: 4, 27: 8}
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _OTHER = range(8)


class CborError(ValueError):
    """The bytes are not CBOR, or CBOR that nobody needs."""


def decode(data: bytes) -> Any:
    """The one value in `data`. Raises CborError."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.place != len(data):
        raise CborError("there are bytes after the end")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.place = 0

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise CborError("it is nested too deeply")
        first = self._take(1)[0]
        kind, info = first >> 5, first & 31
        if kind == _OTHER:
            return self._other(info)
        if kind in (_BYTES, _TEXT):
            return self._string(kind, info)
        if kind == _ARRAY:
            return self._array(info, depth)
        if kind == _MAP:
            return self._map(info, depth)
        number = self._number(info)
        if kind == _TAG:
            return self._tagged(number, depth)
        return number if kind == _UNSIGNED else -1 - number

    def _take(self, size: int) -> bytes:
        end = self.place + size
        if end > len(self._data):
            raise CborError("it ends too early")
        taken = self._data[self.place : end]
        self.place = end
        return taken

    def _number(self, info: int) -> int:
        if info < 24:
            return info
        if info not in _LENGTHS:
            raise CborError("a length is missing")
        return int.from_bytes(self._take(_LENGTHS[info]), "big")

    def _ended(self) -> bool:
        """Whether an item of unknown length ends here."""
        if self.place < len(self._data) and self._data[self.place] == _BREAK:
            self.place += 1
            return True
        return False

    def _string(self, kind: int, info: int) -> bytes | str:
        data = self._take(self._number(info)) if info != _INDEFINITE else b"".join(self._parts(kind))
        if kind == _BYTES:
            return data
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise CborError("a text is not UTF-8") from error

    def _parts(self, kind: int) -> list[bytes]:
        parts = []
        while not self._ended():
            first = self._take(1)[0]
            if first >> 5 != kind:
                raise CborError("a string has parts of another kind")
            parts.append(self._take(self._number(first & 31)))
        return parts

    def _array(self, info: int, depth: int) -> list[Any]:
        items: list[Any] = []
        if info == _INDEFINITE:
            while not self._ended():
                items.append(self.value(depth + 1))
        else:
            for _ in range(self._number(info)):
                items.append(self.value(depth + 1))  # noqa: PERF401 - a length that lies ends at the end of the data
        return items

    def _map(self, info: int, depth: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        left = None if info == _INDEFINITE else self._number(info)
        while left != 0 if left is not None else not self._ended():
            key = self.value(depth + 1)
            if not isinstance(key, str):
                raise CborError("a key is not a text")
            items[key] = self.value(depth + 1)
            left = None if left is None else left - 1
        return items

    def _tagged(self, tag: int, depth: int) -> datetime:
        value = self.value(depth + 1)
        if tag != _EPOCH_TAG or type(value) not in (int, float) or not math.isfinite(value):
            raise CborError("the only tag is that of a moment")
        try:
            return timestamps.from_epoch(value)
        except ValueError as error:
            raise CborError(str(error)) from error

    def _other(self, info: int) -> Any:
        if info in _SIMPLE:
            return _SIMPLE[info]
        if info not in _FLOATS:
            raise CborError("it is of no known kind")
        form, size = _FLOATS[info]
        return struct.unpack(form, self._take(size))[0]


def encode(value: Any) -> bytes:
    """Texts, bytes, numbers, booleans, None, datetimes, lists, and mappings with texts for keys."""
    out = bytearray()
    _encode(out, value)
    return bytes(out)


def _encode(out: bytearray, value: Any) -> None:
    if value is None:
        out.append(0xF6)
    elif isinstance(value, bool):
        out.append(0xF5 if value else 0xF4)
    elif isinstance(value, int):
        _head(out, _UNSIGNED if value >= 0 else _NEGATIVE, value if value >= 0 else -1 - value)
    elif isinstance(value, float):
        out += b"\xfb" + struct.pack(">d", value)
    elif isinstance(value, str):
        data = value.encode("utf-8", "replace")
        _head(out, _TEXT, len(data))
        out += data
    elif isinstance(value, bytes):
        _head(out, _BYTES, len(value))
        out += value
    elif isinstance(value, datetime):
        _head(out, _TAG, _EPOCH_TAG)
        _encode(out, timestamps.to_epoch(value))
    elif isinstance(value, dict):
        _head(out, _MAP, len(value))
        for key, item in value.items():
            _encode(out, key)
            _encode(out, item)
    else:
        _head(out, _ARRAY, len(value))
        for item in value:
            _encode(out, item)


def _head(out: bytearray, kind: int, number: int) -> None:
    if number < 24:
        out.append(kind << 5 | number)
        return
    for info, size in _LENGTHS.items():
        if number < 1 << 8 * size:
            out.append(kind << 5 | info)
            out += number.to_bytes(size, "big")
            return
    raise CborError(f"{number} has no place in 64 bits")
