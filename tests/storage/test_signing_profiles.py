"""What is known of signing profiles: it is written once, is read as it was, and goes into a backup."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ingle.domain.function import LayerReference, Package, Signature
from ingle.domain.signing import ProfileVersion, SigningJob
from ingle.storage.backup import backup
from ingle.storage.data_directory import DataDirectory
from ingle.storage.documents import package_from_document, package_to_document
from ingle.storage.errors import StorageUnavailable
from ingle.storage.signing_profiles import KnownProfile, SigningProfiles
from ingle.storage.sql import SqlStore

from .values import make_function

VERSION = ProfileVersion(account="000000000000", region="us-east-1", name="team", version="AbCdEfGh01")
PROFILE = KnownProfile(version=VERSION, key=bytes(range(32)), created=1_700_000_000)
JOB = SigningJob(account="000000000000", region="us-east-1", id="00000000-0000-4000-8000-000000000001")
OTHERS = [
    replace(PROFILE, version=replace(VERSION, **change))
    for change in ({"version": "AbCdEfGh02"}, {"name": "teams"}, {"region": "eu-west-1"}, {"account": "111111111111"})
]


def test_versions_are_apart_from_each_other(tmp_path: Path):
    profiles = SigningProfiles(tmp_path / "signing")
    assert profiles.get(VERSION) is None
    assert list(profiles.all()) == []
    for known in (PROFILE, *OTHERS):
        profiles.add(known)
    profiles.revoke(VERSION, 5, "a reason")
    profiles.revoke(VERSION, 6, "another")
    again = SigningProfiles(tmp_path / "signing")
    assert sorted(again.all(), key=str) == sorted([PROFILE, *OTHERS], key=str)
    assert all(again.get(known.version) == known for known in (PROFILE, *OTHERS))
    assert [known for known in again.all() if again.is_revoked(known.version)] == [PROFILE]
    assert "a reason" in next((tmp_path / "signing/revoked").iterdir()).read_text()


def test_a_job_that_nobody_heard_of_can_be_revoked(tmp_path: Path):
    profiles = SigningProfiles(tmp_path)
    assert not profiles.is_revoked(JOB)
    profiles.revoke(JOB, 5, "")
    assert profiles.is_revoked(JOB)
    assert not profiles.is_revoked(replace(JOB, region="eu-west-1"))


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"{}", b'{"arn":"x","public_key":"00","created":5}', b"\xff", b'{"arn":1}']
)
def test_nothing_is_said_about_a_damaged_file(tmp_path: Path, damage: bytes):
    profiles = SigningProfiles(tmp_path)
    profiles.add(PROFILE)
    next((tmp_path / "profiles").iterdir()).write_bytes(damage)
    with pytest.raises(StorageUnavailable):
        profiles.get(VERSION)


def test_files_are_their_owner_s_alone(tmp_path: Path):
    before = os.umask(0)
    try:
        SigningProfiles(tmp_path / "signing").add(PROFILE)
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o077 for path in (tmp_path / "signing").rglob("*")] == [0, 0]


def test_a_backup_has_them(tmp_path: Path):
    with DataDirectory.open(tmp_path / "data") as data:
        profiles = SigningProfiles(data.signing)
        profiles.add(PROFILE)
        profiles.revoke(JOB, 5, "")
        backup(tmp_path / "data", tmp_path / "copy")
    with DataDirectory.open(tmp_path / "copy") as copy:
        profiles = SigningProfiles(copy.signing)
        assert list(profiles.all()) == [PROFILE]
        assert profiles.is_revoked(JOB)


def test_a_data_directory_from_before_has_none_and_gets_some(tmp_path: Path):
    DataDirectory.open(tmp_path / "data").close()
    (tmp_path / "data/signing").rmdir()
    SigningProfiles(tmp_path / "data/signing").add(PROFILE)
    with DataDirectory.open(tmp_path / "data") as data:
        assert SigningProfiles(data.signing).get(VERSION) == PROFILE


async def test_who_signed_a_package_is_stored_with_the_function(tmp_path: Path):
    package = Package(digest="ab" * 32, size=1, unzipped=2, signature=Signature(profile_version_arn="p", job_arn="j"))
    function = make_function()
    layers = (LayerReference(arn="l", package=package),)
    configuration = replace(function.latest.configuration, package=package, layers=layers)
    async with SqlStore(f"sqlite:///{tmp_path}/test.db") as store:
        await store.insert(replace(function, latest=replace(function.latest, configuration=configuration)))
        (loaded,) = await store.load_all()
    stored = loaded.latest.configuration
    assert stored.package.signature == stored.layers[0].package.signature == package.signature


def test_packages_from_before_are_unsigned():
    document = package_to_document(Package(digest="ab" * 32, size=1))
    assert "signature" not in document
    assert package_from_document(document).signature is None
