"""Invocations with less around them than boto3 has: many, in few seconds, each over a connection that is kept."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    #: The version that ran, by the header that names it; None if nothing did.
    version: str | None
    #: Whether the function failed.
    failed: bool
    body: bytes


class Connection:
    """For one thread. A request that the server does not answer raises OSError or http.client.HTTPException."""

    def __init__(self, url: str) -> None:
        self._http = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    def invoke(self, function: str, qualifier: str | None = None, payload: bytes = b"{}") -> Answer:
        target = f"/2015-03-31/functions/{quote(function)}/invocations"
        if qualifier is not None:
            target += f"?Qualifier={quote(qualifier)}"
        self._http.request("POST", target, payload)
        response = self._http.getresponse()
        return Answer(
            status=response.status,
            version=response.headers.get("X-Amz-Executed-Version"),
            failed="X-Amz-Function-Error" in response.headers,
            body=response.read(),
        )

    def close(self) -> None:
        self._http.close()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    connection = Connection(url)
    try:
        yield connection
    finally:
        connection.close()


def invoke_often(url: str, function: str, qualifier: str, count: int, connections: int = 4) -> list[Answer]:
    """`count` invocations over so many connections at once, each of them with the next as soon as one is answered."""

    def run(share: int) -> list[Answer]:
        with connected(url) as connection:
            return [connection.invoke(function, qualifier) for _ in range(share)]

    shares = [count // connections + (number < count % connections) for number in range(connections)]
    with ThreadPoolExecutor(connections) as pool:
        return [answer for answers in pool.map(run, shares) for answer in answers]
