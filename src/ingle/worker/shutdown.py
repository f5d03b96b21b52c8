"""The end of what runs in an environment: of all of it, or of one runtime before it is started anew.

Extensions are told, and have a time; AWS's lifecycle of an execution environment gives the seconds. Used by
`worker.environment`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ingle.runtime_api.events import shutdown_event
from ingle.runtime_api.extensions import Extensions
from ingle.runtime_api.telemetry import Telemetry
from ingle.worker.failures import Failure
from ingle.worker.verdict import Outcome

#: Seconds that an environment gets where it has external extensions, or internal ones only; and those of them that its
#: runtime gets.
_EXTERNAL, _INTERNAL, _RUNTIME = 2.0, 0.5, 0.3


def reason_of(outcome: Outcome) -> str:
    """What extensions are told about the end of an environment that this happened to."""
    return "TIMEOUT" if isinstance(outcome, Failure) and outcome.status == "timeout" else "FAILURE"


class Shutdown:
    """One shutting-down of one start's extensions. Tell it of every program that ends."""

    def __init__(self, extensions: Extensions, telemetry: Telemetry) -> None:
        self._loop = asyncio.get_running_loop()
        self._extensions = extensions
        self._telemetry = telemetry
        self._quiet: asyncio.Future[None] = self._loop.create_future()

    @property
    def _seconds(self) -> float:
        return _EXTERNAL if self._extensions.external else _INTERNAL

    def begin(self, reason: str, signal_runtime: Callable[[str], None], destroy: Callable[[], None]) -> None:
        """Tell the extensions and the runtime, and destroy the sandbox once they are done or their time is up.

        `signal_runtime` sends a signal by its name.
        """
        self._tell(reason)
        signal_runtime("SIGTERM")
        budget = self._seconds
        runtime = min(budget, _RUNTIME if self._extensions.external else _INTERNAL)
        kill = self._loop.call_later(runtime, signal_runtime, "SIGKILL")
        end = self._loop.call_later(budget, destroy)

        def ended(_: asyncio.Future[None]) -> None:
            kill.cancel()
            end.cancel()
            destroy()

        self._quiet.add_done_callback(ended)

    async def extensions_alone(self, reason: str) -> None:
        """Tell the extensions, and return once they have ended or their time is up."""
        self._tell(reason)
        await asyncio.wait({self._quiet}, timeout=self._seconds)

    def program_ended(self, *, runtime: bool) -> None:
        """`runtime`: whether it was the runtime, with which internal extensions end."""
        left = [item for item in self._extensions.running if item.external or not runtime]
        if not self._quiet.done() and not left:
            self._quiet.set_result(None)

    def _tell(self, reason: str) -> None:
        self._telemetry.hurry()
        self._extensions.shut_down(shutdown_event(reason, int((time.time() + self._seconds) * 1000)))
