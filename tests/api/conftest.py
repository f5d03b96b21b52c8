"""A served Ingle for a whole test session, and the clients that its users have."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

Zip = Callable[[dict[str, str | bytes]], bytes]


class Server:
    """A real `ingle serve` process on a free port, with a data directory of its own."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self._settings = {"INGLE_DATA_DIR": str(data_dir), "INGLE_PORT": "0", **settings}
        self.process: subprocess.Popen[str]
        self.url = ""

    def start(self) -> Server:
        command = [sys.executable, "-m", "ingle.cli", "serve"]
        environment = {**os.environ, **self._settings}
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in `stop`
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=self.errors, stdin=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if " at " not in line:
            self.process.wait(10)
            self.errors.seek(0)
            raise RuntimeError(f"the server did not start: {line}{self.errors.read()}")
        self.url = line.rsplit(" at ", 1)[1].strip()
        return self

    def stop(self) -> int:
        self.process.terminate()
        status = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.close()
        return status

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.close()

    def client(self, service: str, region: str = "us-east-1", account: str = "test") -> Any:
        return boto3.client(
            service, endpoint_url=self.url, region_name=region, aws_access_key_id=account, aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 1}, read_timeout=30),
        )  # fmt: skip


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

    def build(files: dict[str, str | bytes]) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                info = zipfile.ZipInfo(name)
                info.external_attr = 0o100755 << 16
                archive.writestr(info, content)
        return buffer.getvalue()

    return build


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
        lambda_client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
        return name

    yield create
    for name in made:
        lambda_client.delete_function(FunctionName=name)
