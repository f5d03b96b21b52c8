"""Function code that abuses what it talks to: it harms its own invocations, and the server stays up and small."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kernel.sandboxed import PROBE, FunctionFailed, Sandboxed

pytestmark = pytest.mark.kernel

#: `api()` is a connection to the Runtime API; `kept` keeps what an invocation leaves open.
HOSTILE = (
    PROBE
    + """
import threading
def api():
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    return socket.create_connection((host, int(port)), timeout=5)
def answer(connection):
    try:
        return connection.recv(65536).decode("latin-1")
    except OSError as error:
        return type(error).__name__
kept.setdefault("open", [])
"""
)


@pytest.fixture
def hostile(walled: Sandboxed) -> Iterator[Callable[..., Any]]:
    """`hostile(code)` runs code in a function of this test; whatever it did, the server serves others afterwards."""
    made: dict[str, str] = {}

    def run(code: str, *, prelude: str = "", settings: dict[str, Any] | None = None, **values: Any) -> Any:
        if "name" not in made:
            given = {"MemorySize": 512, "Timeout": 20, **(settings or {})}
            made["name"] = walled.create(HOSTILE + prelude, **given)
        return walled.probe(code, function=made["name"], **values)

    yield run
    assert walled.probe("result = 'fine'") == "fine"
    walled.client.delete_function(FunctionName=made["name"])


def resident_mb(walled: Sandboxed) -> int:
    """Memory of the server's own process."""
    status = Path(f"/proc/{walled.server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def outcome(run: Callable[[], Any]) -> Any:
    """What came back, or the type of the function's error."""
    try:
        return run()
    except FunctionFailed as failed:
        return failed.kind


def test_many_connections_are_refused_in_the_end(hostile: Callable[..., Any]) -> None:
    code = """
for _ in range(300):
    kept["open"].append(api())
def closed(connection):
    connection.settimeout(0.01)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True
time.sleep(0.2)
result = sum(closed(connection) for connection in kept["open"])
"""
    refused = hostile(code)
    assert 300 - 64 <= refused <= 300
    assert hostile("result = 'still served'") == "still served"


@pytest.mark.parametrize(
    "garbage", ["'A' * 100000", "'GET ' * 50000", "chr(0) * 70000", "'POST / HTTP/1.1\\r\\nX: ' * 20000"]
)
def test_garbage_is_answered_or_cut_off(hostile: Callable[..., Any], garbage: str) -> None:
    code = """
def send():
    connection = api()
    try:
        connection.sendall(eval(event["garbage"]).encode() + b"\\r\\n\\r\\n")
    except OSError as error:
        return type(error).__name__
    return answer(connection)
result = [send() for _ in range(20)]
"""
    answers = hostile(code, garbage=garbage)
    assert all(
        text == "" or "Error" in text or text.startswith(("HTTP/1.1 400 ", "HTTP/1.1 404 ")) for text in answers
    ), answers
    assert hostile("result = 'still served'") == "still served"


def test_bodies_that_never_end_do_not_fill_the_servers_memory(walled: Sandboxed, hostile: Callable[..., Any]) -> None:
    hostile("result = None")
    before = resident_mb(walled)
    code = """
def post():
    connection = api()
    kept["open"].append(connection)
    connection.sendall(b"POST /2018-06-01/runtime/init/error HTTP/1.1\\r\\nContent-Length: 6200000\\r\\n\\r\\n")
    for _ in range(60):
        connection.sendall(b"1" * 100000)
for _ in range(60):
    attempt(post)
result = len(kept["open"])
"""
    assert hostile(code) == 60
    assert resident_mb(walled) - before < 80
    assert hostile("result = 'still served'") == "still served"


def test_answers_that_nobody_reads_do_not_fill_the_servers_memory(
    walled: Sandboxed, hostile: Callable[..., Any]
) -> None:
    hostile("result = None")
    before = resident_mb(walled)
    code = """
connection = api()
connection.settimeout(0.5)
kept["open"].append(connection)
sent = 0
try:
    while sent < 200 << 20:
        sent += connection.send(b"GET /ping HTTP/1.1\\r\\n\\r\\n" * 2000)
except OSError:
    pass
result = sent < 200 << 20
"""
    assert hostile(code)
    assert resident_mb(walled) - before < 60
    assert hostile("result = 'still served'") == "still served"


def test_a_second_poll_while_an_invocation_runs_is_refused(hostile: Callable[..., Any]) -> None:
    code = """
connection = api()
connection.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n")
result = answer(connection)
"""
    assert hostile(code).startswith("HTTP/1.1 403 ")


def test_an_event_that_another_poll_took_is_a_time_out_and_no_more(hostile: Callable[..., Any]) -> None:
    code = """
def steal():
    while True:
        time.sleep(0.01)
        connection = api()
        connection.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n")
        if b" 200 " in connection.recv(65536):
            return
threading.Thread(target=steal, daemon=True).start()
result = "stealing"
"""
    assert hostile(code, settings={"Timeout": 1}) == "stealing"
    # What the thread stole is lost; an environment that was reset has no such thread.
    outcomes = []
    while len(outcomes) < 10 and outcomes[-1:] != ["mine"]:
        outcomes.append(outcome(lambda: hostile("time.sleep(0.1); result = 'mine'")))
    assert set(outcomes[:-1]) <= {"Sandbox.Timedout"}
    assert outcomes[-1] == "mine"


def test_there_is_no_eleventh_extension(hostile: Callable[..., Any]) -> None:
    prelude = """
import http.client
statuses = []
def follow(identifier):
    while True:
        connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        connection.request("GET", "/2020-01-01/extension/event/next",
                           headers={"Lambda-Extension-Identifier": identifier})
        connection.getresponse().read()
for number in range(11):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request("POST", "/2020-01-01/extension/register", '{"events": ["INVOKE"]}',
                       {"Lambda-Extension-Name": "inside-%d" % number})
    found = connection.getresponse()
    statuses.append([found.status, found.read().decode()])
    identifier = found.headers["Lambda-Extension-Identifier"]
    if identifier:
        threading.Thread(target=follow, args=(identifier,), daemon=True).start()
"""
    statuses = hostile("result = statuses", prelude=prelude)
    assert [status for status, _ in statuses] == [200] * 10 + [403]
    assert "Extension.TooManyExtensions" in statuses[10][1]
    assert hostile("result = 1") == 1


def test_a_subscriber_that_never_answers_costs_nothing_but_its_events(
    walled: Sandboxed, hostile: Callable[..., Any]
) -> None:
    prelude = """
import http.client
listener = socket.create_server(("127.0.0.1", 8999))
def call(method, path, body, **headers):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, path, body, headers)
    return connection.getresponse()
found = call("POST", "/2020-01-01/extension/register", '{"events": []}', **{"Lambda-Extension-Name": "deaf"})
me = {"Lambda-Extension-Identifier": found.headers["Lambda-Extension-Identifier"]}
subscribed = call("PUT", "/2022-07-01/telemetry", json.dumps({
    "schemaVersion": "2022-12-13", "types": ["platform", "function"], "buffering": {"timeoutMs": 25},
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8999/"}}), **me).status
threading.Thread(target=lambda: call("GET", "/2020-01-01/extension/event/next", None, **me).read(), daemon=True).start()
"""
    assert hostile("result = subscribed", prelude=prelude) == 200
    before = resident_mb(walled)
    for _ in range(3):
        assert hostile("for _ in range(100_000): print('x' * 100)\nresult = 1") == 1
    assert resident_mb(walled) - before < 100


def test_what_is_written_to_the_log_channel_itself_is_shown(walled: Sandboxed, hostile: Callable[..., Any]) -> None:
    code = """
os.write(3, b"hello\\n")
os.write(3, b"\\xa5\\x5a\\x00\\x03\\x7f\\xff\\xff\\xff" + bytes(8))
print("printed")
os.write(3, b"ingl\\xff\\xff\\xff\\xff" + bytes(8) + b"x" * 100)
print("printed again")
result = 1
"""
    assert hostile(code) == 1
    assert outcome(lambda: hostile("os._exit(1)")) == "Runtime.ExitError"
    assert hostile("print('later'); result = 2") == 2


def test_a_fork_bomb_ends_with_its_invocation(limited: Sandboxed, hostile: Callable[..., Any]) -> None:
    code = """
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
    assert outcome(lambda: hostile(code, settings={"Timeout": 2})) in ("Sandbox.Timedout", "Runtime.OutOfMemory")
    assert limited.probe("result = 'fine'") == "fine"
    assert hostile("result = 'works again'") == "works again"


@pytest.mark.parametrize("numbers", ["(0, 3)", "(3, 4)", "(4, 1024)", "(0, 1024)"])
def test_descriptors_that_a_function_closes_are_its_own_loss(hostile: Callable[..., Any], numbers: str) -> None:
    code = f"os.closerange(*{numbers}); result = 'closed'"
    assert outcome(lambda: hostile(code, settings={"Timeout": 2})) in (
        "closed", "Runtime.ExitError", "Sandbox.Timedout"
    )  # fmt: skip
    assert outcome(lambda: hostile("result = 1")) in (1, "Runtime.ExitError", "Sandbox.Timedout")
    assert hostile("result = 2") == 2


def test_an_end_in_the_middle_of_a_response_fails_the_invocation(hostile: Callable[..., Any]) -> None:
    code = """
connection = api()
path = "/2018-06-01/runtime/invocation/%s/response" % context.aws_request_id
connection.sendall(("POST %s HTTP/1.1\\r\\nContent-Length: 1000\\r\\n\\r\\n{" % path).encode())
time.sleep(0.1)
os._exit(0)
"""
    assert outcome(lambda: hostile(code)) in ("Runtime.TruncatedResponse", "Runtime.ExitError")
    assert hostile("result = 'works again'") == "works again"


def test_objects_that_are_nested_too_deeply_are_lines_like_others(walled: Sandboxed) -> None:
    name = walled.create(HOSTILE, MemorySize=512, LoggingConfig={"LogFormat": "JSON"})
    code = """print('{"m": ' + '[' * 500 + ']' * 500 + '}'); print('{"level": "INFO", "m": "behind"}'); result = 1"""
    assert walled.probe(code, function=name) == 1
    messages = walled.log(name, "behind")
    assert any("[" * 500 in message for message in messages)
    assert any("behind" in message for message in messages)
    walled.client.delete_function(FunctionName=name)
