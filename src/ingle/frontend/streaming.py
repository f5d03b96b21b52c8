"""Answers that are sent while they are made, or come from elsewhere: how the client learns where their body ends.

Used by `asgi` for responses of functions and by `forwarding` for those of other services; `connection` is what streams.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, Protocol

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: Statuses of answers that have no body.
BODILESS = frozenset((204, 304))


class Streaming(Protocol):
    """What a connection does for an answer whose length nobody knows beforehand."""

    def begin_streaming(self) -> bool:
        """Whether the client can be told where the body ends. Otherwise the end of the connection is its end."""
        ...

    def end_unframed(self) -> None:
        """Everything of a body without an end of its own has been sent."""
        ...

    def break_off(self) -> None:
        """End the connection in the middle of the answer."""
        ...


async def send_pieces(
    status: int, headers: list[tuple[bytes, bytes]], pieces: AsyncIterator[bytes], connection: Streaming, send: Send, *,
    measured: bool = False,
) -> None:  # fmt: skip
    """`measured`: the head of the answer says how long it is.

    Raises what making `pieces` raises; the connection has to be broken off then.
    """
    framed = measured or connection.begin_streaming()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    async for piece in pieces:
        if status not in BODILESS:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    if framed:
        await send({"type": "http.response.body", "body": b""})
    else:
        connection.end_unframed()
