"""Results as XML text, compiled from shapes. Shared by the query protocol and EC2's dialect of it.

A writer takes a value and the name of its element, and answers the element's text. Members that are None or that the
shape does not have are left out.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from ingle.wire import timestamps
from ingle.wire.model import Member, Shape
from ingle.wire.query_values import is_flat

Write = Callable[[Any], str]
ToText = Callable[[Any], str]

#: What XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


def escape(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text).translate(_ESCAPES)


def element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>"


def _boolean(value: Any) -> str:
    return "true" if value else "false"


def _blob(value: Any) -> str:
    return b64encode(value.encode() if isinstance(value, str) else value).decode("ascii")


def _text(value: Any) -> str:
    return escape(str(value))


_SCALARS: Mapping[str, ToText] = {"boolean": _boolean, "blob": _blob}


class XmlSerializers:
    """Compiles writers for the shapes of one service."""

    def __init__(self) -> None:
        self._compiled: dict[str, Write] = {}

    def member(self, member: Member, name: str) -> Write:
        """Writes a member as one element called `name`, or several where its elements stand in its place."""
        shape = member.shape
        if shape.type == "list":
            return self._list(shape, name, flat=is_flat(member))
        if shape.type == "map":
            return self._map(shape, name, flat=is_flat(member))
        if shape.type == "structure":
            content = self.shape(shape)
        elif shape.type == "timestamp":
            style = member.timestamp_format or timestamps.ISO8601

            def content(value: Any) -> str:
                return timestamps.format_text(value, style)
        else:
            content = _SCALARS.get(shape.type, _text)
        return lambda value: element(name, content(value))

    def shape(self, shape: Shape) -> Write:
        """What stands inside a structure's element."""
        name = shape.name
        if name not in self._compiled:
            self._compiled[name] = lambda value: self._compiled[name](value)
            self._compiled[name] = self.structure(list(shape.members.values()))
        return self._compiled[name]

    def structure(self, members: list[Member]) -> Write:
        table = [(member.name, self.member(member, member.wire_name)) for member in members]

        def write(value: Mapping[str, Any]) -> str:
            return "".join([convert(item) for name, convert in table if (item := value.get(name)) is not None])

        return write

    def _list(self, shape: Shape, name: str, *, flat: bool) -> Write:
        part = shape.part("member")
        # Late: a list may hold structures that hold the list.
        convert: Write | None = None

        def write(value: Any) -> str:
            nonlocal convert
            convert = convert or self.member(part, part.raw.get("locationName", name if flat else "member"))
            items = "".join([convert(item) for item in value])
            return items if flat else element(name, items)

        return write

    def _map(self, shape: Shape, name: str, *, flat: bool) -> Write:
        key, part = shape.part("key"), shape.part("value")
        key_name = key.raw.get("locationName", "key")
        convert: Write | None = None

        def write(value: Mapping[str, Any]) -> str:
            nonlocal convert
            convert = convert or self.member(part, part.raw.get("locationName", "value"))
            entry = name if flat else "entry"
            entries = "".join(
                [element(entry, element(key_name, _text(item)) + convert(of_key)) for item, of_key in value.items()]
            )
            return entries if flat else element(name, entries)

        return write
