"""How much code an account stores in a region, and how much it may."""

from __future__ import annotations

from ingle.catalog import Catalog
from ingle.domain.errors import CodeStorageExceeded
from ingle.domain.function import FunctionKey

#: Bytes of zipped code for each account and region: what AWS answers as `TotalCodeSize`.
TOTAL_CODE_SIZE = 80_530_636_800


class CodeQuota:
    """Counts each function's package once for each version that has it, shared content included, as AWS does."""

    def __init__(self, catalog: Catalog, limit: int = TOTAL_CODE_SIZE) -> None:
        self._catalog = catalog
        self.limit = limit

    def used(self, account: str, region: str) -> int:
        """Bytes."""
        functions = self._catalog.functions(account, region)
        return sum(function.latest.configuration.package.size for function in functions)

    def require_room(self, key: FunctionKey, size: int, replacing: int = 0) -> None:
        """Raise CodeStorageExceeded if `size` more bytes, in place of `replacing`, are more than the account may."""
        if self.used(key.account, key.region) - replacing + size > self.limit:
            raise CodeStorageExceeded("Code storage limit exceeded.")
