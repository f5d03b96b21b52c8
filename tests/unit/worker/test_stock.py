"""Which sandboxes are kept ready, and which one is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ingle.sandbox.client import SandboxError, ZygoteInfo, ZygoteSpec
from ingle.worker.stock import Kind, Stock

PLAIN = Kind(zygote="z")
AHEAD: dict[str, Any] = {"command": [["node"]]}


class FakeSandbox:
    def __init__(self, zygote: str, tmp_mb: int, ahead: dict[str, Any] | None) -> None:
        self.zygote, self.tmp_mb, self.ahead = zygote, tmp_mb, ahead
        self.released = False
        self.on_gone: Any = None


class FakeSupervisor:
    """Makes sandboxes at once."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.made: list[FakeSandbox] = []
        self.destroyed: list[FakeSandbox] = []
        self.on_zygote_lost: Any = None

    async def start_zygote(self, spec: ZygoteSpec) -> ZygoteInfo:
        self.started.append(spec.name)
        await asyncio.sleep(0)
        return ZygoteInfo(name=spec.name, pid=1, modules=frozenset())

    async def create(
        self, zygote: str, tmp_mb: int, ahead: dict[str, Any] | None = None, network: str | None = None
    ) -> FakeSandbox:
        self.made.append(FakeSandbox(zygote, tmp_mb, ahead))
        return self.made[-1]

    def destroy(self, sandbox: FakeSandbox) -> None:
        self.destroyed.append(sandbox)
        sandbox.released = True


def spec(name: str = "z") -> ZygoteSpec:
    return ZygoteSpec(name=name, command=(), variables={}, mounts={}, files={}, links={}, preload=False)


@pytest.fixture
def supervisor() -> FakeSupervisor:
    return FakeSupervisor()


@pytest.fixture
async def stock(supervisor: Any) -> AsyncIterator[Stock]:
    async with Stock(supervisor, 4, lambda name: None) as stock:
        await stock.zygote("z", spec)
        yield stock


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_zygote_is_started_once(stock: Stock, supervisor: FakeSupervisor) -> None:
    await asyncio.gather(*(stock.zygote("other", lambda: spec("other")) for _ in range(3)))
    assert supervisor.started == ["z", "other"]


async def test_a_wanted_kind_is_kept_ready_and_taken_from(stock: Stock, supervisor: FakeSupervisor) -> None:
    stock.want(PLAIN, None)
    await settle()
    assert len(supervisor.made) == 4
    assert await stock.take(PLAIN, None, 512) is supervisor.made[0]


async def test_a_larger_tmp_is_made_when_it_is_needed(stock: Stock, supervisor: FakeSupervisor) -> None:
    stock.want(PLAIN, None)
    await settle()
    taken: Any = await stock.take(PLAIN, None, 1024)
    assert taken.tmp_mb == 1024
    assert len(supervisor.made) == 5


async def test_kinds_are_kept_apart_and_fewer_with_a_started_runtime(stock: Stock, supervisor: FakeSupervisor) -> None:
    small, large = Kind(zygote="z", memory_mb=128), Kind(zygote="z", memory_mb=256)
    stock.want(small, AHEAD)
    await settle()
    assert [sandbox.ahead for sandbox in supervisor.made] == [AHEAD, AHEAD]
    taken: Any = await stock.take(large, {"command": []}, 512)
    assert taken.ahead == {"command": []}


async def test_of_many_kinds_with_started_runtimes_those_wanted_last_are_kept(
    stock: Stock, supervisor: FakeSupervisor
) -> None:
    stock.want(PLAIN, None)
    for memory in (128, 256, 512, 1024):
        stock.want(Kind(zygote="z", memory_mb=memory), AHEAD)
    await settle()
    first = [sandbox for sandbox in supervisor.made if sandbox.ahead is not None][:2]
    stock.want(Kind(zygote="z", memory_mb=2048), AHEAD)
    assert supervisor.destroyed == first
    await settle()
    stock.want(Kind(zygote="z", memory_mb=256), AHEAD)
    assert supervisor.destroyed == first


async def test_without_its_zygote_there_is_nothing_to_take(supervisor: Any) -> None:
    lost: list[str] = []
    async with Stock(supervisor, 4, lost.append) as stock:
        await stock.zygote("z", spec)
        stock.want(PLAIN, None)
        await settle()
        supervisor.on_zygote_lost("z")
        assert lost == ["z"]
        assert supervisor.destroyed == supervisor.made
        with pytest.raises(SandboxError):
            await stock.take(PLAIN, None, 512)


async def test_a_sandbox_that_ended_is_not_given_out(stock: Stock, supervisor: FakeSupervisor) -> None:
    stock.want(PLAIN, None)
    await settle()
    supervisor.made[0].released = True
    supervisor.made[1].on_gone()
    assert await stock.take(PLAIN, None, 512) is supervisor.made[2]
