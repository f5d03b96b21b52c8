"""Names and ARNs of log groups and streams."""

from __future__ import annotations

import re
from typing import Any

from ingle.domain.arn import partition_of
from ingle.domain.caller import Caller
from ingle.supporting.log_errors import LogsInvalidParameter, no_group

_GROUP_ARN = re.compile(
    r"arn:[a-z-]+:logs:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):log-group:(?P<name>[^:*]+)(?::\*)?\Z"
)


def group_name(caller: Caller, params: dict[str, Any]) -> str:
    """The group that a request names, by name or by identifier (a name or an ARN).

    Raises LogsInvalidParameter, LogsResourceNotFound.
    """
    name: str | None = params.get("logGroupName")
    identifier: str | None = params.get("logGroupIdentifier")
    if name is not None and identifier is not None:
        raise LogsInvalidParameter("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
    if name is None and identifier is None:
        raise LogsInvalidParameter("Either LogGroup name or LogGroup ARN must be provided.")
    return name if name is not None else name_of(caller, str(identifier))


def name_of(caller: Caller, identifier: str) -> str:
    """The name in an identifier. Raises LogsInvalidParameter; LogsResourceNotFound for another account or region."""
    if not identifier.startswith("arn:"):
        return identifier
    match = _GROUP_ARN.match(identifier)
    if match is None:
        raise LogsInvalidParameter("Invalid LogGroup ARN.")
    if (match["account"], match["region"]) != (caller.account, caller.region):
        raise no_group()
    return match["name"]


def group_arn(caller: Caller, name: str) -> str:
    """Without the `:*` that stands for the group's streams."""
    return f"arn:{partition_of(caller.region)}:logs:{caller.region}:{caller.account}:log-group:{name}"


def stream_arn(caller: Caller, group: str, name: str) -> str:
    return f"{group_arn(caller, group)}:log-stream:{name}"
