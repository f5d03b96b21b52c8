"""What is said about malformed JSON. The first two cases are recorded answers, the third is documented."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.wire import explain_json_error

TOKENS = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


def at(column, line=1):
    source = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"
    return f"[Source: {source}; line: {line}, column: {column}]"


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        (b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt", "Invalid UTF-8 start byte 0x87", 3),
        (
            b"\x99\xeb,j\x07\xa1zYh",
            f"Unexpected character ((CTRL-CHAR, code 153)): expected a valid value {TOKENS}",
            1,
        ),
        (b"Hello World", f"Unrecognized token 'Hello': was expecting {TOKENS}", 7),
        (b"Hello", f"Unrecognized token 'Hello': was expecting {TOKENS}", 6),
        (b"nul", f"Unrecognized token 'nul': was expecting {TOKENS}", 4),
        (b"truex", f"Unrecognized token 'truex': was expecting {TOKENS}", 6),
        (b"{a:1}", "Unexpected character ('a' (code 97)): was expecting double-quote to start field name", 2),
        (b'{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value", 6),
        (b'{"a":}', "Unexpected character ('}' (code 125)): expected a value", 6),
        (b"[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 4),
        (b"[1,]", "Unexpected character (']' (code 93)): expected a value", 4),
        (b"]", f"Unexpected character (']' (code 93)): expected a valid value {TOKENS}", 1),
        (b'["a', "Unexpected end-of-input: was expecting closing quote for a string value", 4),
        (b'{"a', "Unexpected end-of-input in field name", 4),
        (b"{", f"Unexpected end-of-input: expected close marker for Object (start marker at {at(1)})", 2),
        (
            b'"\x01"',
            "Illegal unquoted character ((CTRL-CHAR, code 1)): has to be escaped using backslash to be included in "
            "string value",
            3,
        ),
        (b'"\\x"', "Unrecognized character escape 'x' (code 120)", 4),
        (b'"\\u12g4"', "Unexpected character ('g' (code 103)): expected a hex-digit for character escape sequence", 6),
        (b'"\xc3\x28"', "Invalid UTF-8 middle byte 0x28", 4),
        (b"01", "Invalid numeric value: Leading zeroes not allowed", 2),
        (b"1.x", "Unexpected character ('x' (code 120)) in numeric value: Decimal point not followed by a digit", 3),
        (b"   ", "No content to map due to end-of-input", 4),
    ],
)
def test_first_error_and_its_place(text, message, column):
    assert explain_json_error(text) == f"{message}\n at {at(column)}"


def test_lines_are_counted():
    assert explain_json_error(b'{"a": 1,\n  b}').endswith(at(3, line=2))


def test_deep_nesting_is_an_error():
    assert "nesting depth (1001)" in explain_json_error(b"[" * 3000)


def test_lone_surrogates_are_accepted():
    assert explain_json_error(b'"\\ud800"') is None


@given(st.binary(max_size=12) | st.text('{}[]",:0123456789.eE+-tnfalsru \\', max_size=12).map(str.encode))
def test_every_refused_text_has_an_explanation(text):
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        if b"\\u" not in text:
            assert explain_json_error(text) is not None
    else:
        assert explain_json_error(text) is None
