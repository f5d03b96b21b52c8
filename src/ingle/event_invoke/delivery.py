"""Sends results of asynchronous invocations on: to functions here, to queues, topics, buses and buckets elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from ingle.catalog import Catalog
from ingle.companions import messages
from ingle.companions.caller import ServiceCaller
from ingle.companions.errors import CompanionError, Unreachable
from ingle.domain import recursion
from ingle.domain.arn import FunctionArn
from ingle.domain.clock import Clock, Ids, milliseconds
from ingle.domain.event import Delivery, Event, Progress
from ingle.domain.event_invoke_config import Destination
from ingle.domain.function import FunctionKey
from ingle.domain.tracing import header_of
from ingle.event_invoke import records
from ingle.event_invoke.ports import DeliveryFailed
from ingle.storage.errors import StorageError

#: The signing names of the companions, by the kind of destination.
SERVICES = {"queue": "sqs", "topic": "sns", "bus": "events", "bucket": "s3"}
#: What a function's role has to be allowed, by the kind of destination.
_ACTIONS = {"queue": "sqs:SendMessage", "topic": "sns:Publish", "bus": "events:PutEvents", "bucket": "s3:PutObject"}
#: Bytes that a function, a queue and a topic take.
_LARGEST = {"lambda": 1_048_576, "queue": 1_048_576, "topic": 262_144}
_NAMES = {"lambda": "function", "queue": "queue", "topic": "topic"}
#: Bytes of payloads from which a record is written in a thread.
_LARGE = 65_536


#: Whether a role, which is a function's, allows an action on a resource.
Allows = Callable[[FunctionKey, str, str, str], bool]


class Deliveries:
    """`accept` puts an event for a function into the queue; `companions` are by signing name, those that there are."""

    def __init__(
        self, catalog: Catalog, accept: Callable[[Event], Awaitable[None]], companions: Mapping[str, ServiceCaller],
        clock: Clock, ids: Ids, allows: Allows,
    ) -> None:  # fmt: skip
        self._catalog = catalog
        self._accept = accept
        self._companions = companions
        self._clock = clock
        self._ids = ids
        self._allows = allows

    async def __call__(self, event: Event, progress: Progress, delivery: Delivery) -> None:
        """Raises DeliveryFailed."""
        destination = Destination.parse(delivery.arn)
        if destination is None:
            raise DeliveryFailed("it is no destination", final=True)
        self._require_allowed(event, destination)
        try:
            body = event.payload if delivery.dead_letter else await _record(event, progress)
            if len(body) > _LARGEST.get(destination.kind, len(body)):
                raise DeliveryFailed(f"{len(body)} bytes are too many for a {_NAMES[destination.kind]}", final=True)
            if destination.function is not None:
                await self._invoke(event, body, *destination.function)
            else:
                await self._send(event, progress, delivery, destination.kind, body)
        except Unreachable as error:
            raise DeliveryFailed(str(error), broken=True) from error
        except (CompanionError, StorageError) as error:
            raise DeliveryFailed(str(error)) from error

    def _require_allowed(self, event: Event, destination: Destination) -> None:
        """Raise DeliveryFailed if the role of the function may not send there."""
        function = self._catalog.get(event.key)
        if function is None:
            raise DeliveryFailed("the function is gone, and its role with it", final=True)
        action, resource = "lambda:InvokeFunction", destination.arn
        if destination.function is None:
            action = _ACTIONS[destination.kind]
        if destination.kind == "bucket":
            resource = f"{resource}/*"
        if not self._allows(event.key, function.latest.configuration.role, action, resource):
            raise DeliveryFailed(f"the function's role is not allowed to perform {action} on {destination.arn}")

    async def _invoke(self, event: Event, body: bytes, key: FunctionKey, qualifier: str | None) -> None:
        function = self._catalog.get(key)
        if function is None:
            raise DeliveryFailed("the function does not exist")
        if function.latest.configuration.tenant_isolation is not None:
            raise DeliveryFailed("the function has tenants, and results have none", final=True)
        await self._accept(
            Event(
                id=self._ids.uuid(),
                key=function.key,
                qualifier=qualifier,
                payload=body,
                arn=str(FunctionArn.of(function.key, qualifier)),
                accepted=milliseconds(self._clock),
                trace_header=self._onward(event),
            )
        )

    def _onward(self, event: Event) -> str:
        """The trace header of what the event led to: the function has run on this way."""
        return recursion.onward(header_of(event.trace_header, event.id, self._clock.now()), event.key)

    async def _send(self, event: Event, progress: Progress, delivery: Delivery, kind: str, body: bytes) -> None:
        companion = self._companions.get(SERVICES[kind])
        if companion is None:
            problem = f"no companion for {SERVICES[kind]} is configured, see `ingle serve --aws-endpoint`"
            raise DeliveryFailed(problem, broken=True)
        attributes = records.dead_letter_attributes(event, progress) if delivery.dead_letter else {}
        if kind == "queue":
            await messages.send_message(companion, delivery.arn, body.decode(), attributes, self._onward(event))
        elif kind == "topic":
            await messages.publish(companion, delivery.arn, body.decode(), attributes)
        elif kind == "bus":
            await messages.put_event(companion, delivery.arn, self._entry(event, progress, delivery.arn, body))
        else:
            key = records.object_key(event, progress, self._ids.uuid())
            bucket = delivery.arn.rpartition(":")[2]
            await messages.put_object(companion, bucket, key, body, region=event.key.region)

    @staticmethod
    def _entry(event: Event, progress: Progress, bus: str, body: bytes) -> dict[str, object]:
        return {
            "Source": "lambda",
            "DetailType": records.detail_type(progress),
            "Detail": body.decode(),
            "Resources": [bus, records.qualified_arn(event)],
            "Time": progress.ended / 1000,
        }


async def _record(event: Event, progress: Progress) -> bytes:
    size = len(event.payload) + (0 if progress.response is None else len(progress.response.payload))
    if size < _LARGE:
        return records.record(event, progress)
    return await asyncio.to_thread(records.record, event, progress)
