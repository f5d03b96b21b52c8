"""Packages: what is accepted, what is refused and leaves nothing behind, what becomes of the rest."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.artifacts import (
    CorruptPackage,
    EmptyPackage,
    EncryptedPackage,
    NotAZip,
    PackageError,
    PackageMissing,
    TooManyEntries,
    UnsafePackage,
    UnsupportedCompression,
    UnzippedTooLarge,
    archive,
)
from ingle.artifacts import packages as packages_module
from ingle.artifacts.beneath import open_by_component
from ingle.artifacts.packages import PackageStore
from ingle.artifacts.unzip import extract_entries
from ingle.domain.function import Package
from ingle.storage.blobs import BlobStore
from ingle.storage.errors import StorageFull

from .archives import COMPRESSION, CRC, FLAGS, UNCOMPRESSED_SIZE, make_zip, patch_directory

HELLO = make_zip(("app.py", b"def handler(event, context): ..."))
LINK = stat.S_IFLNK | 0o777


def open_store(path: Path) -> PackageStore:
    return PackageStore(BlobStore(path / "blobs"), path / "packages")


@pytest.fixture
def store(tmp_path: Path) -> PackageStore:
    return open_store(tmp_path)


def left_behind(path: Path) -> list[str]:
    return [str(found.relative_to(path)) for found in path.rglob("*") if found.is_file() and found.name != ".boot"]


REFUSED = {
    "empty": (b"", NotAZip),
    "text": (b"this is not a zip", NotAZip),
    "truncated": (HELLO[:-30], NotAZip),
    "without its beginning": (HELLO[40:], PackageError),
    "no entries": (make_zip(), EmptyPackage),
    "traversal": (make_zip(("../evil", b"")), UnsafePackage),
    "traversal inside": (make_zip(("a/../../evil", b"")), UnsafePackage),
    "absolute": (make_zip(("/etc/evil", b"")), UnsafePackage),
    "drive letter": (make_zip(("C:evil", b"")), UnsafePackage),
    "backslash": (make_zip(("a\\..\\evil", b"")), UnsafePackage),
    "long name": (make_zip(("x" * 256, b"")), UnsafePackage),
    "long path": (make_zip(("/".join(["x" * 200] * 25), b"")), UnsafePackage),
    "too deep": (make_zip(("d/" * 257, b"")), UnsafePackage),
    "no name": (make_zip((".", b"")), UnsafePackage),
    "twice": (make_zip(("a", b"1"), ("./a", b"2")), UnsafePackage),
    "file and directory": (make_zip(("a", b"1"), ("a/b", b"2")), UnsafePackage),
    "through a link": (make_zip(("a", b"/tmp", LINK), ("a/evil", b"2")), UnsafePackage),
    "through a link that comes later": (make_zip(("a/evil", b"2"), ("a", b"/tmp", LINK)), UnsafePackage),
    "pipe": (make_zip(("a", b"", stat.S_IFIFO | 0o644)), UnsafePackage),
    "device": (make_zip(("a", b"", stat.S_IFCHR | 0o644)), UnsafePackage),
    "empty link": (make_zip(("a", b"", LINK)), UnsafePackage),
    "link with NUL": (make_zip(("a", b"x\0y", LINK)), UnsafePackage),
    "long link": (make_zip(("a", b"x" * 5000, LINK)), UnsafePackage),
    "encrypted": (patch_directory(HELLO, FLAGS, "<H", 1), EncryptedPackage),
    "bzip2": (make_zip(("a", b"x" * 99), compression=zipfile.ZIP_BZIP2), UnsupportedCompression),
    "unknown compression": (patch_directory(HELLO, COMPRESSION, "<H", 98), UnsupportedCompression),
    "wrong CRC": (patch_directory(HELLO, CRC, "<I", 1), CorruptPackage),
    "declares less": (patch_directory(HELLO, UNCOMPRESSED_SIZE, "<I", 5), CorruptPackage),
    "declares more": (patch_directory(HELLO, UNCOMPRESSED_SIZE, "<I", 500), CorruptPackage),
    "declares what deflate cannot": (patch_directory(HELLO, UNCOMPRESSED_SIZE, "<I", 10**8), CorruptPackage),
    "stored bomb": (
        patch_directory(make_zip(("a", b"x"), compression=zipfile.ZIP_STORED), UNCOMPRESSED_SIZE, "<I", 900),
        CorruptPackage,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refused_and_nothing_left_behind(store: PackageStore, tmp_path: Path, name: str):
    data, kind = REFUSED[name]
    for attempt in (store.inspect, store.add):
        with pytest.raises(PackageError) as error:
            await attempt(data)
        assert isinstance(error.value, kind), repr(error.value)
    assert left_behind(tmp_path) == []
    assert not (tmp_path.parent / "evil").exists()


async def test_an_honest_bomb_is_too_large(tmp_path: Path):
    store = PackageStore(BlobStore(tmp_path / "blobs"), tmp_path / "packages", limit=1000)
    await store.inspect(make_zip(("a", b"x" * 500), ("b", b"x" * 500)))
    with pytest.raises(UnzippedTooLarge):
        await store.inspect(make_zip(("a", b"x" * 500), ("b", b"x" * 501)))


async def test_the_limit_is_aws_s(store: PackageStore):
    block = b"\0" * 65_536_000
    assert (await store.inspect(make_zip(*((name, block) for name in "abcd")))).size > 0
    with pytest.raises(UnzippedTooLarge):
        await store.inspect(make_zip(*((name, block) for name in "abcd"), ("e", b"x")))


async def test_too_many_entries_are_refused_before_they_are_read(store: PackageStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "MAX_ENTRIES", 3)
    await store.inspect(make_zip(*((name, b"") for name in "abc")))
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(TooManyEntries):
        await store.inspect(REFUSED_MANY)


REFUSED_MANY = make_zip(*((name, b"") for name in "abcd"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_damaged_is_refused_or_extracted(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    damaged = bytearray(make_zip(("app.py", b"x = 1\n" * 20), ("lib/b.py", b""), ("l", b"app.py", LINK)))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))

    async def attempt() -> None:
        path = tmp_path_factory.mktemp("damaged")
        store = open_store(path)
        try:
            package = await store.add(bytes(damaged))
        except PackageError:
            assert left_behind(path) == []
        else:
            await store.extract(package)

    asyncio.run(attempt())


async def test_inspection_keeps_nothing(store: PackageStore, tmp_path: Path):
    package = await store.inspect(HELLO)
    assert (package.digest, package.size) == (hashlib.sha256(HELLO).hexdigest(), len(HELLO))
    assert left_behind(tmp_path) == []


async def test_a_package_is_kept_and_extracted(store: PackageStore):
    package = await store.add(HELLO)
    assert store.zip_path(package).read_bytes() == HELLO
    path = await store.extract(package)
    assert path == store.path(package)
    assert (path / "app.py").read_bytes() == b"def handler(event, context): ..."
    assert await store.extract(package) == path


async def test_modes_times_and_links_are_kept(store: PackageStore):
    package = await store.add(
        make_zip(
            ("plain", b"", 0),
            ("private", b"", stat.S_IFREG | 0o600),
            ("program", b"", stat.S_IFREG | 0o6755),
            ("closed/", b"", stat.S_IFDIR | 0o700),
            ("closed/x", b"1"),
            ("made/deep/x", b"2"),
            ("up", b"../../../etc/passwd", LINK),
            ("absolute", b"/opt/lib", LINK),
            ("./dotted//name", b"3"),
        )
    )
    before = os.umask(0o077)
    try:
        path = await store.extract(package)
    finally:
        os.umask(before)
    modes = {str(found.relative_to(path)): stat.S_IMODE(found.lstat().st_mode) for found in path.rglob("*")}
    assert modes["plain"] == 0o644
    assert modes["private"] == 0o600
    assert modes["program"] == 0o755
    assert modes["closed"] == modes["made"] == modes["made/deep"] == stat.S_IMODE(path.stat().st_mode) == 0o755
    assert os.readlink(path / "up") == "../../../etc/passwd"
    assert os.readlink(path / "absolute") == "/opt/lib"
    assert (path / "dotted" / "name").read_bytes() == b"3"
    assert (path / "plain").stat().st_mtime == 1709208002


async def test_an_extended_timestamp_is_exact(store: PackageStore, tmp_path: Path):
    info = zipfile.ZipInfo("a")
    info.extra = b"UT\x05\x00\x01" + (1_700_000_001).to_bytes(4, "little")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr(info, b"")
    path = await store.extract(await store.add(buffer.getvalue()))
    assert (path / "a").stat().st_mtime == 1_700_000_001


def test_extraction_without_openat2_is_the_same(tmp_path: Path):
    data = make_zip(("a/b/c", b"1"), ("a/d", b"2"), ("e", b"a", LINK))
    with archive.open_archive(io.BytesIO(data)) as opened:
        extract_entries(opened, archive.entries(opened), tmp_path, open_parent=open_by_component)
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"1"
    assert (tmp_path / "a" / "d").read_bytes() == b"2"
    assert os.readlink(tmp_path / "e") == "a"


async def test_concurrent_callers_share_one_extraction(store: PackageStore, monkeypatch: pytest.MonkeyPatch):
    calls = 0
    original = packages_module.extract_entries

    def counted(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(packages_module, "extract_entries", counted)
    package = await store.add(HELLO)
    assert set(await asyncio.gather(*(store.extract(package) for _ in range(20)))) == {store.path(package)}
    assert calls == 1


async def test_a_caller_that_gives_up_spoils_nothing_for_the_next(store: PackageStore, tmp_path: Path):
    package = await store.add(make_zip(*((f"f{number}", b"x" * 1000) for number in range(300))))
    impatient = asyncio.ensure_future(store.extract(package))
    await asyncio.sleep(0)
    impatient.cancel()
    path = await store.extract(package)
    assert len(list(path.iterdir())) == 300


async def test_what_is_missing_or_damaged_is_a_named_error(store: PackageStore, tmp_path: Path):
    package = await store.inspect(HELLO)
    with pytest.raises(PackageMissing):
        await store.extract(package)
    with pytest.raises(PackageMissing):
        store.top_level_modules(package)
    await store.add(HELLO)
    store.zip_path(package).write_bytes(patch_directory(HELLO, CRC, "<I", 1))
    with pytest.raises(CorruptPackage):
        await store.extract(package)
    assert [name for name in os.listdir(tmp_path / "packages") if name != ".boot"] == []


async def test_a_removed_package_is_gone(store: PackageStore, tmp_path: Path):
    package = await store.add(HELLO)
    await store.extract(package)
    await store.remove(package)
    await store.remove(package)
    assert left_behind(tmp_path) == []
    assert not store.path(package).exists()


async def test_a_sweep_keeps_what_is_referred_to(store: PackageStore):
    kept = await store.add(HELLO)
    other = await store.add(make_zip(("b.py", b"")))
    for package in (kept, other):
        await store.extract(package)
    await store.sweep({kept.digest})
    assert store.path(kept).is_dir()
    assert store.zip_path(kept).is_file()
    assert not store.path(other).exists()
    assert not store.zip_path(other).exists()


async def test_trees_survive_a_restart_and_leftovers_do_not(store: PackageStore, tmp_path: Path):
    package = await store.add(HELLO)
    path = await store.extract(package)
    (tmp_path / "packages" / ".work-x" / "half").mkdir(parents=True)
    await open_store(tmp_path).clear()
    assert sorted(os.listdir(tmp_path / "packages")) == [".boot", package.digest]
    assert path.is_dir()


async def of_an_earlier_boot(store: PackageStore, tmp_path: Path) -> tuple[Package, Package]:
    """Two packages whose trees lost what was in them."""
    used, unused = await store.add(HELLO), await store.add(make_zip(("b.py", b"")))
    (await store.extract(used) / "app.py").write_bytes(b"")
    await store.extract(unused)
    (tmp_path / "packages" / ".boot").write_bytes(b"an earlier one")
    return used, unused


async def test_trees_of_an_earlier_boot_are_made_again(store: PackageStore, tmp_path: Path):
    used, _ = await of_an_earlier_boot(store, tmp_path)
    path = await open_store(tmp_path).extract(used)
    assert (path / "app.py").read_bytes() != b""


async def test_trees_of_an_earlier_boot_are_removed_but_not_those_made_since(store: PackageStore, tmp_path: Path):
    used, unused = await of_an_earlier_boot(store, tmp_path)
    restarted = open_store(tmp_path)
    paths = await asyncio.gather(restarted.extract(used), restarted.clear(), restarted.extract(used))
    assert (paths[0] / "app.py").read_bytes() != b""
    assert sorted(os.listdir(tmp_path / "packages")) == [".boot", used.digest]
    assert not restarted.path(unused).exists()


async def test_trees_are_of_an_earlier_boot_until_all_of_them_are_gone(store: PackageStore, tmp_path: Path):
    used, _ = await of_an_earlier_boot(store, tmp_path)
    (await open_store(tmp_path).extract(used) / "app.py").write_bytes(b"")
    path = await open_store(tmp_path).extract(used)
    assert (path / "app.py").read_bytes() != b""


async def test_modules_are_known_before_and_after_a_restart(store: PackageStore, tmp_path: Path):
    package = await store.add(make_zip(("app.py", b""), ("boto3/__init__.py", b""), ("empty/", b"", 0o40755)))
    assert store.top_level_modules(package) == {"app", "boto3", "empty"}
    assert open_store(tmp_path).top_level_modules(package) == {"app", "boto3", "empty"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    path = tmp_path / "small"
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", path], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mount refused: {done.stderr.strip()}")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


async def test_a_full_disk_leaves_nothing_behind(small_disk: Path, tmp_path: Path):
    store = PackageStore(BlobStore(tmp_path / "blobs"), small_disk)
    package = await store.add(make_zip(*((f"d/f{number}", bytes(100_000)) for number in range(20))))
    with pytest.raises(StorageFull):
        await store.extract(package)
    assert os.listdir(small_disk) == [".boot"]
