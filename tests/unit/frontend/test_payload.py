from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.domain.errors import InvalidRequestContent
from ingle.frontend.payload import INLINE_SIZE, checked_payload
from ingle.json_check import unlocked


async def test_valid_payloads_are_handed_on_unchanged():
    for payload in (b"1", b' {"a": 1.50}\n', b'"\xc3\xa9"', b'"\\ud800"', b"[" * 900 + b"]" * 900):
        assert await checked_payload(payload) is payload


async def test_large_payloads_are_checked_the_same():
    filler = b'"' + b"x" * INLINE_SIZE + b'"'
    valid = b"[" + filler + b', {"a": null}]'
    assert await checked_payload(valid) is valid
    for bad in (
        b"[" + filler,
        filler + b"x",
        b"[" + filler + b",\xff]",
        b"[" + filler + b",\0]",
        b"[1," + filler + b",]",
    ):
        with pytest.raises(InvalidRequestContent):
            await checked_payload(bad)


@given(st.binary(max_size=20) | st.text('{}[]",:0123456789.eE+-tnfalsru \\', max_size=12).map(str.encode))
def test_both_checkers_agree(payload):
    try:
        orjson.loads(payload)
        expected = True
    except orjson.JSONDecodeError:
        expected = False
    if payload.startswith(b"\xef\xbb\xbf") or b"\\u" in payload:
        return
    assert unlocked(payload) == expected
