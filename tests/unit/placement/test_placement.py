"""Which environment takes an invocation, decided over a worker without sandboxes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from ingle.catalog import Catalog, PreparationRequest, Prepared
from ingle.domain.errors import InternalFailure, TooManyRequests
from ingle.domain.function import Configuration, Function, FunctionKey, Package, State, Version
from ingle.placement import placement as module
from ingle.placement.placement import Placement
from ingle.testing.fake_worker import FakeEnvironment, FakeWorker
from ingle.worker.client import EnvironmentClient


def version_of(name: str = "f", serial: int = 1) -> Version:
    configuration = Configuration(
        runtime="python3.11", handler="app.handler", role="arn:aws:iam::000000000000:role/r",
        package=Package(digest=f"{serial:064x}", size=1),
    )  # fmt: skip
    key = FunctionKey(account="000000000000", region="us-east-1", name=name)
    return Version(key=key, version="$LATEST", configuration=configuration, revision_id="r", serial=serial,
                   last_modified=0, state=State.ACTIVE)  # fmt: skip


def function_of(version: Version) -> Function:
    return Function(key=version.key, latest=version, serving=version)


class Placed:
    """A placement, what it stands on, and shorthands for what an invoker does with it."""

    def __init__(self, placement: Placement, worker: FakeWorker, catalog: Catalog) -> None:
        self.placement = placement
        self.worker = worker
        self.catalog = catalog

    async def acquire(self, version: Version) -> FakeEnvironment:
        """Acquire and begin to run."""
        environment = await self.placement.acquire(version)
        assert isinstance(environment, FakeEnvironment)
        environment.begin()
        return environment

    def release(self, environment: FakeEnvironment) -> None:
        environment.end()
        self.placement.release(environment)

    def waiting(self, version: Version) -> asyncio.Task[EnvironmentClient]:
        return asyncio.ensure_future(self.placement.acquire(version))


@asynccontextmanager
async def placed(limit: int = 10, idle_timeout: float = 1000, lifetime: float = 1000) -> AsyncIterator[Placed]:
    worker, catalog = FakeWorker(), Catalog()
    async with Placement(catalog, worker, limit=limit, idle_timeout=idle_timeout, lifetime=lifetime) as placement:
        yield Placed(placement, worker, catalog)


async def until(condition: Callable[[], object]) -> None:
    """Return once `condition` is true: everything here takes a few turns of the loop."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.001)


async def turns(number: int = 10) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_an_environment_is_used_again() -> None:
    async with placed() as here:
        first = await here.acquire(version_of())
        here.release(first)
        assert await here.acquire(version_of()) is first
        assert len(here.worker.environments) == 1


async def test_the_environment_that_was_idle_for_the_shortest_time_is_taken() -> None:
    async with placed() as here:
        first, second, third = [await here.acquire(version_of()) for _ in range(3)]
        for environment in (second, third, first):
            here.release(environment)
        assert [await here.acquire(version_of()) for _ in range(3)] == [first, third, second]


async def test_each_waiting_invocation_has_one_environment_started() -> None:
    async with placed() as here:
        here.worker.hold = True
        tasks = [here.waiting(version_of()) for _ in range(4)]
        await turns()
        assert len(here.worker.pending) == 4
        for _ in range(4):
            here.worker.finish()
        assert len(set(await asyncio.gather(*tasks))) == 4


async def test_versions_do_not_share_environments() -> None:
    async with placed() as here:
        first = await here.acquire(version_of("one"))
        here.release(first)
        assert await here.acquire(version_of("other")) is not first


async def test_a_waiting_invocation_takes_a_released_environment() -> None:
    async with placed() as here:
        running = await here.acquire(version_of())
        here.worker.hold = True
        first, second = here.waiting(version_of()), here.waiting(version_of())
        await turns()
        here.release(running)
        await turns()
        assert first.done()
        assert first.result() is running
        assert not second.done()
        # The start that was made for the first serves the second.
        here.worker.finish()
        assert await second is here.worker.environments[1]
        here.worker.finish()


