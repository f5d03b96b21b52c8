"""Packages and layers by content: inspected, kept as blobs, extracted once, removed when nobody refers to them.

    <directory>/<digest>/       a package's tree, complete; or one that is merged from several
    <directory>/.work-*/        being extracted or removed
    <directory>/.boot           the boot of the machine in which all trees were made

Trees can be made again from blobs, so they are not synced: after the machine was restarted none is used, because a
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
from weakref import WeakValueDictionary

from ingle.artifacts import modules
from ingle.artifacts.archive import MAX_UNZIPPED, Entry, EntryKind, entries, open_archive, verify
from ingle.artifacts.errors import PackageMissing
from ingle.artifacts.merging import merge_trees
from ingle.artifacts.unzip import extract_entries
from ingle.domain.function import Package
from ingle.observability.log import Logger
from ingle.storage.blobs import BlobStore
from ingle.storage.errors import of_os_error
from ingle.storage.files import write_atomically

_log = Logger("artifacts")

_WORK = ".work-"
_BOOT = ".boot"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class PackageStore:
    """Packages whose zips are in `blobs` and whose trees are below `directory`.

    Making it finds what a crash or an earlier boot of the machine left, of which nothing is used; `clear` removes it.
    One process at a time. `limit`: bytes unzipped.
    """

    def __init__(self, blobs: BlobStore, directory: Path, *, limit: int = MAX_UNZIPPED) -> None:
        self._blobs = blobs
        self._directory = directory
        self._limit = limit
        self._making: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._modules: dict[str, frozenset[str]] = {}
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._unfinished = [name for name in os.listdir(directory) if name.startswith(_WORK)]
        self._stale = set() if self._is_of_this_boot() else set(self._trees())
        if not self._stale:
            self._mark()

    def path(self, package: Package) -> Path:
        """Where the tree is, once it is extracted."""
        return self._directory / self._blobs.path(package.digest).name

    def zip_path(self, package: Package) -> Path:
        return self._blobs.path(package.digest)

    async def inspect(self, zip_bytes: bytes) -> Package:
        """Checks names, sizes and every CRC, and keeps nothing. Raises PackageError of the kind that fits."""
        package, _ = await asyncio.to_thread(self._inspect, zip_bytes, None)
        return package

    async def add(self, zip_bytes: bytes, digest: str | None = None) -> Package:
        """Inspects and keeps the zip; durable when it returns. Idempotent. Raises PackageError and StorageFull.

        `digest` is that of the bytes, where the caller knows it: large ones take long to hash.
        """
        package, names = await asyncio.to_thread(self._add, zip_bytes, digest)
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
        if self._has(tree):
            return self.path(tree)
        sources = [await self.extract(part) for part in parts]
        return await self._once(tree, lambda work: merge_trees(sources, work))

    async def unzipped(self, package: Package) -> int:
        """Bytes that the files of a package have together. Raises PackageMissing."""
        if package.unzipped is not None:
            return package.unzipped
        return await asyncio.to_thread(lambda: _unzipped(self._entries(package)))

    async def _once(self, package: Package, fill: Callable[[Path], None]) -> Path:
        path = self.path(package)
        if self._has(package):
            return path
        async with self._alone(package.digest):
            await self._drop_if_stale(package.digest)
            if not path.is_dir():
                await asyncio.to_thread(self._make, package, path, fill)
        return path

    def _has(self, package: Package) -> bool:
        """Whether the tree is there, whole."""
        return package.digest not in self._stale and self.path(package).is_dir()

    def _alone(self, digest: str) -> asyncio.Lock:
        """`async with self._alone(digest)`: nobody else makes or drops this tree inside the block."""
        return self._making.setdefault(digest, asyncio.Lock())

    async def _drop_if_stale(self, digest: str) -> None:
        if digest in self._stale:
            await asyncio.to_thread(self._bury, self._directory / digest)
            self._stale.discard(digest)

    async def clear(self) -> None:
        """Removes what was left. There may be much of it, so this runs beside everything else."""
        try:
            for name in self._unfinished:
                await asyncio.to_thread(shutil.rmtree, self._directory / name)
            for digest in list(self._stale):
                async with self._alone(digest):
                    await self._drop_if_stale(digest)
            await asyncio.to_thread(self._mark)
        except OSError as error:
            # What is left is not used, and the next start tries again.
            _log.warning("what an earlier run left of packages cannot be removed", reason=str(error))

    async def remove(self, package: Package) -> None:
        """Removes tree and zip. Idempotent. The caller knows that nothing refers to the content any more."""
        self._modules.pop(package.digest, None)
        await asyncio.to_thread(self._bury, self.path(package))
        self._stale.discard(package.digest)
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

    def _add(self, zip_bytes: bytes, digest: str | None) -> tuple[Package, frozenset[str]]:
        package, names = self._inspect(zip_bytes, digest)
        self._blobs.write(package.digest, zip_bytes)
        return package, names

    def _inspect(self, zip_bytes: bytes, digest: str | None) -> tuple[Package, frozenset[str]]:
        with open_archive(io.BytesIO(zip_bytes)) as archive:
            found = entries(archive, self._limit)
            verify(archive, found)
        digest = digest or hashlib.sha256(zip_bytes).hexdigest()
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

    def _is_of_this_boot(self) -> bool:
        boot, marker = _boot(), self._directory / _BOOT
        return bool(boot) and marker.is_file() and marker.read_bytes() == boot

    def _mark(self) -> None:
        """All trees are of this boot now."""
        if not self._is_of_this_boot():
            write_atomically(self._directory / _BOOT, _boot())


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
