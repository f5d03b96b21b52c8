"""The log store: written soon, read by time, kept through a kill."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.storage.errors import (
    BadPosition,
    LogGroupExists,
    LogGroupNotFound,
    LogStreamExists,
    LogStreamNotFound,
    StorageFull,
    StorageUnavailable,
)
from ingle.storage.log_groups import directory_name
from ingle.storage.log_values import GroupKey, LogEvent, Position
from ingle.storage.logs import LogStore

from .values import FixedClock, fill_disk, names

HOME = ("000000000000", "us-east-1", "/aws/lambda/hello")
DAY = 86_400_000


def open_store(path: Path, **options: int) -> LogStore:
    return LogStore(path, FixedClock(), **options)


def messages(events: list[LogEvent]) -> list[str]:
    return [event.message for event in events]


async def fill(store: LogStore, stream: str, *events: tuple[int, str]) -> None:
    target = store.stream(*HOME, stream)
    for timestamp, message in events:
        target.append(timestamp, message)
    assert await store.flush()


async def test_reads_see_events_that_were_just_appended(tmp_path: Path):
    async with open_store(tmp_path) as store:
        store.stream(*HOME, "s").append(1_000, "hello")
        (event,) = await store.read(*HOME)
    assert (event.timestamp, event.ingestion, event.stream, event.message) == (1_000, 1_700_000_000_000, "s", "hello")


async def test_a_stream_without_events_leaves_nothing_on_disk(tmp_path: Path):
    async with open_store(tmp_path) as store:
        store.stream(*HOME, "s")
    assert names(tmp_path) == []


async def test_the_flusher_writes_by_itself(tmp_path: Path):
    async with open_store(tmp_path) as store:
        store.stream(*HOME, "s").append(1, "x")
        for _ in range(500):
            if names(tmp_path, "*/*.log"):
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("nothing was written")


async def test_leaving_the_store_writes_what_is_left(tmp_path: Path):
    async with open_store(tmp_path) as store:
        store.stream(*HOME, "s").append(1, "x")
    async with open_store(tmp_path) as store:
        assert messages(await store.read(*HOME)) == ["x"]
    with pytest.raises(StorageUnavailable):
        await store.read(*HOME)


async def test_streams_are_interleaved_by_time_and_ties_keep_their_order(tmp_path: Path):
    async with open_store(tmp_path) as store:
        await fill(store, "a", (1, "a1"), (3, "a3"), (3, "a3 again"))
        await fill(store, "b", (2, "b2"), (3, "b3"), (0, "b0"))
        assert messages(await store.read(*HOME)) == ["b0", "a1", "b2", "a3", "a3 again", "b3"]
        assert messages(await store.read(*HOME, streams=["b"])) == ["b0", "b2", "b3"]
        assert messages(await store.read(*HOME, start_ms=1, end_ms=3)) == ["a1", "b2"]
        assert messages(await store.read(*HOME, limit=2)) == ["b0", "a1"]
        assert messages(await store.read(*HOME, limit=2, backward=True)) == ["a3 again", "b3"]
        assert await store.read(*HOME, streams=["none"]) == []
        assert await store.read(*HOME, streams=[]) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), max_size=40),
    limit=st.integers(1, 7),
    backward=st.booleans(),
    flush_after=st.integers(1, 10),
)
def test_pages_together_are_everything_once_in_order(
    tmp_path_factory: pytest.TempPathFactory,
    events: list[tuple[str, int]],
    limit: int,
    backward: bool,
    flush_after: int,
):
    async def pages() -> tuple[list[LogEvent], list[LogEvent]]:
        async with open_store(tmp_path_factory.mktemp("logs"), segment_bytes=300) as store:
            await store.create_group(*HOME)
            for number, (stream, timestamp) in enumerate(events):
                store.stream(*HOME, stream).append(timestamp, str(number))
                if number % flush_after == 0:
                    await store.flush()
            everything = await store.read(*HOME)
            paged: list[LogEvent] = []
            while True:
                if backward:
                    before = paged[0].position if paged else None
                    page = await store.read(*HOME, before=before, limit=limit, backward=True)
                    paged = page + paged
                else:
                    after = Position.parse(paged[-1].position.token()) if paged else None
                    page = await store.read(*HOME, after=after, limit=limit)
                    paged += page
                if not page:
                    return everything, paged

    everything, paged = asyncio.run(pages())
    assert paged == everything
    assert sorted((event.stream, event.timestamp) for event in everything) == sorted(events)
    assert [event.timestamp for event in everything] == sorted(event.timestamp for event in everything)


async def test_positions_hold_across_a_restart_and_find_what_comes_later(tmp_path: Path):
    async with open_store(tmp_path) as store:
        await fill(store, "s", (1, "a"), (2, "b"))
        token = (await store.read(*HOME))[-1].position.token()
    async with open_store(tmp_path) as store:
        assert await store.read(*HOME, after=Position.parse(token)) == []
        await fill(store, "s", (2, "c"), (3, "d"))
        assert messages(await store.read(*HOME, after=Position.parse(token))) == ["c", "d"]


@pytest.mark.parametrize("token", ["", "1.2.3", "1.2.3.4.5", "x.1.1.1", "1 .2.3"])
def test_a_position_that_was_never_given_out_is_refused(token: str):
    with pytest.raises(BadPosition):
        Position.parse(token)


async def test_groups_and_streams_are_described(tmp_path: Path):
    async with open_store(tmp_path) as store:
        await store.create_group("000000000000", "us-east-1", "/other")
        await fill(store, "b", (5, "x"), (2, "y"))
        await store.create_stream(*HOME, "a")
        hello, other = await store.groups("000000000000", "us-east-1")
        assert (hello.name, other.name, other.stored_bytes) == (HOME[2], "/other", 0)
        assert hello.created == 1_700_000_000_000
        assert hello.stored_bytes > 0
        assert [group.name for group in await store.groups("000000000000", "us-east-1", "/o")] == ["/other"]
        a, b = await store.streams(*HOME)
        assert (a.name, a.created, a.first_event, a.last_event) == ("a", 1_700_000_000_000, None, None)
        assert (b.name, b.first_event, b.last_event, b.last_ingestion) == ("b", 2, 5, 1_700_000_000_000)
        assert [stream.name for stream in await store.streams(*HOME, "b")] == ["b"]
    async with open_store(tmp_path) as store:
        assert await store.groups("000000000000", "us-east-1") == [hello, other]
        assert await store.streams(*HOME) == [a, b]


async def test_a_group_of_another_account_or_region_is_another_group(tmp_path: Path):
    async with open_store(tmp_path) as store:
        await fill(store, "s", (1, "x"))
        for account, region in (("1", "us-east-1"), ("000000000000", "eu-west-1")):
            assert await store.groups(account, region) == []
            with pytest.raises(LogGroupNotFound):
                await store.read(account, region, HOME[2])


@pytest.mark.parametrize("name", ["/", "..", "../../etc", "a/b", "a_b", "x" * 512, "ä\0ö", ".hidden"])
async def test_any_group_name_is_one_safe_file_name(tmp_path: Path, name: str):
    async with open_store(tmp_path / "logs") as store:
        store.stream("0", "../..", name, "s").append(1, "x")
        assert messages(await store.read("0", "../..", name)) == ["x"]
    assert names(tmp_path) == ["logs"]
    async with open_store(tmp_path / "logs") as store:
        assert [group.name for group in await store.groups("0", "../..")] == [name]


async def test_groups_and_streams_are_created_once(tmp_path: Path):
    async with open_store(tmp_path) as store:
        with pytest.raises(LogGroupNotFound):
            await store.create_stream(*HOME, "s")
        await store.create_group(*HOME)
        with pytest.raises(LogGroupExists):
            await store.create_group(*HOME)
        await store.create_stream(*HOME, "s")
        with pytest.raises(LogStreamExists):
            await store.create_stream(*HOME, "s")


async def test_a_deleted_group_is_gone_and_comes_back_empty_with_the_next_event(tmp_path: Path):
    async with open_store(tmp_path) as store:
        stream = store.stream(*HOME, "s")
        stream.append(1, "before")
        await store.delete_group(*HOME)
        assert names(tmp_path) == []
        with pytest.raises(LogGroupNotFound):
            await store.delete_group(*HOME)
        stream.append(2, "after")
        assert messages(await store.read(*HOME)) == ["after"]


async def test_a_deleted_stream_is_gone_also_after_a_restart(tmp_path: Path):
    async with open_store(tmp_path, segment_bytes=200) as store:
        for number in range(10):
            await fill(store, "s", (number, "old"))
            await fill(store, "t", (number, "kept"))
        await store.delete_stream(*HOME, "s")
        with pytest.raises(LogStreamNotFound):
            await store.delete_stream(*HOME, "s")
        assert messages(await store.read(*HOME)) == ["kept"] * 10
        await fill(store, "s", (3, "new"))
    async with open_store(tmp_path) as store:
        assert messages(await store.read(*HOME, streams=["s"])) == ["new"]
        assert (await store.streams(*HOME, "s"))[0].first_event == 3


async def test_put_events_wants_its_stream(tmp_path: Path):
    async with open_store(tmp_path) as store:
        with pytest.raises(LogGroupNotFound):
            await store.put_events(*HOME, "s", [(1, "x")])
        await store.create_group(*HOME)
        with pytest.raises(LogStreamNotFound):
            await store.put_events(*HOME, "s", [(1, "x")])
        await store.create_stream(*HOME, "s")
        await store.put_events(*HOME, "s", [(1, "x"), (2, "y")])
        assert messages(await store.read(*HOME)) == ["x", "y"]


async def test_segments_rotate(tmp_path: Path):
    async with open_store(tmp_path, segment_bytes=1000) as store:
        for number in range(50):
            await fill(store, "s", (number, "x" * 100))
        assert messages(await store.read(*HOME)) == ["x" * 100] * 50
    assert len(names(tmp_path, "*/*.log")) >= 5


@pytest.mark.parametrize("cut", [1, 5, 40])
async def test_a_torn_tail_is_truncated_and_writing_goes_on(tmp_path: Path, cut: int):
    async with open_store(tmp_path) as store:
        await fill(store, "s", (1, "whole"))
        await fill(store, "s", (2, "torn"))
    (segment,) = (tmp_path / name for name in names(tmp_path, "*/*.log"))
    segment.write_bytes(segment.read_bytes()[:-cut])
    async with open_store(tmp_path) as store:
        await fill(store, "s", (3, "later"))
        assert messages(await store.read(*HOME)) == ["whole", "later"]
    async with open_store(tmp_path) as store:
        assert messages(await store.read(*HOME)) == ["whole", "later"]


KILLED = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from storage.values import FixedClock
from ingle.storage.logs import LogStore

async def main():
    async with LogStore(Path(sys.argv[1]), FixedClock(), segment_bytes=2000) as store:
        stream = store.stream("0", "r", "g", "s")
        for number in range(1000000):
            stream.append(number, f"line {number}")
            if number % 10 == 9:
                await store.flush()
                print(number, flush=True)

asyncio.run(main())
"""


