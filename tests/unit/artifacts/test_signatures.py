"""Signatures in packages: what one proves, and that nothing about a signed package can be changed unseen."""

from __future__ import annotations

import io
import os
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ingle.artifacts import EmptyPackage, NotAZip, PackageError, PackageMissing, UnsafePackage, sealing
from ingle.artifacts.archive import entries, open_archive, verify
from ingle.artifacts.errors import AlreadySealed, BrokenSeal, UnsupportedArchive
from ingle.artifacts.signatures import Signatures, signed
from ingle.domain.function import Package, Signature
from ingle.domain.signing import ALTERED, UNSIGNED, ProfileVersion, SigningJob, Statement
from ingle.storage.signing_profiles import KnownProfile, SigningProfiles

from .archives import make_zip

VERSION = ProfileVersion(account="000000000000", region="us-east-1", name="team", version="AbCdEfGh01")
JOB = SigningJob(account="000000000000", region="us-east-1", id="00000000-0000-4000-8000-000000000001")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
EXPIRES = 2_000_000_000
ORIGINAL = make_zip(("app.py", b"print('signed')\n" * 9), ("bin/", b"", 0o40755), ("bin/tool", b"\0" * 99, 0o100755))
WHO = Signature(profile_version_arn=VERSION.arn, job_arn=JOB.arn)


def statement_about(zip_bytes: bytes) -> Statement:
    return Statement(profile=VERSION, job=JOB, package=sealing.digest(zip_bytes), signed=1_700_000_000, expires=EXPIRES)


def sign(zip_bytes: bytes, key: Ed25519PrivateKey = KEY, statement: Statement | None = None) -> bytes:
    return signed(zip_bytes, statement or statement_about(zip_bytes), key.sign)


def content_of(zip_bytes: bytes) -> dict[str, tuple[int, bytes]]:
    with zipfile.ZipFile(io.BytesIO(zip_bytes)) as archive:
        return {info.filename: (info.external_attr, archive.read(info)) for info in archive.infolist()}


def with_comment(zip_bytes: bytes, comment: bytes) -> bytes:
    return zip_bytes[:-2] + struct.pack("<H", len(comment)) + comment


SIGNED = sign(ORIGINAL)


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ingle-test-") as path:
        yield Path(path)


@pytest.fixture
def profiles(tmp_path: Path) -> SigningProfiles:
    known = SigningProfiles(tmp_path / "signing")
    known.add(KnownProfile(version=VERSION, key=KEY.public_key().public_bytes_raw(), created=5))
    return known


@pytest.fixture
def signatures(profiles: SigningProfiles, tmp_path: Path) -> Signatures:
    return Signatures(profiles, lambda package: tmp_path / package.digest)


async def test_a_signed_package_shows_who_signed_it(signatures: Signatures):
    evidence = await signatures.of_zip(SIGNED)
    assert (evidence.signature, evidence.altered, evidence.revoked) == (WHO, False, False)
    assert evidence.expires == EXPIRES


@pytest.mark.parametrize("original", [ORIGINAL, with_comment(ORIGINAL, b"0123456789abcdef of git archive")])
def test_signing_adds_an_entry_and_leaves_everything_else(original: bytes):
    made = sign(original)
    assert {name: inner for name, inner in content_of(made).items() if name != sealing.NAME} == content_of(original)
    assert list(content_of(made))[-1] == sealing.NAME
    assert sealing.unsealed(made).digest == sealing.digest(original)
    with open_archive(io.BytesIO(made)) as archive:
        verify(archive, entries(archive))


async def test_a_package_that_is_kept_is_read_from_where_it_is(signatures: Signatures, tmp_path: Path):
    package = Package(digest="ab" * 32, size=1)
    with pytest.raises(PackageMissing):
        await signatures.of_package(package)
    (tmp_path / package.digest).write_bytes(SIGNED)
    assert (await signatures.of_package(package)).signature == WHO
    (tmp_path / package.digest).write_bytes(ORIGINAL)
    assert await signatures.of_package(package) == UNSIGNED


