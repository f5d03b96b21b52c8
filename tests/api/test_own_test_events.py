"""Test events of functions, as their users see them: kept, shared, durable, sealed, and gone with their function."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from ingle.domain.test_event import LONGEST, MOST
from served import create_function, plain, refusal

ECHO = "def handler(event, context):\n    return event\n"


@pytest.fixture(scope="module")
def client(server):
    return server.client("ingle")


@pytest.fixture
def name(function):
    return function(ECHO)


def listed(client, name):
    return [event["EventName"] for event in client.list_test_events(FunctionName=name)["TestEvents"]]


def test_an_event_comes_back_as_it_was_put_and_can_be_invoked_with(client, lambda_client, name):
    text = '{"key": [1, 2.50, "\u00e9\u4e2d"]}'
    before = time.time()
    made = client.put_test_event(FunctionName=name, EventName="First-1.a_b", Event=text)
    assert (made["EventName"], made["Size"]) == ("First-1.a_b", len(text.encode()))
    assert before - 1 <= made["LastModifiedAt"].timestamp() <= time.time()
    found = client.get_test_event(FunctionName=name, EventName="First-1.a_b")
    assert plain(found) == {**plain(made), "Event": text}
    answer = lambda_client.invoke(FunctionName=name, Payload=found["Event"])
    assert json.load(answer["Payload"]) == json.loads(text)


def test_events_are_listed_replaced_and_deleted(client, name):
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    for event in ("b", "a", "c"):
        client.put_test_event(FunctionName=arn, EventName=event, Event="{}")
    client.put_test_event(FunctionName=name, EventName="b", Event="[1]")
    assert listed(client, name) == ["a", "b", "c"]
    assert client.get_test_event(FunctionName=name, EventName="b")["Event"] == "[1]"
    pages = list(client.get_paginator("list_test_events").paginate(FunctionName=name, PaginationConfig={"PageSize": 2}))
    assert [[event["EventName"] for event in page["TestEvents"]] for page in pages] == [["a", "b"], ["c"]]
    client.delete_test_event(FunctionName=name, EventName="b")
    assert listed(client, name) == ["a", "c"]
    missing = (404, "ResourceNotFoundException", f"There is no test event b of {arn}.")
    assert refusal(client.get_test_event, FunctionName=name, EventName="b") == missing
    assert refusal(client.delete_test_event, FunctionName=name, EventName="b") == missing


def test_events_go_with_their_function(client, lambda_client, function, zip_of):
    name = function(ECHO)
    client.put_test_event(FunctionName=name, EventName="e", Event="{}")
    lambda_client.delete_function(FunctionName=name)
    assert refusal(client.list_test_events, FunctionName=name)[1] == "ResourceNotFoundException"
    lambda_client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": zip_of({"app.py": ECHO})},
    )  # fmt: skip
    assert listed(client, name) == []


def test_what_cannot_be_kept_is_refused_and_nothing_of_it_is_told(server, client, name):
    put = server.client("ingle", checking=False).put_test_event
    assert refusal(put, FunctionName="nobody", EventName="e", Event="{}")[1] == "ResourceNotFoundException"
    for event in ("", "a" * 26, "a b", "\u00e9", "a/b"):
        assert refusal(put, FunctionName=name, EventName=event, Event="{}")[1] == "ValidationException"
    for event in ("{", "nothing", "{} {}", "NaN"):
        assert refusal(put, FunctionName=name, EventName="e", Event=event) == (
            400, "InvalidParameterValueException", "The event is not JSON."
        )  # fmt: skip
    assert refusal(put, FunctionName=name, EventName="e", Event={})[1] == "SerializationException"
    long = json.dumps("s" * LONGEST)
    status, code, message = refusal(put, FunctionName=name, EventName="e", Event=long)
    assert (status, code) == (400, "ValidationException")
    assert "sss" not in message
    wide = json.dumps("\u00e9" * (LONGEST // 2), ensure_ascii=False)
    status, code, message = refusal(put, FunctionName=name, EventName="e", Event=wide)
    assert (code, message) == (
        "InvalidParameterValueException", f"The event has {LONGEST + 2} bytes; {LONGEST} are allowed."
    )  # fmt: skip
    assert listed(client, name) == []


def test_an_event_may_have_what_a_payload_may(client, name):
    longest = json.dumps("\u00e9" * (LONGEST // 2 - 1), ensure_ascii=False)
    assert len(longest.encode()) == LONGEST
    client.put_test_event(FunctionName=name, EventName="long", Event=longest)
    assert client.get_test_event(FunctionName=name, EventName="long")["Event"] == longest


def test_a_function_has_so_many_and_no_more(client, name):
    for number in range(MOST):
        client.put_test_event(FunctionName=name, EventName=f"e{number}", Event="{}")
    assert refusal(client.put_test_event, FunctionName=name, EventName="more", Event="{}") == (
        400, "LimitExceededException", f"A function has {MOST} test events at the most."
    )  # fmt: skip
    client.put_test_event(FunctionName=name, EventName="e0", Event="[]")
    client.delete_test_event(FunctionName=name, EventName="e1")
    client.put_test_event(FunctionName=name, EventName="more", Event="{}")


def test_the_command_line_keeps_events(server, name, tmp_path):
    def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "AWS_ENDPOINT_URL": server.url, "AWS_DEFAULT_REGION": "us-east-1"}
        command = [sys.executable, "-m", "ingle", "test-events", *arguments]
        return subprocess.run(command, env=environ, input=text, capture_output=True, text=True, check=False)

    (tmp_path / "event.json").write_text('{"from": "a file"}')
    assert run("put", name, "given", '{"a": 1}').returncode == 0
    assert run("put", name, "read", f"@{tmp_path}/event.json").returncode == 0
    assert run("put", name, "piped", "-", text="[2]").returncode == 0
    assert run("show", name, "read").stdout == '{"from": "a file"}\n'
    lines = run("list", name).stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["given", "8"], ["piped", "3"], ["read", "18"]]
    assert run("delete", name, "piped").returncode == 0
    listed = json.loads(run("list", name, "--json").stdout)["TestEvents"]
    assert [event["EventName"] for event in listed] == ["given", "read"]
    missing = run("show", name, "piped")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.startswith("ingle: ResourceNotFoundException: There is no test event piped of ")
    assert "the event is not JSON" in run("put", name, "bad", "{").stderr


def test_others_have_none_of_it(server, client, name):
    client.put_test_event(FunctionName=name, EventName="e", Event="{}")
    for elsewhere in (server.client("ingle", account="222222222222"), server.client("ingle", region="eu-west-1")):
        assert refusal(elsewhere.get_test_event, FunctionName=name, EventName="e")[1] == "ResourceNotFoundException"


def test_every_event_that_was_acknowledged_is_there_after_a_kill(own_server):
    create_function(own_server.client("lambda"), "f", ECHO)
    client, acknowledged = own_server.client("ingle"), {}
    enough = threading.Event()

    def put_on() -> None:
        try:
            for number in range(100_000):
                name = f"e{number % MOST}"
                client.put_test_event(FunctionName="f", EventName=name, Event=str(number))
                acknowledged[name] = number
                if number == 60:
                    enough.set()
        except (BotoCoreError, ClientError):
            pass

    putting = threading.Thread(target=put_on)
    putting.start()
    assert enough.wait(60)
    own_server.crash()
    putting.join(60)
    client = own_server.client("ingle")
    found = {
        name: int(client.get_test_event(FunctionName="f", EventName=name)["Event"]) for name in listed(client, "f")
    }  # fmt: skip
    assert found.keys() == acknowledged.keys()
    # The one that had no answer may be there.
    assert [name for name in found if found[name] not in (acknowledged[name], max(acknowledged.values()) + 1)] == []


def test_what_was_acknowledged_survives_a_crash_and_is_in_no_file_readable(own_server):
    create_function(own_server.client("lambda"), "f", ECHO)
    client = own_server.client("ingle")
    client.put_test_event(FunctionName="f", EventName="gone", Event="{}")
    client.put_test_event(FunctionName="f", EventName="kept", Event='{"password": "findmeplease"}')
    client.delete_test_event(FunctionName="f", EventName="gone")
    own_server.crash()
    client = own_server.client("ingle")
    assert listed(client, "f") == ["kept"]
    assert client.get_test_event(FunctionName="f", EventName="kept")["Event"] == '{"password": "findmeplease"}'
    own_server.client("lambda").delete_function(FunctionName="f")
    own_server.crash()
    create_function(own_server.client("lambda"), "f", ECHO)
    assert listed(own_server.client("ingle"), "f") == []
    files = [path for path in own_server.data_dir.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert [path for path in files if b"findmeplease" in path.read_bytes()] == []
