"""What a function writes, on its way from two pipes to events."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from ingle.worker.output import Output

TEXT, STREAM = 0xA55A0003, 0x696E676C


class Piped:
    """An `Output`, the two ends that a function writes to, and the events that came out."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.output_end, self.output = os.pipe()
        self.log_end, self.log = os.pipe()
        for descriptor in (self.output_end, self.log_end):
            os.set_blocking(descriptor, False)
        self.published: list[object] = []
        self.full = False
        self.waiting: list[Callable[[], None]] = []
        self.reader = Output(asyncio.get_running_loop(), self.output_end, self.log_end, self, self)

    @property
    def wanted(self) -> bool:
        return True

    def publish(self, kind: str, event_type: str, record: object) -> None:
        self.published.append(record)

    def append(self, timestamp_ms: int, message: str) -> None:
        assert timestamp_ms > 1_000_000_000_000
        self.events.append(message)

    def append_many(self, timestamp_ms: int, lines: Sequence[bytes]) -> None:
        for line in lines:
            self.append(timestamp_ms, line.decode("utf-8", "replace"))

    def when_room(self, callback: Callable[[], None]) -> None:
        self.waiting.append(callback)

    def write(self, data: bytes) -> None:
        assert os.write(self.output, data) == len(data)

    def frame(self, content: bytes, kind: int = TEXT) -> None:
        os.write(self.log, framed(content, kind))


def framed(content: bytes, kind: int = TEXT) -> bytes:
    return kind.to_bytes(4, "big") + len(content).to_bytes(4, "big") + bytes(8) + content


@pytest.fixture
async def piped() -> AsyncIterator[Piped]:
    piped = Piped()
    yield piped
    piped.reader.close()
    for descriptor in (piped.output_end, piped.output, piped.log_end, piped.log):
        os.close(descriptor)


async def arrived(piped: Piped, number: int) -> None:
    async with asyncio.timeout(5):
        while len(piped.events) < number:  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.001)


async def test_a_line_is_an_event(piped: Piped) -> None:
    piped.write(b"one\ntwo\nthr")
    await arrived(piped, 2)
    piped.write(b"ee\n")
    await arrived(piped, 3)
    assert piped.events == ["one\n", "two\n", "three\n"]


async def test_a_carriage_return_ends_no_line(piped: Piped) -> None:
    piped.write(b"10%\r20%\r\nnext\n")
    piped.reader.drain()
    assert piped.events == ["10%\r20%\r\n", "next\n"]


async def test_draining_takes_what_is_there_and_ends_the_line(piped: Piped) -> None:
    piped.write(b"whole\npart")
    piped.reader.drain()
    assert piped.events == ["whole\n", "part"]
    piped.write(b"more\n")
    piped.reader.drain()
    assert piped.events == ["whole\n", "part", "more\n"]


async def test_draining_takes_all_that_a_pipe_holds(piped: Piped) -> None:
    piped.write(b"x" * 63 + b"\n")
    for _ in range(1023):
        piped.write(b"x" * 63 + b"\n")
    piped.reader.drain()
    assert len(piped.events) == 1024


async def test_draining_nothing_is_nothing(piped: Piped) -> None:
    piped.reader.drain()
    assert piped.events == []


async def test_a_frame_is_an_event_whatever_lines_it_has(piped: Piped) -> None:
    piped.frame(b"first\nsecond\n")
    piped.frame(b"without an end")
    piped.reader.drain()
    assert piped.events == ["first\nsecond\n", "without an end"]


async def test_frames_may_arrive_in_pieces(piped: Piped) -> None:
    data = framed(b"first\nsecond") + framed("täil".encode()) + framed(b"")
    for byte in data:
        os.write(piped.log, bytes([byte]))
        await asyncio.sleep(0)
    piped.reader.drain()
    assert piped.events[:2] == ["first\nsecond", "täil"]


async def test_a_frame_larger_than_a_read(piped: Piped) -> None:
    content = b"a" * 200_000
    data = framed(content)

    async def write() -> None:
        await asyncio.to_thread(os.write, piped.log, data)

    await asyncio.gather(write(), arrived(piped, 1))
    assert piped.events == [content.decode()]


async def test_stream_frames_are_split_at_line_ends(piped: Piped) -> None:
    piped.frame(b"one\ntw", STREAM)
    piped.frame(b"o\nthree", STREAM)
    piped.reader.drain()
    assert piped.events == ["one\n", "two\n", "three"]


async def test_prints_and_log_records_keep_their_order(piped: Piped) -> None:
    piped.frame(b"print without an end", STREAM)
    piped.frame(b"record\n")
    piped.frame(b"print\n", STREAM)
    piped.reader.drain()
    assert piped.events == ["print without an end", "record\n", "print\n"]


