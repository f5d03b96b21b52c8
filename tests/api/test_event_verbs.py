"""`ingle events`, and the pages that it reads, against a served instance whose events wait for long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid

import pytest

from ingle.master_key import channel
from mock_aws import wait_until
from served import Server, package, refusal

ROLE = "arn:aws:iam::000000000000:role/r"
#: Fails until its environment variable says otherwise.
HANDLER = """
import os
def handler(event, context):
    if 'GOOD' not in os.environ:
        raise Exception('not yet')
    return 'größe'
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("events") / "data", INGLE_EVENT_RETRY_DELAYS="3600").start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def create(served):
    client, made = served.client("lambda"), []

    def make(source=HANDLER):
        name = f"f{uuid.uuid4().hex}"
        client.create_function(
            FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE,
            Code={"ZipFile": package({"app.py": source})},
        )  # fmt: skip
        made.append(name)
        client.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
        )
        return name

    yield make
    for name in made:
        client.delete_function(FunctionName=name)


@pytest.fixture
def ingle(served):
    def run(*arguments, status=0):
        environment = {**os.environ, "INGLE_DATA_DIR": str(served.data_dir)}
        done = subprocess.run(
            [sys.executable, "-m", "ingle", "events", *arguments], capture_output=True, text=True, env=environment,
            timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    return run


def send(served, name, payload=b"[1]"):
    answer = served.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=payload)
    return answer["ResponseMetadata"]["RequestId"]


def listed(ingle, name, state):
    """The events of a function once all of them are in a state."""

    def found():
        events = json.loads(ingle("list", name, "--json"))["events"]
        return events if events and all(event["state"] == state for event in events) else None

    return wait_until(found)


def test_events_are_listed_and_shown(served, create, ingle):
    name, other = create(), create()
    first, second = send(served, name), send(served, name, b'{"a": 2}')
    send(served, other)
    events = listed(ingle, name, "retrying")
    assert [event["id"] for event in events] == [first, second]
    assert {event["attempts"] for event in events} == {1}
    shown = json.loads(ingle("show", second))
    assert shown["function"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert (json.loads(shown["payload"]), shown["response"]["error"]) == ({"a": 2}, "Unhandled")
    assert json.loads(shown["response"]["payload"])["errorMessage"] == "not yet"
    table = ingle("list", name).splitlines()
    assert table[0].split() == ["ID", "FUNCTION", "STATE", "ACCEPTED", "DUE", "ATTEMPTS", "CONDITION"]
    assert [line.split()[:3] for line in table[1:]] == [[first, name, "retrying"], [second, name, "retrying"]]
    assert len(json.loads(ingle("list", "--limit", "1", "--json"))["events"]) == 1
    assert "There is no event" in ingle("show", str(uuid.uuid4()), status=1)


def test_the_service_lists_what_waits_of_a_function(served, create, ingle):
    name, other = create(), create()
    ids = [send(served, name) for _ in range(3)]
    send(served, other)
    listed(ingle, name, "retrying")
    client = served.client("ingle")
    found = client.list_async_events(FunctionName=name)["AsyncEvents"]
    assert [event["EventId"] for event in found] == ids
    first = found[0]
    assert first["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert (first["State"], first["Attempts"], first["Refusals"]) == ("retrying", 1, 0)
    assert first["AcceptedAt"] < first["DueAt"]
    assert (first["Destinations"], "Condition" in first) == ([], False)
    pages = client.get_paginator("list_async_events").paginate(FunctionName=name, PaginationConfig={"PageSize": 2})
    assert [event["EventId"] for page in pages for event in page["AsyncEvents"]] == ids
    assert refusal(client.list_async_events, FunctionName="nobody")[1] == "ResourceNotFoundException"
    theirs = served.client("ingle", account="222222222222")
    assert refusal(theirs.list_async_events, FunctionName=name)[1] == "ResourceNotFoundException"


def test_a_retry_runs_what_would_wait(served, create, ingle):
    name = create()
    first, second = send(served, name), send(served, name)
    listed(ingle, name, "retrying")
    assert ingle("retry", first) == "1 due now\n"
    wait_until(lambda: json.loads(ingle("show", first))["attempts"] == 2)
    assert json.loads(ingle("show", second))["attempts"] == 1
    client = served.client("lambda")
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"GOOD": "1"}})
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
    assert ingle("retry", "--function", name) == "2 due now\n"
    wait_until(lambda: json.loads(ingle("list", name, "--json"))["events"] == [])


def test_a_purge_drops_what_waits(served, create, ingle):
    name, other = create(), create()
    first = send(served, name)
    send(served, name)
    kept = send(served, other)
    listed(ingle, name, "retrying")
    assert ingle("purge", first) == "1 purged\n"
    assert ingle("purge", "--function", name) == "1 purged\n"
    assert json.loads(ingle("list", name, "--json"))["events"] == []
    assert json.loads(ingle("show", kept))["id"] == kept
    ingle("purge", "--all")
    assert json.loads(ingle("list", "--json")) == {"count": 0, "events": []}


def test_which_events_has_to_be_said(ingle):
    for arguments in ((), ("some-id", "--all"), ("--function", "f", "--all")):
        for verb in ("retry", "purge"):
            assert "say which events" in ingle(verb, *arguments, status=2)


def test_without_a_server_it_is_said_what_to_do(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "ingle", "events", "list", "--data-dir", tmp_path], capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, f"ingle: no server uses {tmp_path}; start it with `ingle serve`\n")


@pytest.mark.parametrize(
    "request_",
    [{"do": "events-"}, {"do": "events-retry"}, {"do": "events-purge", "all": False}, {"do": "events-purge", "all": 1},
     {"do": "events-retry", "id": "x", "all": True}],
)  # fmt: skip
def test_a_request_that_says_no_events_does_nothing(served, request_):
    assert channel.ask(served.data_dir, request_) == {"error": "The request is not known to this server."}


def test_a_large_event_is_shown_whole(served, create, ingle):
    name = create()
    payload = json.dumps("ü" * 400_000, ensure_ascii=False).encode()
    event_id = send(served, name, payload)
    listed(ingle, name, "retrying")
    assert json.loads(ingle("show", event_id))["payload"].encode() == payload


def test_many_events_are_listed_page_by_page(served, create, ingle):
    name = create()
    sent = [send(served, name) for _ in range(230)]
    events = json.loads(ingle("list", name, "--limit", "1000", "--json"))["events"]
    assert [event["id"] for event in events] == sent
    assert len(json.loads(ingle("list", name, "--json"))["events"]) == 100
