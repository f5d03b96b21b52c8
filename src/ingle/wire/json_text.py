"""Says what is wrong with a JSON text in the words of the parser that AWS uses (Jackson).

`explain` is called only for a text that orjson has refused; it finds the first error and where it is. The texts and
columns follow recorded answers; a column counts bytes, from 1. Called by the JSON protocols and by `frontend` for
Invoke payloads.
"""

from __future__ import annotations

import re

_SOURCE = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]"
_TOKENS = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_ROOT, _ARRAY, _OBJECT = "root", "Array", "Object"
MAX_DEPTH = 1000
MAX_TOKEN = 256

_SPACE = re.compile(rb"[ \t\r\n]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f\x80-\xff]*')
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LITERALS = {0x74: b"true", 0x66: b"false", 0x6E: b"null"}
_ESCAPES = frozenset(b'"\\/bfnrt')


class _Found(Exception):
    """The first error, with the offset of the location that is reported."""

    def __init__(self, text: str, offset: int) -> None:
        self.text = text
        self.offset = offset


def explain(text: bytes) -> str | None:
    """The first error of `text` with its location; None when the text is JSON by Jackson's rules.

    The two differ: a lone surrogate escape is accepted by Jackson and refused by orjson.
    """
    try:
        _Scanner(text).scan()
    except _Found as found:
        return f"{found.text}\n at {_location(text, found.offset)}"
    return None


def _location(text: bytes, offset: int) -> str:
    line_start = text.rfind(b"\n", 0, offset) + 1
    return _SOURCE.format(line=text.count(b"\n", 0, offset) + 1, column=offset - line_start + 1)


def _described(code: int) -> str:
    if code < 32 or 127 <= code < 160:
        return f"(CTRL-CHAR, code {code})"
    if code > 255:
        return f"'{chr(code)}' (code {code} / 0x{code:x})"
    return f"'{chr(code)}' (code {code})"


class _Scanner:
    """A pass over a text that keeps the open containers and raises `_Found` at the first error."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 0
        self.open: list[tuple[str, int]] = []
        self.just_opened = False

    def scan(self) -> None:
        self._space()
        if self.at == len(self.text):
            raise _Found("No content to map due to end-of-input", self.at)
        self._value()
        while self.open:
            self._continue_container()
        self._space()
        if self.at < len(self.text):
            self._trailing()

    def _trailing(self) -> None:
        before = self.text[self.at - 1 : self.at]
        if before.isdigit() and self.text[self.at :][:1] not in b"[{":
            self._unexpected("Expected space separating root-level values")
        self._value()
        raise _Found("Trailing token found after value (bound as `JsonNode`): not allowed", self.at)

    def _space(self) -> None:
        matched = _SPACE.match(self.text, self.at)
        self.at = matched.end() if matched else self.at

    def _peek(self) -> int:
        """The next byte after white space. Raises at the end of the text."""
        self._space()
        if self.at >= len(self.text):
            self._end_of_input()
        return self.text[self.at]

    def _end_of_input(self) -> None:
        if not self.open:
            raise _Found("Unexpected end-of-input", self.at)
        kind, start = self.open[-1]
        marker = f"expected close marker for {kind} (start marker at {_location(self.text, start)})"
        raise _Found(f"Unexpected end-of-input: {marker}", self.at)

    def _unexpected(self, expectation: str) -> None:
        code = self._decoded(self.text[self.at])[0] if self.at < len(self.text) else 0
        raise _Found(f"Unexpected character ({_described(code)}): {expectation}", self.at)

    def _continue_container(self) -> None:
        """Read the next entry of the innermost container, or its end."""
        kind, _ = self.open[-1]
        first, self.just_opened = self.just_opened, False
        byte = self._peek()
        if byte == (0x5D if kind == _ARRAY else 0x7D):
            self.at += 1
            self.open.pop()
            return
        if not first:
            if byte != 0x2C:
                self._unexpected(f"was expecting comma to separate {kind} entries")
            self.at += 1
        if kind == _OBJECT:
            self._name()
        self._peek()
        self._value()

    def _name(self) -> None:
        if self._peek() != 0x22:
            self._unexpected("was expecting double-quote to start field name")
        self._string("Unexpected end-of-input in field name")
        if self._peek() != 0x3A:
            self._unexpected("was expecting a colon to separate field name and value")
        self.at += 1

    def _value(self) -> None:
        byte = self.text[self.at]
        if byte == 0x22:
            self._string("Unexpected end-of-input: was expecting closing quote for a string value")
        elif byte in b"{[":
            self._open_container(byte)
        elif byte == 0x2D or 0x30 <= byte <= 0x39:
            self._number()
        elif byte in _LITERALS:
            self._literal(_LITERALS[byte])
        else:
            self._no_value(byte)

    def _open_container(self, byte: int) -> None:
        self.open.append((_OBJECT if byte == 0x7B else _ARRAY, self.at))
        self.just_opened = True
        self.at += 1
        if len(self.open) > MAX_DEPTH:
            limit = f"maximum allowed ({MAX_DEPTH}, from `StreamReadConstraints.getMaxNestingDepth()`)"
            raise _Found(f"Document nesting depth ({len(self.open)}) exceeds the {limit}", self.at)

    def _no_value(self, byte: int) -> None:
        in_container = bool(self.open)
        if byte == 0x7D or (byte == 0x2C and in_container) or (byte == 0x5D and self._inside(_ARRAY)):
            self._unexpected("expected a value")
        if byte == 0x4E and self.text.startswith(b"NaN", self.at):
            reason = "enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"
            raise _Found(f"Non-standard token 'NaN': {reason}", self.at + 3)
        if byte < 0x80 and (chr(byte).isalpha() or byte in b"_$"):
            self.at += 1
            self._invalid_token(chr(byte))
        if byte >= 0x80 and chr(byte).isalpha():
            code, self.at = self._decoded(byte)
            self._invalid_token(chr(code))
        if byte >= 0x80 and not chr(byte).isalpha():
            raise _Found(f"Unexpected character ({_described(byte)}): expected a valid value {_TOKENS}", self.at)
        self._unexpected(f"expected a valid value {_TOKENS}")

    def _inside(self, kind: str) -> bool:
        return bool(self.open) and self.open[-1][0] == kind

    def _literal(self, word: bytes) -> None:
        matched = 0
        while matched < len(word) and self.text[self.at : self.at + 1] == word[matched : matched + 1]:
            matched += 1
            self.at += 1
        following = self.text[self.at : self.at + 1]
        if matched < len(word) or following.isalnum() or (following and following in b"_$"):
            self._invalid_token(word[:matched].decode())

    def _invalid_token(self, token: str) -> None:
        """Raise for a bare word, whose first part has been read: the rest of it belongs to the message."""
        while self.at < len(self.text):
            code, self.at = self._decoded(self.text[self.at])
            character = chr(code)
            if not (character.isalnum() or character in "_$"):
                break
            token += character
            if len(token) >= MAX_TOKEN:
                token += "..."
                break
        raise _Found(f"Unrecognized token '{token}': was expecting {_TOKENS}", self.at)

    def _number(self) -> None:
        matched = _NUMBER.match(self.text, self.at)
        if matched is None:
            self.at += 1
            self._bad_number("expected digit (0-9) to follow minus sign, for valid numeric value")
            return
        start, self.at = self.at, matched.end()
        following = self.text[self.at : self.at + 1]
        if matched.group().lstrip(b"-") == b"0" and following.isdigit():
            raise _Found("Invalid numeric value: Leading zeroes not allowed", start + 1)
        if following == b".":
            self.at += 1
            self._bad_number("Decimal point not followed by a digit")
        if following and following in b"eE":
            self.at += 2 if self.text[self.at + 1 : self.at + 2] in (b"+", b"-") else 1
            self._bad_number("Exponent indicator not followed by a digit")

    def _bad_number(self, comment: str) -> None:
        if self.at >= len(self.text):
            raise _Found("Unexpected end-of-input in numeric value", self.at)
        code = _described(self.text[self.at])
        raise _Found(f"Unexpected character ({code}) in numeric value: {comment}", self.at)

    def _string(self, unfinished: str) -> None:
        self.at += 1
        while True:
            matched = _PLAIN.match(self.text, self.at)
            self.at = matched.end() if matched else self.at
            if self.at >= len(self.text):
                raise _Found(unfinished, self.at)
            byte = self.text[self.at]
            if byte == 0x22:
                self.at += 1
                return
            if byte == 0x5C:
                self._escape(unfinished)
            elif byte < 0x20:
                what = f"Illegal unquoted character ({_described(byte)})"
                rule = "has to be escaped using backslash to be included in string value"
                raise _Found(f"{what}: {rule}", self.at + 1)
            else:
                _, self.at = self._decoded(byte)

    def _escape(self, unfinished: str) -> None:
        self.at += 2
        if self.at > len(self.text):
            raise _Found(unfinished, len(self.text))
        kind = self.text[self.at - 1]
        if kind == 0x75:
            for _ in range(4):
                if self.at >= len(self.text):
                    raise _Found(unfinished, self.at)
                if self.text[self.at] not in b"0123456789abcdefABCDEF":
                    self._unexpected("expected a hex-digit for character escape sequence")
                self.at += 1
        elif kind not in _ESCAPES:
            raise _Found(f"Unrecognized character escape {_described(kind)}", self.at)

    def _decoded(self, first: int) -> tuple[int, int]:
        """The code point that starts at the current byte, and the offset behind it. Raises for bad UTF-8."""
        if first < 0x80:
            return first, self.at + 1
        length = 2 if first & 0xE0 == 0xC0 else 3 if first & 0xF0 == 0xE0 else 4 if first & 0xF8 == 0xF0 else 0
        if not length:
            raise _Found(f"Invalid UTF-8 start byte 0x{first:x}", self.at + 1)
        code = first & (0x7F >> length)
        for offset in range(self.at + 1, self.at + length):
            if offset >= len(self.text):
                raise _Found("Unexpected end-of-input", offset)
            byte = self.text[offset]
            if byte & 0xC0 != 0x80:
                raise _Found(f"Invalid UTF-8 middle byte 0x{byte:x}", offset + 1)
            code = code << 6 | byte & 0x3F
        if code > 0x10FFFF or 0xD800 <= code < 0xE000 or code < (0, 0, 0x80, 0x800, 0x10000)[length]:
            raise _Found(f"Invalid UTF-8 start byte 0x{first:x}", self.at + 1)
        return code, self.at + length
