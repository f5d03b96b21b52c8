"""The CloudWatch Logs API over the log store: groups, streams and retention here, events in `log_events`, tags in
`log_tags`.

Owns no data. Handlers take what `wire` parsed and answer in the model's member names; times are epoch milliseconds.
Operations that are not listed in `handlers` are answered by the frontend as not implemented.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ingle.domain.caller import Caller
from ingle.domain.clock import Clock
from ingle.domain.errors import NotImplementedByIngle
from ingle.storage.errors import (
    LogGroupExists,
    LogGroupNotFound,
    LogStreamExists,
    LogStreamNotFound,
    StorageFull,
    StorageUnavailable,
)
from ingle.storage.log_values import GroupInfo, StreamInfo
from ingle.storage.logs import LogStore
from ingle.supporting import log_tokens
from ingle.supporting.log_errors import (
    LogsInvalidParameter,
    LogsResourceAlreadyExists,
    LogsUnavailable,
    no_group,
    no_stream,
)
from ingle.supporting.log_events import LogEvents
from ingle.supporting.log_names import group_arn, group_name, name_of, stream_arn
from ingle.supporting.log_tags import LogTags, check_tags

Answer = dict[str, Any]
Handler = Callable[[Caller, dict[str, Any]], Awaitable[Answer]]

MOST_DESCRIBED = 50
#: Of all log groups here.
_CLASS = "STANDARD"
#: Days that a retention policy can have (Logs API reference, PutRetentionPolicy).
RETENTION_DAYS = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)


class Logs:
    """Handlers of the Logs API. Errors: those of `log_errors`."""

    def __init__(self, store: LogStore, clock: Clock) -> None:
        self._store = store
        self._events = LogEvents(store, clock)
        self._tags = LogTags(store)

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        found: dict[str, Handler] = {
            "CreateLogGroup": self.create_log_group,
            "CreateLogStream": self.create_log_stream,
            "DeleteLogGroup": self.delete_log_group,
            "DeleteLogStream": self.delete_log_stream,
            "DeleteRetentionPolicy": self.delete_retention_policy,
            "DescribeLogGroups": self.describe_log_groups,
            "DescribeLogStreams": self.describe_log_streams,
            "FilterLogEvents": self._events.filter_log_events,
            "GetLogEvents": self._events.get_log_events,
            "ListLogGroups": self.list_log_groups,
            "PutLogEvents": self._events.put_log_events,
            "PutRetentionPolicy": self.put_retention_policy,
        }
        found |= self._tags.handlers()
        return {name: _translating(handler) for name, handler in found.items()}

    async def create_log_group(self, caller: Caller, params: dict[str, Any]) -> Answer:
        if params.get("logGroupClass", _CLASS) != _CLASS:
            raise NotImplementedByIngle(f"Ingle does not implement the log group class {params['logGroupClass']} yet.")
        for name in ("kmsKeyId", "deletionProtectionEnabled"):
            if params.get(name):
                raise NotImplementedByIngle(f"Ingle does not implement CreateLogGroup with {name} yet.")
        tags = params.get("tags") or {}
        check_tags(tags, LogsInvalidParameter)
        await self._store.create_group(caller.account, caller.region, params["logGroupName"], tags)
        return {}

    async def delete_log_group(self, caller: Caller, params: dict[str, Any]) -> Answer:
        await self._store.delete_group(caller.account, caller.region, params["logGroupName"])
        return {}

    async def create_log_stream(self, caller: Caller, params: dict[str, Any]) -> Answer:
        group, stream = params["logGroupName"], params["logStreamName"]
        await self._store.create_stream(caller.account, caller.region, group, stream)
        return {}

    async def delete_log_stream(self, caller: Caller, params: dict[str, Any]) -> Answer:
        group, stream = params["logGroupName"], params["logStreamName"]
        await self._store.delete_stream(caller.account, caller.region, group, stream)
        return {}

    async def put_retention_policy(self, caller: Caller, params: dict[str, Any]) -> Answer:
        days = params["retentionInDays"]
        if days not in RETENTION_DAYS:
            allowed = ", ".join(map(str, sorted(RETENTION_DAYS)))
            raise LogsInvalidParameter(f"Invalid retention value. Valid values are: [{allowed}]")
        await self._store.put_retention(caller.account, caller.region, params["logGroupName"], days)
        return {}

    async def delete_retention_policy(self, caller: Caller, params: dict[str, Any]) -> Answer:
        await self._store.put_retention(caller.account, caller.region, params["logGroupName"], None)
        return {}

    async def describe_log_groups(self, caller: Caller, params: dict[str, Any]) -> Answer:
        prefix, pattern = params.get("logGroupNamePrefix"), params.get("logGroupNamePattern")
        if prefix is not None and pattern is not None:
            raise LogsInvalidParameter(
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            )
        after = log_tokens.decode(params.get("nextToken"), str)
        groups = await self._store.groups(caller.account, caller.region, prefix or "")
        identifiers = params.get("logGroupIdentifiers")
        named = None if identifiers is None else {name_of(caller, identifier) for identifier in identifiers}
        matching = [
            group
            for group in groups
            if (pattern or "") in group.name
            and (named is None or group.name in named)
            and params.get("logGroupClass", _CLASS) == _CLASS
            and (after is None or group.name > after[0])
        ]
        limit = params.get("limit", MOST_DESCRIBED)
        answer: Answer = {"logGroups": [_group(caller, group) for group in matching[:limit]]}
        if len(matching) > limit:
            answer["nextToken"] = log_tokens.encode(matching[limit - 1].name)
        return answer

    async def list_log_groups(self, caller: Caller, params: dict[str, Any]) -> Answer:
        for name in ("dataSources", "fieldIndexNames", "logGroupTags"):
            if params.get(name):
                raise NotImplementedByIngle(f"Ingle does not implement ListLogGroups with {name} yet.")
        after = log_tokens.decode(params.get("nextToken"), str)
        parts = params.get("logGroupNamePattern", "").split("|")
        groups = [
            group.name
            for group in await self._store.groups(caller.account, caller.region)
            if any(group.name.startswith(part[1:]) if part.startswith("^") else part in group.name for part in parts)
            and params.get("logGroupClass", _CLASS) == _CLASS
            and (after is None or group.name > after[0])
        ]
        limit = params.get("limit", MOST_DESCRIBED)
        found = [
            {"logGroupName": name, "logGroupArn": group_arn(caller, name), "logGroupClass": _CLASS}
            for name in groups[:limit]
        ]
        answer: Answer = {"logGroups": found}
        if len(groups) > limit:
            answer["nextToken"] = log_tokens.encode(groups[limit - 1])
        return answer

    async def describe_log_streams(self, caller: Caller, params: dict[str, Any]) -> Answer:
        group, prefix = group_name(caller, params), params.get("logStreamNamePrefix")
        by_time = params.get("orderBy") == "LastEventTime"
        if by_time and prefix is not None:
            raise LogsInvalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
        after = log_tokens.decode(params.get("nextToken"), int, str)
        descending = params.get("descending", False)

        def key(stream: StreamInfo) -> tuple[int, str]:
            return (stream.last_event or 0) if by_time else 0, stream.name

        streams = await self._store.streams(caller.account, caller.region, group, prefix or "")
        ordered = sorted(streams, key=key, reverse=descending)
        if after is not None:
            ordered = [stream for stream in ordered if (key(stream) < after if descending else key(stream) > after)]
        limit = params.get("limit", MOST_DESCRIBED)
        answer: Answer = {"logStreams": [_stream(caller, group, stream) for stream in ordered[:limit]]}
        if len(ordered) > limit:
            answer["nextToken"] = log_tokens.encode(*key(ordered[limit - 1]))
        return answer


def _translating(handler: Handler) -> Handler:
    """The handler with the store's errors told in the API's words."""

    async def handle(caller: Caller, params: dict[str, Any]) -> Answer:
        try:
            return await handler(caller, params)
        except LogGroupNotFound:
            raise no_group() from None
        except LogStreamNotFound:
            raise no_stream() from None
        except LogGroupExists:
            raise LogsResourceAlreadyExists("The specified log group already exists") from None
        except LogStreamExists:
            raise LogsResourceAlreadyExists("The specified log stream already exists") from None
        except (StorageFull, StorageUnavailable) as problem:
            raise LogsUnavailable("The service cannot complete the request.") from problem

    return handle


def _group(caller: Caller, group: GroupInfo) -> Answer:
    arn = group_arn(caller, group.name)
    answer = {
        "logGroupName": group.name,
        "creationTime": group.created,
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "storedBytes": group.stored_bytes,
        "logGroupClass": _CLASS,
        "logGroupArn": arn,
    }
    return answer if group.retention_days is None else {**answer, "retentionInDays": group.retention_days}


def _stream(caller: Caller, group: str, stream: StreamInfo) -> Answer:
    times = {
        "firstEventTimestamp": stream.first_event,
        "lastEventTimestamp": stream.last_event,
        "lastIngestionTime": stream.last_ingestion,
    }
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        **{name: value for name, value in times.items() if value is not None},
        "arn": stream_arn(caller, group, stream.name),
        "storedBytes": 0,
    }
