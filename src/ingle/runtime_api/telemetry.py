"""Telemetry of one execution environment: what happens in it, and the extensions that want to know.

Events are kept from the start of initialisation, since extensions subscribe during it; whoever subscribes gets those
too. `runtime_api.delivery` carries batches to a subscriber. Event loop only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ingle.domain.clock import iso_time
from ingle.runtime_api.delivery import Channel, Dial
from ingle.runtime_api.extensions import Extensions
from ingle.runtime_api.session import Answer, Refused
from ingle.runtime_api.subscriptions import Api, Subscription, parse

#: What is kept for subscribers to come: enough for every platform event and for a talkative initialisation, in bytes.
_BACKLOG_BYTES = 1 << 20
#: Platform events that the older API has, by the schema that brought them.
_LOGS_EVENTS: Mapping[str, str] = {
    "platform.start": "2020-08-15", "platform.end": "2020-08-15", "platform.report": "2020-08-15",
    "platform.fault": "2020-08-15", "platform.extension": "2020-08-15", "platform.logsSubscription": "2020-08-15",
    "platform.logsDropped": "2020-08-15", "platform.runtimeDone": "2021-03-18",
}  # fmt: skip
#: Platform events that only the older API has.
_LOGS_ONLY = frozenset({"platform.end", "platform.fault", "platform.logsSubscription"})
#: Members of a record that the older API has.
_LOGS_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "platform.start": ("requestId", "version", "tracing"), "platform.report": ("requestId", "metrics", "tracing"),
    "platform.runtimeDone": ("requestId", "status"),
}  # fmt: skip
Spawn = Callable[[Coroutine[Any, Any, None]], None]
#: Told of a subscription: the extension's name, the state, and the kinds of events.
Announce = Callable[[Api, str, str, tuple[str, ...]], None]


@dataclass(frozen=True, slots=True)
class TelemetryEvent:
    """`kind` of subscriptions.KINDS; `type` as delivered; `record` a document, or the text of a log line."""

    kind: str
    type: str
    milliseconds: int
    record: Mapping[str, Any] | str


class Telemetry:
    """`dial` makes an unconnected socket of the environment's own network; `spawn` runs what delivers."""

    def __init__(self, dial: Dial, spawn: Spawn) -> None:
        self._dial = dial
        self._spawn = spawn
        self._backlog: list[TelemetryEvent] = []
        self._backlog_bytes = 0
        self._open = True
        self._channels: dict[str, Channel] = {}
        self.announce: Announce = lambda api, name, state, kinds: None

    @property
    def wanted(self) -> bool:
        """Whether somebody has subscribed or still may."""
        return self._open or bool(self._channels)

    def publish(self, kind: str, event_type: str, record: Mapping[str, Any] | str) -> None:
        if not self.wanted:
            return
        event = TelemetryEvent(kind, event_type, int(time.time() * 1000), record)
        if self._open and self._backlog_bytes < _BACKLOG_BYTES:
            self._backlog.append(event)
            self._backlog_bytes += len(record) if isinstance(record, str) else 500
        for channel in self._channels.values():
            self._send(channel, event)

    def subscribe(self, api: Api, extensions: Extensions, identifier: str | None, body: bytes) -> Answer:
        """Raises Refused."""
        extension = extensions.find(identifier)
        if not self._open:
            raise Refused(403, f"{api}.SubscriptionClosed", f"{api} API subscription is closed already")
        subscription = parse(api, body)
        known = self._channels.get(extension.name)
        if known is not None and known.subscription.api is not api:
            text = f"the extension has subscribed through the {known.subscription.api} API already"
            raise Refused(400, "ValidationError", text)
        if known is None:
            channel = self._channels[extension.name] = Channel(subscription, self._dial)
            for event in self._backlog:
                self._send(channel, event)
            self._spawn(channel.run())
        self.announce(api, extension.name, "Subscribed" if known is None else "Already subscribed", subscription.kinds)
        return Answer(body=b'"OK"')

    def close_subscriptions(self) -> None:
        """Initialisation is over: nobody else can subscribe."""
        self._open = False
        self._backlog.clear()

    def pause(self) -> None:
        """The environment is about to be frozen: nobody in it can take anything."""
        for channel in self._channels.values():
            channel.pause()

    def resume(self) -> None:
        for channel in self._channels.values():
            channel.resume()

    def hurry(self) -> None:
        """Deliver now what there is: the environment ends soon."""
        for channel in self._channels.values():
            channel.hurry()

    def reopen(self) -> None:
        """The environment starts anew: whoever wants to know subscribes again."""
        self.close()
        self._open = True
        self._backlog_bytes = 0

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
        self.close_subscriptions()

    @staticmethod
    def _send(channel: Channel, event: TelemetryEvent) -> None:
        document = encode(channel.subscription, event)
        if document is not None:
            channel.put(document)


def encode(subscription: Subscription, event: TelemetryEvent) -> bytes | None:
    """The event as this subscriber gets it; None if it does not want it, or its API does not have it."""
    if event.kind not in subscription.kinds:
        return None
    record: Any = event.record
    if isinstance(record, str):
        record = _log_record(record, structured=subscription.structured)
    elif subscription.api is Api.LOGS:
        since = _LOGS_EVENTS.get(event.type)
        if since is None or subscription.schema < since:
            return None
        members = _LOGS_MEMBERS.get(event.type)
        record = record if members is None else {name: record[name] for name in members if name in record}
    elif event.type in _LOGS_ONLY:
        return None
    return orjson.dumps({"time": iso_time(event.milliseconds), "type": event.type, "record": record})


def _log_record(line: str, *, structured: bool) -> Any:
    text = line.removesuffix("\n")
    if structured and text.startswith("{"):
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError:
            return line
        if isinstance(document, dict) and _can_be_written(document):
            return document
    return line


def _can_be_written(document: dict[str, Any]) -> bool:
    """What can be read may still be nested too deeply to be written."""
    try:
        orjson.dumps([[document]])
    except TypeError:
        return False
    return True
