"""A served Ingle for a whole test session, and the clients that its users have."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from served import Server, package

# A job that was started in the background has SIGINT ignored, and what it starts would ignore Ctrl-C too.
signal.signal(signal.SIGINT, signal.default_int_handler)

Zip = Callable[[dict[str, str | bytes]], bytes]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    directory = Path(tempfile.mkdtemp(prefix="ingle-test-"))
    running = Server(directory / "data").start()
    yield running
    status = running.stop()
    shutil.rmtree(directory)
    assert status == 0


@pytest.fixture(scope="session")
def endpoint(server: Server) -> str:
    with urllib.request.urlopen(server.url + "/_ingle/health", timeout=5) as answer:
        assert answer.status == 200
    return server.url


@pytest.fixture(scope="session")
def lambda_client(server: Server) -> Any:
    return server.client("lambda")


@pytest.fixture(scope="session")
def logs_client(server: Server) -> Any:
    return server.client("logs")


@pytest.fixture(scope="session")
def zip_of() -> Zip:
    """The bytes of a deployment package with these files, all readable and executable."""
    return package


@pytest.fixture
def function(lambda_client: Any, zip_of: Zip) -> Iterator[Callable[..., str]]:
    """`function(source, **settings)` creates a function, waits until it is active and returns its name."""
    made: list[str] = []

    def create(source: str | dict[str, str | bytes], **settings: Any) -> str:
        files = {"app.py": source} if isinstance(source, str) else source
        name = f"f{time.time_ns()}"
        request = {"Runtime": "python3.11", "Handler": "app.handler", "Role": "arn:aws:iam::000000000000:role/r",
                   "Code": {"ZipFile": zip_of(files)}, **settings}  # fmt: skip
        lambda_client.create_function(FunctionName=name, **request)
        made.append(name)
        often = {"Delay": 0.05, "MaxAttempts": 200}
        lambda_client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=often)
        return name

    yield create
    for name in made:
        lambda_client.delete_function(FunctionName=name)