async def test_a_package_that_is_certainly_unsigned_takes_no_thread(
    signatures: Signatures, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("asyncio.to_thread", None)
    assert await signatures.of_zip(ORIGINAL) == UNSIGNED
    with pytest.raises(TypeError):
        await signatures.of_zip(SIGNED)


def repacked(zip_bytes: bytes, **changes: bytes | None) -> bytes:
    """As somebody would tamper: the same entries in a new archive, some changed, added or (None) left out."""
    files = {name: inner for name, (_, inner) in content_of(zip_bytes).items()}
    merged: dict[str, bytes | None] = {**files, **{name.replace("__", "/"): inner for name, inner in changes.items()}}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inner in merged.items():
            if inner is not None:
                archive.writestr(name, inner)
    return buffer.getvalue()


def appended(zip_bytes: bytes, name: str, inner: bytes) -> bytes:
    buffer = io.BytesIO(zip_bytes)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(name, inner)
    return buffer.getvalue()


def with_mode(zip_bytes: bytes, mode: int) -> bytes:
    """Another mode for the first entry."""
    at = zip_bytes.index(b"PK\x01\x02") + 38
    return zip_bytes[:at] + struct.pack("<L", mode << 16) + zip_bytes[at + 4 :]


SEAL = content_of(SIGNED)[sealing.NAME][1]
LINE, HEX = SEAL.splitlines()
TAMPERED = {
    "a file changed": repacked(SIGNED, **{"app.py": b"print('mine')\n"}),
    "a file added": repacked(SIGNED, extra=b""),
    "a file left out": repacked(SIGNED, bin__tool=None),
    "packed again, all the same": repacked(SIGNED),
    "a file appended": appended(SIGNED, "extra.py", b""),
    "the seal of another package": sealing.sealed(make_zip(("app.py", b"other")), SEAL),
    "a mode changed": with_mode(SIGNED, 0o104755),
    "a name changed": SIGNED.replace(b"app.py", b"lib.py"),
    "a comment added": with_comment(SIGNED, b"hello"),
    "a program in front": b"#!/bin/sh\n" + SIGNED,
    "bytes behind": SIGNED + b"\n",
    "signed by another key": sign(ORIGINAL, OTHER_KEY),
    "signed for another purpose": sealing.sealed(ORIGINAL, LINE + b"\n" + KEY.sign(LINE).hex().encode() + b"\n"),
    "about another package": sign(ORIGINAL, statement=statement_about(b"another")),
    "the signature in capitals": sealing.sealed(ORIGINAL, LINE + b"\n" + HEX.upper() + b"\n"),
    "a line more": sealing.sealed(ORIGINAL, SEAL + b"\n"),
    "no signature": sealing.sealed(ORIGINAL, LINE + b"\n"),
    "no statement": sealing.sealed(ORIGINAL, b"\n" + HEX + b"\n"),
    "nothing": sealing.sealed(ORIGINAL, b""),
    "numbers beyond numbers": sealing.sealed(ORIGINAL, LINE.replace(b"2000000000", b"1e999") + b"\n" + HEX + b"\n"),
    "lists within lists": sealing.sealed(ORIGINAL, b"[" * 4000),
    "no text": sealing.sealed(ORIGINAL, b"\xff" * 500),
    "much": appended(ORIGINAL, sealing.NAME, b"x" * 1_000_000),
    "by a name that means the same": appended(SIGNED, f"./{sealing.NAME}", SEAL),
}  # fmt: skip


@pytest.mark.parametrize("zip_bytes", TAMPERED.values(), ids=TAMPERED.keys())
async def test_what_was_tampered_with_is_noticed(signatures: Signatures, zip_bytes: bytes):
    evidence = await signatures.of_zip(zip_bytes)
    try:
        with open_archive(io.BytesIO(zip_bytes)) as archive:
            verify(archive, entries(archive))
    except PackageError:
        assert evidence.signature is None  # no package at all, and refused as that
    else:
        assert evidence == ALTERED


async def test_without_its_seal_a_package_is_unsigned(signatures: Signatures):
    assert await signatures.of_zip(repacked(SIGNED, **{"META-INF__ingle-signature-v1": None})) == UNSIGNED
    assert await signatures.of_zip(SIGNED.replace(b"META-INF", b"META-INX")) == UNSIGNED


async def test_a_profile_that_is_not_known_here_proves_nothing(signatures: Signatures):
    stranger = replace(statement_about(ORIGINAL), profile=replace(VERSION, version="0000000000"))
    assert await signatures.of_zip(sign(ORIGINAL, statement=stranger)) == UNSIGNED
    assert await signatures.of_zip(appended(sign(ORIGINAL, statement=stranger), "x", b"")) == ALTERED


async def test_the_version_of_a_profile_and_a_single_job_can_be_revoked(
    signatures: Signatures, profiles: SigningProfiles
):
    another = sign(ORIGINAL, statement=replace(statement_about(ORIGINAL), job=replace(JOB, id=JOB.id[:-1] + "2")))
    profiles.revoke(JOB, 7, "lost")
    assert (await signatures.of_zip(SIGNED)).revoked
    assert not (await signatures.of_zip(another)).revoked
    profiles.revoke(VERSION, 8, "")
    assert (await signatures.of_zip(another)).revoked


@settings(deadline=None, max_examples=300)
@given(data=st.data())
async def test_no_byte_of_a_signed_package_can_be_changed(directory: Path, data: st.DataObject):
    profiles = SigningProfiles(directory)
    profiles.add(KnownProfile(version=VERSION, key=KEY.public_key().public_bytes_raw(), created=5))
    signatures = Signatures(profiles, lambda package: directory / package.digest)
    at = data.draw(st.integers(0, len(SIGNED) - 1))
    changed = data.draw(st.sampled_from(("flip", "cut", "drop", "insert", "end")))
    byte = data.draw(st.integers(1, 255))
    made = {
        "flip": SIGNED[:at] + bytes([SIGNED[at] ^ byte]) + SIGNED[at + 1 :],
        "cut": SIGNED[:at],
        "drop": SIGNED[:at] + SIGNED[at + 1 :],
        "insert": SIGNED[:at] + bytes([byte]) + SIGNED[at:],
        "end": SIGNED + SIGNED[at:],
    }[changed]
    if made != SIGNED:
        assert (await signatures.of_zip(made)).signature is None


def test_every_single_bit_counts():
    for at in range(len(SIGNED)):
        for bit in range(8):
            made = bytearray(SIGNED)
            made[at] ^= 1 << bit
            try:
                found = sealing.unsealed(bytes(made))
            except BrokenSeal:
                continue
            assert (found.content, found.digest) != (SEAL, sealing.digest(ORIGINAL))


@settings(deadline=None)
@given(content=st.dictionaries(st.text("ab/.é", min_size=1, max_size=8), st.binary(max_size=50), min_size=1),
       compression=st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)), comment=st.binary(max_size=30),
       seal=st.binary(max_size=200))  # fmt: skip
