"""Events on disk: durable once acknowledged, written in groups, there again after a kill."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from dataclasses import replace

import pytest

from ingle.domain.event import Condition, Delivery, Event, Progress, Response
from ingle.domain.function import FunctionKey
from ingle.storage import event_store
from ingle.storage.errors import StorageError, StorageFull, StorageUnavailable
from ingle.storage.event_store import EventStore

KEY = FunctionKey(account="000000000000", region="us-east-1", name="f")
THEN = 1_700_000_000_123


def event(number=1, **changes):
    made = Event(
        id=f"id-{number}", key=KEY, qualifier=None, arn="arn:aws:lambda:us-east-1:000000000000:function:f",
        payload=b'{"n": %d}' % number, accepted=THEN + number,
    )  # fmt: skip
    return replace(made, **changes)


def progress(**changes):
    return replace(Progress(due=THEN + 60_000, attempts=1, failures=1), **changes)


def url(tmp_path):
    return f"sqlite:///{tmp_path / 'events.db'}"


@pytest.fixture
async def store(tmp_path):
    async with EventStore(url(tmp_path)) as store:
        yield store


async def everything(store):
    """(number, event, progress, with all payloads?) of every event."""
    found, after = [], 0
    while page := await store.load(after):
        found += page
        after = page[-1][0]
    return found


async def test_an_event_is_there_after_a_restart_as_it_was(tmp_path):
    whole = event(qualifier="live", trace_header="Root=1", payload=b"\x00\xff" * 9)
    async with EventStore(url(tmp_path)) as store:
        number = await store.add(whole)
        assert await everything(store) == []  # only what was here before
    async with EventStore(url(tmp_path)) as store:
        assert await everything(store) == [(number, whole, Progress(due=whole.accepted), True)]
        assert await store.bodies(number) == (whole.payload, None)


async def test_progress_is_there_after_a_restart_with_the_response_beside(tmp_path):
    response = Response(version="7", payload=b"\xffanswer", error="Unhandled")
    last = progress(
        attempts=3, failures=3, refusals=2, response=response, condition=Condition.RETRIES_EXHAUSTED, ended=THEN + 5,
        deliveries=(Delivery(arn="a"), Delivery(arn="b", dead_letter=True)),
    )  # fmt: skip
    async with EventStore(url(tmp_path)) as store:
        number = await store.add(event())
        await store.change(number, progress())
        await store.change(number, last)
    async with EventStore(url(tmp_path)) as store:
        ((_, _, found, complete),) = await everything(store)
        assert not complete
        assert found == replace(last, response=replace(response, payload=b""))
        assert await store.bodies(number) == (event().payload, b"\xffanswer")


async def test_a_large_payload_is_left_for_later(tmp_path):
    async with EventStore(url(tmp_path)) as store:
        number = await store.add(event(payload=b"x" * 5000))
    async with EventStore(url(tmp_path)) as store:
        assert await everything(store) == [(number, event(payload=b""), Progress(due=event().accepted), False)]
        assert await store.bodies(number) == (b"x" * 5000, None)


async def test_what_is_removed_is_gone_with_its_progress(store, tmp_path):
    numbers = [await store.add(event(number)) for number in range(3)]
    await store.change(numbers[1], progress())
    await store.remove([*numbers[1:], 999])
    assert await store.bodies(numbers[1]) is None
    assert await store.bodies(numbers[0]) is not None
    with sqlite3.connect(tmp_path / "events.db") as connection:
        counts = [
            connection.execute(f"select count(*) from {table}").fetchone()[0]
            for table in ("queued_events", "event_progress")
        ]
    connection.close()
    assert counts == [1, 0]


async def test_numbers_grow_over_restarts_and_pages_have_each_event_once(tmp_path):
    async with EventStore(url(tmp_path)) as store:
        first = await asyncio.gather(*(store.add(event(number)) for number in range(2500)))
    async with EventStore(url(tmp_path)) as store:
        page = await store.load()
        assert len(page) < len(first)
        new = await store.add(event())
        assert new > max(first)
        assert [number for number, *_ in await everything(store)] == sorted(first)
        await store.remove(first)
        assert await everything(store) == []


async def test_what_is_asked_for_meanwhile_is_written_with_one_sync(store, monkeypatch):
    sizes = []
    write = event_store._write
    monkeypatch.setattr(
        event_store, "_write", lambda batch, connection: (sizes.append(len(batch.added)), write(batch, connection))[1]
    )
    await asyncio.gather(*(store.add(event(number)) for number in range(500)))
    assert sum(sizes) == 500
    assert len(sizes) <= 2


async def test_one_batch_may_add_change_and_remove(store):
    number = await store.add(event())
    await asyncio.gather(
        store.change(number, progress()), store.change(number, progress(attempts=2)), store.remove([number]),
        store.add(event(2)),
    )  # fmt: skip
    assert await store.bodies(number) is None


async def test_a_batch_that_fails_is_told_to_those_in_it_and_the_next_one_works(store, monkeypatch):
    write, broken = event_store._write, [True]

    def fail(batch, connection):
        write(batch, connection)
        if broken.pop() if broken else False:
            raise StorageUnavailable("no")

    monkeypatch.setattr(event_store, "_write", fail)
    told = await asyncio.gather(*(store.add(event(number)) for number in range(3)), return_exceptions=True)
    assert [type(item) for item in told] == [StorageUnavailable] * 3
    number = await store.add(event(9))
    assert await store.bodies(number) == (event(9).payload, None)


async def test_a_caller_that_leaves_takes_nothing_along(store):
    leaving = asyncio.ensure_future(store.add(event(1)))
    staying = asyncio.ensure_future(store.add(event(2)))
    await asyncio.sleep(0)
    leaving.cancel()
    number = await staying
    assert await store.bodies(number) == (event(2).payload, None)
    assert await store.bodies(number - 1) == (event(1).payload, None)


async def test_leaving_writes_what_waits_and_calls_after_that_are_refused(tmp_path):
    async with EventStore(url(tmp_path)) as store:
        adding = [asyncio.ensure_future(store.add(event(number))) for number in range(3)]
        await asyncio.sleep(0)
    await asyncio.gather(*adding)
    for call in (store.add(event()), store.change(1, progress()), store.remove([1]), store.load(), store.bodies(1)):
        with pytest.raises(StorageUnavailable):
            await call
    async with EventStore(url(tmp_path)) as store:
        assert len(await everything(store)) == 3


async def test_a_disk_that_is_full_says_so_and_removing_works_again_once_there_is_room(small_disk):
    async with EventStore(f"sqlite:///{small_disk / 'events.db'}") as store:
        number = await store.add(event(payload=b"x" * 30_000))
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
            while True:
                file.write(b"x" * 4096)
        with pytest.raises(StorageFull):
            await store.add(event(2, payload=b"x" * 100_000))
        ballast.unlink()
        await store.remove([number])
        assert await store.bodies(number) is None


async def test_a_disk_that_cannot_be_written_is_a_storage_error(read_only_disk):
    with pytest.raises(StorageError):
        async with EventStore(f"sqlite:///{read_only_disk / 'events.db'}"):
            pass


ADDING = """
import asyncio, sys
from ingle.domain.event import Event
from ingle.domain.function import FunctionKey
from ingle.storage.event_store import EventStore
async def main():
    key = FunctionKey(account="0" * 12, region="us-east-1", name="f")
    async with EventStore(sys.argv[1]) as store:
        async def client(who):
            for number in range(100000):
                event = Event(id=f"{who}-{number}", key=key, qualifier=None, arn="a", payload=b"{}", accepted=1)
                await store.add(event)
                print(event.id, flush=True)
        await asyncio.gather(*(client(who) for who in range(8)))
asyncio.run(main())
"""


async def test_every_event_that_was_acknowledged_survives_a_kill(tmp_path, start):
    process = start(ADDING, url(tmp_path))
    told = [process.stdout.readline().strip() for _ in range(500)]
    process.send_signal(signal.SIGKILL)
    told += process.stdout.read().split("\n")[:-1]
    process.wait()
    async with EventStore(url(tmp_path)) as store:
        there = {event.id for _, event, *_ in await everything(store)}
    assert set(told) <= there
