"""Reading and writing log events over the CloudWatch Logs API: GetLogEvents, FilterLogEvents, PutLogEvents.

Events are read a page at a time; tokens are positions in the store. A page ends at the limit the caller gave, at 1 MB,
or after a bounded number of events looked at, so that no request occupies the server for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ingle.domain.caller import Caller
from ingle.domain.clock import Clock, milliseconds
from ingle.storage.log_values import LogEvent, Position
from ingle.storage.logs import LogStore
from ingle.supporting import log_tokens
from ingle.supporting.log_errors import LogsInvalidParameter, no_stream
from ingle.supporting.log_names import group_name
from ingle.supporting.log_patterns import PatternError, Test, compile_pattern

Answer = dict[str, Any]

MOST_EVENTS = 10_000
#: Bytes of events in a page or in a request, each event counted with EVENT_OVERHEAD (both: Logs API reference).
MOST_BYTES = 1_048_576
EVENT_OVERHEAD = 26
#: Events that one request looks at, and that it reads at once.
MOST_LOOKED_AT = 50_000
CHUNK = 2_000
HOUR_MS = 3_600_000
OLDEST_MS = 14 * 24 * HOUR_MS
NEWEST_MS = 2 * HOUR_MS
#: Searches of FilterLogEvents from the end begin at 2024 or later, in UTC.
_EARLIEST_BACKWARD_MS = 1_704_067_200_000
_BACKWARD = "b/"
_SEQUENCE_TOKEN = "4957" + "0" * 45


class LogEvents:
    """Handlers of the operations on events. Errors: those of `log_errors`, and the store's, which `logs` translates."""

    def __init__(self, store: LogStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def get_log_events(self, caller: Caller, params: dict[str, Any]) -> Answer:
        group, stream = group_name(caller, params), params["logStreamName"]
        await self._require_streams(caller, group, [stream])
        token = params.get("nextToken")
        ahead = token.startswith("f/") if token else params.get("startFromHead", False)
        if token and token[:2] not in ("f/", "b/"):
            raise log_tokens.invalid()
        place = log_tokens.position(token[2:]) if token else None
        events = await self._read(
            caller,
            group,
            streams=[stream],
            start_ms=params.get("startTime"),
            end_ms=params.get("endTime"),
            limit=params.get("limit", MOST_EVENTS),
            after=place if ahead else None,
            before=None if ahead else place,
            backward=not ahead,
        )
        events = _within_a_page(events, backward=not ahead)
        forward, backward = _tokens(events, token)
        return {
            "events": [_output_event(event) for event in events],
            "nextForwardToken": forward,
            "nextBackwardToken": backward,
        }

    async def filter_log_events(self, caller: Caller, params: dict[str, Any]) -> Answer:
        group = group_name(caller, params)
        try:
            passes = compile_pattern(params.get("filterPattern", ""))
        except PatternError as problem:
            raise LogsInvalidParameter(str(problem)) from None
        token = params.get("nextToken")
        backward = token.startswith(_BACKWARD) if token else _from_the_end(params)
        streams = await self._streams(caller, group, params)
        if streams is not None and not streams:
            return {"events": [], "searchedLogStreams": []}
        # Unlike in GetLogEvents, events of the end time itself are included.
        end = params.get("endTime")
        page = _Page(limit=params.get("limit", MOST_EVENTS), passes=passes)
        page.place = log_tokens.position(token.removeprefix(_BACKWARD)) if token else None
        answer: Answer = {"events": [], "searchedLogStreams": []}
        while not page.full:
            chunk = await self._read(
                caller,
                group,
                streams=streams,
                start_ms=params.get("startTime"),
                end_ms=None if end is None else end + 1,
                after=None if backward else page.place,
                before=page.place if backward else None,
                limit=CHUNK,
                backward=backward,
            )
            if page.add(chunk[::-1] if backward else chunk) and len(chunk) < CHUNK:
                break
        else:
            if page.place is not None:
                answer["nextToken"] = (_BACKWARD if backward else "") + page.place.token()
        answer["events"] = [_filtered_event(event) for event in page.events]
        return answer

    async def put_log_events(self, caller: Caller, params: dict[str, Any]) -> Answer:
        group, stream = params["logGroupName"], params["logStreamName"]
        events = [(event["timestamp"], event["message"]) for event in params["logEvents"]]
        await self._require_streams(caller, group, [stream])
        _check_batch(events)
        now = milliseconds(self._clock)
        too_old = sum(1 for timestamp, _ in events if timestamp < now - OLDEST_MS)
        too_new = sum(1 for timestamp, _ in events if timestamp > now + NEWEST_MS)
        accepted = events[too_old : len(events) - too_new]
        if accepted:
            await self._store.put_events(caller.account, caller.region, group, stream, accepted)
        answer: Answer = {"nextSequenceToken": _SEQUENCE_TOKEN}
        rejected = {"tooOldLogEventEndIndex": too_old} if too_old else {}
        if too_new:
            rejected["tooNewLogEventStartIndex"] = len(events) - too_new
        return {**answer, "rejectedLogEventsInfo": rejected} if rejected else answer

    async def _streams(self, caller: Caller, group: str, params: dict[str, Any]) -> list[str] | None:
        """The streams to search, None for all of the group."""
        names: list[str] | None = params.get("logStreamNames")
        prefix = params.get("logStreamNamePrefix")
        if names is not None and prefix is not None:
            raise LogsInvalidParameter("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
        if names is not None:
            await self._require_streams(caller, group, names)
        elif prefix is not None:
            return await self._stream_names(caller, group, prefix)
        return names

    async def _require_streams(self, caller: Caller, group: str, names: Sequence[str]) -> None:
        for name in names:
            if name not in await self._stream_names(caller, group, name):
                raise no_stream()

    async def _stream_names(self, caller: Caller, group: str, prefix: str) -> list[str]:
        found = await self._store.streams(caller.account, caller.region, group, prefix)
        return [stream.name for stream in found]

    async def _read(self, caller: Caller, group: str, **query: Any) -> list[LogEvent]:
        return await self._store.read(caller.account, caller.region, group, **query)


@dataclass(slots=True)
class _Page:
    """Collects the events that pass, and remembers the last one looked at."""

    limit: int
    passes: Test | None
    events: list[LogEvent] = field(default_factory=list)
    place: Position | None = None
    size: int = 0
    looked_at: int = 0

    @property
    def full(self) -> bool:
        return len(self.events) >= self.limit or self.size >= MOST_BYTES or self.looked_at >= MOST_LOOKED_AT

    def add(self, chunk: Sequence[LogEvent]) -> bool:
        """Look at a chunk until the page is full. Whether that was to the chunk's end."""
        for event in chunk:
            if self.full:
                return False
            self.looked_at += 1
            self.place = event.position
            if self.passes is None or self.passes(event.message):
                self.events.append(event)
                self.size += _size(event.message)
        return True


def _from_the_end(params: dict[str, Any]) -> bool:
    """Whether the latest events come first. Source of the rule: `startFromHead` in the service model."""
    if params.get("startFromHead", True):
        return False
    if params.get("startTime", _EARLIEST_BACKWARD_MS) < _EARLIEST_BACKWARD_MS:
        raise LogsInvalidParameter(
            "startFromHead can be false only where startTime is on or after Jan 1, 2024 00:00:00 UTC."
        )
    return True


def _size(message: str) -> int:
    return len(message.encode("utf-8", "surrogatepass")) + EVENT_OVERHEAD


def _within_a_page(events: list[LogEvent], *, backward: bool) -> list[LogEvent]:
    """As many events as fit into a page, at least one, from the end that is being read from."""
    ordered = events[::-1] if backward else events
    size = 0
    for count, event in enumerate(ordered):
        size += _size(event.message)
        if count and size > MOST_BYTES:
            kept = ordered[:count]
            return kept[::-1] if backward else kept
    return events


def _tokens(events: Sequence[LogEvent], token: str | None) -> tuple[str, str]:
    """Forward and backward token. At either end the same token comes back, which tells the caller to stop there."""
    if events:
        return log_tokens.forward(events[-1].position), log_tokens.backward(events[0].position)
    if token is None:
        return log_tokens.forward(log_tokens.START), log_tokens.backward(log_tokens.START)
    place = log_tokens.position(token[2:])
    if token.startswith("f/"):
        return token, log_tokens.backward(place, including=True)
    return log_tokens.forward(place, including=True), token


def _output_event(event: LogEvent) -> Answer:
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingestion}


def _filtered_event(event: LogEvent) -> Answer:
    timestamp, segment, offset, place = event.position
    return {
        "logStreamName": event.stream,
        **_output_event(event),
        "eventId": f"{timestamp:020d}{segment:010d}{offset:014d}{place:012d}",
    }


def _check_batch(events: Sequence[tuple[int, str]]) -> None:
    """The rules of PutLogEvents for a batch. Raises LogsInvalidParameter."""
    timestamps = [timestamp for timestamp, _ in events]
    if timestamps != sorted(timestamps):
        raise LogsInvalidParameter("Log events in a single PutLogEvents request must be in chronological order.")
    if timestamps[-1] - timestamps[0] > 24 * HOUR_MS:
        raise LogsInvalidParameter(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )
    size = sum(_size(message) for _, message in events)
    if size > MOST_BYTES:
        raise LogsInvalidParameter(f"Upload too large: {size} bytes exceeds limit of {MOST_BYTES}")
