"""Blobs are whole, what they are called, or not there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ingle.storage.blobs import BlobStore
from ingle.storage.errors import BlobCorrupt, BlobError, BlobNotFound, StorageFull


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def files(path: Path) -> list[Path]:
    return [found for found in path.rglob("*") if found.is_file()]


async def test_a_blob_comes_back(tmp_path: Path):
    store = BlobStore(tmp_path)
    digest = sha256(b"content")
    assert not await store.exists(digest)
    await store.put(digest, b"content")
    await store.put(digest, b"content")
    assert await store.exists(digest)
    assert await store.get(digest) == b"content"
    assert store.path(digest).read_bytes() == b"content"
    assert list(store.digests()) == [digest]
    await store.delete(digest)
    await store.delete(digest)
    with pytest.raises(BlobNotFound):
        await store.get(digest)


async def test_content_of_another_digest_is_refused(tmp_path: Path):
    store = BlobStore(tmp_path)
    with pytest.raises(BlobCorrupt):
        await store.put(sha256(b"a"), b"b")
    assert files(tmp_path) == []


async def test_a_damaged_blob_is_noticed(tmp_path: Path):
    store = BlobStore(tmp_path)
    await store.put(sha256(b"content"), b"content")
    store.path(sha256(b"content")).write_bytes(b"c0ntent")
    with pytest.raises(BlobCorrupt):
        await store.get(sha256(b"content"))


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
def test_a_digest_never_becomes_another_path(tmp_path: Path, digest: str):
    with pytest.raises(BlobError):
        BlobStore(tmp_path).path(digest)


async def test_a_full_disk_leaves_nothing_behind(small_disk: Path):
    store = BlobStore(small_disk)
    data = os.urandom(1024 * 1024)
    with pytest.raises(StorageFull):
        await store.put(sha256(data), data)
    assert files(small_disk) == []
    await store.put(sha256(b"small"), b"small")


async def test_what_a_crash_left_is_swept(tmp_path: Path):
    BlobStore(tmp_path)
    (tmp_path / ".part" / "half").write_bytes(b"x")
    store = BlobStore(tmp_path)
    assert files(tmp_path) == []
    assert list(store.digests()) == []
