"""The supervisor itself, without a server: what it holds, and that nobody waits for ever for what cannot come."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ingle.sandbox.client import MAX_MESSAGE, SandboxError, SupervisorClient, SupervisorGone
from ingle.sandbox.launch import Isolation, cgroup_name, launch
from kernel.sandboxed import descendants
from kernel.supervised import start_zygote, supervised

pytestmark = pytest.mark.kernel

#: A program that stands for a runtime.
AHEAD = {"command": [["/bin/sleep", "600"]], "variables": {}, "limits": {}, "seccomp": "", "log_fd": True}


class Direct:
    """A supervisor with one zygote, and what can be seen of it from outside."""

    def __init__(self, client: SupervisorClient, pid: int, directory: Path) -> None:
        self.client = client
        self.pid = pid
        self.directory = directory

    @property
    def zygote(self) -> int:
        found = [pid for pid in descendants(self.pid) if b"zygote.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        return found[0]

    @property
    def held(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def groups(self) -> list[Path]:
        return [path for path in Path("/sys/fs/cgroup").glob(f"*/{cgroup_name(self.directory)}/*") if path.is_dir()]


@pytest.fixture(params=["root", "process"])
async def direct(request: Any) -> AsyncIterator[Direct]:
    if request.param == "root" and os.geteuid() != 0:
        pytest.skip("isolation root needs root")
    async with supervised(Isolation(request.param)) as place:
        yield Direct(*place)


async def settle(condition: Any) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")


@pytest.mark.parametrize("ahead", [None, AHEAD], ids=["parked", "started ahead"])
async def test_fifty_environments_leave_nothing_open(direct: Direct, ahead: dict[str, Any] | None) -> None:
    before, own = direct.held, len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        made = await asyncio.gather(*(direct.client.create("z", 512, ahead) for _ in range(10)))
        for sandbox in made:
            direct.client.destroy(sandbox)
            direct.client.destroy(sandbox)  # a second time is harmless
        await settle(lambda: not direct.client._sandboxes)
    assert direct.held == before
    assert len(os.listdir("/proc/self/fd")) == own
    assert direct.groups() == []
    assert not list(direct.directory.glob("run/images/e*"))
    await settle(lambda: len(descendants(direct.pid)) == 1)


async def test_a_creation_that_nobody_waits_for_any_more_is_undone(direct: Direct) -> None:
    tasks = [asyncio.ensure_future(direct.client.create("z", 512)) for _ in range(10)]
    await asyncio.sleep(0.002)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0.2)
    await settle(lambda: not direct.client._sandboxes and not direct.client._creating)
    assert len(descendants(direct.pid)) == 1


async def test_a_zygote_that_ends_fails_what_waits_for_it(direct: Direct) -> None:
    lost: list[str] = []
    direct.client.on_zygote_lost = lost.append
    alive = await direct.client.create("z", 512)
    zygote = direct.zygote
    os.kill(zygote, signal.SIGSTOP)
    waiting = [asyncio.ensure_future(direct.client.create("z", 512)) for _ in range(5)]
    await asyncio.sleep(0.2)
    os.kill(zygote, signal.SIGKILL)
    results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
    assert all(isinstance(result, SandboxError) for result in results), results
    assert lost == ["z"]
    with pytest.raises(SandboxError, match="no zygote"):
        await direct.client.create("z", 512)
    await direct.client.restart(alive, 1)  # what it forked before lives on
    await start_zygote(direct.client)
    await direct.client.create("z", 512)


async def test_environments_that_end_by_themselves_are_noticed(direct: Direct) -> None:
    sandbox = await direct.client.create("z", 512)
    gone: list[bool] = []
    sandbox.on_gone = lambda: gone.append(True)
    inits = [pid for pid in descendants(direct.pid) if pid != direct.zygote]
    os.kill(inits[0], signal.SIGKILL)
    await settle(lambda: gone)
    with pytest.raises(SandboxError):
        await direct.client.restart(sandbox, 1)


async def test_messages_that_are_too_long_are_refused(direct: Direct) -> None:
    sandbox = await direct.client.create("z", 512)
    with pytest.raises(SandboxError, match="too many"):
        direct.client.run(sandbox, 128, {"variables": {"A": "x" * MAX_MESSAGE}})
    await direct.client.create("z", 512)


async def test_a_size_of_tmp_that_cannot_be_made_is_an_error(direct: Direct) -> None:
    if not direct.client.images:
        pytest.skip("no images here")
    with pytest.raises(SandboxError):
        await direct.client.create("z", 0)
    assert not [path for path in direct.directory.glob("run/images/*") if "-0" in path.name or path.name[0] == "e"]
    await direct.client.create("z", 512)


async def test_the_end_of_the_supervisor_reaches_everyone(direct: Direct) -> None:
    sandbox = await direct.client.create("z", 512)
    gone: list[bool] = []
    sandbox.on_gone = lambda: gone.append(True)
    os.kill(direct.zygote, signal.SIGSTOP)
    waiting = asyncio.ensure_future(direct.client.create("z", 512))
    await asyncio.sleep(0.1)
    os.kill(direct.pid, signal.SIGKILL)
    with pytest.raises(SupervisorGone):
        await asyncio.wait_for(waiting, 10)
    assert gone == [True]
    with pytest.raises(SupervisorGone):
        await direct.client.create("z", 512)
    with pytest.raises(SupervisorGone):
        await direct.client.restart(sandbox, 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="root only")
def test_root_does_not_run_functions_in_a_user_namespace_of_its_own(tmp_path: Path) -> None:
    """They would be the machine's root to /proc/sys, where core_pattern names a program to run."""
    with pytest.raises(OSError, match="this is root"):
        launch(tmp_path, Isolation.USER)
