"""Where results go: to the queue for functions, to companions for the rest, and what is said if they cannot."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from ingle.catalog import Catalog
from ingle.companions.caller import ServiceCaller
from ingle.companions.endpoint import Credentials, Endpoint
from ingle.domain.clock import RandomIds, SystemClock
from ingle.domain.event import Condition, Delivery, Progress, Response
from ingle.event_invoke.delivery import Deliveries
from ingle.event_invoke.ports import DeliveryFailed
from ingle.storage.errors import StorageFull

from .events import KEY, QUEUE, THEN, TOPIC, event, function

OTHER = replace(KEY, name="g")
ARN = "arn:aws:lambda:us-east-1:000000000000:function:g"
OVER = Progress(
    due=THEN, attempts=1, condition=Condition.SUCCESS, ended=THEN, response=Response(version="$LATEST", payload=b"1")
)


class Sent:
    """Deliveries whose events for functions are kept, and whose companions are not there."""

    def __init__(self):
        self.catalog = Catalog()
        self.catalog.put(function())
        self.catalog.put(function(OTHER))
        self.accepted = []
        self.error = None
        self.asked = []
        self.allowed = True

        async def no_pause(seconds):
            pass

        def caller(service):
            credentials = Credentials(access_key_id="a", secret_access_key="b", session_token="")
            return ServiceCaller(service, Endpoint.of("http://127.0.0.1:1"), credentials, SystemClock(), sleep=no_pause)

        self.deliver = Deliveries(
            self.catalog, self._accept, {name: caller(name) for name in ("sqs", "sns", "events")}, SystemClock(),
            RandomIds(), self._allows,
        )  # fmt: skip

    async def _accept(self, accepted):
        if self.error:
            raise self.error
        self.accepted.append(accepted)

    def _allows(self, *question):
        self.asked.append(question)
        return self.allowed

    async def failure(self, arn, event_=None, progress=OVER, **delivery):
        with pytest.raises(DeliveryFailed) as raised:
            await self.deliver(event_ or event(), progress, Delivery(arn=arn, **delivery))
        return raised.value.final, raised.value.broken, str(raised.value)


@pytest.fixture
def sent():
    return Sent()


@pytest.mark.parametrize("qualifier", [None, "live"])
async def test_a_function_gets_the_record_as_a_new_event(sent, qualifier):
    arn = ARN if qualifier is None else f"{ARN}:{qualifier}"
    await sent.deliver(event(trace_header="Root=1"), OVER, Delivery(arn=arn))
    (accepted,) = sent.accepted
    assert (accepted.key, accepted.qualifier, accepted.arn) == (OTHER, qualifier, arn)
    assert re.fullmatch(r"Root=1;Lineage=[0-9a-f]{8}:0", accepted.trace_header)
    assert json.loads(accepted.payload)["requestContext"]["requestId"] == "id-1" != accepted.id


async def test_a_function_that_is_gone_may_come_back_and_storage_may_recover(sent):
    sent.error = StorageFull("full")
    assert await sent.failure(ARN) == (False, False, "full")
    sent.catalog.remove(OTHER)
    assert await sent.failure(ARN) == (False, False, "the function does not exist")


async def test_what_can_never_be_taken_is_final(sent):
    large = replace(OVER, response=Response(version="$LATEST", payload=b'"' + b"x" * 1_048_576 + b'"'))
    for arn, kind in ((ARN, "function"), (QUEUE, "queue"), (TOPIC, "topic")):
        final, broken, text = await sent.failure(arn, progress=large)
        assert (final, broken) == (True, False)
        assert text.endswith(f"bytes are too many for a {kind}")
    assert (await sent.failure("arn:aws:sqs:us-east-1:000000000000:q.fifo"))[0]
    assert sent.accepted == []


async def test_a_dead_letter_is_as_large_as_the_event(sent):
    large = event(payload=b'"' + b"x" * 300_000 + b'"')
    assert (await sent.failure(TOPIC, large, dead_letter=True))[0]
    assert (await sent.failure(QUEUE, large, dead_letter=True))[:2] == (False, True)


async def test_a_companion_that_is_not_there_takes_nothing_at_all(sent):
    for arn in (QUEUE, TOPIC, "arn:aws:events:us-east-1:000000000000:event-bus/b"):
        final, broken, text = await sent.failure(arn)
        assert (final, broken) == (False, True)
        assert "http://127.0.0.1:1 cannot be used" in text
    final, broken, text = await sent.failure("arn:aws:s3:::bucket")
    assert (final, broken) == (False, True)
    assert "no companion for s3 is configured" in text


async def test_the_role_of_the_function_decides(sent):
    sent.allowed = False
    for arn, action, resource in (
        (ARN, "lambda:InvokeFunction", ARN), (QUEUE, "sqs:SendMessage", QUEUE), (TOPIC, "sns:Publish", TOPIC),
        ("arn:aws:s3:::bucket", "s3:PutObject", "arn:aws:s3:::bucket/*"),
    ):  # fmt: skip
        final, broken, text = await sent.failure(arn)
        assert (final, broken) == (False, False)
        assert text == f"the function's role is not allowed to perform {action} on {arn}"
        assert sent.asked[-1] == (KEY, "arn:aws:iam::000000000000:role/r", action, resource)


async def test_without_its_function_a_result_has_no_role_to_be_sent_with(sent):
    sent.catalog.remove(KEY)
    assert (await sent.failure(QUEUE))[0]
