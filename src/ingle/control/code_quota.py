"""How much code an account stores in a region, and how much it may."""

from __future__ import annotations

from collections import Counter

from ingle.catalog import Catalog
from ingle.domain.errors import CodeStorageExceeded
from ingle.domain.function import Function, FunctionKey
from ingle.domain.layer import Layer, LayerKey

#: Bytes of zipped code for each account and region: what AWS answers as `TotalCodeSize`.
TOTAL_CODE_SIZE = 80_530_636_800

Owner = FunctionKey | LayerKey


class CodeQuota:
    """Counts a package once for each version of a function or layer that has it, shared content included, as AWS does.

    Follows the catalog, so that asking costs the same however many functions there are.
    """

    def __init__(self, catalog: Catalog, limit: int = TOTAL_CODE_SIZE) -> None:
        self.limit = limit
        self._sizes: dict[Owner, int] = {}
        self._totals: Counter[tuple[str, str]] = Counter()
        catalog.follow(self._function_changed)
        catalog.layers.follow(self._layer_changed)

    def used(self, account: str, region: str) -> int:
        """Bytes."""
        return self._totals[account, region]

    def require_room(self, owner: Owner, size: int, replacing: int = 0) -> None:
        """Raise CodeStorageExceeded if `size` more bytes, in place of `replacing`, are more than the account may."""
        if self.used(owner.account, owner.region) - replacing + size > self.limit:
            raise CodeStorageExceeded("Code storage limit exceeded.")

    def _function_changed(self, key: FunctionKey, function: Function | None) -> None:
        versions = () if function is None else function.every_version
        self._set(key, sum(version.configuration.package.size for version in versions))

    def _layer_changed(self, layer: Layer) -> None:
        self._set(layer.key, sum(version.package.size for version in layer.versions.values()))

    def _set(self, owner: Owner, size: int) -> None:
        self._totals[owner.account, owner.region] += size - self._sizes.pop(owner, 0)
        if size:
            self._sizes[owner] = size
