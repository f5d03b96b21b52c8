"""Which packages are still needed: keeps a package from being removed while it is on its way into a function.

Packages are shared by content, so one belongs to every function and every layer, of every account, that names it. What
it guards against is a removal that overlaps with an upload of the same content. `control.functions` and
`control.layers` upload through it; `control.activation` and what deletes release through it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from weakref import WeakValueDictionary

from ingle.catalog import Catalog
from ingle.control.ports import PackageStore
from ingle.domain.function import Function, FunctionKey, Package
from ingle.domain.layer import Layer, LayerKey
from ingle.observability.log import Logger
from ingle.storage.errors import StorageError

#: Above this many bytes a hash is computed in a thread: it would hold up the event loop for milliseconds.
_HASH_IN_THREAD = 1 << 20


def packages_of(function: Function) -> set[Package]:
    """The packages that a function needs: what it shows, what it serves, and what it has published; with layers."""
    versions = (*function.every_version, function.serving)
    return {package for version in versions if version is not None for package in version.configuration.packages}


_log = Logger("control")


class PackageReferences:
    """Follows the catalog: whether a package is needed is known without a look at every function.

    `in_use` tells of packages that no function names any more but that execution environments still run from; such a
    package stays until a later `sweep`.
    """

    def __init__(
        self, packages: PackageStore, catalog: Catalog, in_use: Callable[[Package], bool] = lambda package: False
    ) -> None:
        self._packages = packages
        self._in_use = in_use
        self._held_by: dict[FunctionKey | LayerKey, frozenset[str]] = {}
        self._holders: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        self._released: set[Package] = set()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        catalog.follow(self._function_changed)
        catalog.layers.follow(self._layer_changed)

    async def inspect(self, zip_bytes: bytes) -> Package:
        return await self._packages.inspect(zip_bytes)

    async def unzipped(self, package: Package) -> int:
        return await self._packages.unzipped(package)

    async def add(self, zip_bytes: bytes, digest: str) -> Package:
        """Store a package. Call it inside `held` with the same bytes and with the digest that this gives."""
        async with self._lock(digest):
            return await self._packages.add(zip_bytes, digest)

    @asynccontextmanager
    async def held(self, zip_bytes: bytes) -> AsyncIterator[str]:
        """No removal of this content happens inside the block. If the block fails, content that nothing uses goes.

        Gives the content's digest.
        """
        digest = await _digest(zip_bytes)
        self._held[digest] += 1
        failed = True
        try:
            yield digest
            failed = False
        finally:
            self._unhold(digest)
            if failed:
                await self.release({Package(digest=digest, size=len(zip_bytes))})

    @contextmanager
    def keeping(self, packages: Collection[Package]) -> Iterator[None]:
        """None of `packages` is removed inside the block, also if what holds them lets go of them meanwhile."""
        digests = {package.digest for package in packages}
        self._held.update(digests)
        try:
            yield
        finally:
            for digest in digests:
                self._unhold(digest)

    def _unhold(self, digest: str) -> None:
        self._held[digest] -= 1
        if not self._held[digest]:
            del self._held[digest]

    async def release(self, packages: set[Package]) -> None:
        """Remove those of `packages` that nothing needs any more."""
        self._released |= packages
        await self.sweep()

    async def sweep(self) -> None:
        """Remove what was released and is no longer in use. Call it when execution environments have gone."""
        if not self._released:
            return
        self._released = {package for package in self._released if not self._holders[package.digest]}
        for package in [package for package in self._released if not self._in_use(package)]:
            await self._remove(package)

    async def _remove(self, package: Package) -> None:
        async with self._lock(package.digest):
            if package not in self._released or self._held[package.digest] or self._holders[package.digest]:
                return
            try:
                await self._packages.remove(package)
            except (StorageError, OSError) as error:
                # What could not be removed now, on a full disk say, is tried again at the next sweep.
                _log.warning("a package cannot be removed yet", package=package.digest, reason=str(error))
                return
            self._released.discard(package)

    def _function_changed(self, key: FunctionKey, function: Function | None) -> None:
        self._set(key, set() if function is None else packages_of(function))

    def _layer_changed(self, layer: Layer) -> None:
        self._set(layer.key, {version.package for version in layer.versions.values()})

    def _set(self, owner: FunctionKey | LayerKey, packages: set[Package]) -> None:
        """`packages` is what `owner` holds from now on."""
        digests = frozenset(package.digest for package in packages)
        before = self._held_by.pop(owner, frozenset())
        if digests:
            self._held_by[owner] = digests
        self._holders.update(digests - before)
        for digest in before - digests:
            self._holders[digest] -= 1
            if not self._holders[digest]:
                del self._holders[digest]

    def _lock(self, digest: str) -> asyncio.Lock:
        return self._locks.setdefault(digest, asyncio.Lock())


async def _digest(zip_bytes: bytes) -> str:
    if len(zip_bytes) > _HASH_IN_THREAD:
        return await asyncio.to_thread(_hex, zip_bytes)
    return _hex(zip_bytes)


def _hex(zip_bytes: bytes) -> str:
    return hashlib.sha256(zip_bytes).hexdigest()