async def test_what_is_no_frame_is_shown_as_lines(piped: Piped) -> None:
    piped.frame(b"before\n")
    os.write(piped.log, b"hello, this is not a frame\nat all\n")
    piped.reader.drain()
    assert piped.events == ["before\n", "hello, this is not a frame\n", "at all\n"]
    piped.frame(b"after\n")
    piped.reader.drain()
    assert piped.events[-1] == "after\n"


async def test_bytes_that_are_no_text_are_shown_all_the_same(piped: Piped) -> None:
    piped.write(b"\xff\xfe\n")
    piped.reader.drain()
    assert piped.events == ["\ufffd\ufffd\n"]


async def test_a_character_is_not_torn_between_reads(piped: Piped) -> None:
    for byte in "ü\n".encode():
        piped.write(bytes([byte]))
        await asyncio.sleep(0.002)
    await arrived(piped, 1)
    assert piped.events == ["ü\n"]


async def test_a_line_without_end_is_cut(piped: Piped) -> None:
    async with asyncio.timeout(5):
        while not piped.events:
            piped.write(b"a" * 4096)
            await asyncio.sleep(0)
    assert 256 * 1024 < len(piped.events[0]) <= 256 * 1024 + 65536


async def test_a_closed_pipe_is_no_error(piped: Piped) -> None:
    piped.write(b"last words")
    for descriptor in (piped.output, piped.log):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    await asyncio.sleep(0.01)
    piped.reader.drain()
    assert piped.events == ["last words"]


async def test_the_tail_is_what_was_written_since_it_was_begun(piped: Piped) -> None:
    piped.reader.writer.write_text("before\n")
    piped.reader.writer.start_tail()
    piped.reader.writer.write_text("START\n", "no end", "END\n")
    piped.write(b"printed\n")
    piped.reader.drain()
    assert piped.reader.writer.take_tail() == b"START\nno end\nEND\nprinted\n"
    assert piped.reader.writer.take_tail() is None


@pytest.mark.parametrize("lines", [100, 5000])
async def test_the_tail_is_the_last_4_kb(piped: Piped, lines: int) -> None:
    piped.reader.writer.start_tail()
    whole = [f"{number:079d}\n" for number in range(lines)]
    piped.reader.writer.write_text(*whole)
    assert piped.reader.writer.take_tail() == "".join(whole).encode()[-4096:]


async def test_a_function_waits_while_the_log_is_full(piped: Piped) -> None:
    piped.full = True
    piped.write(b"one\n")
    piped.frame(b"framed")
    await arrived(piped, 2)
    piped.write(b"two\n")
    await asyncio.sleep(0.02)
    assert len(piped.events) == 2
    piped.full = False
    for callback in piped.waiting:
        callback()
    await arrived(piped, 3)
    assert piped.events[-1] == "two\n"


async def test_what_was_written_before_the_end_is_read_while_the_log_is_full(piped: Piped) -> None:
    piped.full = True
    piped.write(b"one\n")
    await arrived(piped, 1)
    piped.write(b"last words")
    piped.reader.drain()
    assert piped.events == ["one\n", "last words"]


async def test_telemetry_gets_lines_as_they_were_written(piped: Piped) -> None:
    piped.write(b"one\ntwo\n")
    piped.frame(b"an event")
    await arrived(piped, 3)
    assert sorted(map(str, piped.published)) == ["an event", "one\n", "two\n"]


@pytest.mark.parametrize("garbage", [b"hi\n", b"\0" * 40 + b"\n", TEXT.to_bytes(4, "little") + b"\0\0\0\1\n"])
async def test_frames_behind_what_is_no_frame_are_found(piped: Piped, garbage: bytes) -> None:
    os.write(piped.log, garbage)
    piped.frame(b"after\nit\n")
    piped.frame(b"printed\n", STREAM)
    piped.reader.drain()
    assert piped.events[-2:] == ["after\nit\n", "printed\n"]
    assert "".join(piped.events[:-2]).encode() == garbage.decode("utf-8", "replace").encode()


async def test_a_frame_that_is_too_large_is_several_events(piped: Piped) -> None:
    content = b"x" * ((2 << 20) + 5) + b"\n"
    data = framed(content) + framed(b"after\n")
    for start in range(0, len(data), 4096):
        os.write(piped.log, data[start : start + 4096])
        piped.reader.drain()
    assert [len(event) for event in piped.events] == [1 << 20, 1 << 20, 6, 6]
    assert piped.events[-1] == "after\n"


async def test_a_frame_that_its_runtime_did_not_finish_is_shown_and_leaves_nothing(piped: Piped) -> None:
    os.write(piped.log, framed(b"the last words of a runtime")[:-3])
    piped.reader.drain()
    assert piped.events == []  # another process may be in the middle of it
    piped.reader.drain(ended=True)
    assert piped.events == ["the last words of a runt"]
    piped.frame(b"of the next runtime\n")
    piped.reader.drain()
    assert piped.events[1:] == ["of the next runtime\n"]