async def test_an_environment_that_nobody_waits_for_any_more_becomes_idle() -> None:
    async with placed() as here:
        running = await here.acquire(version_of())
        here.worker.hold = True
        waiting = here.waiting(version_of())
        await turns()
        here.release(running)
        assert await waiting is running
        here.worker.finish()
        await turns()
        assert await here.acquire(version_of()) is here.worker.environments[1]


async def test_waiting_invocations_are_served_in_their_order() -> None:
    async with placed(limit=10) as here:
        here.worker.hold = True
        tasks = [here.waiting(version_of()) for _ in range(3)]
        await turns()
        for number in range(3):
            here.worker.finish()
            await turns()
            assert [task.done() for task in tasks] == [True] * (number + 1) + [False] * (2 - number)


async def test_a_start_that_fails_fails_one_invocation() -> None:
    async with placed() as here:
        here.worker.hold = True
        first, second = here.waiting(version_of()), here.waiting(version_of())
        await turns()
        here.worker.fail()
        with pytest.raises(InternalFailure, match="could not be started"):
            await first
        assert not second.done()
        here.worker.finish()
        assert await second is here.worker.environments[0]


async def test_failed_starts_do_not_use_up_the_limit() -> None:
    async with placed(limit=1) as here:
        here.worker.failing = True
        for _ in range(3):
            with pytest.raises(InternalFailure):
                await here.acquire(version_of())
        here.worker.failing = False
        assert await here.acquire(version_of())


async def test_at_the_limit_the_environment_idle_for_longest_makes_room() -> None:
    async with placed(limit=2) as here:
        older, newer = await here.acquire(version_of("a")), await here.acquire(version_of("b"))
        here.release(older)
        await asyncio.sleep(0.001)
        here.release(newer)
        await here.acquire(version_of("c"))
        assert (older.alive, newer.alive) == (False, True)
        await here.acquire(version_of("d"))
        assert not newer.alive
        assert len(here.worker.alive) == 2


async def test_at_the_limit_with_all_busy_an_invocation_is_throttled() -> None:
    async with placed(limit=1) as here:
        running = await here.acquire(version_of("a"))
        for name in ("a", "b"):
            with pytest.raises(TooManyRequests) as raised:
                await here.acquire(version_of(name))
            assert raised.value.members["Reason"] == "ConcurrentInvocationLimitExceeded"
            assert raised.value.message == "Rate Exceeded."
        here.release(running)
        assert await here.acquire(version_of("a")) is running


async def test_an_update_stops_idle_environments_and_dismisses_busy_ones_later() -> None:
    async with placed() as here:
        old, new = version_of(serial=1), version_of(serial=2)
        here.catalog.put(function_of(old))
        idle, busy = await here.acquire(old), await here.acquire(old)
        here.release(idle)
        here.catalog.put(function_of(new))
        assert (idle.alive, busy.alive) == (False, True)
        fresh = await here.acquire(new)
        assert fresh.version is new
        here.release(busy)
        assert not busy.alive
        assert here.worker.forgotten == [old]


async def test_an_update_in_progress_changes_nothing() -> None:
    async with placed() as here:
        old = version_of(serial=1)
        here.catalog.put(function_of(old))
        environment = await here.acquire(old)
        here.release(environment)
        here.catalog.put(replace(function_of(old), latest=version_of(serial=2)))
        assert await here.acquire(old) is environment


async def test_environments_of_published_versions_outlive_changes_of_latest_until_theirs_is_deleted() -> None:
    async with placed() as here:
        latest, one = version_of(), replace(version_of(), version="1")
        function = replace(function_of(latest), versions={"1": one})
        here.catalog.put(function)
        published, unpublished = await here.acquire(one), await here.acquire(latest)
        here.release(published)
        here.release(unpublished)
        here.catalog.put(replace(function, latest=version_of(serial=2), serving=version_of(serial=2)))
        assert (published.stops, unpublished.stops) == (0, 1)
        assert await here.placement.acquire(one) is published
        here.placement.release(published)
        here.catalog.put(function_of(version_of(serial=2)))
        assert published.stops == 1
        assert one in here.worker.forgotten


