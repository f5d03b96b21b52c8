"""Values between JSON bodies and the API's members, compiled from shapes. Shared by rest-json and JSON 1.0/1.1.

A parser takes what orjson made and raises SerializationFailure for a wrong JSON type, in AWS's words. A serializer
makes what orjson writes; members that are None or that the shape does not have are left out.
"""

from __future__ import annotations

import binascii
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from ingle.wire import timestamps
from ingle.wire.json_text import explain
from ingle.wire.messages import SerializationFailure
from ingle.wire.model import Member, Shape

Convert = Callable[[Any], Any]

_RANGES = {"integer": 2**31, "long": 2**63, "short": 2**15, "byte": 2**7}
#: Base64 text is decoded in slices of this many characters, so that other threads run in between.
_BASE64_SLICE = 1 << 20


def parse_document(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. An empty body is an empty object."""
    if not body:
        return {}
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise SerializationFailure(f"Could not parse request body into json: {explain(body) or error.msg}") from None
    if type(document) is not dict:
        raise SerializationFailure(_cannot_convert(document, "Object"))
    return document


def write_document(document: Any) -> bytes:
    return orjson.dumps(document)


def decode_base64(text: str) -> bytes:
    """Strict base64. Raises SerializationFailure. Long texts are decoded slice by slice."""
    try:
        if len(text) <= _BASE64_SLICE:
            return binascii.a2b_base64(text, strict_mode=True)
        encoded = text.encode("ascii")
        last = (len(encoded) - 1) // _BASE64_SLICE
        slices = [encoded[at * _BASE64_SLICE : (at + 1) * _BASE64_SLICE] for at in range(last + 1)]
        if any(part.endswith(b"=") for part in slices[:-1]):
            raise SerializationFailure("Invalid base64: padding before the end")
        return b"".join([binascii.a2b_base64(part, strict_mode=True) for part in slices])
    except ValueError as error:
        raise SerializationFailure(f"Invalid base64: {error}") from None


def _token_name(value: Any) -> str:
    if value is True:
        return "TRUE_VALUE"
    if value is False:
        return "FALSE_VALUE"
    if isinstance(value, str):
        return "STRING_VALUE"
    return "DECIMAL_VALUE" if isinstance(value, float) else "NUMBER_VALUE"


def _cannot_convert(value: Any, wanted: str) -> str:
    if isinstance(value, dict):
        return "Start of structure or map found where not expected."
    if isinstance(value, list):
        return "Start of list found where not expected"
    return f"{_token_name(value)} can not be converted to {wanted}"


def _parse_string(value: Any) -> str:
    if type(value) is not str:
        raise SerializationFailure(_cannot_convert(value, "a String"))
    return value


def _parse_boolean(value: Any) -> bool:
    if value is not True and value is not False:
        raise SerializationFailure(_cannot_convert(value, "a Boolean"))
    return value


def _parse_float(value: Any) -> float:
    if type(value) not in (int, float):
        raise SerializationFailure(_cannot_convert(value, "a Double"))
    return float(value)


def _parse_blob(value: Any) -> bytes:
    if type(value) is not str:
        raise SerializationFailure(_cannot_convert(value, "a Blob"))
    return decode_base64(value)


def _parse_timestamp(value: Any) -> Any:
    if type(value) not in (int, float):
        raise SerializationFailure(_cannot_convert(value, "milliseconds since epoch"))
    try:
        return timestamps.from_epoch(value)
    except ValueError as error:
        raise SerializationFailure(str(error)) from None


def _parse_text_timestamp(style: str) -> Convert:
    def parse(value: Any) -> Any:
        try:
            return timestamps.parse_text(_parse_string(value), style)
        except ValueError:
            raise SerializationFailure(_cannot_convert(value, "a timestamp")) from None

    return parse


def _parse_json_value(value: Any) -> Any:
    try:
        return orjson.loads(_parse_string(value))
    except orjson.JSONDecodeError:
        raise SerializationFailure("Invalid JSON in a string member") from None


def _integer_parser(type_name: str) -> Convert:
    bound = _RANGES[type_name]
    wanted = "a Long" if type_name == "long" else "an Integer"

    def parse(value: Any) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not -bound <= value < bound:
            raise SerializationFailure(_cannot_convert(value, wanted))
        return value

    return parse


_SCALAR_PARSERS: Mapping[str, Convert] = {
    "string": _parse_string,
    "character": _parse_string,
    "boolean": _parse_boolean,
    "float": _parse_float,
    "double": _parse_float,
    "blob": _parse_blob,
    "bigdecimal": _parse_float,
} | {name: _integer_parser(name) for name in _RANGES}


class JsonParsers:
    """Compiles parsers for the shapes of one service."""

    def __init__(self) -> None:
        self._compiled: dict[str, Convert] = {}

    def member(self, member: Member) -> Convert:
        if member.json_value:
            return _parse_json_value
        if member.shape.type == "timestamp":
            style = member.timestamp_format
            return _parse_timestamp if style in (None, timestamps.UNIX) else _parse_text_timestamp(style)
        return self.shape(member.shape)

    def shape(self, shape: Shape) -> Convert:
        if shape.type in _SCALAR_PARSERS:
            return _SCALAR_PARSERS[shape.type]
        name = shape.name
        if name not in self._compiled:
            self._compiled[name] = lambda value: self._compiled[name](value)
            self._compiled[name] = self._compile(shape)
        return self._compiled[name]

    def structure(self, members: list[Member]) -> Convert:
        table = {member.wire_name: (member.name, self.member(member)) for member in members}

        def parse(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                raise SerializationFailure(_cannot_convert(value, "a structure"))
            result = {}
            for key, item in value.items():
                entry = table.get(key)
                if entry is not None and item is not None:
                    result[entry[0]] = entry[1](item)
            return result

        return parse

    def _compile(self, shape: Shape) -> Convert:
        if shape.raw.get("document"):
            return lambda value: value
        if shape.type == "structure":
            return self.structure(list(shape.members.values()))
        if shape.type == "list":
            return self._list(self.member(shape.part("member")))
        if shape.type == "map":
            return self._map(self.member(shape.part("value")))
        raise NotImplementedError(f"shape {shape.name} has the type {shape.type}")

    def _list(self, element: Convert) -> Convert:
        def parse(value: Any) -> list[Any]:
            if type(value) is not list:
                if isinstance(value, dict):
                    raise SerializationFailure(_cannot_convert(value, "a list"))
                raise SerializationFailure("Expected list or null")
            return [None if item is None else element(item) for item in value]

        return parse

    def _map(self, element: Convert) -> Convert:
        def parse(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                if isinstance(value, list):
                    raise SerializationFailure(_cannot_convert(value, "a map"))
                raise SerializationFailure("Expected map or null")
            return {key: None if item is None else element(item) for key, item in value.items()}

        return parse


def _identity(value: Any) -> Any:
    return value


def _write_blob(value: Any) -> str:
    return b64encode(value.encode() if isinstance(value, str) else value).decode("ascii")


class JsonSerializers:
    """Compiles serializers for the shapes of one service. Scalars that orjson writes as they are cost nothing."""

    def __init__(self) -> None:
        self._compiled: dict[str, Convert] = {}

    def member(self, member: Member) -> Convert:
        if member.json_value:
            return lambda value: orjson.dumps(value).decode()
        if member.shape.type == "timestamp":
            style = member.timestamp_format or timestamps.UNIX
            if style == timestamps.UNIX:
                return timestamps.to_epoch
            return lambda value: timestamps.format_text(value, style)
        return self.shape(member.shape)

    def shape(self, shape: Shape) -> Convert:
        if shape.type == "blob":
            return _write_blob
        if shape.type not in ("structure", "list", "map") or shape.raw.get("document"):
            return _identity
        name = shape.name
        if name not in self._compiled:
            self._compiled[name] = lambda value: self._compiled[name](value)
            self._compiled[name] = self._compile(shape)
        return self._compiled[name]

    def structure(self, members: list[Member]) -> Convert:
        table = [(member.name, member.wire_name, self.member(member)) for member in members]

        def write(value: Mapping[str, Any]) -> dict[str, Any]:
            result = {}
            for name, wire_name, convert in table:
                item = value.get(name)
                if item is not None:
                    result[wire_name] = item if convert is _identity else convert(item)
            return result

        return write

    def _compile(self, shape: Shape) -> Convert:
        if shape.type == "structure":
            return self.structure(list(shape.members.values()))
        role = "member" if shape.type == "list" else "value"
        element = self.member(shape.part(role))
        if shape.type == "list":
            return list if element is _identity else lambda value: [element(item) for item in value]
        if element is _identity:
            return dict
        return lambda value: {key: element(item) for key, item in value.items()}
