"""What active tracing tells of an invocation inside its environment, and what the function's own X-Ray SDK tells.

`function_segment` is the segment of origin AWS::Lambda::Function, whose id the runtime's trace header names as the
parent of everything that the function does. `SegmentReceiver` is the daemon that the SDK sends to: a socket of the
environment's own network, read by the server. Called by `worker.host`.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from ingle.domain.function import Version
from ingle.observability.spans import LARGEST_DOCUMENT
from ingle.worker.platform_log import Report

#: Where the SDK sends to, as AWS_XRAY_DAEMON_ADDRESS says inside.
DAEMON_ADDRESS = ("169.254.100.1", 2000)
#: A datagram that is longer than a document and its header may be is cut off, and malformed then.
_LARGEST_DATAGRAM = 65_536
#: Datagrams that are read in one turn of the loop, and the pause after a turn that left some, in seconds. A function
#: that sends more has them dropped by the kernel.
_AT_ONCE, _PAUSE = 32, 0.02

Part = dict[str, Any]


def function_segment(version: Version, report: Report, new_id: Callable[[int], str] = secrets.token_hex) -> Part:
    """The segment of an invocation that is over. `new_id(n)` makes n random bytes in hexadecimal."""
    trace = report.trace
    assert trace is not None
    key = version.key
    epoch = time.time() - time.perf_counter()
    began, ended = _interval(report)
    return {
        "name": key.name, "id": trace.function, "trace_id": trace.root, "parent_id": trace.service,
        "origin": "AWS::Lambda::Function", "start_time": epoch + began, "end_time": epoch + ended,
        "resource_arn": report.invoked_arn,
        "aws": {
            "account_id": key.account, "function_arn": report.invoked_arn, "request_id": report.request_id,
            "resource_names": [key.name],
        },
        "subsegments": list(_parts(report, epoch, new_id)), **_wrong(report, new_id),
    }  # fmt: skip


def _interval(report: Report) -> tuple[float, float]:
    """By `time.perf_counter`: initialisation that was made for this invocation is part of it."""
    began = report.started if report.init_began is None else min(report.started, report.init_began)
    return began, max(report.polled, report.replied, began + report.duration / 1000 if not report.replied else 0.0)


def _parts(report: Report, epoch: float, new_id: Callable[[int], str]) -> Iterator[Part]:
    assert report.trace is not None
    called = report.started
    if report.init_began is not None:
        called = max(called, report.init_began + report.init_took)
        failed = {} if report.replied else _wrong(report, new_id)
        times = {"start_time": epoch + report.init_began, "end_time": epoch + report.init_began + report.init_took}
        yield {"name": "Initialization", "id": new_id(8), **times, **failed}
    if report.replied:
        times = {"start_time": epoch + called, "end_time": epoch + report.replied}
        yield {"name": "Invocation", "id": report.trace.handler, **times, **_wrong(report, new_id)}
        if report.polled > report.replied:
            times = {"start_time": epoch + report.replied, "end_time": epoch + report.polled}
            yield {"name": "Overhead", "id": new_id(8), **times}


def _wrong(report: Report, new_id: Callable[[int], str]) -> Part:
    """The flag and the cause of a failed invocation; nothing of one that succeeded."""
    if report.status == "success":
        return {}
    cause = _cause(report.cause)
    if report.failure is not None and report.failure.message:
        cause = {"exceptions": [{"type": report.failure.kind, "message": report.failure.message}]}
    exceptions = cause.get("exceptions")
    for exception in exceptions if isinstance(exceptions, list) else []:
        if isinstance(exception, dict):
            exception["id"] = new_id(8)
    return {"fault": True, "cause": cause} if cause else {"fault": True}


def _cause(text: str | bytes | None) -> Part:
    """What the runtime said in its header for X-Ray, or in the error document that callers get."""
    try:
        cause = orjson.loads(text) if text and len(text) <= LARGEST_DOCUMENT else {}
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(cause, dict):
        return {}
    if "errorType" in cause or "errorMessage" in cause:
        return {"exceptions": [{"type": cause.get("errorType"), "message": cause.get("errorMessage")}]}
    return cause


class SegmentReceiver:
    """Takes what arrives at the socket, which becomes its own, and hands on each datagram unread, until `close`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, put: Callable[[bytes], None]) -> None:
        self._loop = loop
        self._socket = sock
        self._put = put
        self._timer: asyncio.TimerHandle | None = None
        sock.setblocking(False)
        self._listen()

    def _listen(self) -> None:
        self._timer = None
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def _readable(self) -> None:
        if not self._read():
            self._loop.remove_reader(self._socket.fileno())
            self._timer = self._loop.call_later(_PAUSE, self._listen)

    def _read(self) -> bool:
        """Whether nothing is left."""
        for _ in range(_AT_ONCE):
            try:
                datagram = self._socket.recv(_LARGEST_DATAGRAM)
            except OSError:
                return True
            self._put(datagram)
        return False

    def close(self) -> None:
        """What has arrived is handed on still."""
        if self._timer is None:
            self._loop.remove_reader(self._socket.fileno())
        else:
            self._timer.cancel()
        self._read()
        self._socket.close()
