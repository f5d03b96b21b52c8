"""Where results of asynchronous invocations may go: the checks of a DestinationConfig.

Functions are looked up. Queues, topics, buses and buckets are others' and are judged by their ARNs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingle.control.function_records import FunctionRecords
from ingle.domain.errors import InvalidParameterValue
from ingle.domain.event_invoke_config import Destination
from ingle.domain.function import LATEST, Function, FunctionKey

#: Kinds that take every result; buckets take failures only.
_ANYWHERE = {"lambda", "queue", "topic", "bus"}


def of(config: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The ARNs for success and for failure. An empty one is none."""
    success, failure = config.get("OnSuccess", {}), config.get("OnFailure", {})
    return success.get("Destination") or None, failure.get("Destination") or None


def validate(
    success: str | None, failure: str | None, function: Function, qualifier: str, records: FunctionRecords
) -> None:
    """Raise InvalidParameterValue unless results of `qualifier` of `function` can go to both."""
    for arn, kinds in ((success, _ANYWHERE), (failure, {*_ANYWHERE, "bucket"})):
        if arn is None:
            continue
        destination = Destination.parse(arn)
        if destination is None or destination.kind not in kinds:
            raise InvalidParameterValue(
                f"The provided destination config DestinationConfig(onSuccess={_printed('OnSuccess', success)}, "
                f"onFailure={_printed('OnFailure', failure)}) is invalid."
            )
        if destination.function is not None:
            _validate_function(arn, *destination.function, function, qualifier, records)


def _validate_function(
    arn: str, key: FunctionKey, wanted: str | None, function: Function, qualifier: str, records: FunctionRecords
) -> None:
    if key == function.key and (wanted or LATEST) == qualifier:
        raise InvalidParameterValue("You can't specify the function as a destination for itself.")
    target = function if key == function.key else records.get(key)
    if key.region != function.key.region or target is None or target.qualified(wanted or LATEST) is None:
        raise InvalidParameterValue(f"The destination ARN {arn} is invalid.")


def _printed(member: str, arn: str | None) -> str:
    return "null" if arn is None else f"{member}(destination={arn})"
