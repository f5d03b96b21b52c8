"""A Runtime API of the tests' own, and a guest program that runs against it outside any sandbox."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

_STREAM_FRAME = 0x696E676C
_SECONDS = 30.0
_PREFIX = "/2018-06-01/runtime/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the guest posted: `path` is "response", "error" or "init/error"."""

    path: str
    body: bytes
    error_type: str | None
    content_type: str | None

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class _Calls(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Api

    def do_GET(self) -> None:
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        headers, body = event
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.removeprefix(_PREFIX).split("/")
        self.server.answers.put(
            Answer(
                path="/".join(path[:2]) if path[0] == "init" else path[-1],
                body=body,
                error_type=self.headers["Lambda-Runtime-Function-Error-Type"],
                content_type=self.headers["Content-Type"],
            )
        )
        status = b'{"status":"OK"}\n'
        self.send_response(202)
        self.send_header("Content-Length", str(len(status)))
        self.end_headers()
        self.wfile.write(status)

    def log_message(self, *_: object) -> None:
        pass


class _Api(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Calls)
        self.events: queue.Queue[tuple[dict[str, str], bytes] | None] = queue.Queue()
        self.answers: queue.Queue[Answer] = queue.Queue()


@dataclass(slots=True)
class Guest:
    """`with Guest(command, root, ...) as guest`: the program, polling or about to; leaving ends it."""

    command: Sequence[str]
    root: Path
    handler: str
    variables: Mapping[str, str] = field(default_factory=dict)
    framed: bool = True
    _api: _Api = field(init=False)
    _process: subprocess.Popen[bytes] = field(init=False)
    _directory: tempfile.TemporaryDirectory[str] = field(init=False)
    _log: Path = field(init=False)
    _plain: Path = field(init=False)
    _number: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        self._api = _Api()
        threading.Thread(target=self._api.serve_forever, args=(0.01,), daemon=True).start()
        self._directory = tempfile.TemporaryDirectory(prefix="ingle-guest-")
        self._log, self._plain = Path(self._directory.name) / "frames", Path(self._directory.name) / "plain"
        variables = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "AWS_LAMBDA_RUNTIME_API": self.address,
            "LAMBDA_TASK_ROOT": str(self.root),
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
            "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
            "_HANDLER": self.handler,
            **self.variables,
        }
        with self._log.open("wb") as frames, self._plain.open("wb") as plain:
            if self.framed:
                variables["_LAMBDA_TELEMETRY_LOG_FD"] = str(frames.fileno())
            self._process = subprocess.Popen(
                self.command, cwd=self.root, env=variables, stdin=subprocess.DEVNULL, stdout=plain, stderr=plain,
                pass_fds=[frames.fileno()],
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._directory.cleanup()

    @property
    def address(self) -> str:
        """Where its Runtime API is."""
        return f"127.0.0.1:{self._api.server_address[1]}"

    def close(self) -> None:
        """End the guest; a second time is nothing."""
        self._api.events.put(None)
        self._process.kill()
        self._process.wait()
        self._api.shutdown()
        self._api.server_close()

    def invoke(
        self, event: Any = None, headers: Mapping[str, str] | None = None, *, raw: bytes | None = None
    ) -> Answer:
        """What the guest answers to an event."""
        self._number += 1
        given = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": f"request-{self._number}",
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 20) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
            **(headers or {}),
        }
        self._api.events.put((given, json.dumps(event).encode() if raw is None else raw))
        return self.answer()

    def answer(self) -> Answer:
        """What the guest posts next."""
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                return self._api.answers.get(timeout=0.1)
            except queue.Empty:
                assert self._process.poll() is None, f"the guest ended: {self.plain()} {self.events()}"
                assert time.monotonic() < deadline, f"no answer: {self.plain()} {self.events()}"

    def status(self) -> int:
        """The exit status of the guest, which is about to end."""
        return self._process.wait(_SECONDS)

    def plain(self) -> str:
        """What was written to the standard streams themselves."""
        return self._plain.read_text(errors="replace")

    def events(self) -> list[str]:
        """The log events so far, streams split into lines."""
        data, found, lines = self._log.read_bytes(), [], b""
        while data:
            kind, size = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
            assert 1_600_000_000 < int.from_bytes(data[8:16], "big") / 1e6 < 10_000_000_000
            content, data = data[16 : 16 + size], data[16 + size :]
            if kind == _STREAM_FRAME:
                *whole, lines = (lines + content).split(b"\n")
                found += [line.decode() + "\n" for line in whole]
            else:
                found.append(content.decode())
        return found
