"""Refuses what would put more on a full disk. What is there goes on: functions run, and what is deleted makes room.

The composition root wraps the registry with `while_there_is_room`. Errors are the services' own for their own faults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingle.domain.caller import Caller
from ingle.domain.errors import InternalFailure, ServiceError
from ingle.frontend.dispatch import Handler, Registry
from ingle.supporting.ec2.errors import Ec2Unavailable
from ingle.supporting.iam_errors import IamUnavailable
from ingle.supporting.kms.errors import KmsUnavailable
from ingle.supporting.log_errors import LogsUnavailable
from ingle.supporting.metric_errors import MetricsUnavailable
from ingle.supporting.tagging_errors import TaggingUnavailable

MESSAGE = "The disk that holds the data directory is full."

_ERRORS: Mapping[str, type[ServiceError]] = {
    "kms": KmsUnavailable,
    "logs": LogsUnavailable,
    "cloudwatch": MetricsUnavailable,
    "resourcegroupstaggingapi": TaggingUnavailable,
    "iam": IamUnavailable,
    "ec2": Ec2Unavailable,
}
#: What operations that store something begin with.
_GROWING = ("Add", "Allocate", "Authorize", "Create", "Publish", "Put", "Tag", "Update")


def grows(operation: str) -> bool:
    return operation.startswith(_GROWING)


def while_there_is_room(handlers: Registry, is_full: Callable[[], bool]) -> Registry:
    return {
        (service, name): _guarded(handler, _ERRORS.get(service, InternalFailure), is_full) if grows(name) else handler
        for (service, name), handler in handlers.items()
    }


def _guarded(handler: Handler, error: type[ServiceError], is_full: Callable[[], bool]) -> Handler:
    async def handle(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        if is_full():
            raise error(MESSAGE)
        return await handler(caller, params)

    return handle
