"""A supervisor without a server, on a directory of its own, and a zygote of this Python for it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import ingle
from ingle.sandbox.cgroups import CgroupTree, discover
from ingle.sandbox.client import SupervisorClient, ZygoteSpec
from ingle.sandbox.launch import Isolation, NetworkProcess, cgroup_name, launch

_GUEST = tuple(str(Path(ingle.__file__).parent / name) for name in ("sandbox/inside", "runtimes/python"))


@contextlib.asynccontextmanager
async def supervised(
    isolation: Isolation, network: NetworkProcess | None = None
) -> AsyncIterator[tuple[SupervisorClient, int, Path]]:
    """The client, the supervisor's process id, and the directory, in which `packages` is to be filled. Has zygote z."""
    with tempfile.TemporaryDirectory(prefix="ingle-kernel-") as name:
        directory = Path(name)
        (directory / "packages").mkdir()
        process = launch(directory, isolation, network)
        with process.network or contextlib.nullcontext():
            async with SupervisorClient(process, lambda: None) as client:
                await start_zygote(client)
                yield client, process.pid, directory
        # What a supervisor that was killed could not remove.
        groups = CgroupTree(discover(), cgroup_name(directory))
        groups.prepare()
        groups.remove()


async def start_zygote(client: SupervisorClient) -> None:
    """Start zygote z, also once more after it has ended."""
    version = f"3.{sys.version_info[1]}"
    variables = {"LD_LIBRARY_PATH": "/var/lang/lib"}
    command = (f"/var/lang/bin/python{version}", "-S", "/var/runtime/zygote.py")
    if client.isolation is Isolation.PROCESS:
        variables = {"PYTHONPATH": os.pathsep.join(_GUEST)}
        command = (sys.executable, "-S", f"{_GUEST[0]}/zygote.py")
    await client.start_zygote(ZygoteSpec(
        name="z", command=command, variables=variables, mounts={"/var/lang": sys.base_prefix},
        files={"/var/runtime": _GUEST}, links={}, preload=False,
    ))  # fmt: skip