async def test_a_kill_loses_no_flushed_line(start: Callable[..., subprocess.Popen[str]], tmp_path: Path):
    process = start(KILLED, tmp_path, Path(__file__).parents[1])
    assert process.stdout is not None
    flushed = -1
    while flushed < 500:
        flushed = int(process.stdout.readline())
    process.kill()
    rest = process.stdout.read().split("\n")[:-1]
    flushed = int(rest[-1]) if rest else flushed
    async with open_store(tmp_path) as store:
        found = messages(await store.read("0", "r", "g", limit=10**6))
    assert found == [f"line {number}" for number in range(len(found))]
    assert len(found) > flushed


async def test_with_the_disk_full_lines_wait_and_the_oldest_beyond_a_bound_are_dropped_and_counted(small_disk: Path):
    async with open_store(small_disk, buffer_bytes=800_000) as store:
        await fill(store, "s", (0, "first"))
        filler = fill_disk(small_disk)
        stream = store.stream(*HOME, "s")
        for number in range(1, 100):
            stream.append(number, "x" * 1000)
        assert not await store.flush()
        for number in range(100, 200):
            stream.append(number, "x" * 1000)
        assert not stream.full, "a function is never stalled by a full disk"
        dropped = store.dropped
        assert 50 < dropped < 150
        with pytest.raises(StorageFull):
            await store.put_events(*HOME, "s", [(1, "x" * 10_000)])
        assert messages(await store.read(*HOME)) == ["first"]
        filler.unlink()
        assert await store.flush()
        found = await store.read(*HOME)
    assert [event.timestamp for event in found] == [0, *range(1 + dropped, 200)]


