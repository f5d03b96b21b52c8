"""One server for each strength of isolation, shared by all tests of a session."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from kernel.sandboxed import Sandboxed, new_server


@pytest.fixture(scope="session", params=["root", "user", "process"])
def sandboxed(request: Any) -> Iterator[Sandboxed]:
    server = new_server(request.param)
    try:
        server.start()
    except RuntimeError as error:
        shutil.rmtree(server.data_dir.parent)
        if "cannot isolate" in str(error):
            pytest.skip(str(error))
        raise
    yield Sandboxed(server, request.param)
    status = server.stop()
    shutil.rmtree(server.data_dir.parent)
    assert status == 0


@pytest.fixture(scope="session")
def walled(sandboxed: Sandboxed) -> Sandboxed:
    """Where environments have namespaces of their own."""
    sandboxed.require("root", "user", because="plain processes share the machine's files, processes and network")
    return sandboxed


@pytest.fixture(scope="session")
def limited(sandboxed: Sandboxed) -> Sandboxed:
    """Where the kernel limits a whole environment."""
    sandboxed.require("root", because="an ordinary user's server has no cgroup controllers unless they are delegated")
    if not os.access("/sys/fs/cgroup", os.W_OK):
        pytest.skip("no cgroup hierarchy is writable here")
    return sandboxed
