"""ListAuditRecords: what the audit log has of the caller's account, the newest first.

One call reads a bounded piece of the log, in a thread; where that holds less than a page, the page is short, or empty,
and its token goes on from there.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import orjson

from ingle.domain.caller import Caller
from ingle.own.functions import refuse_unknown_functions
from ingle.own.pages import start_of
from ingle.storage.audit_reading import Budget, Line, Place, backwards
from ingle.supporting import page_tokens
from ingle.supporting.ports import Handler

Params = dict[str, Any]
Record = Mapping[str, Any]

PAGE = 50
#: Bytes of records in one answer, about.
_ROOM = 1 << 20
#: Records are written in the order in which calls end; a clock that was set back may disturb it a little. Seconds.
_DISORDER = 60
#: Of Lambda's operations, events have the API's version in their names.
_VERSION = re.compile(r"\d{8}$")
_TIME = b'"eventTime":"'
_FORM = "%Y-%m-%dT%H:%M:%SZ"


class AuditRecords:
    """`directory` has the log, `recording`: whether calls are being recorded."""

    def __init__(self, directory: Path, *, recording: bool) -> None:
        self._directory = directory
        self._recording = recording

    def handlers(self) -> dict[str, Handler]:
        return {"ListAuditRecords": self.list_audit_records}

    async def list_audit_records(self, caller: Caller, params: Params) -> Params:
        refuse_unknown_functions(caller)
        token = start_of(params, str, int)
        start = None if token is None else Place(*token)
        wanted = _Wanted.of(caller.account, params)
        size = params.get("MaxResults", PAGE)
        records, place = await asyncio.to_thread(self._find, wanted, start, size)
        return {
            "Recording": self._recording,
            "Records": records,
            "NextToken": None if place is None else page_tokens.encode(*place),
        }

    def _find(self, wanted: _Wanted, start: Place | None, size: int) -> tuple[list[Params], Place | None]:
        """Records as the API shows them, and where to go on; None at the end. Blocks."""
        found: list[Params] = []
        budget, room, place = Budget(), _ROOM, None
        newest, oldest = wanted.days
        for line in backwards(self._directory, budget, start, newest, oldest):
            if len(found) == size or room <= 0:
                return found, place
            place = line.place
            if wanted.is_over(line):
                return found, None
            record = wanted.record_in(line)
            if record is not None:
                found.append(_shown(record, line.text))
                room -= len(line.text)
        return found, place if budget.spent else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which records are asked for. Times are as records have them: they sort as text.

    `signs`: what the line of a wanted record has in it, so that few others are read as JSON.
    """

    account: str
    signs: tuple[bytes, ...]
    since: str | None
    until: str | None
    given_up: str | None
    days: tuple[str | None, str | None]
    members: Mapping[str, Any]
    failed: bool | None
    event_name: str | None
    principal: str | None

    @classmethod
    def of(cls, account: str, params: Params) -> Self:
        since: datetime | None = params.get("StartTime")
        until: datetime | None = params.get("EndTime")
        members = {"eventSource": params.get("EventSource"), "errorCode": params.get("ErrorCode"),
                   "readOnly": params.get("ReadOnly")}  # fmt: skip
        outcome = params.get("Outcome")
        name, principal = params.get("EventName"), params.get("PrincipalArn")
        signs = [account, name, principal, members["eventSource"], members["errorCode"]]
        return cls(
            account=account,
            signs=tuple(json.dumps(sign)[1:-1].encode() for sign in signs if sign is not None),
            since=_text(since),
            until=_text(until),
            given_up=_text(since, -_DISORDER),
            # A record may be written on the day after its call.
            days=(_day(until, 1), _day(since, 0)),
            members={name: value for name, value in members.items() if value is not None},
            failed=None if outcome is None else outcome == "FAILURE",
            event_name=name,
            principal=principal,
        )

    def is_over(self, line: Line) -> bool:
        """Whether this line and all before it are too old."""
        return self.given_up is not None and "" < _time_in(line.text) < self.given_up

    def record_in(self, line: Line) -> Record | None:
        """The record, if it is one and is wanted."""
        text = line.text
        if not all(sign in text for sign in self.signs) or (self.until is not None and _time_in(text) > self.until):
            return None
        try:
            record = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        return record if _is_record(record) and self._has(record) else None

    def _has(self, record: Record) -> bool:
        name, time = record["eventName"], record["eventTime"]
        return (
            record.get("recipientAccountId") == self.account
            and (self.since is None or time >= self.since)
            and (self.until is None or time <= self.until)
            and all(record.get(member) == value for member, value in self.members.items())
            and (self.failed is None or ("errorCode" in record) == self.failed)
            and (self.event_name is None or self.event_name in (name, _VERSION.sub("", name)))
            and (self.principal is None or record["userIdentity"].get("arn") == self.principal)
        )


def _is_record(found: Any) -> bool:
    """Whether it has what all records have. Others may have been in the file."""
    if not isinstance(found, dict) or not isinstance(found.get("userIdentity"), dict):
        return False
    try:
        return all(isinstance(found.get(name), str) for name in ("eventName", "eventTime")) and bool(_parsed(found))
    except ValueError:
        return False


def _parsed(record: Record) -> datetime:
    """When a call was. Raises ValueError."""
    return datetime.strptime(record["eventTime"], _FORM).replace(tzinfo=UTC)


def _time_in(text: bytes) -> str:
    """When a call was, or nothing for what is no record."""
    _, found, rest = text.partition(_TIME)
    return rest[:20].decode("ascii", "replace") if found else ""


def _text(when: datetime | None, later: int = 0) -> str | None:
    return None if when is None else f"{_shifted(when, timedelta(seconds=later)):{_FORM}}"


def _day(when: datetime | None, later: int) -> str | None:
    return None if when is None else str(_shifted(when, timedelta(days=later)).date())


def _shifted(when: datetime, by: timedelta) -> datetime:
    try:
        return when.astimezone(UTC) + by
    except OverflowError:
        return when.astimezone(UTC)


def _shown(record: Record, text: bytes) -> Params:
    identity = record["userIdentity"]
    return {
        "EventId": record.get("eventID"),
        "OccurredAt": _parsed(record),
        "EventName": record.get("eventName"),
        "EventSource": record.get("eventSource"),
        "ReadOnly": record.get("readOnly"),
        "Region": record.get("awsRegion"),
        "PrincipalArn": identity.get("arn"),
        "AccessKeyId": identity.get("accessKeyId"),
        "SourceIpAddress": record.get("sourceIPAddress"),
        "RequestId": record.get("requestID"),
        "ErrorCode": record.get("errorCode"),
        "ErrorMessage": record.get("errorMessage"),
        "Record": text.decode().rstrip("\n"),
    }
