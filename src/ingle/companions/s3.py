"""Reading objects from S3, or from what speaks like it. Addresses are path-style: they need no names of hosts."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from ingle.companions.caller import MAX_ANSWER, ServiceCaller
from ingle.companions.errors import Refused
from ingle.companions.http import Answer
from ingle.companions.signing import query_string
from ingle.companions.xml_errors import refusal

#: Objects read at one time: each is held in memory until it is stored.
AT_ONCE = 2


class S3:
    """Safe for concurrent calls; holds no connection between them. A call that is cancelled ends at once."""

    def __init__(self, caller: ServiceCaller) -> None:
        self._caller = caller
        self._room = asyncio.Semaphore(AT_ONCE)

    async def get_object(self, bucket: str, key: str, version: str | None, *, region: str, limit: int) -> bytes:
        """The object, whole. Raises Refused, also for a bucket of another region, Unreachable and TooLarge."""
        async with self._room:
            await self._require_region(bucket, region)
            versions = [("versionId", version)] if version else []
            answer = await self._ask("GET", f"{bucket}/{key}", versions, region, limit)
        if answer.status != 200:
            raise refusal(answer)
        return answer.body

    async def _require_region(self, bucket: str, region: str) -> None:
        """Whether the bucket is there and may be read is left to the request for the object, which tells why not."""
        answer = await self._ask("HEAD", bucket, [], region, MAX_ANSWER)
        actual = answer.headers.get("x-amz-bucket-region") or region
        if actual != region:
            raise Refused(
                301,
                "PermanentRedirect",
                f"The bucket is in this region: {actual}. Please use this region to retry the request",
            )

    async def _ask(self, method: str, name: str, query: list[tuple[str, str]], region: str, limit: int) -> Answer:
        path = f"/{quote(name, safe='/-_.~')}"
        return await self._caller.call(region, method=method, path=path, query=query_string(query), limit=limit)
