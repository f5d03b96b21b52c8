"""kill -9 of any process below the server beside running invocations: callers see little, and all counts stay right."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from raw import Answer, connected
from served import Server, create_function

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can kill the processes of functions")

SOURCE = """
import time
def handler(event, context):
    time.sleep(event.get("sleep", 0.01))
    return context.log_stream_name
"""
RESERVE, PROVISIONED, KILLS = 4, 1, 60


def parents() -> dict[int, int]:
    """Of every process there is."""
    found: dict[int, int] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with contextlib.suppress(OSError):
                found[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def runs(module: bytes, process: int) -> bool:
    try:
        return module + b"\0" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def supervised(server: Server) -> tuple[set[int], set[int]]:
    """The children of the supervisor, and all below it. Its own end is the end of the server, and so is that of the
    process that makes networks: without it nothing is enforced."""
    known = {child: parent for child, parent in parents().items() if not runs(b"ingle.network.agent", child)}
    below = [child for child, parent in known.items() if parent == server.process.pid]
    (supervisor,) = [child for child in below if runs(b"ingle.sandbox.supervisor", child)]
    found = {supervisor}
    while more := {child for child, parent in known.items() if parent in found} - found:
        found |= more
    return {child for child, parent in known.items() if parent == supervisor}, found - {supervisor}


def zygotes(server: Server) -> set[int]:
    """Not what they have forked, which has their command line too."""
    children, _ = supervised(server)
    return {child for child in children if b"zygote.py" in Path(f"/proc/{child}/cmdline").read_bytes()}


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not come true"


def at_once(server: Server, count: int, sleep: float) -> list[Answer]:
    def run(_: int) -> Answer:
        with connected(server.url) as connection:
            return connection.invoke("f", payload=json.dumps({"sleep": sleep}).encode())

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def running(server: Server) -> set[str]:
    with urllib.request.urlopen(f"{server.url}/_ingle/metrics") as page:
        lines = page.read().decode().splitlines()
    return {line.rpartition(" ")[2] for line in lines if line.startswith("ingle_function_running{")}


def ready(client: Any) -> bool:
    found = client.get_provisioned_concurrency_config(FunctionName="f", Qualifier="1")
    return found["Status"] == "READY" and found["AllocatedProvisionedConcurrentExecutions"] == PROVISIONED


def provision(client: Any, number: int) -> None:
    client.put_provisioned_concurrency_config(FunctionName="f", Qualifier="1", ProvisionedConcurrentExecutions=number)


def test_processes_killed_at_random_leave_every_count_right(own_server: Server) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    draw, client = random.Random(seed), own_server.client("lambda")
    create_function(client, "f", SOURCE, Timeout=30, Publish=True)
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=RESERVE)
    provision(client, PROVISIONED)
    finished = threading.Event()

    seen: list[int] = []

    def invoke(number: int) -> None:
        with connected(own_server.url) as connection:
            while not finished.is_set():
                seen.append(connection.invoke("f", "1" if number % 2 else None).status)

    with ThreadPoolExecutor(RESERVE + 2) as pool:
        invokers = [pool.submit(invoke, number) for number in range(RESERVE + 2)]
        try:
            for kill in range(KILLS):
                # Now and then something succeeds in between.
                until(lambda: seen.count(200) > kill // 4)  # noqa: B023 - called here and now
                _, victims = supervised(own_server)
                with contextlib.suppress(ProcessLookupError, IndexError):
                    os.kill(draw.choice(sorted(victims)), signal.SIGKILL)
        finally:
            finished.set()
        for invoker in invokers:
            invoker.result()
    # What dies while it starts, and once more when it is tried again, is told as an error of the service.
    assert set(seen) <= {200, 429, 500}
    assert own_server.process.poll() is None
    assert running(own_server) == {"0"}
    # A failed allocation is tried again after a while, and at once if it is asked for anew.
    provision(client, PROVISIONED + 1)
    provision(client, PROVISIONED)
    until(lambda: ready(client))
    free = RESERVE - PROVISIONED
    statuses = Counter(answer.status for answer in at_once(own_server, free + 3, sleep=1.0))
    assert statuses == {200: free, 429: 3}
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 1000 - RESERVE


def test_nobody_is_told_that_a_zygote_was_killed(own_server: Server) -> None:
    client = own_server.client("lambda")
    create_function(client, "f", SOURCE)
    stopped = zygotes(own_server)
    assert stopped
    for zygote in stopped:
        os.kill(zygote, signal.SIGSTOP)
    # More than there are prepared sandboxes: the rest waits for a zygote that does nothing any more.
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(at_once, own_server, 12, 0.2)
        until(lambda: "12" in running(own_server))
        for zygote in stopped:
            os.kill(zygote, signal.SIGKILL)
        found = answers.result()
    assert [answer.body for answer in found if answer.status != 200] == []
    assert not any(answer.failed for answer in found)
    assert zygotes(own_server) - stopped
