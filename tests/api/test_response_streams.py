"""InvokeWithResponseStream: what callers read while a function writes, and what they learn of its end."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from served import Server, refusal, status
from streamed import frames, messages_until, steps, streaming

LIMIT = 200 * 1024 * 1024
MB = 1 << 20


class Stream:
    """An answer that is being read. `complete` is the last event, once it has come."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.complete: dict[str, str] | None = None
        self._events = iter(answer["EventStream"])

    def __iter__(self) -> Iterator[bytes]:
        for event in self._events:
            assert self.complete is None, "something follows the last event"
            if "InvokeComplete" in event:
                self.complete = event["InvokeComplete"]
            else:
                yield event["PayloadChunk"]["Payload"]

    def rest(self) -> bytes:
        return b"".join(self)

    @property
    def error(self) -> tuple[str | None, Any]:
        """Code and details, once everything is read."""
        self.rest()
        assert self.complete is not None
        details = self.complete.get("ErrorDetails")
        try:
            return self.complete.get("ErrorCode"), None if details is None else json.loads(details)
        except ValueError:
            return self.complete.get("ErrorCode"), details


Call = Callable[..., Stream]


@pytest.fixture
def call(lambda_client: Any) -> Call:
    """`call(name, *steps, **parameters)`."""

    def invoke(name: str, *given: list[Any], **more: Any) -> Stream:
        return Stream(lambda_client.invoke_with_response_stream(FunctionName=name, Payload=steps(*given), **more))

    return invoke


@pytest.fixture
def name(function: Callable[..., str]) -> str:
    return streaming(function)


@pytest.fixture
def logs(logs_client: Any, name: str) -> Callable[[str], list[str]]:
    """`logs(text)`: the function's log once that is in it."""
    return lambda text: messages_until(logs_client, name, lambda found: any(text in line for line in found))


def answers(call: Call, name: str) -> bool:
    """Whether the function serves again."""
    stream = call(name, ["write", "again"], ["end"])
    return (stream.rest(), stream.complete) == (b"again", {})


# --- what is streamed -------------------------------------------------------------------------------------------------


def test_chunks_arrive_while_the_function_writes(call: Call, name: str, lambda_client: Any) -> None:
    """The function does not write a chunk before the one before it was read: nothing may be held back anywhere."""
    arn = lambda_client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    given: list[Any] = []
    for number in range(1, 6):
        given += [["write", f"chunk {number}"], ["acknowledged", number]]
    stream, read = call(name, *given, ["end"]), []
    for chunk in stream:
        read.append(chunk.decode())
        lambda_client.tag_resource(Resource=arn, Tags={"seen": str(len(read))})
    assert read == [f"chunk {number}" for number in range(1, 6)]
    assert stream.complete == {}


def test_the_head_comes_before_the_first_byte(call: Call, name: str, lambda_client: Any) -> None:
    arn = lambda_client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    stream = call(name, ["begin", {"Content-Type": "text/x-y"}], ["acknowledged", 1], ["write", "late"], ["end"])
    headers = stream.answer["ResponseMetadata"]["HTTPHeaders"]
    assert stream.answer["ExecutedVersion"] == "$LATEST"
    assert headers["content-type"] == "application/vnd.amazon.eventstream"
    assert headers["x-amzn-remapped-content-type"] == "text/x-y"
    assert "content-length" not in headers
    lambda_client.tag_resource(Resource=arn, Tags={"seen": "1"})
    assert stream.rest() == b"late"


