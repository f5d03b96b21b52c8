"""What runs when it should not: after a response, after a time-out, after the environment or the server ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kernel.sandboxed import PROBE, FunctionFailed, Sandboxed, descendants

pytestmark = pytest.mark.kernel

COUNT = """
import threading
def count(path):
    number, file = 0, os.open(path, os.O_WRONLY | os.O_CREAT)
    while True:
        number += 1
        os.pwrite(file, b"%d" % number, 0)
        time.sleep(0.002)
"""
COUNT_IN_THREAD = COUNT + "threading.Thread(target=count, args=('/tmp/' + event['id'],), daemon=True).start()"
COUNT_IN_DAEMON = (
    COUNT
    + """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        count("/tmp/" + event["id"])
    os._exit(0)
os.wait()
time.sleep(event["sleep"])
result = None
"""
)
READ_TWICE = """
def number():
    for _ in range(1000):
        try:
            return int(read("/tmp/" + event["id"]))
        except (OSError, ValueError):
            time.sleep(0.001)
first = number()
if event["running"]:
    time.sleep(0.5)
result = [first, number()]
"""


@pytest.mark.parametrize("counter", [COUNT_IN_THREAD, COUNT_IN_DAEMON], ids=["thread", "daemon"])
def test_nothing_runs_between_invocations(sandboxed: Sandboxed, counter: str) -> None:
    name = sandboxed.create(PROBE, MemorySize=1769)
    file = f"count-{time.time_ns()}"
    sandboxed.probe(counter, function=name, id=file, sleep=0)
    before = sandboxed.probe(READ_TWICE, function=name, id=file, running=False)[1]
    time.sleep(1)
    first, second = sandboxed.probe(READ_TWICE, function=name, id=file, running=True)
    # A second of idling is 500 counts; what was counted on the way in and out is far less than half of that.
    assert first - before < 250
    # It does run while an invocation does.
    assert second > first
    sandboxed.client.delete_function(FunctionName=name)


def test_nothing_survives_a_time_out(sandboxed: Sandboxed) -> None:
    name = sandboxed.create(PROBE, MemorySize=1769, Timeout=1)
    file = f"count-{time.time_ns()}"
    with pytest.raises(FunctionFailed, match=r"Task timed out after 1\.00 seconds"):
        sandboxed.probe(COUNT_IN_DAEMON, function=name, id=file, sleep=30)
    first, second = sandboxed.probe(READ_TWICE, function=name, id=file, running=True)
    assert first == second
    sandboxed.client.delete_function(FunctionName=name)


def test_nothing_survives_the_end_of_the_runtime(sandboxed: Sandboxed) -> None:
    name = sandboxed.create(PROBE, MemorySize=1769, Timeout=5)
    file = f"count-{time.time_ns()}"
    sandboxed.probe(COUNT_IN_DAEMON, function=name, id=file, sleep=0)
    with pytest.raises(FunctionFailed, match="exit status 9"):
        sandboxed.probe("os._exit(9)", function=name)
    first, second = sandboxed.probe(READ_TWICE, function=name, id=file, running=True)
    assert first == second
    sandboxed.client.delete_function(FunctionName=name)


def test_a_daemon_ends_with_its_environment(sandboxed: Sandboxed) -> None:
    mark = f"ingle-daemon-{time.time_ns()}"
    name = sandboxed.create(PROBE, MemorySize=512)
    code = """
os.system("setsid sh -c 'while :; do sleep 1; done' %s >/dev/null 2>&1 &" % event["mark"])
time.sleep(0.5)
result = None
"""
    sandboxed.probe(code, function=name, mark=mark)
    assert _wait(lambda: _with_argument(sandboxed, mark))
    sandboxed.client.delete_function(FunctionName=name)
    assert _wait(lambda: not _with_argument(sandboxed, mark))


def test_ten_environments_come_and_go(sandboxed: Sandboxed) -> None:
    supervisor = sandboxed.server_processes()[1]

    def held() -> list[int]:
        both = (supervisor, sandboxed.server.process.pid)
        return [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in both]

    def use() -> None:
        name = sandboxed.create(PROBE, MemorySize=256)
        with ThreadPoolExecutor(5) as callers:
            users = list(callers.map(lambda _: sandboxed.probe("time.sleep(0.3); result = 1", function=name), range(5)))
        assert users == [1] * 5
        sandboxed.client.delete_function(FunctionName=name)

    use()
    _settle(held)
    before = _settle(held)
    for _ in range(3):
        use()
    assert _wait(lambda: all(now <= then for now, then in zip(held(), before, strict=True))), (before, held())


def _settle(measure: Callable[[], list[int]]) -> list[int]:
    """The value of `measure` once it stays the same for half a second."""
    last = None
    for _ in range(100):
        now = measure()
        if now == last:
            return now
        last = now
        time.sleep(0.5)
    raise AssertionError("it never comes to rest")


def _with_argument(sandboxed: Sandboxed, mark: str) -> list[int]:
    found = []
    for pid in descendants(sandboxed.server.process.pid):
        try:
            if mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
        except OSError:
            continue
    return found


def _wait(condition: Callable[[], object], seconds: float = 10) -> bool:
    """Whether `condition` became true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False