def test_what_is_sealed_is_found_again(content: dict[str, bytes], compression: int, comment: bytes, seal: bytes):
    original = with_comment(make_zip(*content.items(), compression=compression), comment)
    try:
        made = sealing.sealed(original, seal)
    except PackageError:
        return  # names that no package can have, or a comment that looks like a zip's end
    assert sealing.unsealed(made) == sealing.Unsealed(content=seal, digest=sealing.digest(original))
    assert sealing.may_be_sealed(made)
    assert sealing.has_seal(made)


@given(noise=st.binary(max_size=200), after=st.binary(max_size=60))
async def test_noise_never_passes_and_never_breaks(noise: bytes, after: bytes):
    signatures = Signatures(SigningProfiles(Path(os.devnull) / "none"), lambda package: Path(os.devnull))
    for zip_bytes in (noise, noise + b"PK\x05\x06" + after, ORIGINAL + noise, noise + ORIGINAL):
        assert (await signatures.of_zip(zip_bytes)).signature is None


@pytest.mark.parametrize(
    ("zip_bytes", "error"),
    [
        (SIGNED, AlreadySealed),
        (TAMPERED["a file changed"], AlreadySealed),
        (b"", NotAZip),
        (b"no zip", NotAZip),
        (make_zip(), EmptyPackage),
        (make_zip(("../x", b"")), UnsafePackage),
        (b"#!/bin/sh\n" + ORIGINAL, UnsupportedArchive),
        (with_comment(ORIGINAL, b"a PK\x05\x06 comment"), NotAZip),
    ],
)
def test_what_cannot_be_signed(zip_bytes: bytes, error: type[Exception]):
    with pytest.raises(error):
        sign(zip_bytes)


def test_a_damaged_package_is_not_signed():
    at = ORIGINAL.index(b"PK\x01\x02") - 20
    with pytest.raises(PackageError):
        sign(ORIGINAL[:at] + b"\xff\xff\xff" + ORIGINAL[at + 3 :])


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:signer:us-east-1:000000000000:/signing-profiles/test",
        "arn:aws:signer:us-east-1:000000000000:/signing-profiles/te.st/AbCdEfGh01",
        "arn:aws:signer:us-east-1:000000000000:/signing-profiles/../AbCdEfGh01",
        "arn:aws:signer:us/east:000000000000:/signing-profiles/test/AbCdEfGh01",
        "arn:aws-cn:signer:us-east-1:000000000000:/signing-profiles/test/AbCdEfGh01",
        "arn:aws:signer:us-east-1:000000000000:/signing-profiles/test/AbCdEfGh01\n",
        "",
    ],
)
def test_what_is_no_version_of_a_profile(arn: str):
    assert ProfileVersion.parse(arn) is None
    assert SigningJob.parse(arn) is None


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"])
def test_arns_are_read_as_they_are_written(region: str):
    version, job = replace(VERSION, region=region), replace(JOB, region=region)
    assert ProfileVersion.parse(version.arn) == version
    assert SigningJob.parse(job.arn) == job


@given(data=st.binary(max_size=60) | st.from_regex(rb'\{"[a-z]{0,8}":[0-9"]{0,8}\}'))
def test_statements_are_read_from_their_own_form_only(data: bytes):
    assert Statement.decode(data) is None


def test_a_statement_comes_back():
    statement = statement_about(ORIGINAL)
    assert Statement.decode(statement.encode()) == statement
    assert Statement.decode(statement.encode() + b" ") is None
