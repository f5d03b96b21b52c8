"""The server's hold on one sandbox: open files of it, and what can be done through them without asking anybody.

Made by `sandbox.client`; used from the event loop only.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MemoryGauge:
    """Open files of its own that tell how much memory a sandbox uses. Read it once, in any thread: it closes them."""

    files: Mapping[str, int]
    inherited: int

    def read(self) -> tuple[int | None, int | None]:
        """Bytes used now, and at the most so far, as `Sandbox.memory_peak` counts; None where nothing does."""
        texts = {purpose: _text(descriptor) for purpose, descriptor in self.files.items()}
        for descriptor in self.files.values():
            os.close(descriptor)
        status = texts.get("status", "")
        used = _bytes(texts.get("used", ""), self.inherited, status, "VmRSS:")
        return used, _bytes(texts.get("peak", ""), self.inherited, status, "VmHWM:")


def _bytes(counted: str, inherited: int, status: str, line: str) -> int | None:
    """What a control group counts, or else what a line of the runtime's status says."""
    if counted:
        return int(counted) + inherited
    _, found, rest = status.partition(line)
    return int(rest.split()[0]) * 1024 if found else None


def _text(descriptor: int) -> str:
    try:
        return os.pread(descriptor, 4096, 0).decode(errors="replace")
    except OSError:
        return ""  # the group, or the process, is gone


@dataclass(slots=True, eq=False)
class Sandbox:
    """One prepared environment: a parked process behind its walls. `release` closes what this process holds of it.

    `on_exit(status, generation)` is called with the wait status when the runtime process ends,
    `on_extension_exit(name, status, generation)` when an extension does; `on_gone()` when the whole sandbox has.
    """

    name: str
    runtime_api: socket.socket
    api: socket.socket
    output: int
    events: int
    runtime_api_address: str
    api_address: str
    on_exit: Callable[[int, int], None] = lambda status, generation: None
    on_extension_exit: Callable[[str, int, int], None] = lambda name, status, generation: None
    on_gone: Callable[[], None] = lambda: None
    #: Forked from an initialised template: it has no parked process to start again from.
    is_clone: bool = False
    #: Bytes that its template used when it was cloned: memory that it has, though not charged to it.
    inherited_memory: int = 0
    #: Nothing is held any more: the sandbox is gone, and the descriptors' numbers may belong to others.
    released: bool = False
    _files: dict[str, int] = field(default_factory=dict)
    _freeze_words: tuple[bytes, bytes] = (b"1", b"0")
    _quota_suffix: str = ""
    _oom_kills: int = 0

    @property
    def can_freeze(self) -> bool:
        """Whether a cgroup freezes; otherwise the caller sends SIGSTOP through the supervisor."""
        return "freeze" in self._files

    def freeze(self) -> bool:
        """Stop every process of the sandbox at once; False where no cgroup can."""
        return self._write("freeze", self._freeze_words[0])

    def thaw(self) -> None:
        self._write("freeze", self._freeze_words[1])

    def set_cpu_quota(self, microseconds: int) -> None:
        """CPU time per period of 20 ms, over all processors."""
        self._write("quota", f"{microseconds}{self._quota_suffix}".encode())

    def lift_cpu_quota(self) -> None:
        """All processors again."""
        unlimited = "max" if self._quota_suffix else "-1"
        self._write("quota", f"{unlimited}{self._quota_suffix}".encode())

    def memory_peak(self) -> int | None:
        """The most memory that the sandbox used so far, in bytes; None where nothing counts it.

        Without a control group it is what the runtime's process used, whatever others in the sandbox did. Of a clone an
        upper bound: pages of its template that it has changed count twice.
        """
        peak = self._read("peak")
        return _bytes(peak, self.inherited_memory, "" if peak else self._read("status"), "VmHWM:")

    def gauge(self) -> MemoryGauge:
        """For reading how much memory is used away from the event loop, also when the sandbox has gone meanwhile."""
        purposes = [purpose for purpose in ("used", "peak", "status") if purpose in self._files]
        return MemoryGauge({purpose: os.dup(self._files[purpose]) for purpose in purposes}, self.inherited_memory)

    def measure(self, status: int) -> None:
        """From now on `status`, an open file in /proc, tells of the runtime's process."""
        before = self._files.pop("status", None)
        if before is not None:
            os.close(before)
        self._files["status"] = status

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel killed a process for memory since the last call."""
        counts = dict(line.split()[:2] for line in self._read("oom").splitlines())
        before, self._oom_kills = self._oom_kills, int(counts.get("oom_kill", 0))
        return self._oom_kills > before

    def _read(self, purpose: str) -> str:
        descriptor = self._files.get(purpose)
        return "" if descriptor is None else _text(descriptor)

    def _write(self, purpose: str, text: bytes) -> bool:
        descriptor = self._files.get(purpose)
        if descriptor is None:
            return False
        try:
            os.pwrite(descriptor, text, 0)
        except OSError:
            return False  # the group is being removed
        return True

    def release(self) -> None:
        self.released = True
        for descriptor in [*self._files.values(), self.output, self.events]:
            os.close(descriptor)
        self._files.clear()
        self.runtime_api.close()
        self.api.close()
