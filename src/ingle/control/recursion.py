"""The operations on recursion: whether a function that invokes itself, again and again, is stopped.

`invoke` and `event_invoke` read the setting, see `domain.recursion`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ingle.control import function_lookup
from ingle.control.function_records import FunctionRecords
from ingle.control.ports import Handler
from ingle.domain.caller import Caller
from ingle.domain.function import LATEST
from ingle.domain.recursion import Recursion

Params = dict[str, Any]


class Recursions:
    """Handlers of Lambda's recursion operations. The setting is the function's, not a version's."""

    def __init__(self, records: FunctionRecords) -> None:
        self._records = records

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "GetFunctionRecursionConfig": self.get_function_recursion_config,
            "PutFunctionRecursionConfig": self.put_function_recursion_config,
        }

    async def put_function_recursion_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "PutFunctionRecursionConfig")
        async with self._records.exclusive(reference.key):
            function = function_lookup.existing(self._records, reference)
            recursion = Recursion(loop=params["RecursiveLoop"])
            attached = function.attachments.having(LATEST, recursion)
            await self._records.save(replace(function, attachments=attached))
        return {"RecursiveLoop": recursion.loop}

    async def get_function_recursion_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "GetFunctionRecursionConfig")
        function = function_lookup.existing(self._records, reference)
        recursion = function.attachments.get(Recursion, LATEST) or Recursion()
        return {"RecursiveLoop": recursion.loop}
