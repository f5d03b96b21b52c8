"""The figures of invocations: completed and written down once an invocation is over, extensions included.

Used by `worker.environment`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ingle.domain.function import Version
from ingle.sandbox.client import Sandbox
from ingle.worker.failures import timed_out
from ingle.worker.platform_log import PlatformLog, Report

MB = 1 << 20
#: Seconds for which a reading of the memory peak serves: reading it costs more than the rest of a report.
_PEAK_AGE = 0.02


class Reports:
    """Those of one environment. `traced` is told of every finished invocation that is part of a trace, `alive` tells
    whether the sandbox is still there to be asked."""

    def __init__(
        self, version: Version, sandbox: Sandbox, log: PlatformLog, traced: Callable[[Report], None],
        alive: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._timeout = version.configuration.timeout
        self._memory_mb = version.configuration.memory
        self._sandbox = sandbox
        self._log = log
        self._traced = traced
        self._alive = alive
        #: Of an invocation that was answered while extensions were still at work for it.
        self._unfinished: Report | None = None
        self._peak = 0
        self._peak_read = 0.0

    @property
    def unfinished(self) -> bool:
        return self._unfinished is not None

    def postpone(self, report: Report) -> None:
        """Extensions are not done with the invocation: `finish_late` follows."""
        self._unfinished = report

    def overdue(self) -> None:
        """What extensions did for the invocation took longer than it may."""
        if self._unfinished is not None:
            self._unfinished.failure = timed_out(self._timeout)

    def finish_late(self) -> None:
        """Report an invocation whose extensions are done by now, if there is one."""
        report, self._unfinished = self._unfinished, None
        if report is not None:
            report.polled = time.perf_counter()
            self.finish(report)

    def finish(self, report: Report) -> None:
        """Complete the figures of an invocation and write them down. A duration that is known already stays."""
        failure = report.failure
        if failure is not None and failure.status == "timeout":
            report.duration = self._timeout * 1000
        elif not report.duration:
            report.duration = ((report.polled or report.replied) - report.started) * 1000
        out_of_memory = failure is not None and failure.kind == "Runtime.OutOfMemory"
        report.used_mb = self._memory_mb if out_of_memory else min(self._peak_mb(), self._memory_mb)
        if report.used_mb == self._memory_mb and self._alive():
            # What the kernel killed without ending the runtime is not the reason of a later end.
            self._sandbox.ran_out_of_memory()
        self._log.finish(report)
        if report.trace is not None:
            self._traced(report)

    def _peak_mb(self) -> int:
        """Memory used at the most, in MB. Read anew when the last reading is older than `_PEAK_AGE`."""
        now = time.perf_counter()
        if now - self._peak_read > _PEAK_AGE and self._alive():
            self._peak_read = now
            self._peak = (self._sandbox.memory_peak() or 0) // MB
        return self._peak
