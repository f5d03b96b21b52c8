"""Servers at each strength of isolation, and a function that carries out what a test sends it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import ingle
from ingle.settings import load
from ingle.worker.families import family_of
from served import Server, package

ROLE = "arn:aws:iam::000000000000:role/r"
#: An ordinary user for servers that are started by root.
ORDINARY_USER = 54_321
#: Where boto3 for functions is.
RUNTIMES = load().runtimes_dir

#: Runs the code of its event and returns what that leaves in `result`.
PROBE = '''
import ctypes, errno, json, os, socket, subprocess, sys, time

libc = ctypes.CDLL(None, use_errno=True)

def attempt(action, *arguments):
    """What came of it: the result, or the name of the error."""
    try:
        return action(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))

def call(name, *arguments):
    """A call of the C library: its result, or the name of the error."""
    ctypes.set_errno(0)
    value = getattr(libc, name)(*arguments)
    return errno.errorcode[ctypes.get_errno()] if value == -1 else value

def read(path):
    with open(path, errors="replace") as file:
        return file.read()

def write(path):
    with open(path, "w") as file:
        file.write("x")
    return "written"

kept = {}

def handler(event, context):
    scope = {**globals(), "event": event, "context": context, "result": None}
    exec(event["code"], scope)
    return scope["result"]
'''


def distributions(*names: str) -> dict[str, bytes]:
    """The files of installed distributions, as a package carries them. Skips the test where one is not installed."""
    found: dict[str, bytes] = {}
    for name in names:
        try:
            files = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:
            pytest.skip(f"{name} is not installed")
        for file in files:
            path = Path(str(file.locate()))
            inside = ".." not in file.parts and "tests" not in file.parts and "__pycache__" not in file.parts
            if inside and path.is_file() and ".dist-info" not in str(file):
                found[str(file)] = path.read_bytes()
    return found


def library(directory: Path) -> bytes:
    """A shared library whose function `mine` returns 42. Skips the test where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to make a library with")
    source, made = directory / "mine.c", directory / "libmine.so"
    source.write_text("int mine(void) { return 42; }\n")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", made, source], check=True)
    return made.read_bytes()


class FunctionFailed(AssertionError):
    """The invocation ended in a function error: its type, and the error document."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(json.dumps(document))
        self.kind = document.get("errorType")
        self.message = document.get("errorMessage", "")


class Sandboxed:
    """A served instance at one strength of isolation."""

    _numbers = itertools.count(1)

    def __init__(self, server: Server, isolation: str) -> None:
        self.server = server
        self.isolation = isolation
        self.client = server.client("lambda")
        self._probe: str | None = None

    def create(self, files: str | Mapping[str, str | bytes], *, zipped: bytes | None = None, **settings: Any) -> str:
        """A new, active function; its name."""
        name = f"kernel-{next(self._numbers)}"
        given = {"app.py": files} if isinstance(files, str) else files
        request = {"Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE, "Timeout": 20,
                   "Code": {"ZipFile": zipped or package(given)}, **settings}  # fmt: skip
        self.client.create_function(FunctionName=name, **request)
        often = {"Delay": 0.05, "MaxAttempts": 400}
        self.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=often)
        return name

    def call(self, name: str, event: Any = None) -> Any:
        """What the function returned. Raises FunctionFailed."""
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event))
        document = json.loads(answer["Payload"].read() or "null")
        if "FunctionError" in answer:
            raise FunctionFailed(document)
        return document

    def probe(self, code: str, *, function: str | None = None, **values: Any) -> Any:
        """What `code` leaves in `result`, run in the probe function, or in `function` made from PROBE."""
        if function is None:
            self._probe = function = self._probe or self.create(PROBE, MemorySize=512)
        return self.call(function, {"code": code, **values})

    def log(self, name: str, wanted: str, count: int = 1) -> list[str]:
        """The events of the function's log group, once `count` of them hold `wanted`."""
        logs = self.server.client("logs")
        until = time.monotonic() + 20
        while True:
            try:
                pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
                messages = [event["message"] for page in pages for event in page["events"]]
            except logs.exceptions.ResourceNotFoundException:
                messages = []
            if sum(wanted in message for message in messages) >= count:
                return messages
            assert time.monotonic() < until, messages[-5:]
            time.sleep(0.05)

    def require(self, *strengths: str, because: str) -> None:
        """Skip the test unless isolation is one of `strengths`."""
        if self.isolation not in strengths:
            pytest.skip(f"isolation {self.isolation}: {because}")

    def require_sdk(self, runtime: str) -> None:
        """Skip the test unless functions of this server have boto3."""
        family = family_of(runtime)
        if family is None or family.libraries(RUNTIMES, runtime) is None:
            pytest.skip(f"the AWS SDK for {runtime} is not installed: run `ingle runtimes install`")
        private = [path for path in RUNTIMES.parents if not path.stat().st_mode & 0o001]
        if self.isolation == "user" and os.geteuid() == 0 and private:
            pytest.skip(f"an ordinary user cannot read {private[0]}")

    def server_processes(self) -> list[int]:
        """The server and all processes below it."""
        return [self.server.process.pid, *descendants(self.server.process.pid)]


def descendants(pid: int) -> list[int]:
    """Ids of all processes below `pid`, parents first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = list(children.get(pid, []))
    for child in found:
        found += children.get(child, [])
    return found


def new_server(isolation: str, **settings: str) -> Server:
    """A server that is not started yet, on a fresh data directory. Skips the test where it cannot be."""
    settings = {"INGLE_ISOLATION": isolation, "INGLE_RUNTIMES_DIR": str(RUNTIMES), **settings}
    if isolation == "root" and os.geteuid() != 0:
        pytest.skip("isolation root needs root")
    program = ordinary_python() if isolation == "user" and os.geteuid() == 0 else None
    directory = Path(tempfile.mkdtemp(prefix="ingle-kernel-"))
    if program is not None:
        os.chmod(directory, 0o755)
        os.chown(directory, ORDINARY_USER, ORDINARY_USER)
        settings |= {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(directory)}
        return Server(directory / "data", program=(program,), user=ORDINARY_USER, **settings)
    return Server(directory / "data", **settings)


def start(server: Server) -> None:
    """Start a new server. Skips the test where it cannot be."""
    try:
        server.start()
    except RuntimeError as error:
        shutil.rmtree(server.data_dir.parent)
        if "cannot isolate" in str(error):
            pytest.skip(str(error))
        raise


@contextlib.contextmanager
def running(isolation: str, **settings: str) -> Iterator[Server]:
    """A server of its own, which ends with status 0. Skips the test where it cannot be."""
    server = new_server(isolation, **settings)
    start(server)
    try:
        yield server
        assert server.stop() == 0
    finally:
        shutil.rmtree(server.data_dir.parent)


def ordinary_python() -> str:
    """A Python of this version that an ordinary user can run Ingle with, from this installation."""
    program = f"/usr/bin/python3.{sys.version_info[1]}"
    check = "import ingle.app, os; os.listdir(os.path.dirname(ingle.__file__))"
    try:
        tried = subprocess.run(
            [program, "-c", check], user=ORDINARY_USER, group=ORDINARY_USER, extra_groups=[], capture_output=True,
            cwd="/", env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}, check=False,
        )  # fmt: skip
    except OSError as error:
        pytest.skip(f"no Python that an ordinary user may run: {error}")
    if tried.returncode != 0:
        pytest.skip(f"an ordinary user cannot run {ingle.__file__}: {tried.stderr.decode()[-200:]}")
    return program
