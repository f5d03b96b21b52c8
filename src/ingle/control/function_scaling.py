"""The operations on the scaling of functions on managed instances.

Only functions of capacity providers have managed instances to scale, and there are none here: what a request asks for
is checked, and then every function is one that scales by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from ingle.control import function_lookup
from ingle.control.function_records import FunctionRecords
from ingle.control.ports import Handler
from ingle.domain.caller import Caller
from ingle.domain.errors import InvalidParameterValue

Params = dict[str, Any]

#: What a minimum is that a request leaves out, as on AWS.
_MINIMUM = 3


class FunctionScaling:
    """Handlers of Lambda's function scaling operations, by the names of the service model."""

    def __init__(self, records: FunctionRecords) -> None:
        self._records = records

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "GetFunctionScalingConfig": self.get_function_scaling_config,
            "PutFunctionScalingConfig": self.put_function_scaling_config,
        }

    async def put_function_scaling_config(self, caller: Caller, params: Params) -> Params:
        _require_consistent(params.get("FunctionScalingConfig", {}))
        self._refuse(caller, params, "PutFunctionScalingConfig")

    async def get_function_scaling_config(self, caller: Caller, params: Params) -> Params:
        self._refuse(caller, params, "GetFunctionScalingConfig")

    def _refuse(self, caller: Caller, params: Params, operation: str) -> NoReturn:
        """Raises ResourceNotFound, or InvalidParameterValue for a version that exists."""
        function_lookup.version_meant(self._records, function_lookup.reference_to(caller, params, operation))
        raise InvalidParameterValue("FunctionScalingConfig isn't supported for Lambda Default functions.")


def _require_consistent(config: Mapping[str, int]) -> None:
    """Raise InvalidParameterValue for bounds that exclude each other. No environments at all is both bounds 0."""
    least, most = config.get("MinExecutionEnvironments", _MINIMUM), config.get("MaxExecutionEnvironments")
    if most is not None and least > most:
        raise InvalidParameterValue(
            f"MinExecutionEnvironments ({least}) must not be greater than MaxExecutionEnvironments ({most})."
        )
    if least == 0 and most != 0:
        raise InvalidParameterValue("MinExecutionEnvironments can be 0 only if MaxExecutionEnvironments is 0.")
