"""Frozen environments end like all others: with their function, with a server that is killed, and in a sweep."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingle.sandbox.cgroups import CgroupTree, Hierarchy, discover
from ingle.sandbox.launch import cgroup_name
from kernel.sandboxed import PROBE, Sandboxed, running

pytestmark = pytest.mark.kernel


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def frozen_processes(data_dir: Path) -> set[int]:
    """Processes in the frozen groups of a server."""
    while True:
        # Groups of this server and of others come and go meanwhile.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return _frozen_now(data_dir)


def _frozen_now(data_dir: Path) -> set[int]:
    found: set[int] = set()
    for state in Path("/sys/fs/cgroup").glob(f"**/{cgroup_name(data_dir)}/*/cgroup.events"):
        if "frozen 1" in state.read_text():
            found |= {int(pid) for pid in (state.parent / "cgroup.procs").read_text().split()}
    for state in Path("/sys/fs/cgroup").glob(f"*/{cgroup_name(data_dir)}/*/freezer.state"):
        if "FROZEN" in state.read_text():
            found |= {int(pid) for pid in (state.parent / "cgroup.procs").read_text().split()}
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


@pytest.fixture
def idle() -> Iterator[tuple[Sandboxed, str, set[int]]]:
    """A server, a function of it with one environment, and the processes of that, which are frozen."""
    if not discover():
        pytest.skip("no control groups can be made here")
    with running("root") as server:
        sandboxed = Sandboxed(server, "root")
        name = sandboxed.create(PROBE)
        sandboxed.probe("subprocess.Popen(['sleep', '600'])", function=name)
        until(lambda: len(frozen_processes(server.data_dir)) >= 3, "nothing froze")
        yield sandboxed, name, frozen_processes(server.data_dir)


def test_a_frozen_environment_ends_with_its_function(idle: tuple[Sandboxed, str, set[int]]) -> None:
    sandboxed, name, processes = idle
    sandboxed.client.delete_function(FunctionName=name)
    until(lambda: not any(is_running(pid) for pid in processes), "frozen processes outlive their function")


def test_a_frozen_environment_ends_when_its_runtime_is_killed(idle: tuple[Sandboxed, str, set[int]]) -> None:
    sandboxed, name, processes = idle
    for pid in processes:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(is_running(pid) for pid in processes), "killed processes stay frozen")
    assert sandboxed.probe("result = 'another'", function=name) == "another"


def test_frozen_environments_of_a_killed_server_are_ended_by_the_next(idle: tuple[Sandboxed, str, set[int]]) -> None:
    sandboxed, name, processes = idle
    supervisor = sandboxed.server_processes()[1]
    # The supervisor first: nobody is left who could end anything.
    os.kill(supervisor, signal.SIGSTOP)
    sandboxed.server.kill()
    os.kill(supervisor, signal.SIGKILL)
    sandboxed.server.start()
    until(lambda: not any(is_running(pid) for pid in processes), "frozen processes outlive the next start")
    sandboxed.client = sandboxed.server.client("lambda")
    assert sandboxed.probe("result = 'again'", function=name) == "again"


@pytest.mark.parametrize("version", [1, 2])
def test_frozen_leftovers_are_swept(version: int, tmp_path: Path) -> None:
    hierarchies: list[Hierarchy] = [found for found in discover() if found.version == version]
    if not any(found.version == 2 or "freezer" in found.controllers for found in hierarchies):
        pytest.skip(f"no control groups of version {version} that freeze can be made here")
    name = f"ingle-swept-{os.getpid()}-{version}"
    before = CgroupTree(hierarchies, name)
    before.prepare()
    process = subprocess.Popen(["sleep", "600"])
    try:
        group = before.create("left")
        for descriptor in group.join_descriptors():
            os.write(descriptor, str(process.pid).encode())
            os.close(descriptor)
        for handle in group.handles():
            if handle.purpose == "freeze":
                handle.path.write_text("FROZEN" if handle.path.name == "freezer.state" else "1")
        after = CgroupTree(hierarchies, name)
        after.prepare()
        assert process.wait(5) == -signal.SIGKILL
        assert not any(path.exists() for path in group.paths)
        after.remove()
        assert not any((found.directory / name).exists() for found in hierarchies)
    finally:
        process.kill()
        process.wait()
