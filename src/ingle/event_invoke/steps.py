"""One step of an event: an attempt to run its function, or a delivery of its result. What follows is `policy`'s."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingle.catalog import Catalog
from ingle.domain.clock import Clock, milliseconds
from ingle.domain.errors import ResourceNotFound, ServiceError, TooManyRequests
from ingle.domain.event import Event, Progress
from ingle.event_invoke import policy
from ingle.event_invoke.lanes import Entry, Lane
from ingle.event_invoke.policy import Rules
from ingle.event_invoke.ports import Deliver, DeliveryFailed, Record, Run
from ingle.observability.log import Logger

_log = Logger("event_invoke")


@dataclass(slots=True)
class Tally:
    """Since the server started. `dropped` is by condition, `undelivered` by metric."""

    received: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    undelivered: Counter[str] = field(default_factory=Counter)


class Steps:
    """Tells the lane how it went. `deliver` is there before the first delivery."""

    def __init__(
        self, catalog: Catalog, run: Run, record: Record, clock: Clock, delays: Sequence[float], tally: Tally
    ) -> None:
        self._catalog = catalog
        self._run = run
        self._record = record
        self._clock = clock
        self._delays = delays
        self._tally = tally
        self.deliver: Deliver | None = None

    async def attempt(self, lane: Lane, entry: Entry) -> Progress | None:
        """Run the function once; None if it is gone."""
        event, progress = entry.event, entry.progress
        rules = self._rules(event)
        if rules is None:
            return None
        now = milliseconds(self._clock)
        over = policy.before_attempt(event, progress, rules, now)
        if over is not None:
            return over
        self._record(event.key, "AsyncEventAge", max(0, now - event.accepted), "Milliseconds")
        try:
            response = await self._run(event)
        except ServiceError as error:
            return self._could_not_run(lane, entry, error)
        lane.succeeded(milliseconds(self._clock))
        rules = self._rules(event) or rules
        return policy.answered(event, progress, response, rules, milliseconds(self._clock), self._delays)

    def _could_not_run(self, lane: Lane, entry: Entry, error: ServiceError) -> Progress | None:
        event = entry.event
        rules = self._rules(event)
        if rules is None:
            return None
        _log.debug("an event could not be run", event_id=event.id, function=event.key.name, reason=error.message)
        if isinstance(error, TooManyRequests):
            lane.refused()
        elif isinstance(error, ResourceNotFound):
            _log.warning("an event's qualifier is gone", event_id=event.id, arn=event.arn)
        return policy.refused(event, entry.progress, rules, milliseconds(self._clock))

    def _rules(self, event: Event) -> Rules | None:
        function = self._catalog.get(event.key)
        return None if function is None else Rules.of(function, event.qualifier)

    async def send(self, lane: Lane, entry: Entry) -> Progress:
        assert self.deliver is not None, "nothing is under way before start"
        event, progress = entry.event, entry.progress
        delivery = progress.deliveries[0]
        try:
            if lane.failing is not None and policy.is_stale(progress, milliseconds(self._clock)):
                raise DeliveryFailed(lane.failing, final=True)
            await self.deliver(event, progress, delivery)
        except DeliveryFailed as error:
            metric = "DeadLetterErrors" if delivery.dead_letter else "DestinationDeliveryFailures"
            self._record(event.key, metric, 1, "Count")
            self._tally.undelivered[metric] += 1
            tell = _log.warning if lane.failing is None else _log.debug
            tell("a result was not delivered", event_id=event.id, destination=delivery.arn, reason=str(error))
            if error.broken:
                lane.broken(str(error))
            return policy.undelivered(progress, milliseconds(self._clock), final=error.final)
        lane.succeeded(milliseconds(self._clock))
        return policy.delivered(progress)
