"""The S3 client against servers that misbehave, on the loopback interface."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import asynccontextmanager

import pytest

from ingle.companions.caller import ServiceCaller
from ingle.companions.endpoint import Credentials, Endpoint
from ingle.companions.errors import Refused, TooLarge, Unreachable
from ingle.companions.http import Times
from ingle.companions.s3 import S3

CREDENTIALS = Credentials(access_key_id="id", secret_access_key="secret")
SHORT = Times(connect=2, silence=0.2, total=2)
HEAD_OK = b"HTTP/1.1 200 OK\r\nx-amz-bucket-region: us-east-1\r\n\r\n"


class Clock:
    def now(self) -> float:
        return 1_700_000_000.0


class Fake:
    """Answers each GET with the next of `answers`, and the last one from then on. None: silence."""

    def __init__(self, *answers: bytes | None, head: bytes = HEAD_OK) -> None:
        self.answers = list(answers)
        self.head = head
        self.requests: list[bytes] = []
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            if request.startswith(b"HEAD"):
                writer.write(self.head)
                return
            self.requests.append(request)
            self.left.clear()
            self.asked.set()
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
        except ConnectionError:
            pass
        finally:
            writer.close()
            self.left.set()


def s3_at(url: str, sleep: Callable) -> S3:
    return S3(ServiceCaller("s3", Endpoint.of(url), CREDENTIALS, Clock(), times=SHORT, sleep=sleep))


@asynccontextmanager
async def client(fake: Callable, **more):
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    server = await asyncio.start_server(fake, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        s3 = s3_at(f"http://127.0.0.1:{port}/base", sleep)
        s3.slept = slept
        yield s3


async def get(s3: S3, key: str = "key", version: str | None = None, limit: int = 1000) -> bytes:
    return await s3.get_object("bucket", key, version, region="us-east-1", limit=limit)


def answer(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def error(code: str, message: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


async def test_an_object_is_read_from_a_path():
    fake = Fake(answer("200 OK", b"body"))
    async with client(fake) as s3:
        assert await get(s3, "a b/ü", "v/1") == b"body"
    (request,) = fake.requests
    assert request.startswith(b"GET /base/bucket/a%20b/%C3%BC?versionId=v%2F1 HTTP/1.1\r\n")
    assert b"authorization: AWS4-HMAC-SHA256 Credential=id/20231114/us-east-1/s3/aws4_request" in request
    assert b"secret" not in request


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nbody",
    ],
)
async def test_bodies_in_chunks_and_to_the_end_of_the_connection(raw):
    async with client(Fake(raw)) as s3:
        assert await get(s3) == b"body"


@pytest.mark.parametrize(
    "trouble",
    [
        answer("503 Slow Down", error("SlowDown", "Reduce your request rate.")),
        answer("500 Internal Server Error", b""),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"not http at all\r\n\r\n",
        b"",
        None,
    ],
    ids=["slow-down", "fault", "truncated", "no-http", "closed", "silent"],
)
async def test_trouble_that_passes_is_waited_out(trouble):
    fake = Fake(trouble, trouble, answer("200 OK", b"body"))
    async with client(fake) as s3:
        assert await get(s3) == b"body"
        assert s3.slept == sorted(s3.slept)
        assert len(s3.slept) == 2


@pytest.mark.parametrize(
    ("trouble", "text"),
    [
        (answer("503 Slow Down", b""), "it answers with status 503"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "in the middle of its answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 100_000, "HTTP|head of its answer|middle"),
        (None, "does not answer in time"),
    ],
)
async def test_trouble_that_stays_is_told_after_three_attempts(trouble, text):
    fake = Fake(trouble)
    async with client(fake) as s3:
        with pytest.raises(Unreachable, match=text):
            await get(s3)
    assert len(fake.requests) == 3


async def test_nobody_listens():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        async def sleep(seconds: float) -> None:
            pass

        with pytest.raises(Unreachable, match=rf"S3 at {url} cannot be used: .*(refused|connect)"):
            await get(s3_at(url, sleep))


@pytest.mark.parametrize(
    ("raw", "status", "code", "message"),
    [
        (answer("404 Not Found", error("NoSuchBucket", "It&apos;s not there")), 404, "NoSuchBucket", "It's not there"),
        (answer("404 Not Found", b""), 404, "NoSuchKey", "The specified key does not exist."),
        (answer("403 Forbidden", b"<html>"), 403, "AccessDenied", "Access Denied"),
        (answer("302 Found", b"", "Location: http://169.254.169.254/"), 302, "Http302", "The request failed."),
    ],
)
async def test_refusals_are_asked_once_and_told(raw, status, code, message):
    fake = Fake(raw)
    async with client(fake) as s3:
        with pytest.raises(Refused) as caught:
            await get(s3)
    assert (caught.value.status, caught.value.code, caught.value.message) == (status, code, message)
    assert len(fake.requests) == 1


async def test_a_bucket_of_another_region():
    fake = Fake(answer("200 OK", b"body"), head=HEAD_OK.replace(b"us-east-1", b"eu-west-1"))
    async with client(fake) as s3:
        with pytest.raises(Refused, match="PermanentRedirect: The bucket is in this region: eu-west-1"):
            await get(s3)
    assert fake.requests == []


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1001),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + bytes(1001),
    ],
)
async def test_more_bytes_than_asked_for_are_not_read(raw):
    fake = Fake(raw)
    async with client(fake) as s3:
        with pytest.raises(TooLarge):
            await get(s3)
    assert len(fake.requests) == 1


async def test_a_call_that_is_cancelled_ends_its_connection():
    fake = Fake(None)
    async with client(fake) as s3:
        call = asyncio.create_task(get(s3))
        async with asyncio.timeout(5):
            await fake.asked.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await fake.left.wait()