async def test_lines_come_in_batches_of_bytes(tmp_path: Path):
    async with open_store(tmp_path) as store:
        stream = store.stream(*HOME, "s")
        stream.append_many(5, [b"one\n", b"tw\xff", b""])
        stream.append_many(5, [])
        stream.append(6, "tex\ud800t")
        found = await store.read(*HOME)
    assert [(event.timestamp, event.message) for event in found] == [
        (5, "one\n"),
        (5, "tw\ufffd"),
        (5, ""),
        (6, "tex\\ud800t"),
    ]


async def test_a_group_that_fills_its_share_is_full_until_its_lines_are_written(tmp_path: Path):
    async with open_store(tmp_path, buffer_bytes=800_000) as store:
        flooding, same_function = store.stream(*HOME, "a"), store.stream(*HOME, "b")
        other = store.stream(*HOME[:2], "another", "s")
        told: list[str] = []
        flooding.when_room(lambda: told.append("at once"))
        await asyncio.sleep(0)
        assert told == ["at once"]
        while not flooding.full:
            flooding.append_many(1, [b"x" * 100] * 10)
        flooding.when_room(lambda: told.append("room"))
        await asyncio.sleep(0)
        assert (same_function.full, other.full, told) == (True, False, ["at once"])
        assert store.waiting_bytes > 40_000
        await store.flush()
        assert (flooding.full, told, store.dropped, store.waiting_bytes) == (False, ["at once", "room"], 0, 0)


