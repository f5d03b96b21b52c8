"""One server for each strength of isolation, shared by all tests of a session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from kernel.sandboxed import Sandboxed, running


@pytest.fixture(scope="session", params=["root", "user", "process"])
def sandboxed(request: Any) -> Iterator[Sandboxed]:
    with running(request.param) as server:
        yield Sandboxed(server, request.param)


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
