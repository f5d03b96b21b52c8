"""What running a version takes, found out once: its code extracted, a zygote started, what can never start known.

Used by `worker.host`, for the preparation of a version and again for each of its environments.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ingle.domain.function import Configuration, Package, Version
from ingle.sandbox.client import ZygoteInfo
from ingle.worker.bases import Base, Bases
from ingle.worker.client import CannotPlace
from ingle.worker.families import family_of
from ingle.worker.families.family import Layout
from ingle.worker.families.python_sdk_use import may_use_sdk
from ingle.worker.launch_plan import CannotStart, check_bootstrap, must_execute
from ingle.worker.layer_contents import extension_names, layer_modules
from ingle.worker.opened import OpenedVersion
from ingle.worker.stock import Stock


class Packages(Protocol):
    async def extract(self, package: Package) -> Path: ...
    async def merge(self, parts: Sequence[Package], tree: Package) -> Path: ...
    def top_level_modules(self, package: Package) -> frozenset[str]: ...


#: Package, layer tree ("" without layers), whether a program is executed, runtime.
ReadyKey = tuple[str, str, bool, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What was found out about a version."""

    base: Base
    zygote: str
    forked: bool
    directory: Path
    layers: Path | None
    impossible: CannotStart | None
    extensions: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """A package that nobody used for a while is extracted again when it comes back."""
        return self.directory.is_dir() and (self.layers is None or self.layers.is_dir())


class Preparation:
    """Remembers what it found out, until it is told to forget."""

    def __init__(self, bases: Bases, packages: Packages, stock: Stock, *, namespaces: bool) -> None:
        self._bases = bases
        self._packages = packages
        self._stock = stock
        self._namespaces = namespaces
        self._ready: dict[ReadyKey, Ready] = {}

    async def ready(self, opened: OpenedVersion) -> Ready:
        """Raises CannotPlace, PackageError, SandboxError, StorageError, and OSError."""
        configuration = opened.configuration
        tree = configuration.layer_tree
        runtime = configuration.runtime
        if family_of(runtime) is None:
            raise CannotPlace(f"Ingle does not run the runtime {runtime} yet.")
        key = (configuration.package.digest, tree.digest if tree else "", must_execute(opened), runtime)
        known = self._ready.get(key)
        if known is not None and known.usable:
            return known
        base = self._bases.of(runtime)
        directory = await self._packages.extract(configuration.package)
        layers = await self._extract_layers(configuration)
        impossible = None
        zygote, forked = base.bare, False
        if base.family.forks:
            zygote, forked = await self._choose_zygote(opened, base, directory, layers)
        elif base.family.name == "provided":
            try:
                check_bootstrap([directory, *([layers] if layers else [])], platform.machine())
            except CannotStart as error:
                impossible = error
        await self._zygote(zygote, base)
        ready = Ready(
            base=base, zygote=zygote, forked=forked, directory=directory, layers=layers, impossible=impossible,
            extensions=extension_names(layers) if layers else (),
        )  # fmt: skip
        self._ready[key] = ready
        return ready

    def layout(self, ready: Ready) -> Layout:
        """Where the processes of its environments find things."""
        return self._bases.layout(ready.base, ready.directory, ready.layers)

    def zygote_lost(self, name: str) -> None:
        """What was prepared with a zygote that has ended is prepared again when it is needed."""
        for key in [key for key, ready in self._ready.items() if ready.zygote == name]:
            del self._ready[key]

    def forget(self, version: Version) -> None:
        """It is prepared again if it is used again."""
        digest = version.configuration.package.digest
        for key in [key for key in self._ready if key[0] == digest]:
            del self._ready[key]

    async def _extract_layers(self, configuration: Configuration) -> Path | None:
        """What is at `/opt`; None without layers."""
        tree = configuration.layer_tree
        if tree is None:
            return None
        parts = [layer.package for layer in configuration.layers]
        return await (self._packages.merge(parts, tree) if len(parts) > 1 else self._packages.extract(tree))

    async def _choose_zygote(
        self, opened: OpenedVersion, base: Base, directory: Path, layers: Path | None
    ) -> tuple[str, bool]:
        """(zygote, whether its forks serve the function themselves): no module of package or layers may be hidden."""
        modules = self._packages.top_level_modules(opened.configuration.package)
        execute = must_execute(opened)
        sources = [directory]
        if layers is not None:
            modules |= await asyncio.to_thread(layer_modules, layers, base.interpreter.runtime)
            sources.append(layers / "python")
            # Where layers are not at /opt, only a program that is executed finds their shared libraries.
            execute = execute or (not self._namespaces and (layers / "lib").is_dir())
        if not execute and self._bases.libraries(base) and await asyncio.to_thread(may_use_sdk, *sources):
            warm = await self._zygote(base.warm, base)
            if not modules & warm.modules:
                return base.warm, True
        bare = await self._zygote(base.bare, base)
        return base.bare, not execute and not modules & bare.modules

    async def _zygote(self, name: str, base: Base) -> ZygoteInfo:
        return await self._stock.zygote(name, lambda: self._bases.zygote_spec(name, base))
