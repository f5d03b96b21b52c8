"""GetAccountSettings: the limits of an account in a region, and what it uses of them."""

from __future__ import annotations

from typing import Any

from ingle.catalog import Catalog
from ingle.control.code_quota import CodeQuota
from ingle.control.code_source import MAX_UNZIPPED, MAX_ZIPPED
from ingle.control.ports import Handler
from ingle.domain.caller import Caller

#: AWS's default for an account and region.
CONCURRENT_EXECUTIONS = 1000


class Account:
    """Handler of GetAccountSettings. No concurrency is reserved for functions, so all of it is unreserved."""

    def __init__(self, catalog: Catalog, quota: CodeQuota, concurrent_executions: int = CONCURRENT_EXECUTIONS) -> None:
        self._catalog = catalog
        self._quota = quota
        self._concurrent_executions = concurrent_executions

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {"GetAccountSettings": self.get_account_settings}

    async def get_account_settings(self, caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        return {
            "AccountLimit": {
                "TotalCodeSize": self._quota.limit,
                "CodeSizeUnzipped": MAX_UNZIPPED,
                "CodeSizeZipped": MAX_ZIPPED,
                "ConcurrentExecutions": self._concurrent_executions,
                "UnreservedConcurrentExecutions": self._concurrent_executions,
            },
            "AccountUsage": {
                "TotalCodeSize": self._quota.used(caller.account, caller.region),
                "FunctionCount": self._catalog.count(caller.account, caller.region),
            },
        }
