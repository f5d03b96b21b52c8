"""Packages and layers by content: inspected, kept as blobs, extracted once, removed when nobody refers to them.

    <directory>/<digest>/       a package's tree, complete; or one that is merged from several
    <directory>/.work-*/        being extracted or removed; swept at start
    <directory>/.boot           the boot of the machine in which the trees were made

Trees can be made again from blobs, so they are not synced: after the machine was restarted all are dropped, because a
crash of the machine may have left files in them empty. `control` adds and removes, `worker` extracts and mounts.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from ingle.artifacts import modules
from ingle.artifacts.archive import MAX_UNZIPPED, Entry, EntryKind, entries, open_archive, verify
from ingle.artifacts.errors import PackageMissing
from ingle.artifacts.merging import merge_trees
from ingle.artifacts.unzip import extract_entries
from ingle.domain.function import Package
from ingle.storage.blobs import BlobStore
from ingle.storage.errors import of_os_error
from ingle.storage.files import write_atomically

_WORK = ".work-"
_BOOT = ".boot"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class PackageStore:
    """Packages whose zips are in `blobs` and whose trees are below `directory`.

    Making it sweeps what a crash left. One process at a time. `limit`: bytes unzipped.
    """

    def __init__(self, blobs: BlobStore, directory: Path, *, limit: int = MAX_UNZIPPED) -> None:
        self._blobs = blobs
        self._directory = directory
        self._limit = limit
        self._making: dict[str, asyncio.Lock] = {}
        self._modules: dict[str, frozenset[str]] = {}
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._sweep_leftovers()

    def path(self, package: Package) -> Path:
        """Where the tree is, once it is extracted."""
        return self._directory / self._blobs.path(package.digest).name

    def zip_path(self, package: Package) -> Path:
        return self._blobs.path(package.digest)

    async def inspect(self, zip_bytes: bytes) -> Package:
        """Checks names, sizes and every CRC, and keeps nothing. Raises PackageError of the kind that fits."""
        package, _ = await asyncio.to_thread(self._inspect, zip_bytes)
        return package

    async def add(self, zip_bytes: bytes) -> Package:
        """Inspects and keeps the zip; durable when it returns. Idempotent. Raises PackageError and StorageFull."""
        package, names = await asyncio.to_thread(self._inspect, zip_bytes)
        await self._blobs.put(package.digest, zip_bytes)
        self._modules[package.digest] = names
        return package

    async def extract(self, package: Package) -> Path:
        """The package's tree, extracted if it is not yet; concurrent callers share one extraction.

        Raises PackageMissing, CorruptPackage if the blob was damaged, and StorageFull; leaves nothing behind then.
        """
        return await self._once(package, lambda work: self._fill(package, work))

    async def merge(self, parts: Sequence[Package], tree: Package) -> Path:
        """The tree that `parts` make when each is laid over those before it, made if it is not there yet.

        `tree` names it and is removed like a package. Raises what `extract` raises.
        """
        path = self.path(tree)
        if path.is_dir():
            return path
        sources = [await self.extract(part) for part in parts]
        return await self._once(tree, lambda work: merge_trees(sources, work))

    async def unzipped(self, package: Package) -> int:
        """Bytes that the files of a package have together. Raises PackageMissing."""
        if package.unzipped is not None:
            return package.unzipped
        return await asyncio.to_thread(lambda: _unzipped(self._entries(package)))

    async def _once(self, package: Package, fill: Callable[[Path], None]) -> Path:
        path = self.path(package)
        if path.is_dir():
            return path
        lock = self._making.setdefault(package.digest, asyncio.Lock())
        try:
            async with lock:
                if not path.is_dir():
                    await asyncio.to_thread(self._make, package, path, fill)
        finally:
            self._making.pop(package.digest, None)
        return path

    async def remove(self, package: Package) -> None:
        """Removes tree and zip. Idempotent. The caller knows that nothing refers to the content any more."""
        self._modules.pop(package.digest, None)
        await asyncio.to_thread(self._bury, self.path(package))
        await self._blobs.delete(package.digest)

    async def sweep(self, referenced: Collection[str]) -> None:
        """Removes every zip and tree whose digest is not in `referenced`: at start, before packages are added."""
        kept = frozenset(referenced)
        digests = await asyncio.to_thread(lambda: set(self._blobs.digests()) | set(self._trees()))
        for digest in digests - kept:
            await self.remove(Package(digest=digest, size=0))

    def top_level_modules(self, package: Package) -> frozenset[str]:
        """Names that Python can import from the package's root. Cached; the first time reads the zip's directory.

        Raises PackageMissing.
        """
        found = self._modules.get(package.digest)
        if found is None:
            found = self._modules[package.digest] = _modules(self._entries(package))
        return found

    def _entries(self, package: Package) -> list[Entry]:
        try:
            with open(self.zip_path(package), "rb") as file, open_archive(file) as archive:
                return entries(archive, self._limit)
        except FileNotFoundError:
            raise PackageMissing(f"There is no package {package.digest}.") from None

    def _inspect(self, zip_bytes: bytes) -> tuple[Package, frozenset[str]]:
        with open_archive(io.BytesIO(zip_bytes)) as archive:
            found = entries(archive, self._limit)
            verify(archive, found)
        digest = hashlib.sha256(zip_bytes).hexdigest()
        return Package(digest=digest, size=len(zip_bytes), unzipped=_unzipped(found)), _modules(found)

    def _make(self, package: Package, path: Path, fill: Callable[[Path], None]) -> None:
        try:
            work = Path(tempfile.mkdtemp(prefix=_WORK, dir=self._directory))
            try:
                fill(work)
                work.chmod(0o755)
                self._publish(work, path)
            except BaseException:  # nothing half-done stays, whatever interrupted it; raised again
                shutil.rmtree(work)
                raise
        except OSError as error:
            raise of_os_error(error, f"extracting package {package.digest}") from error

    def _fill(self, package: Package, work: Path) -> None:
        try:
            file = open(self.zip_path(package), "rb")  # noqa: SIM115 - FileNotFoundError of this file only
        except FileNotFoundError:
            raise PackageMissing(f"There is no package {package.digest}.") from None
        with file, open_archive(file) as archive:
            extract_entries(archive, entries(archive, self._limit), work)

    def _publish(self, work: Path, path: Path) -> None:
        """The one moment in which the tree appears. Who comes second (its caller was cancelled) drops its own."""
        try:
            work.rename(path)
        except OSError:
            if not path.is_dir():
                raise
            shutil.rmtree(work)

    def _bury(self, path: Path) -> None:
        """A tree is whole or gone, also for a crash in the middle of its removal."""
        grave = Path(tempfile.mkdtemp(prefix=_WORK, dir=self._directory))
        try:
            path.rename(grave / "tree")
        except FileNotFoundError:
            grave.rmdir()
            return
        shutil.rmtree(grave)

    def _trees(self) -> list[str]:
        return [name for name in os.listdir(self._directory) if not name.startswith(".")]

    def _sweep_leftovers(self) -> None:
        boot = _boot()
        marker = self._directory / _BOOT
        stale = not (boot and marker.is_file() and marker.read_bytes() == boot)
        for name in os.listdir(self._directory):
            if name.startswith(_WORK):
                shutil.rmtree(self._directory / name)
        for name in self._trees() if stale else []:
            self._bury(self._directory / name)
        if stale:
            write_atomically(marker, boot)


def _boot() -> bytes:
    """Names the machine's current boot; empty where the kernel does not say."""
    try:
        return _BOOT_ID.read_bytes()
    except OSError:
        return b""


def _unzipped(found: Collection[Entry]) -> int:
    return sum(entry.info.file_size for entry in found)


def _modules(found: Collection[Entry]) -> frozenset[str]:
    files = [entry.path for entry in found if entry.kind is not EntryKind.DIRECTORY]
    directories = [f"{entry.path}/" for entry in found if entry.kind is EntryKind.DIRECTORY]
    return modules.top_level_modules(files + directories)
