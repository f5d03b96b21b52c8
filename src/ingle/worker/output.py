"""What a function and its extensions write, from their pipes to the log stream and to telemetry.

One `Output` for each environment. Lines of the standard streams are one event each; framed records from the runtime's
log channel may span lines. Bytes are read as they come, and once more when an invocation ends, so that everything
written before the reply stands before the END line.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import struct
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from ingle.worker.application_log import Telemetry, filtered

_TAIL_BYTES = 4096
_CHUNK = 65536
#: Bytes that are read in one turn of the loop: one that writes without end gets its turn and no more.
_TURN = 16384
#: Longest line that is kept together, in bytes; CloudWatch splits at about the same size.
_MAX_LINE = 256 * 1024
_STREAM_FRAME = 0x696E676C
#: A larger event of the log channel becomes several.
_LARGEST_EVENT = 4 * _MAX_LINE
#: How frames begin: pieces of the standard streams, and events.
_MARKS = (_STREAM_FRAME.to_bytes(4, "big"), b"\xa5\x5a\x00")

_FRAME = struct.Struct(">IIQ")


class EventSink(Protocol):
    """A log stream, see `storage.log_buffer.LogStream`."""

    def append(self, timestamp_ms: int, message: str) -> None: ...
    def append_many(self, timestamp_ms: int, lines: Sequence[bytes]) -> None: ...
    @property
    def full(self) -> bool: ...
    def when_room(self, callback: Callable[[], None]) -> None: ...


class LostLog:
    """The log of a function whose role may not write it: lines go nowhere, as on AWS."""

    full = False

    def append(self, timestamp_ms: int, message: str) -> None:
        """Dropped."""

    def append_many(self, timestamp_ms: int, lines: Sequence[bytes]) -> None:
        """Dropped."""

    def when_room(self, callback: Callable[[], None]) -> None:
        """Never asked for: there is always room."""


class LineSplitter:
    """Bytes to lines; the line end stays part of the line."""

    def __init__(self, emit: GuestLines) -> None:
        self._emit = emit
        self._rest = b""

    def feed(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if lines:
            self._emit.write([line + b"\n" for line in lines])
        if len(self._rest) > _MAX_LINE:
            self.flush()

    def flush(self) -> None:
        if self._rest:
            rest, self._rest = self._rest, b""
            self._emit.write([rest])


class EventWriter:
    """The end of the line: a log stream, and the tail for callers that ask for it."""

    def __init__(self, sink: EventSink) -> None:
        self.sink = sink
        self._tail: bytearray | None = None

    def write_text(self, *messages: str) -> None:
        now = int(time.time() * 1000)
        for message in messages:
            self.sink.append(now, message)
            if self._tail is not None:
                self._tail += message.encode() if message.endswith("\n") else message.encode() + b"\n"
                if len(self._tail) > _CHUNK:
                    del self._tail[:-_TAIL_BYTES]

    def write_lines(self, lines: list[bytes]) -> None:
        self.sink.append_many(int(time.time() * 1000), lines)
        if self._tail is not None:
            for line in lines:
                self._tail += line if line.endswith(b"\n") else line + b"\n"
            if len(self._tail) > _CHUNK:
                del self._tail[:-_TAIL_BYTES]

    def start_tail(self) -> None:
        self._tail = bytearray()

    def take_tail(self) -> bytes | None:
        tail, self._tail = self._tail, None
        return None if tail is None else bytes(tail[-_TAIL_BYTES:])


class GuestLines:
    """Events of one kind of writer inside ("function" or "extension").

    `level`: the least level that lines need to get into the log if they are JSON objects; None filters nothing.
    """

    def __init__(self, kind: str, writer: EventWriter, telemetry: Telemetry, level: str | None = None) -> None:
        self._kind = kind
        self._writer = writer
        self._telemetry = telemetry
        self._level = level

    def write(self, lines: list[bytes]) -> None:
        """Lines as a program wrote them."""
        if self._telemetry.wanted:
            self._publish(lines)
        if self._level is not None:
            lines = self._filtered(lines, self._level)
        self._writer.write_lines(lines)

    def write_event(self, event: bytes) -> None:
        """An event that the runtime itself framed, and filtered."""
        if self._telemetry.wanted:
            self._publish([event])
        self._writer.write_lines([event])

    def _publish(self, lines: list[bytes]) -> None:
        for line in lines:
            self._telemetry.publish(self._kind, self._kind, line.decode("utf-8", "replace"))

    @staticmethod
    def _filtered(lines: list[bytes], level: str) -> list[bytes]:
        kept = (filtered(line, level) if line.startswith(b"{") else line for line in lines)
        return [line for line in kept if line is not None]


class Pipe:
    """The end of a pipe from inside: read as it fills, bounded in each turn, and not while the log is full.

    `take(data)` gets what was read. The descriptor is the caller's.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, descriptor: int, sink: EventSink, take: Callable[[bytes], None]
    ) -> None:
        self._loop = loop
        self._descriptor = descriptor
        self._sink = sink
        self._take = take
        self._open = True
        os.set_blocking(descriptor, False)
        loop.add_reader(descriptor, self._turn)

    def _turn(self) -> None:
        self.read(_TURN)
        if self._open and self._sink.full:
            # The pipe fills up and the function waits: better than to lose its lines, or to keep them all here.
            self._loop.remove_reader(self._descriptor)
            self._sink.when_room(self._resume)

    def _resume(self) -> None:
        if self._open:
            self._loop.add_reader(self._descriptor, self._turn)

    def read(self, size: int) -> bool:
        """Whether there may be more."""
        try:
            data = os.read(self._descriptor, size)
        except BlockingIOError:
            return False
        if data:
            self._take(data)
        else:
            self.close()
        return len(data) == size

    def drain(self) -> None:
        """Read what is there, never more than the pipe can hold: who goes on writing must not keep the loop here."""
        if self._open:
            for _ in range(fcntl.fcntl(self._descriptor, fcntl.F_GETPIPE_SZ) // _CHUNK + 1):
                if not self.read(_CHUNK):
                    break

    def close(self) -> None:
        """Read no more. Idempotent."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._descriptor)


class Output:
    """Reads the pipes of a sandbox until `close`. The two of the function stay the sandbox's.

    `level`: see GuestLines; None for functions whose log format is text.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, output: int, events: int, sink: EventSink, telemetry: Telemetry,
        level: str | None = None,
    ) -> None:  # fmt: skip
        self._loop = loop
        self.writer = EventWriter(sink)
        self._telemetry = telemetry
        self._guest = GuestLines("function", self.writer, telemetry, level)
        self._lines = LineSplitter(self._guest)
        self._framed_lines = LineSplitter(self._guest)
        self._frames = b""
        self._pipes = (Pipe(loop, events, sink, self._take_frames), Pipe(loop, output, sink, self._lines.feed))
        self._extensions: ExtensionOutput | None = None
        self._readable = select.poll()
        for descriptor in (output, events):
            self._readable.register(descriptor, select.POLLIN)

    def close(self) -> None:
        self.drain()
        for pipe in self._pipes:
            pipe.close()
        if self._extensions is not None:
            self._extensions.close()

    def read_extensions(self, descriptor: int) -> None:
        """Read the pipe of the extensions from now on, in place of an earlier one. It belongs to this object."""
        if self._extensions is not None:
            self._extensions.close()
        lines = GuestLines("extension", self.writer, self._telemetry)
        self._extensions = ExtensionOutput(self._loop, descriptor, self.writer.sink, lines)

    def drain(self, *, ended: bool = False) -> None:
        """Read what is there, then end unfinished lines: the invocation that wrote them is over.

        `ended`: so is the runtime, and a frame that it did not finish is shown as far as it came.
        """
        if self._readable.poll(0):
            for pipe in self._pipes:
                pipe.drain()
        if ended and self._frames:
            rest, self._frames = self._frames, b""
            self._framed_lines.feed(rest[_FRAME.size :] if rest.startswith(_MARKS) else rest)
        self._framed_lines.flush()
        self._lines.flush()
        if self._extensions is not None:
            self._extensions.drain()

    def _take_frames(self, data: bytes) -> None:
        frames = self._frames + data if self._frames else data
        position, streamed = 0, []
        while len(frames) - position >= _FRAME.size:
            if not frames.startswith(_MARKS, position):
                # Not a frame: function code wrote to the channel itself. What it wrote is shown as lines.
                found = _next_mark(frames, position)
                streamed.append(frames[position:found])
                position = found
                continue
            kind, length, _ = _FRAME.unpack_from(frames, position)
            start = position + _FRAME.size
            end = start + min(length, _LARGEST_EVENT)
            if end > len(frames):
                break
            position = end
            if kind == _STREAM_FRAME:
                streamed.append(frames[start:end])
            else:
                self._feed(streamed)
                self._framed_lines.flush()
                self._guest.write_event(frames[start:end])
            if length > _LARGEST_EVENT:
                # The rest of it is another event.
                frames, position = _FRAME.pack(kind, length - _LARGEST_EVENT, 0) + frames[end:], 0
        self._feed(streamed)
        self._frames = frames[position:]

    def _feed(self, streamed: list[bytes]) -> None:
        """Pieces of the framed standard streams, together: most are single lines."""
        if streamed:
            self._framed_lines.feed(b"".join(streamed))
            streamed.clear()


class ExtensionOutput:
    """The one pipe that all extensions of an environment write to. Unfinished lines are finished later."""

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int, sink: EventSink, lines: GuestLines) -> None:
        self._descriptor = descriptor
        self._lines = LineSplitter(lines)
        self._pipe = Pipe(loop, descriptor, sink, self._lines.feed)

    def drain(self) -> None:
        self._pipe.drain()

    def close(self) -> None:
        self._pipe.drain()
        self._pipe.close()
        self._lines.flush()
        os.close(self._descriptor)


def _next_mark(frames: bytes, position: int) -> int:
    """Where the next frame may begin behind `position`, or the end."""
    found = [frames.find(mark, position + 1) for mark in _MARKS]
    return min((place for place in found if place >= 0), default=len(frames))
