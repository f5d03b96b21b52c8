"""Many events: none that was acknowledged is lost whatever is killed, and no backlog is in the way of others.

How often an event ran is read from the log of its function: its line is durable before the event is gone.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import signal
import socket
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mock_aws import wait_until
from served import Server, package

ROLE = "arn:aws:iam::000000000000:role/r"
HANDLER = "def handler(event, context):\n    print('ran', context.aws_request_id)\n"
FUNCTIONS = ("first", "second", "third")
EVENTS = 10_000
SENDERS = 6
#: Of the server; of processes below it there are more.
KILLS = 5
#: Longer than anything that is killed needs to be replaced: no event meets it three times.
DELAYS = "0.1,3"
#: What was under way when a server was killed may run again: no more than this at a time.
MOST_AGAIN = 400
DEADLINE_SECONDS = 120


@pytest.fixture
def served(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    running = Server(tmp_path / "data", INGLE_PORT=str(port), INGLE_EVENT_RETRY_DELAYS=DELAYS).start()
    yield running
    assert running.stop() == 0


def create(client, name, source=HANDLER):
    client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE,
        Code={"ZipFile": package({"app.py": source})},
    )  # fmt: skip
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})


class Sender(threading.Thread):
    """Sends events to the functions in turn; `acknowledged` are their request ids. Goes on when a server is back."""

    def __init__(self, url, count, functions=FUNCTIONS):
        super().__init__(daemon=True)
        self._place = urlsplit(url).netloc
        self._left = count
        self._functions = functions
        self.acknowledged: list[str] = []
        self.unexpected: list[tuple[int, bytes]] = []

    def run(self):
        connection = http.client.HTTPConnection(self._place, timeout=60)
        try:
            self._send(connection)
        finally:
            connection.close()

    def _send(self, connection):
        while self._left:
            path = f"/2015-03-31/functions/{self._functions[self._left % len(self._functions)]}/invocations"
            try:
                connection.request("POST", path, b"{}", {"X-Amz-Invocation-Type": "Event"})
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                time.sleep(0.01)
                continue
            if answer.status == 202:
                self.acknowledged.append(answer.headers["x-amzn-RequestId"])
                self._left -= 1
            else:
                self.unexpected.append((answer.status, content))
                return


def children(pid):
    try:
        return [
            int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()
        ]  # fmt: skip
    except OSError:  # it has ended meanwhile
        return []


def below(pid):
    """Processes below the supervisor: zygotes, environments that wait or run, and what is in them."""
    found, todo = [], [child for supervisor in children(pid) for child in children(supervisor)]
    while todo:
        process = todo.pop()
        found.append(process)
        todo += children(process)
    return found


def kill_one(pid, choose):
    try:
        os.kill(choose.choice(below(pid)), signal.SIGKILL)
    except (OSError, IndexError):
        return 0
    return 1


def queued(served, name=""):
    """How many events of a function, or of all, are not over."""
    return metric(served, "ingle_events_queued{", name)


def environments(served, state):
    return metric(served, "ingle_environments{", state)


def metric(served, begin, label):
    with urllib.request.urlopen(served.url + "/_ingle/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(begin) and label in line)


def messages(served, functions=FUNCTIONS):
    """All lines of functions."""
    logs = served.client("logs")
    for name in functions:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}"):
            yield from (event["message"] for event in page["events"])


def runs(lines):
    """How often each request id ran. A line ends where its environment was killed, and the event ran again."""
    found = (re.fullmatch(r"ran (\S{36})\n?", line) for line in lines)
    return Counter(line[1] for line in found if line is not None)


def test_every_acknowledged_event_runs_whatever_is_killed(served, capsys):
    seed = random.randrange(1 << 32)
    choose = random.Random(seed)
    for name in FUNCTIONS:
        create(served.client("lambda"), name)
    senders = [Sender(served.url, EVENTS // SENDERS) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    killed = 0
    for _ in range(KILLS):
        until = time.monotonic() + choose.uniform(0.2, 1.5)
        while time.monotonic() < until:
            killed += kill_one(served.process.pid, choose)
            time.sleep(choose.uniform(0.02, 0.2))
        served.kill()
        served.start()
    for sender in senders:
        sender.join(DEADLINE_SECONDS)
        assert not sender.is_alive()
        assert sender.unexpected == []
    wait_until(lambda: queued(served) == 0, DEADLINE_SECONDS)
    acknowledged = {request_id for sender in senders for request_id in sender.acknowledged}
    lines = list(messages(served))
    ran = runs(lines)
    again = sum(ran.values()) - len(ran)
    with capsys.disabled():
        print(f"\n{len(acknowledged)} events acknowledged, {again} ran again, {KILLS} servers and {killed} other "
              f"processes killed, seed {seed}")  # fmt: skip
    assert len(acknowledged) == SENDERS * (EVENTS // SENDERS)
    lost = acknowledged - ran.keys()
    assert lost == set(), [line for line in lines if any(request_id in line for request_id in lost)]
    assert again <= KILLS * MOST_AGAIN + killed


def test_a_backlog_of_one_function_does_not_delay_another(served):
    client = served.client("lambda")
    create(client, "slow", "import time\ndef handler(event, context):\n    time.sleep(0.5)\n")
    create(client, "quick")
    senders = [Sender(served.url, 1000, ("slow",)) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(DEADLINE_SECONDS)
    backlog = queued(served, "slow")
    sent = Sender(served.url, 100, ("quick",))
    sent.run()
    wait_until(lambda: queued(served, "quick") == 0)
    assert runs(messages(served, ("quick",))).keys() == set(sent.acknowledged)
    assert len(sent.acknowledged) == 100
    # Had they waited behind it, it would be gone.
    assert queued(served, "slow") > backlog / 2 > 2000
    client.delete_function(FunctionName="slow")
    wait_until(lambda: queued(served) == 0)


def stock(served):
    """The processes that wait to become a runtime, once nothing is being prepared any more."""
    looks = []

    def settled():
        looks.append(frozenset(pid for pid in below(served.process.pid) if not children(pid)))
        return len(looks) > 30 and looks[-1] and len(set(looks[-30:])) == 1

    wait_until(settled)
    return looks[-1]


def test_a_runtime_that_is_killed_before_it_sees_its_code_starts_again_with_it(served):
    """What is prepared is held up, told what to become, and killed before it has done anything."""
    client = served.client("lambda")
    create(client, "f", "def handler(event, context):\n    return 'here'\n")
    parked = stock(served)
    for pid in parked:
        os.kill(pid, signal.SIGSTOP)
    answers = []
    invoking = threading.Thread(target=lambda: answers.append(client.invoke(FunctionName="f")["Payload"].read()))
    invoking.start()
    wait_until(lambda: environments(served, "initializing"))
    for pid in parked:
        os.kill(pid, signal.SIGKILL)
    invoking.join(DEADLINE_SECONDS)
    assert answers == [b'"here"']
    assert client.invoke(FunctionName="f")["Payload"].read() == b'"here"'
