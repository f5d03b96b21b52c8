"""What the operations of Ingle's own service need: `ingle:Operation` on the function that is named, else on `*`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingle.catalog import Catalog
from ingle.domain.arn import FunctionArn
from ingle.domain.caller import Caller
from ingle.domain.function import FunctionKey
from ingle.frontend.authorization.needs import Need, Values
from ingle.own.functions import key_meant


class OwnNeeds:
    """Reads the tags of functions from the catalog. `__call__` is a `needs.NeedsOf`."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def __call__(self, caller: Caller, operation: str, params: Mapping[str, Any]) -> list[Need]:
        action = f"ingle:{operation}"
        if "FunctionName" not in params:
            return [Need(action=action, resource="*", account=caller.account)]
        key = key_meant(caller, operation, params)
        arn = str(FunctionArn.of(key))
        return [Need(action=action, resource=arn, account=key.account, values=lambda: self._values(key))]

    def _values(self, key: FunctionKey) -> Values:
        function = self._catalog.get(key)
        tags = {} if function is None or function.tags is None else function.tags
        return {f"aws:ResourceTag/{name}": value for name, value in tags.items()}