async def test_an_invocation_of_the_version_before_an_update_still_gets_an_environment() -> None:
    async with placed() as here:
        old = version_of(serial=1)
        here.catalog.put(function_of(old))
        here.worker.hold = True
        waiting = here.waiting(old)
        await turns()
        here.catalog.put(function_of(version_of(serial=2)))
        here.worker.finish()
        environment = await waiting
        assert environment.version is old
        here.placement.release(environment)
        assert here.worker.alive == []


@pytest.mark.parametrize("deleted", [False, True])
async def test_an_environment_started_for_nobody_of_a_version_no_longer_served_is_stopped(deleted: bool) -> None:
    async with placed() as here:
        old = version_of(serial=1)
        here.catalog.put(function_of(old))
        here.worker.hold = True
        waiting = here.waiting(old)
        await turns()
        waiting.cancel()
        if deleted:
            here.catalog.remove(old.key)
        else:
            here.catalog.put(function_of(version_of(serial=2)))
        here.worker.finish()
        await turns()
        assert len(here.worker.environments) == 1
        assert here.worker.alive == []


async def test_deleting_a_function_stops_its_environments_and_no_others() -> None:
    async with placed() as here:
        for name in ("a", "b"):
            here.catalog.put(function_of(version_of(name)))
            here.release(await here.acquire(version_of(name)))
        here.catalog.remove(version_of("a").key)
        assert [environment.version.key.name for environment in here.worker.alive] == ["b"]
        assert here.worker.forgotten == [version_of("a")]


async def test_a_function_made_again_gets_none_of_the_environments_from_before() -> None:
    async with placed() as here:
        version = version_of(serial=1)
        here.catalog.put(function_of(version))
        idle, busy = await here.acquire(version), await here.acquire(version)
        here.release(idle)
        here.catalog.remove(version.key)
        here.catalog.put(function_of(version))
        fresh = await here.acquire(version)
        assert fresh not in (idle, busy)
        here.release(busy)
        assert not busy.alive
        here.release(fresh)
        assert await here.acquire(version) is fresh


async def test_an_invocation_that_outlives_its_function_does_not_use_up_the_limit() -> None:
    async with placed(limit=1) as here:
        for name in ("a", "b", "c"):
            here.catalog.put(function_of(version_of(name)))
            running = await here.acquire(version_of(name))
            here.catalog.remove(version_of(name).key)
            here.release(running)
            assert not running.alive
            assert here.worker.forgotten[-1] == version_of(name)


@pytest.mark.parametrize("change", ["delete", "update"])
async def test_code_is_needed_as_long_as_an_environment_of_it_is_awaited(change: str) -> None:
    async with placed() as here:
        version = version_of()
        package = version.configuration.package
        here.catalog.put(function_of(version))
        assert not here.placement.needs(package)
        here.worker.hold = True
        waiting = here.waiting(version)
        await until(lambda: here.worker.pending)
        if change == "delete":
            here.catalog.remove(version.key)
        else:
            here.catalog.put(function_of(version_of(serial=2)))
        assert here.placement.needs(package)
        assert not here.placement.needs(Package(digest="0" * 64, size=1))
        here.worker.finish()
        environment = await waiting
        # From here on the worker has it.
        assert not here.placement.needs(package)
        here.placement.release(environment)


async def test_a_retry_after_a_deletion_leaves_nothing_for_the_next_function_of_the_name() -> None:
    async with placed() as here:
        old = version_of()
        new = replace(old, configuration=replace(old.configuration, handler="app.other"))
        here.catalog.put(function_of(old))
        lost = await here.acquire(old)
        here.catalog.remove(old.key)
        lost.stop()
        here.placement.release(lost)
        here.release(await here.acquire(old))
        here.catalog.put(function_of(new))
        assert (await here.acquire(new)).version is new


