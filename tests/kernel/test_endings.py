"""However a server ends, nothing of it is left, and the next one serves again."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ingle.sandbox.launch import cgroup_name
from kernel.sandboxed import PROBE, Sandboxed, descendants, new_server, start

pytestmark = pytest.mark.kernel


@pytest.fixture(params=["root", "user", "process"])
def fresh(request: Any) -> Iterator[Sandboxed]:
    """A server for one test, with a function that has two environments."""
    server = new_server(request.param)
    start(server)
    sandboxed = Sandboxed(server, request.param)
    name = sandboxed.create(PROBE)
    with ThreadPoolExecutor(2) as callers:
        list(callers.map(lambda _: sandboxed.probe("time.sleep(0.3)", function=name), range(2)))
    sandboxed.kept = name  # type: ignore[attr-defined]
    yield sandboxed
    if server.process.poll() is None:
        server.stop()
    shutil.rmtree(server.data_dir.parent)


def leftovers(data_dir: Path, processes: list[int]) -> dict[str, list[str]]:
    """What there is of a server that ended: all empty if nothing."""
    groups = [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/{cgroup_name(data_dir)}*")]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(data_dir) in line]
    loops = [str(path) for path in Path("/sys/block").glob("loop*/loop/backing_file") if str(data_dir) in _text(path)]
    images = [str(path) for path in (data_dir / "run").glob("images/*")]
    running = [str(pid) for pid in processes if _runs(pid)]
    return {"groups": groups, "mounts": mounts, "loops": loops, "images": images, "processes": running}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _runs(pid: int) -> bool:
    state = _text(Path(f"/proc/{pid}/stat")).rpartition(") ")[2][:1]
    return state not in ("", "Z", "X")


def nothing_left(look: Callable[[], dict[str, list[str]]], *, but: tuple[str, ...] = ()) -> None:
    until = time.monotonic() + 10
    while True:
        found = {kind: things for kind, things in look().items() if things and kind not in but}
        if not found:
            return
        assert time.monotonic() < until, found
        time.sleep(0.05)


def serves_again(sandboxed: Sandboxed) -> None:
    sandboxed.server.start()
    sandboxed.client = sandboxed.server.client("lambda")
    assert sandboxed.probe("result = 'again'", function=sandboxed.kept) == "again"  # type: ignore[attr-defined]
    processes = sandboxed.server_processes()
    assert sandboxed.server.stop() == 0
    nothing_left(lambda: leftovers(sandboxed.server.data_dir, processes))


def test_sigterm_leaves_nothing(fresh: Sandboxed) -> None:
    processes = fresh.server_processes()
    assert len(processes) >= 4
    assert fresh.server.stop() == 0
    nothing_left(lambda: leftovers(fresh.server.data_dir, processes))


def test_kill_9_of_the_server_leaves_nothing(fresh: Sandboxed) -> None:
    processes = fresh.server_processes()
    fresh.server.kill()
    nothing_left(lambda: leftovers(fresh.server.data_dir, processes))
    serves_again(fresh)


def test_kill_9_of_the_supervisor_stops_the_server(fresh: Sandboxed) -> None:
    processes = fresh.server_processes()
    os.kill(processes[1], signal.SIGKILL)
    assert fresh.server.process.wait(15) != 0
    fresh.server.errors.seek(0)
    lines = fresh.server.errors.read().splitlines()
    assert len([line for line in lines if "supervisor ended" in line]) == 1
    assert not [line for line in lines if "Traceback" in line]
    fresh.server.kill()
    # Nobody with the right to remove groups and images is left: the next server does.
    nothing_left(lambda: leftovers(fresh.server.data_dir, processes), but=("groups", "images"))
    serves_again(fresh)


def test_a_zygote_that_ends_is_started_again(fresh: Sandboxed) -> None:
    supervisor = fresh.server_processes()[1]
    zygotes = [pid for pid in descendants(supervisor) if b"zygote.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
               and _parent(pid) == supervisor]  # fmt: skip
    assert zygotes
    for pid in zygotes:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    name = fresh.create(PROBE, MemorySize=300)
    assert fresh.probe("result = 'served'", function=name) == "served"


def _parent(pid: int) -> int:
    return int(_text(Path(f"/proc/{pid}/stat")).rpartition(") ")[2].split()[1])