def test_frames_are_those_of_aws(server: Server, name: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    path = f"/2021-11-15/functions/{name}/response-streaming-invocations"
    connection.request("POST", path, steps(["write", "one"], ["end"]))
    (chunk, payload), (complete, document) = frames(connection.getresponse().read())
    connection.close()
    assert chunk == {":message-type": "event", ":event-type": "PayloadChunk",
                     ":content-type": "application/octet-stream"}  # fmt: skip
    assert complete == {":message-type": "event", ":event-type": "InvokeComplete", ":content-type": "application/json"}
    assert (payload, document) == (b"one", b"{}")


def test_a_function_that_writes_nothing(call: Call, name: str) -> None:
    stream = call(name, ["end"])
    assert (stream.rest(), stream.complete) == (b"", {})


def test_a_response_that_comes_as_a_whole_is_passed_on_as_one(call: Call, name: str) -> None:
    stream = call(name, ["respond", '"whole"'])
    headers = stream.answer["ResponseMetadata"]["HTTPHeaders"]
    assert (stream.rest(), stream.complete) == (b'"whole"', {})
    assert headers["x-amzn-remapped-content-type"] == "application/json"
    assert call(name, ["error", "{}", "Mine.Failed"]).error == ("Mine.Failed", {})


def test_a_handler_that_knows_nothing_of_streams(call: Call, function: Callable[..., str]) -> None:
    plain = function("def handler(event, context):\n    return {'event': event, 'id': context.aws_request_id}")
    stream = call(plain, ["x"])
    document = json.loads(stream.rest())
    assert document == {"event": [["x"]], "id": stream.answer["ResponseMetadata"]["RequestId"]}
    failing = function("def handler(event, context):\n    raise ValueError('as asked')")
    code, details = call(failing).error
    assert (code, details["errorMessage"]) == ("ValueError", "as asked")


def test_a_streamed_response_to_invoke_is_gathered(lambda_client: Any, name: str) -> None:
    answer = lambda_client.invoke(FunctionName=name, Payload=steps(["write", '"one'], ["write", ' two"'], ["end"]))
    assert json.loads(answer["Payload"].read()) == "one two"
    answer = lambda_client.invoke(FunctionName=name, Payload=steps(["fill", 7 * MB, MB], ["end"]))
    assert json.loads(answer["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"


def test_two_hundred_megabytes_pass_and_no_more(call: Call, name: str, logs: Callable[[str], list[str]]) -> None:
    stream = call(name, ["fill", LIMIT, 2 * MB], ["end"])
    assert sum(map(len, stream)) == LIMIT
    assert stream.complete == {}
    stream = call(name, ["fill", LIMIT, 2 * MB], ["write", "x"], ["end"])
    assert sum(map(len, stream)) == LIMIT
    code, details = stream.error
    assert (code, details["errorType"]) == ("Function.ResponseSizeTooLarge", "Function.ResponseSizeTooLarge")
    assert f"({LIMIT} bytes)" in details["errorMessage"]
    assert any("answered 413" in line for line in logs("answered 413"))
    assert answers(call, name)


def test_the_runtime_of_the_reference_page_streams(
    call: Call, function: Callable[..., str], lambda_client: Any
) -> None:
    page = (Path(__file__).parents[2] / "docs/reference/response-streaming.md").read_text()
    bootstrap = page.partition("```python\n")[2].partition("```")[0]
    name = function({"bootstrap": bootstrap}, Runtime="provided.al2023", Handler="any")
    answer = lambda_client.invoke_with_response_stream(FunctionName=name, Payload=b'{"to": 3}')
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    if (stream := Stream(answer)).rest() == b"" and "127" in str(stream.complete):
        pytest.skip("there is no python3 in this machine's sandboxes")
    assert (headers["x-amzn-remapped-content-type"], stream.complete) == ("text/plain", {})
    assert (
        Stream(lambda_client.invoke_with_response_stream(FunctionName=name, Payload=b'{"to": 2}')).rest() == b"0\n1\n"
    )


def test_one_environment_serves_through_every_end_that_its_runtime_outlives(
    call: Call, name: str, logs_client: Any
) -> None:
    trailer = {"Lambda-Runtime-Function-Error-Type": "Mine"}
    for end in (["end"], ["end", trailer], ["close"], ["end"]):
        call(name, ["write", "x"], end).rest()
    assert answers(call, name)
    call(name, ["error", "{}", "Mine.Last"]).rest()
    lines = messages_until(logs_client, name, lambda found: sum(line.startswith("REPORT") for line in found) == 6)
    assert [sum(line.startswith(word) for line in lines) for word in ("INIT_START", "START", "REPORT")] == [1, 6, 6]


# --- errors in the middle ---------------------------------------------------------------------------------------------


def test_an_error_in_the_middle_is_told_at_the_end(call: Call, name: str) -> None:
    document = {"errorType": "Mine.Broke", "errorMessage": "halfway"}
    encoded = base64.b64encode(json.dumps(document).encode()).decode()
    trailers = {"Lambda-Runtime-Function-Error-Type": "Mine.Broke", "Lambda-Runtime-Function-Error-Body": encoded}
    stream = call(name, ["write", "half"], ["end", trailers])
    assert stream.rest() == b"half"
    assert stream.error == ("Mine.Broke", document)
    only_type = {"Lambda-Runtime-Function-Error-Type": "Mine.Terse"}
    assert call(name, ["write", "half"], ["end", only_type]).error == ("Mine.Terse", "")
    assert answers(call, name)


def test_a_trailer_that_was_announced_and_did_not_come(call: Call, name: str) -> None:
    stream = call(name, ["begin", {"Trailer": "Lambda-Runtime-Function-Error-Type"}], ["write", "all"], ["end"])
    assert (stream.rest(), stream.complete) == (b"all", {})


@pytest.mark.parametrize(
    ("end", "kind", "text"),
    [
        (["exit", 3], "Runtime.ExitError", "exit status 3"),
        (["exit", 0], "Runtime.ExitError", "without providing a reason"),
        (["kill"], "Runtime.ExitError", "signal: killed"),
    ],
)
def test_a_runtime_that_ends_in_the_middle(
    call: Call, name: str, end: list[Any], kind: str, text: str, logs: Callable[[str], list[str]]
) -> None:
    stream = call(name, ["write", "half"], end)
    assert stream.rest() == b"half"
    code, details = stream.error
    assert (code, details["errorType"]) == (kind, kind)
    assert text in details["errorMessage"]
    assert answers(call, name)
    assert any(f"Error Type: {kind}" in line for line in logs("Error Type"))


def test_a_function_that_takes_too_long_in_the_middle(
    call: Call, function: Callable[..., str], logs_client: Any
) -> None:
    name = streaming(function, Timeout=1)
    stream = call(name, ["write", "half"], ["hang"])
    assert stream.rest() == b"half"
    code, details = stream.error
    assert code == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in details["errorMessage"]
    assert answers(call, name)
    found = messages_until(logs_client, name, lambda lines: any("Status: timeout" in line for line in lines))
    assert any("Status: timeout" in line for line in found)


@pytest.mark.parametrize(
    "given",
    [
        [["raw", "zz\r\n"], ["answered"], ["close"]],
        [["raw", "5\r\n12"], ["close"]],
        [["raw", "5\r\n12345XX5\r\n"], ["answered"], ["close"]],
        [["raw", "ffffffffffffffffff\r\n"], ["answered"], ["close"]],
        [["close"]],
    ],
    ids=["no size", "short chunk", "no line end", "giant size", "no end"],
)
def test_framing_that_breaks_off(call: Call, name: str, given: list[list[Any]]) -> None:
    stream = call(name, ["write", "half"], *given)
    assert stream.rest().startswith(b"half")
    code, details = stream.error
    assert (code, details["errorType"]) == ("Runtime.TruncatedResponse", "Runtime.TruncatedResponse")
    assert answers(call, name)


def test_a_mode_that_nobody_knows(call: Call, name: str) -> None:
    stream = call(name, ["begin", {"Lambda-Runtime-Function-Response-Mode": "bogus"}], ["write", "x"], ["end"])
    assert stream.error[0] == "Runtime.InvalidResponseModeHeader"


def test_a_second_response_beside_a_stream_is_refused(call: Call, name: str, logs: Callable[[str], list[str]]) -> None:
    stream = call(name, ["write", "one"], ["end"], ["respond", '"two"'])
    assert (stream.rest(), stream.complete) == (b"one", {})
    assert any("answered 403" in line for line in logs("answered 403"))


# --- callers ----------------------------------------------------------------------------------------------------------


def asking(server: Server, name: str, *given: list[Any]) -> socket.socket:
    """A connection on which the function was invoked."""
    caller = socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=30)
    path, body = f"/2021-11-15/functions/{name}/response-streaming-invocations", steps(*given)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    caller.sendall((head + body).encode())
    return caller


def test_a_caller_who_leaves_stops_nothing(server: Server, name: str, logs: Callable[[str], list[str]]) -> None:
    """The function writes to its end: more than all buffers between hold."""
    with asking(server, name, ["write", "first"], ["fill", 64 * MB, MB], ["end"]) as caller:
        received = b""
        while b"first" not in received:
            received += caller.recv(65536)
    assert any("answered 202" in line for line in logs("answered 202"))
    assert any(line.startswith("REPORT") and "Status" not in line for line in logs("REPORT"))


def test_a_caller_who_has_said_everything_still_gets_the_answer(server: Server, name: str) -> None:
    with asking(server, name, ["write", "one"], ["fill", 3 * MB, MB], ["end"]) as caller:
        caller.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(caller)
        answer.begin()
        found = list(frames(answer.read()))
    assert sum(len(payload) for headers, payload in found if headers[":event-type"] == "PayloadChunk") == 3 * MB + 3
    assert found[-1][0][":event-type"] == "InvokeComplete"


def test_a_slow_caller_slows_the_function_and_loses_nothing(
    call: Call, name: str, lambda_client: Any, logs: Callable[[str], list[str]]
) -> None:
    """The function cannot have written everything before its caller has read on: its own line comes after that."""
    stream = call(name, ["write", "first"], ["fill", 64 * MB, MB], ["end"])
    chunks = iter(stream)
    assert next(chunks).startswith(b"first")
    assert not any("answered" in line for line in logs("START"))
    assert sum(map(len, chunks)) >= 60 * MB
    assert stream.complete == {}
    assert any("answered 202" in line for line in logs("answered 202"))


def test_a_time_limit_that_is_over_while_the_caller_rests(
    call: Call, function: Callable[..., str], logs_client: Any
) -> None:
    """The function waits in its write when its time is over: nothing reads its connection any more."""
    name = streaming(function, Timeout=1)
    stream = call(name, ["write", "first"], ["fill", 64 * MB, MB], ["end"])
    chunks = iter(stream)
    assert next(chunks).startswith(b"first")
    messages_until(logs_client, name, lambda lines: any("Status: timeout" in line for line in lines))
    assert sum(map(len, chunks)) < 60 * MB
    assert stream.error[0] == "Sandbox.Timedout"
    # What is found out late about the connection of the killed runtime is nothing to the next one.
    stream = call(name, ["write", "again"], ["rest", 0.4], ["end"])
    assert (stream.rest(), stream.complete) == (b"again", {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can kill the processes of functions")
def test_a_runtime_that_is_killed_while_the_caller_rests(call: Call, name: str, server: Server) -> None:
    stream = call(name, ["write", "first"], ["fill", 64 * MB, MB], ["end"])
    chunks = iter(stream)
    assert next(chunks).startswith(b"first")
    (runtime,) = [pid for pid in below(server.process.pid) if name in variables(pid)]
    os.kill(runtime, signal.SIGKILL)
    assert sum(map(len, chunks)) < 60 * MB
    code, details = stream.error
    assert (code, "signal: killed" in details["errorMessage"]) == ("Runtime.ExitError", True)
    assert answers(call, name)


def below(pid: int) -> set[int]:
    """The processes that descend from one."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def variables(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace")
    return ""


def resident(server: Server) -> int:
    """Bytes of the server's memory."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def test_the_largest_stream_does_not_fill_the_server_s_memory(call: Call, name: str, server: Server) -> None:
    """Others of the same size wait meanwhile for callers who do not read at all."""
    before, most = resident(server), 0
    idle = [asking(server, name, ["fill", LIMIT, MB], ["end"]) for _ in range(4)]
    for chunk in call(name, ["fill", LIMIT, MB], ["end"]):
        assert len(chunk) < 4 * MB
        most = max(most, resident(server))
    assert most - before < 24 * MB
    for caller in idle:
        caller.close()


def test_streams_are_counted_like_other_invocations(call: Call, name: str, server: Server) -> None:
    call(name, ["write", "one"], ["end"]).rest()
    call(name, ["write", "half"], ["exit", 3]).rest()
    with urllib.request.urlopen(f"{server.url}/_ingle/metrics", timeout=10) as page:
        lines = [line for line in page.read().decode().splitlines() if f'"{name}"' in line]
    counted = {line.partition("{")[0]: float(line.rpartition(" ")[2]) for line in lines}
    assert counted["ingle_function_invocations_total"] == 2
    assert counted["ingle_function_errors_total"] == 1
    assert counted["ingle_function_running"] == 0


# --- the request ------------------------------------------------------------------------------------------------------


def test_the_tail_of_the_log_comes_last(call: Call, name: str) -> None:
    stream = call(name, ["write", "one"], ["end"], LogType="Tail")
    stream.rest()
    assert stream.complete is not None
    tail = base64.b64decode(stream.complete["LogResult"]).decode()
    assert tail.startswith("START RequestId: ")
    assert "\nREPORT RequestId: " in tail


def test_versions_and_aliases(call: Call, function: Callable[..., str], lambda_client: Any) -> None:
    name = streaming(function)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    lambda_client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")
    for qualifier in ("1", "live"):
        stream = call(name, ["write", "x"], ["end"], Qualifier=qualifier)
        assert (stream.answer["ExecutedVersion"], stream.rest()) == ("1", b"x")


def test_a_dry_run_runs_nothing(lambda_client: Any, name: str) -> None:
    answer = lambda_client.invoke_with_response_stream(FunctionName=name, InvocationType="DryRun")
    assert (status(answer), answer["StatusCode"]) == (204, 204)
    call, given = lambda_client.invoke_with_response_stream, {"InvocationType": "DryRun"}
    assert refusal(call, FunctionName="absent", **given)[:2] == (404, "ResourceNotFoundException")


def test_what_is_refused_before_a_stream_begins(unchecked_client: Any, name: str) -> None:
    call = unchecked_client.invoke_with_response_stream
    assert refusal(call, FunctionName=name, InvocationType="Event") == (
        400, "ValidationException",
        "1 validation error detected: Value 'Event' at 'invocationType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [RequestResponse, DryRun]",
    )  # fmt: skip
    assert refusal(call, FunctionName="absent")[:2] == (404, "ResourceNotFoundException")
    assert refusal(call, FunctionName=name, Qualifier="7")[:2] == (404, "ResourceNotFoundException")
    assert refusal(call, FunctionName=name, Payload=b"{")[:2] == (400, "InvalidRequestContentException")
    assert refusal(call, FunctionName=name, ClientContext="!")[:2] == (400, "InvalidRequestContentException")
    assert refusal(call, FunctionName=name, Payload=b"1" * (6 * MB + 1))[0] == 413
    assert refusal(call, FunctionName=name, TenantId="t")[:2] == (400, "InvalidParameterValueException")
    unchecked_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert refusal(call, FunctionName=name)[:2] == (429, "TooManyRequestsException")


def test_a_stream_counts_against_concurrency_until_it_ends(call: Call, name: str, lambda_client: Any) -> None:
    arn = lambda_client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    stream = call(name, ["write", "one"], ["acknowledged", 1], ["end"])
    assert next(iter(stream)) == b"one"
    refused = refusal(lambda_client.invoke_with_response_stream, FunctionName=name, Payload=steps(["end"]))
    assert refused[:2] == (429, "TooManyRequestsException")
    lambda_client.tag_resource(Resource=arn, Tags={"seen": "1"})
    stream.rest()
    assert answers(call, name)