@pytest.mark.parametrize("served_first", [True, False])
async def test_a_cancelled_invocation_loses_no_environment(served_first: bool) -> None:
    async with placed(limit=1) as here:
        here.worker.hold = True
        waiting = here.waiting(version_of())
        await turns()
        if served_first:
            here.worker.finish()
            while not here.worker.environments:  # noqa: ASYNC110 - what it waits for has no event
                await asyncio.sleep(0)
            # The environment is given to it, its task has not run since.
            waiting.cancel()
        else:
            waiting.cancel()
            await turns()
            here.worker.finish()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await turns()
        assert await here.acquire(version_of()) is here.worker.environments[0]
        assert len(here.worker.environments) == 1


async def test_a_cancelled_invocation_that_already_had_its_environment_gives_it_back() -> None:
    async with placed(limit=1) as here:
        running = await here.acquire(version_of())
        # At the limit, with nothing idle, only a version whose environment starts can wait.
        here.placement._limit = 2
        here.worker.hold = True
        waiting = here.waiting(version_of())
        await turns()
        here.release(running)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await here.acquire(version_of()) is running
        here.worker.finish()


async def test_an_environment_that_ended_while_idle_is_not_given_out() -> None:
    async with placed() as here:
        first = await here.acquire(version_of())
        here.release(first)
        first.stop()
        assert await here.acquire(version_of()) is not first
        assert len(here.worker.alive) == 1


async def test_an_environment_that_ended_while_busy_is_not_kept() -> None:
    async with placed(limit=1) as here:
        first = await here.acquire(version_of())
        first.stop()
        here.placement.release(first)
        assert await here.acquire(version_of()) is not first


async def test_an_environment_is_offered_once_its_runtime_polls() -> None:
    async with placed() as here:
        first = await here.acquire(version_of())
        first.polls_at_once = False
        here.release(first)
        second = await here.acquire(version_of())
        assert second is not first
        first.poll()
        await turns()
        assert await here.acquire(version_of()) is first


async def test_an_environment_that_polls_soon_is_waited_for() -> None:
    async with placed() as here:
        first = await here.acquire(version_of())
        first.polls_at_once = False
        here.release(first)
        waiting = here.waiting(version_of())
        await turns()
        first.poll()
        assert await waiting is first
        assert len(here.worker.environments) == 1


async def test_an_environment_whose_version_is_replaced_before_it_polls_is_stopped() -> None:
    async with placed() as here:
        here.catalog.put(function_of(version_of(serial=1)))
        first = await here.acquire(version_of(serial=1))
        first.polls_at_once = False
        here.release(first)
        here.catalog.put(function_of(version_of(serial=2)))
        first.poll()
        await turns()
        assert not first.alive


async def test_an_idle_environment_is_frozen_and_serves_again() -> None:
    async with placed() as here:
        first = await here.acquire(version_of())
        here.release(first)
        assert first.idle
        await until(lambda: not first.idle)
        assert first.alive
        assert await here.acquire(version_of()) is first
        here.release(first)
        await until(lambda: not first.idle)


async def test_a_busy_environment_is_not_frozen() -> None:
    async with placed() as here:
        busy, idle = await here.acquire(version_of()), await here.acquire(version_of())
        here.release(busy)
        assert await here.acquire(version_of()) is busy
        here.release(idle)
        await until(lambda: not idle.idle)
        assert busy.state == "busy"


async def test_an_environment_is_stopped_when_idle_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETIRE_SWEEP", 0.001)
    async with placed(limit=1, idle_timeout=0) as here:
        first = await here.acquire(version_of())
        await asyncio.sleep(0.01)
        assert first.alive
        here.release(first)
        await until(lambda: not first.alive)
        await until(lambda: not here.placement._pools)
        assert await here.acquire(version_of()) is not first


async def test_an_environment_is_replaced_when_it_is_old() -> None:
    async with placed(limit=1, lifetime=0) as here:
        first = await here.acquire(version_of())
        assert first.alive
        here.release(first)
        assert not first.alive
        assert await here.acquire(version_of()) is not first


async def test_an_idle_environment_that_is_old_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETIRE_SWEEP", 0.001)
    async with placed() as here:
        first = await here.acquire(version_of())
        here.release(first)
        first.expires_at = 0
        await until(lambda: not first.alive)


