"""Ciphertexts of KMS keys, and envelopes of environment variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.encryption.aead import Undecipherable
from ingle.encryption.ciphertext import canonical, decrypt, encrypt, origin
from ingle.encryption.envelope import new_data_key, seal_variables, unseal_variables

KEY_ID, MATERIAL_ID, SECRET = "1234abcd-12ab-34cd-56ef-1234567890ab", "ab" * 32, b"s" * 32
contexts = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4)


@given(plaintext=st.binary(min_size=1, max_size=300), context=contexts)
def test_a_ciphertext_says_where_it_comes_from_and_gives_the_plaintext_back(plaintext: bytes, context: dict[str, str]):
    blob = encrypt(KEY_ID, MATERIAL_ID, SECRET, plaintext, context)
    assert origin(blob) == (KEY_ID, MATERIAL_ID[:16])
    assert decrypt(SECRET, blob, dict(reversed(context.items()))) == plaintext
    assert len(blob) <= len(plaintext) + 100


@given(context=contexts, other=contexts)
def test_a_context_is_bound_to_the_ciphertext(context: dict[str, str], other: dict[str, str]):
    blob = encrypt(KEY_ID, MATERIAL_ID, SECRET, b"x", context)
    assert (canonical(context) == canonical(other)) == (context == other)
    if context != other:
        with pytest.raises(Undecipherable):
            decrypt(SECRET, blob, other)


@given(place=st.integers(0, 10_000))
def test_a_changed_bit_is_noticed_wherever_it_is(place: int):
    blob = bytearray(encrypt(KEY_ID, MATERIAL_ID, SECRET, b"plaintext", {"a": "b"}))
    blob[place // 8 % len(blob)] ^= 1 << place % 8
    with pytest.raises(Undecipherable):
        decrypt(SECRET, bytes(blob), {"a": "b"})


@given(blob=st.binary(max_size=200))
def test_bytes_of_others_have_no_origin_or_do_not_decipher(blob: bytes):
    with pytest.raises(Undecipherable):
        origin(blob)
        decrypt(SECRET, blob, {})


def test_the_same_plaintext_never_looks_the_same():
    blobs = {encrypt(KEY_ID, MATERIAL_ID, SECRET, b"x", {}) for _ in range(100)}
    assert len(blobs) == 100


@given(variables=st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=5))
def test_variables_come_back_in_their_order_with_the_same_context_only(variables: dict[str, str]):
    key = new_data_key()
    sealed = seal_variables(key, variables, {"f": "1"})
    found = unseal_variables(key, sealed, {"f": "1"})
    assert list(found.items()) == list(variables.items())
    with pytest.raises(Undecipherable):
        unseal_variables(key, sealed, {"f": "2"})
    with pytest.raises(Undecipherable):
        unseal_variables(b"short", sealed, {"f": "1"})
