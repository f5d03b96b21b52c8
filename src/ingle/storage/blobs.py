"""Blobs, named by the SHA-256 of their content: written whole or not at all, never changed.

    <path>/<first two digits>/<digest>
    <path>/.part/              being written

Owns the files below its directory. Used by `artifacts`; copied by `backup`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ingle.storage.errors import BlobCorrupt, BlobError, BlobNotFound, of_os_error
from ingle.storage.files import sync_directory, write_atomically

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_PARTS = ".part"


def blob_path(directory: Path, digest: str) -> Path:
    """Where a blob is. Raises BlobError unless `digest` is 64 lower-case hex digits: it becomes part of a path."""
    if not _DIGEST.match(digest):
        raise BlobError("A blob is named by 64 lower-case hexadecimal digits.")
    return directory / digest[:2] / digest


class BlobStore:
    """Content-addressed blobs below `path`. One process at a time: making it removes what a crash left unfinished."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts = path / _PARTS
        self._parts.mkdir(mode=0o700, parents=True, exist_ok=True)
        for leftover in self._parts.iterdir():
            leftover.unlink()

    def path(self, digest: str) -> Path:
        return blob_path(self._path, digest)

    async def put(self, digest: str, data: bytes) -> None:
        """Returns when the blob is durable. Idempotent.

        Raises BlobCorrupt if the data has another digest, and StorageFull; both leave nothing behind.
        """
        await asyncio.to_thread(self._put, digest, data)

    def write(self, digest: str, data: bytes) -> None:
        """As `put`, of data that the caller knows to have this digest. Blocks."""
        path = self.path(digest)
        if path.is_file() and path.stat().st_size == len(data):
            return
        try:
            if not path.parent.is_dir():
                path.parent.mkdir(mode=0o700, exist_ok=True)
                sync_directory(self._path)
            write_atomically(path, data, temporary=self._parts)
        except OSError as error:
            raise of_os_error(error, f"writing blob {digest}") from error

    async def get(self, digest: str) -> bytes:
        """Raises BlobNotFound, and BlobCorrupt if the file was damaged."""
        return await asyncio.to_thread(self._get, digest)

    async def exists(self, digest: str) -> bool:
        return await asyncio.to_thread(self.path(digest).is_file)

    async def delete(self, digest: str) -> None:
        """Idempotent."""
        await asyncio.to_thread(self._delete, digest)

    def digests(self) -> Iterator[str]:
        """All digests there are. Blocks."""
        for shard in self._path.iterdir():
            if shard.name != _PARTS:
                yield from (name for name in os.listdir(shard) if _DIGEST.match(name))

    def _put(self, digest: str, data: bytes) -> None:
        if hashlib.sha256(data).hexdigest() != digest:
            raise BlobCorrupt(f"The content of blob {digest} has another digest.")
        self.write(digest, data)

    def _get(self, digest: str) -> bytes:
        try:
            data = self.path(digest).read_bytes()
        except FileNotFoundError:
            raise BlobNotFound(f"There is no blob {digest}.") from None
        except OSError as error:
            raise of_os_error(error, f"reading blob {digest}") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise BlobCorrupt(f"Blob {digest} is damaged.")
        return data

    def _delete(self, digest: str) -> None:
        try:
            self.path(digest).unlink(missing_ok=True)
        except OSError as error:
            raise of_os_error(error, f"deleting blob {digest}") from error