async def test_a_preparation_is_answered() -> None:
    async with placed() as here:
        assert (await here.catalog.prepare(version_of())).ok
        here.worker.preparation = Prepared(reason_code="InvalidRuntime", reason="No.")
        assert await here.catalog.prepare(version_of()) == here.worker.preparation


async def test_a_preparation_that_raises_is_answered_and_the_next_one_too(capfd: pytest.CaptureFixture[str]) -> None:
    async with placed() as here:
        here.worker.preparation = RuntimeError("the disk is on fire")
        outcome = await here.catalog.prepare(version_of())
        assert outcome.reason_code == "InternalError"
        assert "fire" not in (outcome.reason or "")
        here.worker.preparation = Prepared()
        assert (await here.catalog.prepare(version_of())).ok


async def test_a_preparation_that_nobody_waits_for_is_harmless() -> None:
    async with placed() as here:
        outcome: asyncio.Future[Prepared] = asyncio.get_running_loop().create_future()
        outcome.cancel()
        await here.catalog.preparations.put(PreparationRequest(version_of(), outcome))
        await until(lambda: here.worker.prepared)
        assert (await here.catalog.prepare(version_of("other"))).ok


async def test_nothing_is_left_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETIRE_SWEEP", 0.001)
    async with placed(limit=3, idle_timeout=0) as here:
        here.catalog.put(function_of(version_of("kept")))

        async def one(number: int) -> None:
            version = version_of(("kept", "other")[number % 2], serial=1 + number // 10)
            try:
                environment = await here.acquire(version)
            except TooManyRequests:
                return
            await asyncio.sleep(0)
            if number % 5 == 0:
                environment.stop()
                here.placement.release(environment)
            else:
                environment.polls_at_once = number % 3 != 0
                here.release(environment)
                environment.poll()

        for round_ in range(3):
            tasks = [asyncio.ensure_future(one(number)) for number in range(20)]
            await turns(2)
            tasks[round_].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            here.catalog.put(function_of(version_of("kept", serial=round_)))
            assert len(here.worker.alive) <= 3
        await until(lambda: not here.worker.alive)
        await until(lambda: not here.placement._pools)
        assert here.placement._total == 0
        assert not here.placement._cooling


async def test_tenants_never_share_an_environment() -> None:
    version = tenanted()
    async with placed() as here:
        one, other = [await here.placement.acquire(version, tenant) for tenant in ("one", "other")]
        assert one is not other
        for environment in (one, other):
            environment.begin()
            here.release(environment)
        again = [await here.placement.acquire(version, tenant) for tenant in ("other", "one", "third")]
        assert again[:2] == [other, one]
        assert again[2] not in (one, other)
        assert here.placement.uses(version)


async def test_a_version_is_forgotten_when_the_last_of_its_tenants_is_gone() -> None:
    version = tenanted()
    async with placed() as here:
        here.catalog.put(function_of(version))
        running = [await here.placement.acquire(version, tenant) for tenant in ("one", "other")]
        for environment in running:
            environment.begin()
        here.catalog.remove(version.key)
        here.release(running[0])
        assert here.worker.forgotten == []
        here.release(running[1])
        assert here.worker.forgotten == [version]


async def test_environments_of_tenants_are_limited_by_the_account_s_concurrency() -> None:
    version = tenanted()
    worker, catalog = FakeWorker(), Catalog(2)
    async with Placement(catalog, worker, limit=100, idle_timeout=1000, lifetime=1000) as placement:
        for number in range(5):
            environment = await placement.acquire(version, f"tenant-{number}")
            environment.begin()
            environment.end()
            placement.release(environment)
        with pytest.raises(TooManyRequests, match="Rate exceeded"):
            await placement.acquire(version, "one more")
        assert await placement.acquire(version, "tenant-0") is not None


def tenanted() -> Version:
    version = version_of()
    return replace(version, configuration=replace(version.configuration, tenant_isolation="PER_TENANT"))
