"""What all measurements share: a server to measure, functions on it, and figures to show."""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import tempfile
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

HELLO = "def handler(event, context):\n    return 'hello'\n"
ROLE = "arn:aws:iam::000000000000:role/bench"
#: What lets everybody invoke a function through its URL.
_PUBLIC = (
    {"StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"},
    {"StatementId": "via", "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": True},
)

#: What is in a package, by path; text alone is `app.py`.
Files = Mapping[str, str | bytes] | str


def zipped(files: Files, *, compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for path, content in ({"app.py": files} if isinstance(files, str) else files).items():
            info = zipfile.ZipInfo(path)
            info.external_attr = (0o100755 if path == "bootstrap" else 0o100644) << 16
            info.compress_type = compression
            archive.writestr(info, content)
    return buffer.getvalue()


@contextmanager
def data_directory() -> Iterator[Path]:
    """A place for a data directory, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="ingle-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name, "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that answers at `url`."""

    url: str
    process: subprocess.Popen[str]

    #: With which its clients call: access key id and secret.
    keys: tuple[str, str] = ("test", "test")

    def client(self, service: str) -> Any:
        return boto3.client(
            service, endpoint_url=self.url, region_name="us-east-1",
            aws_access_key_id=self.keys[0], aws_secret_access_key=self.keys[1],
        )  # fmt: skip


@contextmanager
def served(directory: Path, **settings: str) -> Iterator[Server]:
    """A server of its own on a free port, with its data in `directory`. `settings` are more of its variables."""
    own = {"INGLE_DATA_DIR": str(directory), "INGLE_PORT": "0", "INGLE_LOG_LEVEL": "warning"}
    environment = {**os.environ, **own, **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "ingle", "serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield Server(url=process.stdout.readline().rsplit(" at ", 1)[1].strip(), process=process)
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row. `values` holds p50, p90, p99 or a single `value`, in `unit`."""

    name: str
    unit: str
    values: dict[str, float]
    budget: str = ""


class Bench:
    """A running server, and what the measurements share. `quick`: fewer repetitions."""

    def __init__(self, server: Server, runtime: str, quick: bool) -> None:
        self.server = server
        self.url = server.url
        self.runtime = runtime
        self.quick = quick
        self.figures: list[Figure] = []
        self.client = server.client("lambda")
        self.logs = server.client("logs")

    def times(self, quick: int, full: int) -> range:
        """How often to do something."""
        return range(quick if self.quick else full)

    def function(
        self, files: Files, memory_mb: int = 1769, *, runtime: str | None = None, handler: str = "app.handler",
        compression: int = zipfile.ZIP_STORED, **settings: Any,
    ) -> str:  # fmt: skip
        """A new function whose package nobody has seen before, active."""
        name = f"bench-{uuid.uuid4().hex[:12]}"
        named = {"name": name, **({"app.py": files} if isinstance(files, str) else files)}
        self.client.create_function(
            FunctionName=name, Runtime=runtime or self.runtime, Handler=handler, MemorySize=memory_mb, Timeout=60,
            Role=ROLE, Code={"ZipFile": zipped(named, compression=compression)}, **settings,
        )  # fmt: skip
        self.wait("function_active_v2", name)
        return name

    def public_url(self, function: str, mode: str = "BUFFERED") -> str:
        """A URL for a function, open to everybody."""
        made = self.client.create_function_url_config(FunctionName=function, AuthType="NONE", InvokeMode=mode)
        for statement in _PUBLIC:
            self.client.add_permission(FunctionName=function, **statement)
        return str(made["FunctionUrl"])

    def wait(self, state: str, name: str, **more: str) -> None:
        """Until a waiter of the SDK is content with a function."""
        waiter = self.client.get_waiter(state)
        waiter.wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 2000}, **more)

    def add(self, name: str, times: Sequence[float], budget: str = "") -> None:
        """Milliseconds."""
        cuts = statistics.quantiles(times, n=100, method="inclusive")
        self._show({"p50": statistics.median(times), "p90": cuts[89], "p99": cuts[98]}, name, "ms", budget)

    def add_value(self, name: str, value: float, unit: str, budget: str = "") -> None:
        self._show({"value": value}, name, unit, budget)

    def _show(self, values: dict[str, float], name: str, unit: str, budget: str) -> None:
        self.figures.append(Figure(name=name, unit=unit, values=values, budget=budget))
        cells = "  ".join(
            f"{name} {value:9.2f}" if name != "value" else f"{value:13.2f}" for name, value in values.items()
        )
        print(f"{name:58} {cells:46} {unit:8} {budget}", flush=True)
