"""Master keys and what is wrapped under them."""

from __future__ import annotations

import base64
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.encryption.aead import Undecipherable, seal, unseal
from ingle.encryption.master import Keyring, MasterKey, MasterKeyError, MasterKeyMissing, wrapped_under
from ingle.encryption.materials import generate, rewrap, unwrap
from ingle.encryption.sources import FileSource, ProgramSource, VariableSource, parse_source

KEY, OTHER = MasterKey(b"k" * 32), MasterKey(b"o" * 32)
RING = Keyring((KEY,))


@given(plaintext=st.binary(max_size=200), context=st.binary(max_size=20))
def test_what_is_sealed_is_unsealed_with_the_same_context_only(plaintext: bytes, context: bytes):
    sealed = seal(b"x" * 32, plaintext, context)
    assert unseal(b"x" * 32, sealed, context) == plaintext
    for key, other in ((b"x" * 32, context + b"!"), (b"y" * 32, context)):
        with pytest.raises(Undecipherable):
            unseal(key, sealed, other)


@given(sealed=st.binary(max_size=60))
def test_bytes_that_were_never_sealed_are_undecipherable(sealed: bytes):
    with pytest.raises(Undecipherable):
        unseal(b"x" * 32, sealed, b"")


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_a_changed_bit_is_noticed(place: int):
    wrapped = bytearray(RING.wrap(b"secret bytes that are wrapped", b"c"))
    wrapped[place % len(wrapped)] ^= 1
    with pytest.raises((Undecipherable, MasterKeyMissing)):
        RING.unwrap(bytes(wrapped), b"c")


def test_former_keys_read_and_the_current_one_writes():
    both = Keyring((OTHER, KEY))
    wrapped = RING.wrap(b"secret", b"c")
    assert both.unwrap(wrapped, b"c") == b"secret"
    again = both.rewrap(wrapped, b"c")
    assert (wrapped_under(wrapped), wrapped_under(again)) == (KEY.id, OTHER.id)
    assert Keyring((OTHER,)).unwrap(again, b"c") == b"secret"
    assert both.rewrap(again, b"c") is again
    with pytest.raises(MasterKeyMissing, match=OTHER.id):
        RING.unwrap(again, b"c")


def test_material_belongs_to_its_key_and_to_its_place_in_it():
    made = generate(RING, "key")
    secret = unwrap(RING, "key", made.id, made.wrapped)
    assert len(secret) == 32
    assert secret not in made.wrapped
    for key_id, material_id in (("other", made.id), ("key", "0" * 64)):
        with pytest.raises(Undecipherable):
            unwrap(RING, key_id, material_id, made.wrapped)
    moved = rewrap(Keyring((OTHER, KEY)), "key", made.id, made.wrapped)
    assert unwrap(Keyring((OTHER,)), "key", made.id, moved) == secret


def test_no_repr_shows_a_key():
    shown = f"{KEY} {RING} {KEY!r} {RING!r} {generate(RING, 'key')!r}"
    assert KEY.text not in shown
    assert "k" * 32 not in shown
    assert KEY.id in shown


def test_a_ring_reads_several_keys_and_remarks():
    text = f"# a remark\n{OTHER.text}\n  {KEY.text} {KEY.text}\n"
    assert Keyring.parse(text).keys == (OTHER, KEY)


@pytest.mark.parametrize("text", ["", "# only a remark", "short", base64.b64encode(b"x" * 31).decode(), "ö" * 44])
def test_what_is_no_key_is_refused_without_being_repeated(text: str):
    with pytest.raises(MasterKeyError) as raised:
        Keyring.parse(text)
    assert not text or text not in str(raised.value)


def test_a_file_is_its_owners_alone(tmp_path: Path):
    source = FileSource(tmp_path / "master.key")
    assert source.read() is None
    source.write(RING)
    assert stat.S_IMODE(source.path.stat().st_mode) == 0o600
    assert source.read() == RING
    source.write(Keyring((OTHER, KEY)))
    assert source.read() == Keyring((OTHER, KEY))
    assert os.listdir(tmp_path) == ["master.key"]


def test_a_file_that_others_can_read_is_refused(tmp_path: Path):
    source = FileSource(tmp_path / "master.key")
    source.write(RING)
    source.path.chmod(0o640)
    with pytest.raises(MasterKeyError, match="can be read by others; chmod 600"):
        source.read()


def test_a_file_that_cannot_be_used_says_so_in_one_line(tmp_path: Path):
    with pytest.raises(MasterKeyError, match="is not a file"):
        FileSource(tmp_path).read()
    with pytest.raises(MasterKeyError, match="cannot be written"):
        FileSource(tmp_path / "missing" / "master.key").write(RING)
    path = tmp_path / "broken"
    path.write_bytes(b"\xff" * 44)
    path.chmod(0o600)
    with pytest.raises(MasterKeyError, match="does not hold a key in base64"):
        FileSource(path).read()


def test_a_variable_holds_the_key():
    variables = {"KEY": KEY.text}
    assert VariableSource("KEY", variables.get).read() == RING
    with pytest.raises(MasterKeyError, match="The master key's variable OTHER is not set"):
        VariableSource("OTHER", variables.get).read()


def test_a_program_prints_the_key():
    def program(source: str) -> ProgramSource:
        return ProgramSource((sys.executable, "-c", source))

    assert program(f"print('{KEY.text}')").read() == RING
    with pytest.raises(MasterKeyError, match="failed with exit status 3"):
        program(f"print('{KEY.text}'); raise SystemExit(3)").read()
    with pytest.raises(MasterKeyError, match="is not usable: There is no master key"):
        program("pass").read()
    with pytest.raises(MasterKeyError, match="cannot be run"):
        ProgramSource(("/nowhere/program",)).read()


def test_a_setting_names_the_source(tmp_path: Path):
    default = tmp_path / "master.key"
    assert parse_source("file", default, dict.get) == FileSource(default)
    assert parse_source(f"file:{tmp_path}/other", default, dict.get) == FileSource(tmp_path / "other")
    assert parse_source("env:KEY", default, {}.get).describe() == "the variable KEY"
    assert parse_source("command:vault 'a b'", default, {}.get) == ProgramSource(("vault", "a b"))
    with pytest.raises(MasterKeyError):
        parse_source("command:'", default, {}.get)
