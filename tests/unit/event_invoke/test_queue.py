"""The queue from acceptance to the end of an event, with time turned by hand."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import replace

import pytest

from ingle.domain.errors import ResourceNotFound, TooManyRequests
from ingle.domain.event import Condition
from ingle.event_invoke.ports import DeliveryFailed
from ingle.storage.errors import StorageFull

from .events import KEY, QUEUE, TOPIC, config, event, function
from .world import BAD, GOOD, World

OTHER = replace(KEY, name="g")
THROTTLED = TooManyRequests("Rate Exceeded.")


async def test_an_event_runs_once_and_is_gone():
    async with World() as world:
        await world.accept(payload=b"[1]")
        assert [(ran.id, ran.payload) for ran in world.ran] == [("id-0", b"[1]")]
        assert (world.store.events, len(world.queue), world.queue._held) == ({}, 0, 0)
        assert not world.queue._lanes
        assert world.metrics == {("f", "AsyncEventsReceived"): 1, ("f", "AsyncEventAge"): 1}


async def test_it_is_accepted_once_it_is_durable():
    async with World() as world:
        world.store.hold = True
        accepting = asyncio.ensure_future(world.queue.accept(event()))
        await world.settle()
        assert not accepting.done()
        assert world.ran == []
        world.store.release()
        await accepting


async def test_what_cannot_be_written_is_not_accepted_and_never_runs():
    async with World() as world:
        world.store.failing.add("add")
        with pytest.raises(StorageFull):
            await world.queue.accept(event())
        await world.settle()
        assert (world.ran, len(world.queue), world.metrics) == ([], 0, {})


async def test_an_event_whose_caller_left_runs_all_the_same():
    async with World() as world:
        world.store.hold = True
        accepting = asyncio.ensure_future(world.queue.accept(event()))
        await world.settle()
        accepting.cancel()
        await world.settle()
        world.store.release()
        await world.settle()
        assert len(world.ran) == 1
        assert world.store.events == {}


async def test_function_errors_are_tried_again_with_the_same_id():
    async with World() as world:
        world.outcomes["f"] = [BAD, BAD, BAD]
        await world.accept(payload=b"[1]")
        assert world.store.progress[1].attempts == 1
        await world.turn(59.9)
        assert len(world.ran) == 1
        await world.turn(0.1)
        await world.turn(119.9)
        assert len(world.ran) == 2
        await world.turn(0.1)
        assert [(ran.id, ran.payload) for ran in world.ran] == [("id-0", b"[1]")] * 3
        assert world.store.events == {}
        assert world.metrics["f", "AsyncEventsDropped"] == 1
        assert world.ages == [0, 60_000, 180_000]


async def test_throttles_are_tried_again_until_the_event_is_too_old():
    async with World() as world:
        world.put(config=config(maximum_age_seconds=60, on_failure=QUEUE))
        world.outcomes["f"] = [THROTTLED] * 100
        await world.accept()
        for _ in range(59):
            await world.turn(1)
        assert len(world.ran) == 6  # after 0, 1, 3, 7, 15 and 31 seconds
        await world.turn(1)
        assert len(world.ran) == 6
        ((arn, _, progress, _),) = world.sent
        assert (arn, progress.condition, progress.attempts) == (QUEUE, Condition.AGE_EXCEEDED, 0)
        assert (world.store.events, world.metrics["f", "AsyncEventsDropped"]) == ({}, 1)


async def test_an_unforeseen_failure_is_tried_again():
    async with World() as world:
        world.outcomes["f"] = [RuntimeError("?")]
        await world.accept()
        assert len(world.queue) == 1
        await world.turn(1)
        assert (len(world.ran), world.store.events) == (2, {})


async def test_a_qualifier_that_is_gone_may_come_back():
    async with World() as world:
        world.outcomes["f"] = [ResourceNotFound("no")]
        await world.accept(qualifier="live")
        await world.turn(1)
        assert (len(world.ran), world.store.events) == (2, {})


async def test_the_events_of_a_deleted_function_go_with_it():
    async with World() as world:
        world.outcomes["f"] = [BAD, BAD]
        await world.accept(2)
        assert len(world.queue) == 2
        world.catalog.remove(KEY)
        await world.settle()
        assert (world.store.events, len(world.queue), len(world.ran)) == ({}, 0, 2)
        assert world.metrics["f", "AsyncEventsDropped"] == 2
        assert world.queue.tally.dropped == {"FunctionDeleted": 2}


async def test_a_reserve_of_zero_sends_events_on_at_once_those_that_wait_included():
    async with World() as world:
        world.outcomes["f"] = [BAD]
        await world.accept()
        world.put(reserved=0, dead_letter=QUEUE)
        await world.settle()
        await world.accept(payload=b"2")
        assert [(arn, sent.condition, dead) for arn, _, sent, dead in world.sent] == [
            (QUEUE, Condition.ZERO_RESERVED, True)
        ] * 2
        assert (len(world.ran), world.store.events) == (1, {})


async def test_the_configuration_is_that_of_the_moment():
    async with World() as world:
        world.outcomes["f"] = [BAD, BAD]
        await world.accept()
        world.put(config=config(maximum_retries=1, on_failure=TOPIC))
        await world.turn(60)
        assert [arn for arn, *_ in world.sent] == [TOPIC]


async def test_log_lines_are_durable_before_an_event_is_gone():
    async with World() as world:
        world.durable_logs = False
        await world.accept()
        assert (len(world.ran), len(world.store.events), world.pauses) == (1, 1, 1)
        world.durable_logs = True
        world.resume.set()
        await world.settle()
        assert world.store.events == {}


async def test_an_event_that_did_not_run_waits_for_no_lines():
    async with World() as world:
        world.put(reserved=0)
        world.durable_logs = False
        await world.accept()
        assert (world.store.events, world.flushes) == ({}, 0)


# --- lanes


async def test_a_lane_begins_with_a_few_and_takes_more_while_its_head_waits():
    async with World() as world:
        world.gate["f"] = asyncio.Event()
        await world.accept(100)
        assert world.running["f"] == 4
        for _ in range(5):
            await world.turn(1)
        assert world.running["f"] == 14


async def test_a_backlog_does_not_delay_another_function():
    async with World(most=20) as world:
        world.put(key=OTHER)
        world.gate["f"] = asyncio.Event()
        await world.accept(1000)
        for _ in range(20):
            await world.turn(60)
        assert world.running["f"] == 10
        await world.accept(3, key=OTHER)
        assert [ran.key.name for ran in world.ran][-3:] == ["g"] * 3


async def test_a_lane_learns_how_much_there_is_room_for():
    async with World() as world:
        world.outcomes["f"] = [GOOD, THROTTLED, THROTTLED, THROTTLED]
        world.gate["f"] = asyncio.Event()
        await world.accept(10)
        assert world.running["f"] == 4
        world.gate["f"].set()
        del world.gate["f"]
        await world.settle()
        assert world.peak["f"] == 4
        world.peak.clear()
        await world.turn(1)
        assert world.store.events == {}
        assert world.peak["f"] < 4


async def test_payloads_beyond_what_may_be_held_are_read_again():
    async with World(max_held=250) as world:
        world.gate["f"] = asyncio.Event()
        for number in range(10):
            await world.queue.accept(event(number, payload=b"%100d" % number))
        await world.settle()
        assert world.queue._held <= 500  # what runs is held as well
        world.gate["f"].set()
        await world.settle()
        assert sorted(int(ran.payload) for ran in world.ran) == list(range(10))
        assert (world.queue._held, world.store.events) == (0, {})


async def test_what_waits_for_long_is_not_in_memory():
    async with World() as world:
        world.outcomes["f"] = [replace(BAD, payload=b"x" * 1000), BAD, BAD]
        world.put(config=config(on_failure=QUEUE, maximum_age_seconds=60))
        await world.accept(payload=b"p" * 1000)
        assert world.queue._held == 0
        await world.turn(60)
        assert [(sent.response.payload, sent.condition) for _, _, sent, _ in world.sent] == [
            (b"x" * 1000, Condition.AGE_EXCEEDED)
        ]
        assert world.queue._held == 0


# --- deliveries


async def test_results_are_sent_one_after_the_other_and_then_the_event_is_gone():
    async with World() as world:
        world.put(config=config(maximum_retries=0, on_failure=TOPIC), dead_letter=QUEUE)
        world.outcomes["f"] = [BAD]
        await world.accept()
        assert [(arn, dead) for arn, _, _, dead in world.sent] == [(TOPIC, False), (QUEUE, True)]
        assert world.store.events == {}


async def test_a_destination_that_fails_is_tried_again_and_counted():
    async with World() as world:
        world.put(config=config(on_success=TOPIC))
        world.refusing[TOPIC] = DeliveryFailed("no")
        await world.accept()
        for _ in range(3):
            await world.turn(1)
        assert world.metrics["f", "DestinationDeliveryFailures"] == 3  # after 0, 1 and 3 seconds
        assert len(world.store.events) == 1
        del world.refusing[TOPIC]
        await world.turn(4)
        assert ([arn for arn, *_ in world.sent], world.store.events) == ([TOPIC], {})
        assert len(world.ran) == 1


async def test_failures_of_a_dead_letter_queue_have_a_metric_of_their_own():
    async with World() as world:
        world.put(reserved=0, dead_letter=QUEUE)
        world.refusing[QUEUE] = DeliveryFailed("too large", final=True)
        await world.accept()
        assert (world.metrics["f", "DeadLetterErrors"], world.store.events) == (1, {})
        assert world.queue.tally.undelivered == {"DeadLetterErrors": 1}


async def test_an_unforeseen_failure_of_a_delivery_loses_nothing():
    async with World() as world:
        world.put(config=config(on_success=TOPIC))
        world.refusing[TOPIC] = RuntimeError("?")
        await world.accept()
        del world.refusing[TOPIC]
        await world.turn(1)
        assert ([arn for arn, *_ in world.sent], world.store.events) == ([TOPIC], {})


async def test_a_destination_that_is_down_is_asked_one_at_a_time_and_gets_all_when_it_is_back():
    async with World() as world:
        world.put(config=config(on_success=TOPIC))
        world.put(key=OTHER, config=config(on_success=QUEUE))
        world.refusing[TOPIC] = DeliveryFailed("down", broken=True)
        await world.accept(50)
        assert world.queue.failing() == {TOPIC: "down"}
        failed = world.metrics["f", "DestinationDeliveryFailures"]
        assert failed >= 50
        await world.accept(key=OTHER)
        assert [arn for arn, *_ in world.sent] == [QUEUE]
        del world.refusing[TOPIC]
        await world.turn(1)
        assert (len(world.sent), world.queue.failing(), world.store.events) == (51, {}, {})


async def test_what_is_stale_is_given_up_without_asking_a_destination_that_is_down():
    async with World() as world:
        world.put(config=config(on_success=TOPIC))
        world.refusing[TOPIC] = DeliveryFailed("down", broken=True)
        await world.accept(20)
        await world.turn(6 * 3600)
        await world.turn(300)
        assert (world.store.events, world.sent) == ({}, [])


# --- storage in trouble


@pytest.mark.parametrize("call", ["change", "remove", "bodies"])
async def test_an_event_survives_storage_that_fails_for_a_while(call):
    async with World(max_held=0) as world:
        world.put(config=config(on_success=TOPIC))
        world.outcomes["f"] = [BAD]
        world.store.failing.add(call)
        await world.accept(payload=b"[1]")
        await world.turn(60)
        world.store.failing.clear()
        world.resume.set()
        await world.settle()
        for _ in range(3):
            await world.turn(60)
        assert [ran.payload for ran in world.ran] == [b"[1]"] * 2
        assert [(arn, sent.response.payload) for arn, _, sent, _ in world.sent] == [(TOPIC, b"1")]
        assert world.store.events == {}


# --- ends and beginnings


async def test_a_server_goes_on_with_what_another_left():
    async with World() as world:
        world.put(config=config(on_success=TOPIC))
        world.refusing[TOPIC] = DeliveryFailed("down")
        world.outcomes["f"] = [BAD, GOOD]
        await world.accept(5, payload=b"[1]")
        left = world.store.reopen()
    async with World(left, world.clock) as after:
        after.put(config=config(on_success=TOPIC))
        await after.accept()
        await after.turn(60)
        assert sorted(ran.id for ran in after.ran) == ["id-0", "id-0"]
        assert sorted(event for _, event, _, _ in after.sent) == ["id-0", "id-0", "id-1", "id-2", "id-3", "id-4"]
        assert {sent.response.payload for _, _, sent, _ in after.sent} == {b"1"}
        assert after.store.events == {}


async def test_earlier_events_are_loaded_once_storage_works():
    async with World() as world:
        world.outcomes["f"] = [BAD]
        await world.accept()
        left = world.store.reopen()
    left.failing.add("load")
    async with World(left, world.clock) as after:
        await after.turn(60)
        assert (after.ran, after.pauses) == ([], 1)
        left.failing.clear()
        after.resume.set()
        await after.settle()
        assert (len(after.ran), after.store.events) == (1, {})


async def test_what_is_under_way_may_end_when_the_server_stops():
    async with World() as world:
        world.gate["f"] = asyncio.Event()
        await world.accept(9)
    assert len(world.ran) == 4
    assert len(world.store.events) == 5


async def test_a_server_that_stops_does_not_wait_for_storage_in_trouble():
    async with World() as world:
        world.store.failing.add("remove")
        await world.accept()
    assert len(world.store.events) == 1
    assert world.queue._tasks == set()


async def test_nothing_is_begun_by_a_server_that_stops():
    async with World() as world:
        pass
    await world.queue.accept(event())
    await world.settle()
    assert (world.ran, len(world.store.events)) == ([], 1)


# --- what people do


async def test_retry_makes_what_waits_due():
    async with World() as world:
        world.outcomes["f"] = [BAD, BAD]
        await world.accept(2)
        assert world.queue.retry(lambda entry: entry.event.id == "id-1") == 1
        await world.settle()
        assert [ran.id for ran in world.ran] == ["id-0", "id-1", "id-1"]
        assert world.queue.retry(lambda entry: True) == 1
        await world.settle()
        assert (world.store.events, world.queue.waiting) == ({}, {})


async def test_purge_ends_what_waits_and_what_runs():
    async with World() as world:
        world.gate["f"] = asyncio.Event()
        world.outcomes["f"] = [BAD]
        await world.accept(10)
        assert await world.queue.purge(lambda entry: True) == 10
        assert (world.store.events, len(world.queue), world.queue._held) == ({}, 0, 0)
        world.gate["f"].set()
        await world.settle()
        await world.turn(3600)
        assert (len(world.ran), world.store.progress, world.queue._lanes) == (4, {}, {})
        assert world.metrics["f", "AsyncEventsDropped"] == 10


async def test_a_purge_that_cannot_be_written_purges_nothing():
    async with World() as world:
        world.outcomes["f"] = [BAD]
        await world.accept()
        world.store.failing.add("remove")
        with pytest.raises(StorageFull):
            await world.queue.purge(lambda entry: True)
        world.store.failing.clear()
        await world.turn(60)
        assert (len(world.ran), world.store.events) == (2, {})


async def test_depth_and_age_are_told():
    async with World() as world:
        world.catalog.put(function(OTHER))
        world.gate["f"] = asyncio.Event()
        await world.accept(3)
        oldest = world.clock.ms
        await world.turn(5)
        await world.accept(2, key=KEY)
        assert (len(world.queue), world.queue.oldest(), world.queue.waiting) == (5, oldest, {KEY: 5})


class Walk:
    """Anything that can happen to a queue, in any order."""

    def __init__(self, world, choose):
        self.world = world
        self.choose = choose
        self.accepted = 0

    async def step(self):
        world, choose = self.world, self.choose
        match choose.randrange(9):
            case 0 | 1 | 2:
                await self._accept()
            case 3 | 4:
                world.let_go()
                await world.turn(choose.choice([0.5, 1, 30, 60, 300]))
            case 5:
                world.store.failing ^= {choose.choice(["change", "remove", "bodies", "add"])}
                world.let_go()
            case 6:
                destination = choose.choice([None, TOPIC, QUEUE])
                settings = {"maximum_retries": choose.choice([None, 0, 1]), "on_failure": destination}
                world.put(config=config(**settings, on_success=choose.choice([None, TOPIC])), dead_letter=destination,
                          reserved=choose.choice([None, None, 0]))  # fmt: skip
            case 7:
                failure = DeliveryFailed("no", broken=choose.random() < 0.5, final=choose.random() < 0.2)
                world.refusing = {} if world.refusing else {TOPIC: failure}
            case 8:
                await self._interfere()

    async def _accept(self):
        choose = self.choose
        outcomes = [choose.choice([GOOD, BAD, THROTTLED, RuntimeError("?")]) for _ in range(3)]
        self.world.outcomes.setdefault("f", []).extend(outcomes)
        with contextlib.suppress(StorageFull):
            await self.world.accept(choose.randrange(1, 8), payload=b"x" * choose.randrange(100))

    async def _interfere(self):
        world, which = self.world, self.choose.randrange(10)
        if self.choose.random() < 0.5:
            world.queue.retry(lambda entry: entry.number % 10 <= which)
        elif self.choose.random() < 0.5:
            with contextlib.suppress(StorageFull):
                await world.queue.purge(lambda entry: entry.number % 10 == which)
        else:
            world.catalog.remove(KEY)
            await world.settle()
            world.put()
        await world.settle()


@pytest.mark.parametrize("seed", range(100))
async def test_whatever_happens_every_event_ends_and_nothing_is_left(seed):
    choose = random.Random(seed)
    async with World(max_held=200) as world:
        world.durable_logs = True
        walk = Walk(world, choose)
        for _ in range(60):
            await walk.step()
        world.store.failing.clear()
        world.refusing.clear()
        world.outcomes.clear()
        world.put()
        world.let_go()
        for _ in range(60):
            world.let_go()
            await world.turn(300)
        queue = world.queue
        assert (world.store.events, world.store.progress, len(queue), queue.waiting) == ({}, {}, 0, {})
        assert (queue._held, queue._lanes, queue._tasks) == (0, {}, set())
        for share in (queue._functions, queue._destinations):
            assert (share.running, share.writing) == (0, 0)
