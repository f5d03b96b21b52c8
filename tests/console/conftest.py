"""Servers for the console's tests."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from served import Server


def _free_port() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return str(sock.getsockname()[1])


@pytest.fixture
def console_server(directory: Path) -> Iterator[Server]:
    """At a port that it comes back to."""
    running = Server(directory / "data", INGLE_PORT=_free_port()).start()
    yield running
    assert running.stop() == 0
