"""How much code an account stores in a region, and how much it may."""

from __future__ import annotations

from collections import Counter

from ingle.catalog import Catalog
from ingle.domain.errors import CodeStorageExceeded
from ingle.domain.function import Function, FunctionKey

#: Bytes of zipped code for each account and region: what AWS answers as `TotalCodeSize`.
TOTAL_CODE_SIZE = 80_530_636_800


class CodeQuota:
    """Counts each function's package once for each version that has it, shared content included, as AWS does.

    Follows the catalog, so that asking costs the same however many functions there are.
    """

    def __init__(self, catalog: Catalog, limit: int = TOTAL_CODE_SIZE) -> None:
        self.limit = limit
        self._sizes: dict[FunctionKey, int] = {}
        self._totals: Counter[tuple[str, str]] = Counter()
        for function in catalog:
            self._changed(function.key, function)
        catalog.subscribe(self._changed)

    def used(self, account: str, region: str) -> int:
        """Bytes."""
        return self._totals[account, region]

    def require_room(self, key: FunctionKey, size: int, replacing: int = 0) -> None:
        """Raise CodeStorageExceeded if `size` more bytes, in place of `replacing`, are more than the account may."""
        if self.used(key.account, key.region) - replacing + size > self.limit:
            raise CodeStorageExceeded("Code storage limit exceeded.")

    def _changed(self, key: FunctionKey, function: Function | None) -> None:
        versions = () if function is None else function.every_version
        size = sum(version.configuration.package.size for version in versions)
        self._totals[key.account, key.region] += size - self._sizes.pop(key, 0)
        if function is not None:
            self._sizes[key] = size
