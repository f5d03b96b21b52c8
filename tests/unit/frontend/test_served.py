"""A served HttpServer, spoken to in bytes."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import orjson
import pytest

from ingle.frontend.internal import health, internal_request

from .conftest import DIGEST, bound_socket

INVOKE = "/2015-03-31/functions/{}/invocations"


def body_of(answer: bytes):
    return orjson.loads(answer.partition(b"\r\n\r\n")[2])


def status_of(answer: bytes):
    return int(answer.split(b" ", 2)[1])


async def test_invoke_answers_with_the_headers_of_aws(served):
    answer = await served.request("POST", INVOKE.format("hello"), b'{"a":1}')
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert status_of(answer) == 200
    assert body_of(answer) == {"a": 1}
    for header in (b"x-amz-executed-version: $latest", b"x-amz-log-result: ehg=", b"content-type: application/json"):
        assert header in head
    caller, params = served.fakes.calls[0]
    assert f"x-amzn-requestid: {caller.request_id}".encode() in head
    assert b"\ndate: " in head
    assert params == {"FunctionName": "hello", "Payload": b'{"a":1}'}


async def test_empty_payload_is_an_empty_object(served):
    await served.request("POST", INVOKE.format("hello"))
    assert served.fakes.calls[0][1]["Payload"] == b"{}"


async def test_unknown_route_is_unknown_operation(served):
    answer = await served.request("GET", "/2015-03-31/nothing")
    assert status_of(answer) == 404
    assert b"x-amzn-errortype: UnknownOperationException" in answer


async def test_unknown_target_is_unknown_operation(served):
    answer = await served.request("POST", "/", b"{}", ["X-Amz-Target: Nothing.At_All"])
    assert status_of(answer) == 400
    assert body_of(answer)["__type"] == "UnknownOperationException"


async def test_operation_that_is_not_implemented_says_its_name(served):
    answer = await served.request("GET", "/2016-08-19/account-settings/")
    assert status_of(answer) == 501
    assert b"NotImplementedException" in answer
    assert "GetAccountSettings" in body_of(answer)["message"]


async def test_unknown_failure_is_told_without_details(served):
    answer = await served.request("POST", INVOKE.format("broken"))
    assert status_of(answer) == 500
    assert b"x-amzn-errortype: ServiceException" in answer
    assert b"secret" not in answer
    assert b"Traceback" not in answer


async def test_members_of_an_error_are_in_its_body(served):
    answer = await served.request("POST", INVOKE.format("throttled"))
    assert status_of(answer) == 429
    assert body_of(answer)["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"\xff", b'{"FunctionName": 7}'])
async def test_malformed_body_is_a_serialization_exception(served, body):
    answer = await served.request("POST", "/2015-03-31/functions", body)
    assert status_of(answer) == 400
    assert b"x-amzn-errortype: SerializationException" in answer


async def test_invoke_payload_that_is_not_json(served):
    answer = await served.request("POST", INVOKE.format("hello"), b"Hello World")
    assert status_of(answer) == 400
    assert body_of(answer)["Type"] == "User"
    assert body_of(answer)["message"].startswith(
        "Could not parse request body into json: Could not parse payload into json: Unrecognized token 'Hello'"
    )
    assert not served.fakes.calls


async def test_foreign_content_type_is_unsupported(served):
    answer = await served.request("POST", INVOKE.format("hello"), b"{}", ["Content-Type: text/xml"])
    assert status_of(answer) == 415


@pytest.mark.parametrize(("kind", "limit"), [("RequestResponse", 6291456), ("Event", 1048576)])
async def test_payload_above_the_limit_is_refused_before_it_is_read(served, kind, limit):
    head = f"POST {INVOKE.format('f')} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {limit + 22}\r\n"
    reader, writer = await served.connect()
    writer.write(f"{head}X-Amz-Invocation-Type: {kind}\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.readuntil(b"}"), 5)
    assert status_of(answer) == 413
    assert body_of(answer) == {
        "message": f"{limit + 22} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
    }
    writer.close()


async def test_refused_body_is_discarded_and_the_connection_serves_on(served):
    size = 7_000_000
    reader, writer = await served.connect()
    writer.write(f"POST {INVOKE.format('f')} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode())
    writer.write(b"1" * size)
    first = await asyncio.wait_for(reader.readuntil(b"}"), 5)
    assert status_of(first) == 413
    await writer.drain()
    writer.write(b"GET /_ingle/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status_of(await asyncio.wait_for(reader.readuntil(b"}"), 5)) == 200
    writer.close()


async def test_chunked_body_above_the_limit_is_refused_while_it_is_read(served):
    head = (
        f"POST {INVOKE.format('f')} HTTP/1.1\r\nHost: localhost\r\nX-Amz-Invocation-Type: Event\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    chunks = b"".join(b"20000\r\n" + b"1" * 0x20000 + b"\r\n" for _ in range(12))
    answer = await served.raw(head.encode() + chunks + b"0\r\n\r\n")
    assert status_of(answer) == 413
    assert not served.fakes.calls


async def test_chunked_body_is_read(served):
    head = f"POST {INVOKE.format('f')} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    reader, writer = await served.connect()
    writer.write(head.encode() + b"2\r\n[1\r\n")
    await asyncio.sleep(0.01)
    writer.write(b"1\r\n]\r\n0\r\n\r\n")
    assert status_of(await asyncio.wait_for(reader.readuntil(b"[1]"), 5)) == 200
    writer.close()


async def test_bad_chunk_is_a_bad_request_and_closes(served):
    head = f"POST {INVOKE.format('f')} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await served.raw(head.encode() + b"zz\r\nnothing\r\n")
    assert status_of(answer) == 400
    assert b"x-amzn-errortype: BadRequestException" in answer
    assert not served.fakes.calls


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_a_bad_request(served, data):
    assert status_of(await served.raw(data)) == 400


async def test_oversized_head_is_refused(served):
    reader, writer = await served.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
    writer.write(b"x" * 1_300_000)
    answer = await asyncio.wait_for(reader.read(), 5)
    assert status_of(answer) == 431
    writer.close()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: loc",
        b"POST /2015-03-31/functions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{",
    ],
)
async def test_request_that_stalls_is_timed_out(served, data):
    answer = await served.raw(data)
    assert status_of(answer) == 408
    assert b"connection: close" in answer


async def test_idle_connection_is_closed(served):
    assert await served.raw(b"") == b""


async def test_client_that_does_not_read_is_cut_off(served):
    _, writer = await served.connect()
    writer.write(f"POST {INVOKE.format('large')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    writer.transport.pause_reading()
    await asyncio.sleep(1.2)
    assert not served.listener.connections
    writer.close()


async def test_pipelined_requests_are_answered_in_order(served):
    one = f"POST {INVOKE.format('f')} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n".encode()
    last = one.replace(b"Host", b"Connection: close\r\nHost")
    answer = await served.raw(one + b"1" + one + b"2" + last + b"3")
    assert [part[-1:] for part in answer.split(b"HTTP/1.1 200 OK")[1:]] == [b"1", b"2", b"3"]


async def test_disconnect_does_not_stop_a_running_function(served):
    _, writer = await served.connect()
    writer.write(f"POST {INVOKE.format('slow')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await asyncio.wait_for(served.fakes.started.wait(), 5)
    writer.transport.abort()
    await asyncio.sleep(0.05)
    served.fakes.release.set()
    await asyncio.wait_for(served.fakes.finished.wait(), 5)


async def test_running_request_outlives_the_idle_limits(served):
    reader, writer = await served.connect()
    writer.write(f"POST {INVOKE.format('slow')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await asyncio.sleep(0.7)
    served.fakes.release.set()
    assert status_of(await asyncio.wait_for(reader.readuntil(b"{}"), 5)) == 200
    writer.close()


async def test_close_lets_requests_finish(served):
    reader, writer = await served.connect()
    writer.write(f"POST {INVOKE.format('slow')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await asyncio.wait_for(served.fakes.started.wait(), 5)
    closing = asyncio.ensure_future(served.listener.close())
    await asyncio.sleep(0.05)
    served.fakes.release.set()
    answer = await asyncio.wait_for(reader.read(), 5)
    assert status_of(answer) == 200
    await closing
    writer.close()


async def test_close_cuts_off_after_the_limit(served):
    reader, writer = await served.connect()
    writer.write(f"POST {INVOKE.format('slow')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await asyncio.wait_for(served.fakes.started.wait(), 5)
    await asyncio.wait_for(served.listener.close(0.1), 5)
    with suppress(ConnectionError):
        assert await reader.read() == b""
    assert not served.fakes.finished.is_set()
    writer.close()


async def test_environment_listener_names_its_environment(served):
    listener = await served.listen(bound_socket(), environment_id="env-1")
    reader, writer = await asyncio.open_connection(*listener.addresses[0])
    writer.write(f"POST {INVOKE.format('f')} HTTP/1.1\r\nHost: sandbox.localdomain\r\n\r\n".encode())
    assert status_of(await asyncio.wait_for(reader.readuntil(b"{}"), 5)) == 200
    assert served.fakes.calls[0][0].environment_id == "env-1"
    await listener.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*listener.addresses[0])
    writer.close()


@pytest.mark.parametrize(
    "header",
    ["Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"],
)
async def test_cross_site_requests_are_refused(served, header):
    answer = await served.request("POST", INVOKE.format("f"), b"{}", [header])
    assert status_of(answer) == 403
    assert body_of(answer)["Message"]
    assert not served.fakes.calls


async def test_foreign_host_is_refused(served):
    answer = await served.raw(b"GET /_ingle/health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert status_of(answer) == 403


FORM = "Content-Type: application/x-www-form-urlencoded"


async def test_a_form_names_its_operation_and_gets_xml_for_an_answer(served):
    answer = await served.request("POST", "/", b"Action=Nothing&Version=2010-08-01", [FORM])
    assert status_of(answer) == 400
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: text/xml" in head
    assert b"<Code>InvalidAction</Code>" in body
    identifier = head.split(b"x-amzn-requestid: ")[1].split(b"\r\n")[0]
    assert b"<RequestId>" + identifier + b"</RequestId>" in body


async def test_a_form_that_is_too_large_is_refused(served):
    answer = await served.request("POST", "/", b"a" * 6_300_000, [FORM])
    assert status_of(answer) == 413
    assert not served.fakes.calls


async def test_health_tells_what_is_wrong_and_stays_well(served):
    problems = ["The disk is full."]
    route = health(version="1", clock=lambda: 5.0, ready=lambda: True, problems=lambda: problems)
    answer = await route(internal_request("GET", "", ""))
    assert answer.status == 200
    assert orjson.loads(answer.body)["status"] == "degraded"
    assert orjson.loads(answer.body)["problems"] == problems
    problems.clear()
    assert orjson.loads((await route(internal_request("GET", "", ""))).body)["status"] == "ok"


async def test_health(served):
    answer = await served.request("GET", "/_ingle/health")
    assert body_of(answer) == {
        "status": "ok", "ready": True, "version": "1.2.3", "authentication": "none", "uptime_seconds": 0.0
    }  # fmt: skip
    assert status_of(await served.request("POST", "/_ingle/health")) == 405
    assert status_of(await served.request("GET", "/_ingle/other")) == 404
    assert (await served.request("HEAD", "/_ingle/health")).endswith(b"\r\n\r\n")


async def test_options_names_the_methods_and_grants_nothing(served):
    answer = await served.request("OPTIONS", "/2015-03-31/functions/f")
    assert status_of(answer) == 204
    assert b"allow: DELETE, GET, OPTIONS" in answer
    assert b"access-control" not in answer.lower()


async def test_package_link(served):
    url = served.links.url("", DIGEST)
    answer = await served.request("GET", url)
    assert status_of(answer) == 200
    assert answer.partition(b"\r\n\r\n")[2] == b"zip bytes" * 100_000
    assert status_of(await served.request("GET", url[:-1] + "~")) == 403
    assert status_of(await served.request("GET", url.replace(DIGEST, "../" * 3 + "etc/passwd"))) == 403
    assert status_of(await served.request("GET", served.links.url("", "cd" * 32))) == 404
    served.now[0] += 601
    assert status_of(await served.request("GET", url)) == 403
