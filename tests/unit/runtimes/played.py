"""A Python runtime as a process, Ingle's or AWS's, with a Runtime API that hands it what a test wants it to serve.

The two run the same files at the same path, with the same variables and a log channel each, so that what they send,
what they write and how they end can be compared as it is.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

GUEST = Path(__file__).parents[3] / "src/ingle/runtimes/python"
INGLE, AWS = "ingle", "aws"
STREAM = 0x696E676C
_LIMIT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of the runtime but its polls: the last parts of its path, its headers in lower case, its body."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True, kw_only=True)
class Played:
    """All that came of a runtime. `status` is None for one that was still polling when it was stopped."""

    calls: list[Call] = field(default_factory=list)
    frames: list[tuple[int, str]] = field(default_factory=list)
    output: str = ""
    errors: str = ""
    status: int | None = None

    @property
    def results(self) -> list[bytes]:
        return [call.body for call in self.calls]

    @property
    def events(self) -> list[str]:
        """Log events without what is different each time."""
        return [_plain(text) for kind, text in self.frames if kind != STREAM]

    @property
    def types(self) -> list[str]:
        return [f"{kind:x}" for kind, _ in self.frames if kind != STREAM]

    @property
    def printed(self) -> str:
        """What went to the standard output; Ingle's frames hold the standard error too."""
        return _plain(self.output + "".join(text for kind, text in self.frames if kind == STREAM))

    @property
    def last_words(self) -> str:
        """The last line of all that was printed."""
        return _plain(self.printed + self.errors).rstrip().rpartition("\n")[2]


def _plain(text: str) -> str:
    """Without times, and with the start of the warning that AWS's runtime goes on to explain at length."""
    text = re.sub(r"(LAMBDA_WARNING: Unhandled exception\.)[^\n\"]*", r"\1", text)
    return re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d{3})?", "<time>", text)


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # one segment for head and body
    server: _Server

    def do_GET(self) -> None:
        if self.path.endswith("/restore/next"):
            self.server.note(self.path, self.headers, b"")
            self._answer(self.server.restore_status, {}, b"")
            return
        event = self.server.next_event()
        if event is None:
            self.server.finished.set()
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.rfile.read(1)  # until the runtime is gone
            return
        self._answer(200, event.headers, event.body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.note(self.path, self.headers, body)
        self._answer(413 if len(body) > 6_291_556 else 202, {}, b'{"status":"OK"}\n')

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_header(self, keyword: str, value: str) -> None:
        # The JSON in headers is UTF-8.
        super().send_header(keyword, value.encode().decode("latin-1"))

    def log_message(self, *_: Any) -> None:
        """Tests look at what was noted."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, events: Sequence[Event], restore_status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Api)
        self.restore_status = restore_status
        self.finished = threading.Event()
        self.calls: list[Call] = []
        self._events = list(events)

    def next_event(self) -> Event | None:
        return self._events.pop(0) if self._events else None

    def note(self, path: str, headers: Any, body: bytes) -> None:
        short = path.removeprefix("/2018-06-01/runtime/")
        self.calls.append(Call(path=short, headers={k.lower(): v for k, v in headers.items()}, body=body))


class Event:
    """An invocation: its payload, and headers besides those that every one has."""

    _numbers = iter(range(1, 1 << 30))

    def __init__(self, payload: Any = None, *, raw: bytes | None = None, **headers: str) -> None:
        self.body = json.dumps(payload).encode() if raw is None else raw
        self.headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": f"request-{next(self._numbers)}",
            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 60_000),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:111122223333:function:mine",
            **{f"Lambda-Runtime-{name.replace('_', '-').title()}": value for name, value in headers.items()},
        }


def play(
    runtime: str,
    directory: Path,
    events: Sequence[Event] = (),
    *,
    handler: str = "app.handler",
    python: str = sys.executable,
    program: str = "",
    restore_status: int = 200,
    **variables: str,
) -> Played:
    """Run a runtime on the files in `directory` until it polls for more than `events`, or ends.

    `program`: Python source that starts Ingle's runtime, which it can import as `bootstrap`, in a way of its own.
    """
    command = [python, "-S", *(["-c", program] if program else [str(GUEST / "bootstrap.py")])]
    if runtime == AWS:
        command = [sys.executable, "-m", "awslambdaric", handler]
    with _serving(events, restore_status) as server, _channel() as (channel, frames):
        environment = {
            "PATH": os.environ["PATH"], "LANG": "en_US.UTF-8", "LC_CTYPE": "C.UTF-8", "TZ": ":UTC",
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(GUEST) if program else "", "_HANDLER": handler,
            "LAMBDA_TASK_ROOT": str(directory),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_address[1]}",
            "_LAMBDA_TELEMETRY_LOG_FD": str(channel), "AWS_LAMBDA_FUNCTION_NAME": "mine",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/mine", "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", **variables,
        }  # fmt: skip
        process = subprocess.Popen(
            command, cwd=directory, env=environment, pass_fds=[channel], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        os.close(channel)
        ended = threading.Thread(target=_end, args=(process, server.finished), daemon=True)
        ended.start()
        output, errors = process.communicate()
        ended.join()
    polling = server.finished.is_set() and process.returncode == -signal.SIGKILL
    return Played(
        calls=server.calls, frames=frames, output=output.decode("utf-8", "surrogateescape"),
        errors=errors.decode("utf-8", "replace"), status=None if polling else process.returncode,
    )  # fmt: skip


def _end(process: subprocess.Popen[bytes], finished: threading.Event) -> None:
    """Stop the runtime when it has nothing left to do; one that does not get there fails its test."""
    until = time.monotonic() + _LIMIT
    while process.poll() is None and not finished.wait(0.01) and time.monotonic() < until:
        pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _serving(events: Sequence[Event], restore_status: int) -> Iterator[_Server]:
    server = _Server(events, restore_status)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    longest, http.client._MAXLINE = http.client._MAXLINE, 1 << 22  # type: ignore[attr-defined]  # causes for X-Ray
    try:
        yield server
    finally:
        http.client._MAXLINE = longest  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def _channel() -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """A log channel: the end that a runtime writes to, and the frames that came, complete once this is left."""
    reader, writer = os.pipe()
    frames: list[tuple[int, str]] = []

    def read() -> None:
        with open(reader, "rb") as file:
            while head := file.read(16):
                size = int.from_bytes(head[4:8], "big")
                frames.append((int.from_bytes(head[:4], "big"), file.read(size).decode("utf-8", "surrogateescape")))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield writer, frames
    finally:
        thread.join()
