"""A signed request to one companion service, asked again while it cannot answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from ingle.companions.endpoint import Credentials, Endpoint
from ingle.companions.errors import Unreachable
from ingle.companions.health import Health
from ingle.companions.http import Answer, Times, exchange
from ingle.companions.signing import signed_headers
from ingle.domain.caller import DEFAULT_ACCOUNT
from ingle.domain.clock import Clock

#: Seconds before the second attempt and before the third.
DELAYS = (0.2, 0.8)
#: Bytes of an answer that is read, unless it is to be larger.
MAX_ANSWER = 1 << 20
#: How people call the services, where that is not their signing name in capitals.
_TITLES = {"events": "EventBridge"}
#: Bytes of a body that is hashed in a thread.
LARGE = 262_144
_AGAIN = frozenset({429, 500, 502, 503, 504})


class ServiceCaller:
    """`service` is the name that requests are signed for. Safe for concurrent calls; holds no connection."""

    def __init__(
        self, service: str, endpoint: Endpoint, credentials: Credentials, clock: Clock, *, times: Times | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, health: Health | None = None,
    ) -> None:  # fmt: skip
        self._service = service
        self._endpoint = endpoint
        self._credentials = credentials
        self._clock = clock
        self._times = times or Times(total=30.0)
        self._sleep = sleep
        self._health = health or Health()

    async def call(
        self, region: str, body: bytes = b"", headers: Mapping[str, str] | None = None, *, method: str = "POST",
        path: str = "/", query: str = "", limit: int = MAX_ANSWER, account: str = DEFAULT_ACCOUNT,
    ) -> Answer:  # fmt: skip
        """The first answer that is not for asking again, or the last one.

        `headers` are in lower case; `path` is encoded, `query` from `signing.query_string`; `limit` is what the answer
        may have, in bytes; `account` is whose what is asked for is. Raises Unreachable, TooLarge.
        """
        headers = {**(headers or {}), **self._endpoint.accounts(account)}
        for delay in (*DELAYS, None):
            try:
                answer = await self._once(region, body, headers, method, path, query, limit)
                problem = f"it answers with status {answer.status}"
                if answer.status not in _AGAIN:
                    self._health.answered(self._service)
                    return answer
            except Unreachable as error:
                problem = str(error)
            if delay is not None:
                await self._sleep(delay)
        self._health.failed(self._service, problem)
        title = _TITLES.get(self._service, self._service.upper())
        raise Unreachable(f"{title} at {self._endpoint.url} cannot be used: {problem}")

    async def _once(
        self, region: str, body: bytes, headers: Mapping[str, str] | None, method: str, path: str, query: str,
        limit: int,
    ) -> Answer:  # fmt: skip
        whole = f"{self._endpoint.path}{path}"
        sign = partial(
            signed_headers, self._credentials, self._service, region, self._clock.now(),
            method=method, host=self._endpoint.authority, path=whole, query=query, body=body, more=headers,
        )  # fmt: skip
        signed = sign() if len(body) < LARGE else await asyncio.to_thread(sign)
        target = f"{whole}?{query}" if query else whole
        return await exchange(self._endpoint, method, target, signed, body, limit=limit, times=self._times)
