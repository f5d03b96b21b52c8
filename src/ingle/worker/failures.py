"""Why a runtime gave no reply, in the words that AWS uses.

Pure. `worker.environment` finds out, `worker.platform_log` and the caller are told.
"""

from __future__ import annotations

import json
import re
import signal
from dataclasses import dataclass

_PLATFORM_TYPE = re.compile(r"(Runtime|Function|Sandbox|Extension)\.[A-Z][a-zA-Z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`status` is REPORT's word for it."""

    kind: str
    message: str
    status: str = "error"

    def body(self, request_id: str) -> bytes:
        return json.dumps(
            {"errorType": self.kind, "errorMessage": f"RequestId: {request_id} Error: {self.message}"}
        ).encode()


def timed_out(seconds: float) -> Failure:
    """The time limit of `seconds` has passed."""
    text = f"Task timed out after {seconds:.2f} seconds"
    return Failure(kind="Sandbox.Timedout", message=text, status="timeout")


def extension_failure(name: str, kind: str) -> Failure:
    """An extension did not start, reported an error, or ended by itself. `kind` is the error type."""
    return Failure(kind=kind, message=f"extension {name} failed")


def classify(kind: str | None) -> str:
    """An error type as platform records name it: what a runtime made up itself is unknown to them."""
    if kind is not None and _PLATFORM_TYPE.fullmatch(kind):
        return kind
    return "Function.Unknown" if kind is not None and kind.startswith("Function.") else "Runtime.Unknown"


def describe_exit(status: int, out_of_memory: bool) -> Failure:
    """A runtime's wait status."""
    if out_of_memory and status & 0x7F == signal.SIGKILL:
        return Failure(kind="Runtime.OutOfMemory", message="Runtime exited with error: signal: killed")
    code = -status if status < 0 else status
    if code & 0x7F:
        name = _SIGNAL_WORDS.get(code & 0x7F) or signal.strsignal(code & 0x7F) or f"signal {code & 0x7F}"
        return Failure(kind="Runtime.ExitError", message=f"Runtime exited with error: signal: {name.lower()}")
    if code >> 8 == 0:
        return Failure(kind="Runtime.ExitError", message="Runtime exited without providing a reason")
    return Failure(kind="Runtime.ExitError", message=f"Runtime exited with error: exit status {code >> 8}")


_SIGNAL_WORDS: dict[int, str] = {
    signal.SIGKILL: "killed",
    signal.SIGABRT: "aborted",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGTERM: "terminated",
    signal.SIGBUS: "bus error",
}