async def test_a_function_that_does_not_stop_when_it_is_full_costs_no_other_function_a_line(tmp_path: Path):
    async with open_store(tmp_path, buffer_bytes=800_000) as store:
        flooding, other = store.stream(*HOME, "s"), store.stream(*HOME[:2], "another", "s")
        other.append(1, "kept")
        for number in range(100):
            flooding.append_many(number, [b"x" * 1000] * 100)
        other.append(2, "kept too")
        dropped = store.dropped
        assert dropped > 0
        assert messages(await store.read(*HOME[:2], "another")) == ["kept", "kept too"]
        found = await store.read(*HOME, limit=20_000)
    assert len(found) == 10_000 - dropped
    assert found[-1].timestamp == 99


async def test_many_functions_that_do_not_stop_are_bounded_together(tmp_path: Path):
    async with open_store(tmp_path, buffer_bytes=80_000) as store:
        streams = [store.stream(*HOME[:2], f"group {number}", "s") for number in range(40)]
        for _ in range(50):
            for stream in streams:
                stream.append_many(1, [b"x" * 100] * 5)
        assert store.waiting_bytes <= 80_000
        assert all([await store.read(*HOME[:2], f"group {number}") for number in range(40)])


async def test_retention_deletes_whole_old_segments(tmp_path: Path):
    clock = FixedClock(100 * DAY)
    async with LogStore(tmp_path, clock, segment_bytes=300) as store:
        for day in range(90, 101):
            await fill(store, "s", (day * DAY, "x" * 300))
        await store.put_retention(*HOME, 5)
        kept = [event.timestamp // DAY for event in await store.read(*HOME)]
        assert kept == [95, 96, 97, 98, 99, 100]
        (group,) = await store.groups(*HOME[:2])
        assert group.retention_days == 5
        clock.milliseconds = 200 * DAY
        await store.apply_retention()
        assert await store.read(*HOME) == []
        await fill(store, "s", (200 * DAY, "new"))
        assert messages(await store.read(*HOME)) == ["new"]
    async with LogStore(tmp_path, clock) as store:
        assert messages(await store.read(*HOME)) == ["new"]
        await store.put_retention(*HOME, None)
        assert (await store.groups(*HOME[:2]))[0].retention_days is None


async def test_a_cancelled_reader_takes_no_events_along(tmp_path: Path):
    async with open_store(tmp_path) as store:
        store.stream(*HOME, "s").append(1, "x")
        reader = asyncio.ensure_future(store.read(*HOME))
        await asyncio.sleep(0)
        reader.cancel()
        assert messages(await store.read(*HOME)) == ["x"]


async def test_what_a_crash_left_of_a_deletion_is_swept(tmp_path: Path):
    (tmp_path / ".deleted-1").mkdir()
    (tmp_path / directory_name(GroupKey(*HOME))).mkdir()
    async with open_store(tmp_path) as store:
        assert await store.groups(*HOME[:2]) == []
        await store.create_group(*HOME)
    assert not (tmp_path / ".deleted-1").exists()


async def test_deleted_streams_give_their_space_back_once_nothing_older_is_left(tmp_path: Path):
    async with open_store(tmp_path, segment_bytes=1000) as store:
        for name in ("a", "b"):
            for number in range(5):
                await fill(store, name, (number, "x" * 600))
        before = len(names(tmp_path, "*/*.log"))
        await store.delete_stream(*HOME, "b")
        assert len(names(tmp_path, "*/*.log")) >= before, "older lines of another stream stand before"
        await store.delete_stream(*HOME, "a")
        assert len(names(tmp_path, "*/*.log")) <= 1
        assert await store.streams(*HOME) == []
        await fill(store, "b", (9, "again"))
    async with open_store(tmp_path, segment_bytes=1000) as store:
        assert messages(await store.read(*HOME)) == ["again"]


async def test_a_stream_that_is_deleted_while_it_is_written_begins_anew_with_its_next_line(tmp_path: Path):
    async with open_store(tmp_path) as store:
        stream = store.stream(*HOME, "s")
        stream.append(1, "before")
        await store.delete_stream(*HOME, "s")
        stream.append(2, "after")
        assert messages(await store.read(*HOME)) == ["after"]
    async with open_store(tmp_path) as store:
        assert messages(await store.read(*HOME)) == ["after"]


async def test_retention_frees_the_disk(tmp_path: Path):
    clock = FixedClock(100 * DAY)
    async with LogStore(tmp_path, clock, segment_bytes=50_000) as store:
        for day in range(90, 101):
            await fill(store, "s", (day * DAY, "x" * 60_000))

        def used() -> int:
            return sum((tmp_path / name).stat().st_size for name in names(tmp_path, "*/*.log"))

        before = used()
        await store.put_retention(*HOME, 3)
        assert used() < before / 2
        clock.milliseconds = 200 * DAY
        await store.apply_retention()
        assert used() == 0
