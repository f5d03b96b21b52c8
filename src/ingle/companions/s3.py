"""Reading objects from S3, or from what speaks like it. Addresses are path-style: they need no names of hosts."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from ingle.companions.endpoint import Credentials, Endpoint
from ingle.companions.errors import Refused, Unreachable
from ingle.companions.http import Answer, Times, exchange
from ingle.companions.signing import query_string, signed_headers
from ingle.domain.clock import Clock

#: Seconds before the second attempt and before the third.
DELAYS = (0.2, 0.8)
#: Objects read at one time: each is held in memory until it is stored.
AT_ONCE = 2
#: Bytes of an answer that tells an error.
_MAX_ERROR = 1 << 20
_AGAIN = frozenset({429, 500, 502, 503, 504})
_MEANINGS = {
    403: ("AccessDenied", "Access Denied"),
    404: ("NoSuchKey", "The specified key does not exist."),
}


class S3:
    """Safe for concurrent calls; holds no connection between them. A call that is cancelled ends at once."""

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        clock: Clock,
        *,
        times: Times | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._endpoint = endpoint
        self._credentials = credentials
        self._clock = clock
        self._times = times or Times()
        self._sleep = sleep
        self._room = asyncio.Semaphore(AT_ONCE)

    async def get_object(self, bucket: str, key: str, version: str | None, *, region: str, limit: int) -> bytes:
        """The object, whole. Raises Refused, also for a bucket of another region, Unreachable and TooLarge."""
        async with self._room:
            await self._require_region(bucket, region)
            versions = [("versionId", version)] if version else []
            answer = await self._ask("GET", f"{bucket}/{key}", versions, region, limit)
        if answer.status != 200:
            raise _refusal(answer)
        return answer.body

    async def _require_region(self, bucket: str, region: str) -> None:
        """Whether the bucket is there and may be read is left to the request for the object, which tells why not."""
        answer = await self._ask("HEAD", bucket, [], region, _MAX_ERROR)
        actual = answer.headers.get("x-amz-bucket-region") or region
        if actual != region:
            raise Refused(
                301,
                "PermanentRedirect",
                f"The bucket is in this region: {actual}. Please use this region to retry the request",
            )

    async def _ask(self, method: str, name: str, query: list[tuple[str, str]], region: str, limit: int) -> Answer:
        """The first answer that is not for asking again, or the last one. Raises Unreachable, TooLarge."""
        for delay in (*DELAYS, None):
            try:
                answer = await self._ask_once(method, name, query_string(query), region, limit)
                problem = f"it answers with status {answer.status}"
                if answer.status not in _AGAIN:
                    return answer
            except Unreachable as error:
                problem = str(error)
            if delay is not None:
                await self._sleep(delay)
        raise Unreachable(f"S3 at {self._endpoint.url} cannot be used: {problem}")

    async def _ask_once(self, method: str, name: str, query: str, region: str, limit: int) -> Answer:
        path = f"{self._endpoint.path}/{quote(name, safe='/-_.~')}"
        headers = signed_headers(
            self._credentials, "s3", region, self._clock.now(),
            method=method, host=self._endpoint.authority, path=path, query=query,
        )  # fmt: skip
        target = f"{path}?{query}" if query else path
        return await exchange(self._endpoint, method, target, headers, limit=limit, times=self._times)


def _refusal(answer: Answer) -> Refused:
    text = answer.body.decode("utf-8", "replace")
    code, message = _MEANINGS.get(answer.status, (f"Http{answer.status}", "The request failed."))
    return Refused(answer.status, _element(text, "Code") or code, _element(text, "Message") or message)


def _element(text: str, name: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return html.unescape(found[1]) if found else ""
