"""GetAccountSettings: the limits of an account in a region, and what it uses of them."""

from __future__ import annotations

from typing import Any

from ingle.catalog import Catalog
from ingle.control.code_quota import CodeQuota
from ingle.control.code_source import MAX_UNZIPPED, MAX_ZIPPED
from ingle.control.ports import Handler
from ingle.domain.caller import Caller


class Account:
    """Handler of GetAccountSettings."""

    def __init__(self, catalog: Catalog, quota: CodeQuota) -> None:
        self._catalog = catalog
        self._quota = quota

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {"GetAccountSettings": self.get_account_settings}

    async def get_account_settings(self, caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        concurrency = self._catalog.concurrency
        return {
            "AccountLimit": {
                "TotalCodeSize": self._quota.limit,
                "CodeSizeUnzipped": MAX_UNZIPPED,
                "CodeSizeZipped": MAX_ZIPPED,
                "ConcurrentExecutions": concurrency.limit,
                "UnreservedConcurrentExecutions": concurrency.unreserved(caller.account, caller.region),
            },
            "AccountUsage": {
                "TotalCodeSize": self._quota.used(caller.account, caller.region),
                "FunctionCount": self._catalog.count(caller.account, caller.region),
            },
        }
