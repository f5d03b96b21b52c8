"""Provisioned environments and the rate of new ones, over a worker without sandboxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingle.domain.alias import Alias
from ingle.domain.concurrency import Allocation, Provisioned
from ingle.domain.errors import TooManyRequests
from ingle.domain.function import Function, FunctionKey, State
from ingle.placement import provisioning as module
from ingle.placement.scaling import BURST, ScalingRate
from ingle.testing.fake_worker import FakeEnvironment
from unit.placement.test_placement import Placed, placed, turns, until, version_of

LATEST = version_of()
ONE, TWO = replace(LATEST, version="1"), replace(LATEST, version="2", configuration=version_of(serial=2).configuration)


def function_of(number: int, qualifier: str = "1", alias: str | None = None) -> Function:
    """With two versions, and `number` environments provisioned for a version, or an alias that names the version."""
    configs = {alias or qualifier: Provisioned(requested=number, last_modified=0)} if number else {}
    aliases = {alias: Alias(name=alias, version=qualifier, revision_id="a")} if alias else {}
    return Function(
        key=LATEST.key, latest=LATEST, serving=LATEST, versions={"1": ONE, "2": TWO}, aliases=aliases,
        provisioned=configs,
    )  # fmt: skip


def allocation(here: Placed, version: str = "1") -> Allocation:
    return here.catalog.concurrency.allocation(LATEST.key, version)


async def ready(here: Placed, number: int, version: str = "1") -> None:
    await until(lambda: (allocation(here, version).status, allocation(here, version).available) == ("READY", number))


def provisioned(here: Placed) -> list[FakeEnvironment]:
    return [item for item in here.worker.alive if item.provisioned]


async def test_environments_are_initialised_ahead_and_taken_first() -> None:
    async with placed() as here:
        here.release(await here.acquire(ONE))
        here.catalog.put(function_of(2))
        await ready(here, 2)
        assert [(await here.acquire(ONE)).provisioned for _ in range(3)] == [True, True, False]


async def test_none_serves_before_all_are_initialised() -> None:
    async with placed() as here:
        here.worker.hold = True
        here.catalog.put(function_of(2))
        await until(lambda: len(here.worker.pending) == 2)
        here.worker.finish()
        await until(lambda: allocation(here).allocated == 1)
        assert (allocation(here).status, allocation(here).available) == ("IN_PROGRESS", 0)
        waiting = here.waiting(ONE)
        await until(lambda: len(here.worker.pending) == 2)
        assert not waiting.done()
        here.worker.finish()
        assert (await waiting).provisioned
        here.worker.finish()


async def test_one_that_ends_is_replaced() -> None:
    async with placed() as here:
        here.catalog.put(function_of(1))
        await ready(here, 1)
        lost = await here.acquire(ONE)
        lost.stop()
        here.placement.release(lost)
        await ready(here, 1)
        assert [item is lost for item in provisioned(here)] == [False]


async def test_one_that_ends_while_it_is_idle_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingle.placement.placement._RETIRE_SWEEP", 0.001)
    async with placed() as here:
        here.catalog.put(function_of(2))
        await ready(here, 2)
        here.worker.environments[0].stop()
        await until(lambda: len(here.worker.environments) == 3)
        await ready(here, 2)


async def test_they_are_neither_retired_nor_evicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingle.placement.placement._RETIRE_SWEEP", 0.001)
    async with placed(limit=2, idle_timeout=0) as here:
        here.catalog.put(function_of(1))
        await ready(here, 1)
        here.release(await here.acquire(LATEST))
        await until(lambda: len(here.worker.alive) == 1)
        await here.acquire(version_of("g"))
        with pytest.raises(TooManyRequests):
            await here.acquire(version_of("h"))
        assert len(provisioned(here)) == 1


async def test_less_is_taken_from_the_idle_ones_and_more_is_added() -> None:
    async with placed() as here:
        here.catalog.put(function_of(3))
        await ready(here, 3)
        busy = await here.acquire(ONE)
        here.catalog.put(function_of(1))
        await ready(here, 1)
        assert provisioned(here) == [busy]
        here.catalog.put(function_of(2))
        await ready(here, 2)
        here.release(busy)
        assert busy.alive


async def test_what_is_in_use_goes_once_it_has_served() -> None:
    async with placed() as here:
        here.catalog.put(function_of(1))
        await ready(here, 1)
        busy = await here.acquire(ONE)
        here.catalog.put(function_of(0))
        assert busy.alive
        here.release(busy)
        await until(lambda: not here.worker.alive)
        assert allocation(here) == Allocation()


async def test_a_deleted_function_keeps_none() -> None:
    async with placed() as here:
        here.catalog.put(function_of(2))
        await ready(here, 2)
        here.catalog.remove(LATEST.key)
        await until(lambda: not here.worker.alive)
        await turns()
        assert len(here.worker.environments) == 2


async def test_those_on_their_way_to_a_deleted_function_are_stopped() -> None:
    async with placed() as here:
        here.worker.hold = True
        here.catalog.put(function_of(2))
        await until(lambda: len(here.worker.pending) == 2)
        here.catalog.remove(LATEST.key)
        here.worker.finish()
        here.worker.finish()
        await until(lambda: len(here.worker.environments) == 2 and not here.worker.alive)
        here.worker.hold = False
        assert not here.placement._homes


async def test_the_code_of_those_on_their_way_is_needed() -> None:
    async with placed() as here:
        here.worker.hold = True
        here.catalog.put(function_of(1))
        await until(lambda: here.worker.pending)
        here.catalog.remove(LATEST.key)
        assert here.placement.needs(ONE.configuration.package)
        here.worker.finish()
        await until(lambda: not here.placement.needs(ONE.configuration.package))


async def test_they_follow_an_alias() -> None:
    async with placed() as here:
        here.catalog.put(function_of(1, "1", alias="live"))
        await ready(here, 1)
        here.catalog.put(function_of(1, "2", alias="live"))
        await ready(here, 1, "2")
        assert [item.version.version for item in provisioned(here)] == ["2"]
        assert allocation(here) == Allocation()


async def test_a_version_gets_them_once_it_is_active() -> None:
    pending = replace(function_of(1), versions={"1": replace(ONE, state=State.PENDING)})
    async with placed() as here:
        here.catalog.put(pending)
        await turns()
        assert not here.worker.environments
        here.catalog.put(function_of(1))
        await ready(here, 1)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("failing_ahead", module.INIT_FAILURE), ("losing", module.INIT_FAILURE), ("failing", module.NOT_STARTED)],
)
async def test_an_allocation_fails_and_is_tried_again(monkeypatch: pytest.MonkeyPatch, fault: str, reason: str) -> None:
    monkeypatch.setattr("ingle.placement.placement._RETIRE_SWEEP", 0.001)
    monkeypatch.setattr(module, "RETRY_LONGEST", 0.0)
    async with placed() as here:
        setattr(here.worker, fault, True)
        here.catalog.put(function_of(2))
        await until(lambda: allocation(here).status == "FAILED")
        assert (allocation(here).reason, allocation(here).available) == (reason, 0)
        await until(lambda: allocation(here).allocated == 0)
        setattr(here.worker, fault, False)
        here.catalog.put(function_of(3))
        await ready(here, 3)
        assert len(here.placement._homes) == 3


async def test_there_is_room_or_it_fails() -> None:
    async with placed(limit=1) as here:
        here.catalog.put(function_of(2))
        await until(lambda: allocation(here).status == "FAILED")
        assert allocation(here).reason == module.NO_ROOM
        await until(lambda: not here.worker.alive)
        assert await here.acquire(LATEST)


async def test_the_use_is_the_most_since_the_last_look() -> None:
    async with placed() as here:
        here.catalog.put(function_of(4))
        await ready(here, 4)
        first, second = await here.acquire(ONE), await here.acquire(ONE)
        here.release(second)
        assert [(item.peak, item.allocated) for item in here.placement.provisioned_use()] == [(2, 4)]
        assert [(item.peak, item.allocated) for item in here.placement.provisioned_use()] == [(1, 4)]
        here.release(first)


def test_a_function_gets_a_thousand_at_once_and_a_hundred_each_second() -> None:
    rate, key, other = ScalingRate(), LATEST.key, FunctionKey(account="0", region="r", name="other")
    assert all(rate.take(key, 50.0) for _ in range(BURST))
    assert not rate.take(key, 50.0)
    assert rate.take(other, 50.0)
    assert all(rate.take(key, 51.0) for _ in range(100))
    assert not rate.take(key, 51.0)
    rate.forget(61.0)
    assert not rate._left
    assert sum(rate.take(key, 1000.0) for _ in range(2 * BURST)) == BURST


async def test_beyond_the_rate_an_invocation_is_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingle.placement.scaling.BURST", 2)
    async with placed() as here:
        await here.acquire(LATEST)
        await here.acquire(LATEST)
        with pytest.raises(TooManyRequests) as raised:
            await here.acquire(LATEST)
        assert raised.value.members == {"Reason": "FunctionInvocationRateLimitExceeded", "retryAfterSeconds": "1"}
        await here.acquire(version_of("g"))
