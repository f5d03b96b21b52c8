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
import time
from typing import Protocol

from ingle.worker.application_log import Telemetry, filtered

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

    def __init__(self, emit: GuestLines) -> None:
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


class GuestLines:
    """Events of one kind of writer inside ("function" or "extension").

    `level`: the least level that lines need to get into the log if they are JSON objects; None filters nothing.
    """

    def __init__(self, kind: str, writer: EventWriter, telemetry: Telemetry, level: str | None = None) -> None:
        self._kind = kind
        self._writer = writer
        self._telemetry = telemetry
        self._level = level

    def write(self, line: bytes) -> None:
        """A line as a program wrote it."""
        text = line.decode("utf-8", "replace")
        if self._telemetry.wanted:
            self._telemetry.publish(self._kind, self._kind, text)
        if self._level is not None and text.startswith("{"):
            kept = filtered(text, self._level)
            if kept is None:
                return
            text = kept
        self._writer.write_text(text)

    def write_event(self, event: bytes) -> None:
        """An event that the runtime itself framed, and filtered."""
        text = event.decode("utf-8", "replace")
        if self._telemetry.wanted:
            self._telemetry.publish(self._kind, self._kind, text)
        self._writer.write_text(text)


class Output:
    """Reads the pipes of a sandbox until `close`. The two of the function stay the sandbox's.

    `level`: see GuestLines; None for functions whose log format is text.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, output: int, events: int, sink: EventSink, telemetry: Telemetry,
        level: str | None = None,
    ) -> None:  # fmt: skip
        self._loop = loop
        self._output = output
        self._events = events
        self.writer = EventWriter(sink)
        self._telemetry = telemetry
        self._guest = GuestLines("function", self.writer, telemetry, level)
        self._lines = LineSplitter(self._guest)
        self._framed_lines = LineSplitter(self._guest)
        self._extensions: ExtensionOutput | None = None
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
        if self._extensions is not None:
            self._extensions.close()

    def read_extensions(self, descriptor: int) -> None:
        """Read the pipe of the extensions from now on, in place of an earlier one. It belongs to this object."""
        if self._extensions is not None:
            self._extensions.close()
        lines = GuestLines("extension", self.writer, self._telemetry)
        self._extensions = ExtensionOutput(self._loop, descriptor, lines)

    def drain(self) -> None:
        """Read what is there, then end unfinished lines: the invocation that wrote them is over.

        Never more than the pipes can hold at one moment: a process that goes on writing must not keep the loop here.
        """
        if self._readable.poll(0):
            self._drain_pipes()
        self._framed_lines.flush()
        self._lines.flush()
        if self._extensions is not None:
            self._extensions.drain()

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
                self._guest.write_event(content)
            position = end
        self._frames = frames[position:]
        return len(data) == size


class ExtensionOutput:
    """The one pipe that all extensions of an environment write to."""

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int, lines: GuestLines) -> None:
        self._loop = loop
        self._descriptor = descriptor
        self._lines = LineSplitter(lines)
        os.set_blocking(descriptor, False)
        loop.add_reader(descriptor, self._read)

    def _read(self, size: int = _TURN) -> bool:
        """Whether there may be more."""
        try:
            data = os.read(self._descriptor, size)
        except BlockingIOError:
            return False
        if data:
            self._lines.feed(data)
        else:
            self._loop.remove_reader(self._descriptor)
        return len(data) == size

    def drain(self) -> None:
        """Read what is there, never more than the pipe can hold. Unfinished lines are finished later."""
        for _ in range(fcntl.fcntl(self._descriptor, fcntl.F_GETPIPE_SZ) // _CHUNK + 1):
            if not self._read(_CHUNK):
                break

    def close(self) -> None:
        self.drain()
        self._lines.flush()
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
