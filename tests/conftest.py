"""A served Ingle for a whole test session, and the clients that its users have."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from served import Server, create_function, package

# A job that was started in the background has SIGINT ignored, and what it starts would ignore Ctrl-C too.
signal.signal(signal.SIGINT, signal.default_int_handler)


#: Tests of `kernel` that an ordinary user's server takes each time; the others are as thorough as one asks for.
_AS_USER = ("test_isolation.py", "test_privileges.py", "test_limits.py", "test_hostile.py", "test_lifetimes.py")


def _shared_server(item: pytest.Item) -> str | None:
    """Whose server of `kernel` a test shares."""
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("sandboxed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests run in several processes, a file runs in one, and so do all that share a server of `kernel`."""
    for item in items:
        if _shared_server(item) == "user" and item.path.name not in _AS_USER:
            item.add_marker(pytest.mark.thorough)
    if config.pluginmanager.hasplugin("dsession") or os.environ.get("PYTEST_XDIST_WORKER"):
        for item in items:
            shared = _shared_server(item)
            group = f"kernel as {shared}" if shared else str(item.path.relative_to(config.rootpath / "tests"))
            item.add_marker(pytest.mark.xdist_group(group))


Zip = Callable[[dict[str, str | bytes]], bytes]


@contextmanager
def _directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="ingle-test-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def _served(directory: Path) -> Iterator[Server]:
    running = Server(directory / "data").start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with _directory() as path:
        yield from _served(path)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory of the test's own with a short name, for a server's data."""
    with _directory() as path:
        yield path


@pytest.fixture
def own_server(directory: Path) -> Iterator[Server]:
    """A server of the test's own, to crash."""
    yield from _served(directory)


@pytest.fixture(scope="session")
def endpoint(server: Server) -> str:
    with urllib.request.urlopen(server.url + "/_ingle/health", timeout=5) as answer:
        assert answer.status == 200
    return server.url


@pytest.fixture(scope="session")
def lambda_client(server: Server) -> Any:
    return server.client("lambda")


@pytest.fixture(scope="session")
def unchecked_client(server: Server) -> Any:
    """A client that sends whatever it is given."""
    return server.client("lambda", checking=False)


@pytest.fixture(scope="session")
def logs_client(server: Server) -> Any:
    return server.client("logs")


@pytest.fixture(scope="session")
def zip_of() -> Zip:
    """The bytes of a deployment package with these files, all readable and executable."""
    return package


@pytest.fixture
def function(lambda_client: Any) -> Iterator[Callable[..., str]]:
    """`function(source, **settings)` creates a function, waits until it is active and returns its name."""
    made: list[str] = []

    def create(source: str | dict[str, str | bytes], **settings: Any) -> str:
        name = f"f{time.time_ns()}"
        made.append(name)
        create_function(lambda_client, name, source, **settings)
        return name

    yield create
    for name in made:
        with suppress(lambda_client.exceptions.ResourceNotFoundException):
            lambda_client.delete_function(FunctionName=name)
