"""A request of somebody else, handed on to a companion: signed again as whom the companion knows, and streamed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from ingle.companions.caller import DELAYS, LARGE
from ingle.companions.endpoint import Endpoint
from ingle.companions.endpoints import Endpoints
from ingle.companions.errors import Unconnected, Unreachable
from ingle.companions.health import Health
from ingle.companions.http import Incoming, Times, opened
from ingle.companions.signing import signed_headers
from ingle.domain.clock import Clock

#: A queue may be asked to wait for messages for 20 seconds, a lock for longer.
TIMES = Times(silence=70.0, total=86_400.0)
_SIGNED = ("content-type", "content-md5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What is sent. `path` and `query` as they go over the wire; the `canonical` ones are what is signed for.

    `host` is whom the request came to. `headers` are in lower case, without those of the connection, of signatures, and
    of the body's length. `content` is what is signed for in place of a digest of `body`, which has `length` bytes.
    """

    service: str
    host: str
    account: str
    region: str
    method: str
    path: str
    query: str
    canonical_path: str
    canonical_query: str
    headers: list[tuple[str, str]]
    content: str | None
    length: int | None
    body: bytes | AsyncIterator[bytes]


class Relay:
    """Safe for concurrent requests, each of which has a connection of its own."""

    def __init__(
        self, endpoints: Endpoints, clock: Clock, health: Health, *, times: Times = TIMES,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._endpoints = endpoints
        self._clock = clock
        self._health = health
        self._times = times
        self._sleep = sleep

    def has(self, service: str) -> bool:
        return self._endpoints.of(service) is not None

    @contextlib.asynccontextmanager
    async def send(self, outgoing: Outgoing) -> AsyncIterator[Incoming]:
        """The head of the answer, and the body as it comes. A service that takes no connection is tried again.

        Raises Unreachable, and what reading the body raises.
        """
        endpoint = self._endpoints.of(outgoing.service)
        assert endpoint is not None, "callers ask whether it is there"
        try:
            async with contextlib.AsyncExitStack() as stack:
                incoming = await self._opened(stack, outgoing, endpoint)
                self._health.answered(outgoing.service)
                yield incoming
        except Unreachable as error:
            self._health.failed(outgoing.service, str(error))
            raise

    async def _opened(self, stack: contextlib.AsyncExitStack, outgoing: Outgoing, endpoint: Endpoint) -> Incoming:
        large = isinstance(outgoing.body, bytes) and len(outgoing.body) > LARGE
        sign = partial(self._headers, outgoing, endpoint)
        headers = await asyncio.to_thread(sign) if large else sign()
        query = outgoing.query or _for_moto(outgoing, endpoint)
        target = f"{endpoint.path}{outgoing.path}" + (f"?{query}" if query else "")

        def sending() -> contextlib.AbstractAsyncContextManager[Incoming]:
            return opened(endpoint, outgoing.method, target, headers, outgoing.body, times=self._times)

        for delay in DELAYS:
            try:
                return await stack.enter_async_context(sending())
            except Unconnected:
                # Nothing of the request was sent, so that it can be tried again whatever it is.
                await self._sleep(delay)
        return await stack.enter_async_context(sending())

    def _headers(self, outgoing: Outgoing, endpoint: Endpoint) -> list[tuple[str, str]]:
        with_signature = {name: value for name, value in outgoing.headers if _is_signed(name)}
        apart = [item for item in outgoing.headers if not _is_signed(item[0])]
        # Addresses of queues lead to whom they were asked of.
        echoed = endpoint.is_moto and outgoing.service == "sqs"
        path = f"{endpoint.path}{outgoing.canonical_path}"
        signed = signed_headers(
            self._endpoints.credentials, outgoing.service, outgoing.region, self._clock.now(),
            method=outgoing.method, host=outgoing.host if echoed else endpoint.authority, path=path,
            query=outgoing.canonical_query, body=outgoing.body if isinstance(outgoing.body, bytes) else b"",
            content=outgoing.content, more=with_signature,
        )  # fmt: skip
        length = [] if outgoing.length is None else [("content-length", str(outgoing.length))]
        return [*signed.items(), *endpoint.accounts(outgoing.account).items(), *apart, *length]


def _is_signed(name: str) -> bool:
    return name.startswith("x-amz-") or name in _SIGNED


def _for_moto(outgoing: Outgoing, endpoint: Endpoint) -> str:
    """moto looks for `Action` in the query, then in the text of the body, and only then at the target."""
    target = dict(outgoing.headers).get("x-amz-target", "") if endpoint.is_moto else ""
    operation = target.rpartition(".")[2]
    return f"Action={operation}" if operation.isalnum() else ""
