"""What a function writes, from its pipes to its log stream.

One `Output` for each environment. Lines of the standard streams are one event each; framed records from the runtime's
log channel may span lines. Bytes are read as they come, and once more when an invocation ends, so that everything
written before the reply stands before the END line.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import time
from typing import Protocol

_TAIL_BYTES = 4096
_CHUNK = 65536
#: Bytes that are read in one turn of the loop: one that writes without end gets its turn and no more.
_TURN = 8192
#: Longest line that is kept together, in bytes; CloudWatch splits at about the same size.
_MAX_LINE = 256 * 1024
_STREAM_FRAME = 0x696E676C
_HEADER = 16


class EventSink(Protocol):
    def append(self, timestamp_ms: int, message: str) -> None: ...


class LineSplitter:
    """Bytes to events at line ends; the line end stays part of the event."""

    def __init__(self, emit: EventWriter) -> None:
        self._emit = emit
        self._rest = b""

    def feed(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._emit.write(line + b"\n")
        if len(self._rest) > _MAX_LINE:
            self.flush()

    def flush(self) -> None:
        if self._rest:
            rest, self._rest = self._rest, b""
            self._emit.write(rest)


class EventWriter:
    """The end of the line: a log stream, and the tail for callers that ask for it."""

    def __init__(self, sink: EventSink) -> None:
        self._sink = sink
        self._tail: bytearray | None = None

    def write(self, message: bytes) -> None:
        self.write_text(message.decode("utf-8", "replace"))

    def write_text(self, *messages: str) -> None:
        now = int(time.time() * 1000)
        for message in messages:
            self._sink.append(now, message)
            if self._tail is not None:
                self._tail += message.encode() if message.endswith("\n") else message.encode() + b"\n"
                if len(self._tail) > _CHUNK:
                    del self._tail[:-_TAIL_BYTES]

    def start_tail(self) -> None:
        self._tail = bytearray()

    def take_tail(self) -> bytes | None:
        tail, self._tail = self._tail, None
        return None if tail is None else bytes(tail[-_TAIL_BYTES:])


class Output:
    """Reads the two pipes of a sandbox until `close`. The descriptors stay the sandbox's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, output: int, events: int, sink: EventSink) -> None:
        self._loop = loop
        self._output = output
        self._events = events
        self.writer = EventWriter(sink)
        self._lines = LineSplitter(self.writer)
        self._framed_lines = LineSplitter(self.writer)
        self._frames = b""
        self._readable = select.poll()
        for descriptor in (output, events):
            self._readable.register(descriptor, select.POLLIN)
        loop.add_reader(output, self._read_output)
        loop.add_reader(events, self._read_events)

    def close(self) -> None:
        self.drain()
        self._loop.remove_reader(self._output)
        self._loop.remove_reader(self._events)

    def drain(self) -> None:
        """Read what is there, then end unfinished lines: the invocation that wrote them is over.

        Never more than the pipes can hold at one moment: a process that goes on writing must not keep the loop here.
        """
        if self._readable.poll(0):
            self._drain_pipes()
        self._framed_lines.flush()
        self._lines.flush()

    def _drain_pipes(self) -> None:
        for descriptor, read in ((self._events, self._read_events), (self._output, self._read_output)):
            for _ in range(fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) // _CHUNK + 1):
                if not read(_CHUNK):
                    break

    def _read_output(self, size: int = _TURN) -> bool:
        """Whether there may be more."""
        try:
            data = os.read(self._output, size)
        except BlockingIOError:
            return False
        if data:
            self._lines.feed(data)
        else:
            self._loop.remove_reader(self._output)
        return len(data) == size

    def _read_events(self, size: int = _TURN) -> bool:
        """Whether there may be more."""
        try:
            data = os.read(self._events, size)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._events)
            return False
        frames = self._frames + data
        position = 0
        while len(frames) - position >= _HEADER:
            kind = int.from_bytes(frames[position : position + 4], "big")
            length = int.from_bytes(frames[position + 4 : position + 8], "big")
            end = position + _HEADER + length
            if length > _MAX_LINE * 4:
                # Not a frame: function code wrote to the channel itself. What it wrote is shown as lines.
                self._framed_lines.feed(frames[position:])
                position = len(frames)
                break
            if end > len(frames):
                break
            content = frames[position + _HEADER : end]
            if kind == _STREAM_FRAME:
                self._framed_lines.feed(content)
            else:
                self._framed_lines.flush()
                self.writer.write(content)
            position = end
        self._frames = frames[position:]
        return len(data) == size
