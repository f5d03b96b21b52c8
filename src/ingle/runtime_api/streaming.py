"""A streamed response on its way in: from the pieces of a connection to the sink of its invocation, within the limit.

Used by `runtime_api.http`, which reads. What arrives together is handed on together; nothing is kept here.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ingle.domain.invocation import ResponseSink
from ingle.runtime_api.session import Reply

#: Bytes of a streamed response, as on AWS.
MAX_STREAMED = 200 * 1024 * 1024


class StreamedResponse:
    """Takes pieces by `add`, and hands them on at `flush`. It is the source that the sink may pause, until `close`."""

    def __init__(self, transport: asyncio.Transport, sink: ResponseSink, content_type: str | None) -> None:
        self._transport = transport
        self._sink = sink
        self._parts: list[bytes] = []
        self._open = True
        #: Whether there was more than a response may have. The rest is thrown away.
        self.too_large = False
        sink.begin(content_type, self)

    @property
    def size(self) -> int:
        return self._sink.size

    def add(self, part: bytes) -> None:
        if not self.too_large:
            self._parts.append(part)

    def flush(self) -> None:
        """Hand on what has arrived, as far as the limit goes."""
        parts = self._parts
        if not parts:
            return
        self._parts = []
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        room = MAX_STREAMED - self._sink.size
        if len(data) > room:
            self.too_large = True
            data = data[:room]
        if data:
            self._sink.write(data)

    def close(self) -> None:
        """Nothing follows. What the connection is used for next is not held up by who reads this response."""
        self.resume()
        self._open = False

    def pause(self) -> None:
        if self._open and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._open and not self._transport.is_closing():
            self._transport.resume_reading()


def ended(reply: Reply, response: StreamedResponse) -> Reply:
    """The reply that ends a streamed response: `reply` with the size of what went before it."""
    return replace(reply, streamed=response.size)
