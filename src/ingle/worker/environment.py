"""One execution environment: a sandbox, the runtime and the extensions in it, and the invocations it serves.

`worker.host` makes environments and `placement` decides what they run; this module owns their lifecycle (the table is
in `worker.lifecycle`) and the time limits. Everything here happens on the event loop. A function's failure is a result;
`EnvironmentLost` means that the environment itself ended and another may take the invocation.
"""

from __future__ import annotations

import asyncio
import math
import signal
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

from ingle.domain.errors import SnapStartFailed, SnapStartTimeout
from ingle.domain.function import Version
from ingle.domain.invocation import Invocation, InvocationResult
from ingle.runtime_api.calls import Interfaces
from ingle.runtime_api.events import invocation_head, invoke_event
from ingle.runtime_api.extensions import Extension, Extensions, FunctionFacts
from ingle.runtime_api.server import RuntimeApiServer
from ingle.runtime_api.session import Reply, RuntimeSession
from ingle.runtime_api.telemetry import Telemetry
from ingle.sandbox.client import NotCloneable, Sandbox, SandboxError
from ingle.worker.answers import note_outcome, report_of, result_of
from ingle.worker.client import EnvironmentLost
from ingle.worker.failures import Failure, describe_exit, extension_failure, timed_out
from ingle.worker.launch import Launch, Supervision
from ingle.worker.launch_plan import cpu_quota
from ingle.worker.lifecycle import TRANSITIONS, State
from ingle.worker.output import EventSink, Output
from ingle.worker.platform_log import PlatformLog, Report
from ingle.worker.reporting import Reports
from ingle.worker.shutdown import Shutdown, reason_of
from ingle.worker.verdict import Outcome, Verdict, failure_of

#: Seconds that a restore may take, hooks included, as on AWS.
RESTORE_LIMIT = 10.0
#: A dying process may have sent its reply just before; what is in flight is read first. Seconds.
_LAST_WORDS = 0.01
#: How long a runtime that broke off a streamed response may take to be found dead; seconds.
_BROKEN_OFF = 0.2
#: How long killing and parking may take before the environment is given up, in seconds.
_RESET_LIMIT = 5.0
#: The error type of a hook that failed, and what the caller is told.
_AFTER_RESTORE = "Runtime.AfterRestoreError"
_HOOK_FAILED = (
    "The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs."
)
_READY = Reply(body=b"", failed=False)


class Environment:
    """An environment for one serial of one version. `run` serves one invocation at a time."""

    def __init__(
        self, version: Version, sandbox: Sandbox, supervision: Supervision, sink: EventSink, log_stream: str,
        launch: Launch, spawn: Callable[[Coroutine[Any, Any, None]], None],
        traced: Callable[[Report], None] = lambda report: None,
    ) -> None:  # fmt: skip
        """`traced` is told of every finished invocation that is part of a trace."""
        self.version = version
        self.sandbox = sandbox
        self.log_stream = log_stream
        self.state = State.STARTING
        self.idle_since = 0.0
        self.expires_at = math.inf
        self.provisioned = launch.provisioned
        self.started = time.time()
        #: When the last invocation began, in epoch seconds, and how many there were.
        self.last_used: float | None = None
        self.invocations = 0
        self._supervision = supervision
        self._launch = launch
        self._loop = asyncio.get_running_loop()
        configuration = version.configuration
        self._timeout = float(configuration.timeout)
        self._memory_mb = configuration.memory
        self._telemetry = Telemetry(self._dial, spawn)
        level = configuration.logging.application_level if configuration.logging.format == "JSON" else None
        self._output = Output(self._loop, sandbox.output, sandbox.events, sink, self._telemetry, level)
        self._log = PlatformLog(version, self._output.writer, self._telemetry, launch.runtime, launch.initialization)
        self._reports = Reports(version, sandbox, self._log, traced, lambda: self.state is not State.DEAD)
        self._verdict = Verdict(self._loop, lambda: timed_out(self._timeout))
        self._generation = 0
        self._connect_runtime()
        self._polled: asyncio.Future[None] | None = None
        self._registered: asyncio.Future[None] | None = None
        self._shutdown: Shutdown | None = None
        self._quota_set = False
        self._reset_reason = "FAILURE"
        self._init_ms: float | None = None
        #: Why the initialised runtime cannot be cloned; None if it can.
        self.not_cloneable = launch.not_cloneable
        #: Initialisation is all that happens here: hooks that run after a restore are not part of it.
        self._rehearsing = False
        self._spawn = spawn
        self._init_began: float | None = None
        self._server = RuntimeApiServer(lambda: self._interfaces)
        self._gone = asyncio.Event()
        sandbox.on_exit = self._runtime_exited
        sandbox.on_extension_exit = self._extension_exited
        sandbox.on_gone = self._sandbox_gone

    def _connect_runtime(self) -> None:
        """New interfaces for a runtime that is about to start; what the one before still sends changes nothing."""
        key, configuration = self.version.key, self.version.configuration
        facts = FunctionFacts(
            name=key.name, version=self.version.version, handler=configuration.handler, account=key.account
        )
        self._session = RuntimeSession(self, restorable=self._launch.restorable)
        self._extensions = Extensions(self, facts, self._launch.extensions)
        self._interfaces = Interfaces(
            runtime=self._session, extensions=self._extensions, telemetry=self._telemetry,
            identity=self._launch.identity,
        )  # fmt: skip
        #: Whether there are extensions: without, nothing of theirs is looked at.
        self._extended = bool(self._launch.extensions)

    # --- lifecycle --------------------------------------------------------------------------------------------------

    def _become(self, state: State) -> None:
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"an environment cannot go from {self.state} to {state}")
        self.state = state

    async def open(self) -> None:
        """Serve the Runtime API inside the environment."""
        await self._server.open(self.sandbox.runtime_api)

    async def _dial(self) -> socket.socket:
        """A socket for telemetry. Raises OSError."""
        try:
            return await self._supervision.make_socket(self.sandbox)
        except SandboxError as error:
            raise ConnectionError(str(error)) from error

    @property
    def alive(self) -> bool:
        return self.state not in (State.STOPPING, State.DEAD)

    @property
    def launch(self) -> Launch:
        """How its runtime is started."""
        return self._launch

    def stop(self) -> None:
        """End the environment: at once, or after extensions had their time. An invocation in it ends as a crash."""
        if not self.alive:
            return
        if self.state is State.FROZEN and self._extended:
            self._thaw()
        self._become(State.STOPPING)
        self._lift_quota()
        self._stop_waiting_for_poll()
        if self._extended and self._extensions.running:
            self._shutdown = Shutdown(self._extensions, self._telemetry)
            self._shutdown.begin("SPINDOWN", self._signal_runtime, lambda: self._supervision.destroy(self.sandbox))
        else:
            self._supervision.destroy(self.sandbox)

    def _signal_runtime(self, name: str) -> None:
        self._supervision.signal(self.sandbox, name, runtime_only=True)

    async def gone(self) -> None:
        """Return once nothing of the environment is left."""
        await self._gone.wait()

    def freeze(self) -> None:
        """Stop every process until the next invocation; only from idle."""
        self._become(State.FROZEN)
        self._telemetry.pause()
        if not self.sandbox.freeze():
            self._supervision.signal(self.sandbox, "SIGSTOP")

    def _thaw(self) -> None:
        if self.sandbox.can_freeze:
            self.sandbox.thaw()
        else:
            self._supervision.signal(self.sandbox, "SIGCONT")
        self._become(State.IDLE)
        self._telemetry.resume()

    def _sandbox_gone(self) -> None:
        self._server.close()
        self._output.close()
        if self.state is not State.DEAD:
            self._become(State.DEAD)
        self._verdict.settle(describe_exit(signal.SIGKILL, self.sandbox.ran_out_of_memory()))
        self._verdict.close()
        self._stop_waiting_for_poll()
        self._reports.finish_late()
        self._telemetry.close()
        self._gone.set()

    # --- told by the runtime and the extensions ---------------------------------------------------------------------

    def runtime_ready(self) -> None:
        if self.state is State.INITIALIZING:
            self._check_initialised()
        elif self._polled is not None:
            self._check_polled()

    def runtime_replied(self, reply: Reply) -> None:
        self._verdict.settle(reply)

    def runtime_broke_off(self, reply: Reply) -> None:
        # Its end says more than that its response has none.
        self._loop.call_later(_BROKEN_OFF, self._give_up_on_response, reply, self._session)

    def _give_up_on_response(self, reply: Reply, session: RuntimeSession) -> None:
        # Bound to the session: the connection of a killed runtime may end when the next one has begun to start.
        if session is self._session and self.state is State.BUSY:
            self._verdict.settle(reply)

    def runtime_failed_to_initialise(self, reply: Reply) -> None:
        self._verdict.settle(reply)

    def runtime_restorable(self) -> None:
        if self.state is State.INITIALIZING and self._rehearsing:
            self._verdict.settle(_READY)

    def extensions_changed(self) -> None:
        self._extended = True
        if self.state is State.INITIALIZING:
            if self._registered is not None and not self._registered.done() and self._extensions.launched:
                self._registered.set_result(None)
            self._check_initialised()
        elif self._polled is not None:
            self._check_polled()

    def extension_failed(self, extension: Extension) -> None:
        if self.state is State.INITIALIZING:
            self._extension_ended(extension, extension.error_type or "Extension.InitError", "InitError")
        else:
            self._extension_ended(extension, extension.error_type or "Extension.ExitError", "ExitError")

    def _check_initialised(self) -> None:
        if self._session.polling and self._extensions.idle:
            self._verdict.settle(_READY)

    def _check_polled(self) -> None:
        if self._polled is not None and not self._polled.done() and self.ready:
            self._polled.set_result(None)

    def _runtime_exited(self, status: int, generation: int) -> None:
        if generation != self._generation:
            return
        if self.alive:
            self._loop.call_later(_LAST_WORDS, self._give_up_on_runtime, status, generation)
        elif self._shutdown is not None:
            self._shutdown.program_ended(runtime=True)

    def _give_up_on_runtime(self, status: int, generation: int) -> None:
        if generation != self._generation or not self.alive:
            return
        self._verdict.settle(describe_exit(status, self.sandbox.ran_out_of_memory()))
        self._stop_waiting_for_poll()
        if self.state in (State.IDLE, State.FROZEN):
            self.stop()

    def _extension_exited(self, name: str, status: int, generation: int) -> None:
        if generation != self._generation:
            return
        expected = not self.alive or self.state is State.RESETTING
        extension = self._extensions.ended(name)
        if expected:
            if self._shutdown is not None:
                self._shutdown.program_ended(runtime=False)
        elif extension is not None and extension.error_type is None:
            extension.error_type = "Extension.Crash"
            self._extension_ended(extension, "Extension.Crash", "Crash")

    def _extension_ended(self, extension: Extension, kind: str, state: str) -> None:
        """The environment cannot go on without it."""
        self._log.extension(extension, state)
        self._verdict.settle(extension_failure(extension.name, kind))
        self._stop_waiting_for_poll()
        if self.state in (State.IDLE, State.FROZEN):
            self.stop()

    # --- initialisation ---------------------------------------------------------------------------------------------

    async def _initialise(self, limit: float, phase: str) -> Outcome | None:
        """Start everything and wait until it polls; what went wrong, or None. Raises EnvironmentLost."""
        if self._launch.impossible is not None:
            return Failure(kind=self._launch.impossible.kind, message=self._launch.impossible.message)
        self._session.close()
        self._connect_runtime()
        self._log.init_start(phase)
        started = self._init_began = time.perf_counter()
        self._become(State.INITIALIZING)
        outcome = await self._bring_up(limit)
        self._init_ms = (time.perf_counter() - started) * 1000
        self._extensions.close_registration()
        if not self.alive:
            raise EnvironmentLost
        succeeded = isinstance(outcome, Reply) and not outcome.failed
        failure = None if succeeded else failure_of(outcome)
        if failure is None:
            self._become(State.IDLE)
            for extension in self._extensions.all.values():
                self._log.extension(extension, "Ready")
        else:
            self._output.drain()
        self._log.init_done(phase, failure)
        self._log.init_report(phase, self._init_ms, failure)
        self._telemetry.close_subscriptions()
        return None if succeeded else outcome

    async def _bring_up(self, limit: float) -> Outcome:
        """Extensions first; the runtime once all of them have registered."""
        outcome = self._verdict.expect(limit)
        if self._launch.extensions:
            await self._launch_extensions(outcome)
        if not outcome.done():
            if self._launch.hold is not None:
                self._spawn(self._hold(self._launch.hold))
            else:
                self._launch.start()
        return await outcome

    async def initialise_ahead(self) -> bool:
        """Initialise before any invocation, unless that is done; False if the function failed: it is stopped then.

        Raises EnvironmentLost.
        """
        if self.state is not State.STARTING:
            return True
        try:
            outcome = await self._initialise(self._launch.init_limit, "init")
        except asyncio.CancelledError:
            self.stop()
            raise
        if outcome is not None:
            self.stop()
        return outcome is None

    # --- SnapStart --------------------------------------------------------------------------------------------------

    async def initialise(self, limit: float) -> Outcome | None:
        """Initialise ahead of all invocations; what went wrong, or None. Raises EnvironmentLost."""
        self._rehearsing = True
        outcome = await self._initialise(limit, "snap-start")
        if outcome is None and self.not_cloneable is not None:
            self._log.not_cloned(self.not_cloneable)
        return outcome

    async def _hold(self, hold: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await hold()
        except NotCloneable as error:
            self.not_cloneable = str(error)
        except SandboxError:
            return  # that the runtime ended is told by its status
        if self._extended:
            self.not_cloneable = "an extension was registered"
        self._verdict.settle(_READY)

    async def _restore(self) -> float:
        """Resume a clone and wait until it polls; milliseconds.

        Raises SnapStartTimeout and SnapStartFailed, the environment has ended then, and EnvironmentLost.
        """
        self._session.restore()
        self._log.restore_start()
        started = time.perf_counter()
        self._become(State.INITIALIZING)
        outcome = await self._bring_up(RESTORE_LIMIT)
        elapsed = (time.perf_counter() - started) * 1000
        self._extensions.close_registration()
        if not self.alive:
            raise EnvironmentLost
        failure = None if isinstance(outcome, Reply) and not outcome.failed else failure_of(outcome)
        if failure is not None:
            self._output.drain()
        self._log.restore_report(elapsed, failure)
        if failure is None:
            self._become(State.IDLE)
            self._telemetry.close_subscriptions()
            return elapsed
        self.stop()
        if failure.status == "timeout":
            raise SnapStartTimeout("Lambda couldn't restore the snapshot within the timeout limit.")
        raise SnapStartFailed(_HOOK_FAILED)

    # --- extensions, before the runtime -----------------------------------------------------------------------------

    async def _launch_extensions(self, outcome: asyncio.Future[Outcome]) -> None:
        """Return once all have registered, or `outcome` is known."""
        registered = self._registered = self._loop.create_future()
        settings = self._launch.extend()
        try:
            pipe, errors = await self._supervision.extend(self.sandbox, self._memory_mb, settings)
        except SandboxError as error:
            self.stop()
            raise EnvironmentLost from error
        self._output.read_extensions(pipe)
        for name, text in errors.items():
            extension = self._extensions.all[name]
            extension.error_type = "Extension.LaunchError"
            self._log.extension(extension, "LaunchError")
            self._verdict.settle(Failure(kind="Extension.LaunchError", message=f"extension {name}: {text}"))
        either: set[asyncio.Future[Any]] = {outcome, registered}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        self._registered = None

    def _lift_quota(self) -> None:
        """All processors, for what ends as for what begins: a thousand processes take time to be killed, too."""
        if self._quota_set:
            self._quota_set = False
            self.sandbox.lift_cpu_quota()

    async def _reset(self) -> None:
        """End the runtime and what it started; the sandbox and its /tmp stay. Raises EnvironmentLost."""
        if self.state is not State.RESETTING:
            self._become(State.RESETTING)
        if self._extended and self._extensions.running:
            self._signal_runtime("SIGKILL")
            self._shutdown = Shutdown(self._extensions, self._telemetry)
            await self._shutdown.extensions_alone(self._reset_reason)
        self._generation += 1
        self._lift_quota()
        try:
            async with asyncio.timeout(_RESET_LIMIT):
                await self._supervision.restart(self.sandbox, self._generation)
        except (SandboxError, TimeoutError) as error:
            self.stop()
            raise EnvironmentLost from error
        if not self.alive:
            raise EnvironmentLost
        self._output.drain(ended=True)
        self._telemetry.reopen()
        self._become(State.STARTING)

    # --- invocations ------------------------------------------------------------------------------------------------

    @property
    def usable(self) -> bool:
        """Whether `run` may be called: the runtime is waiting, or can be started."""
        return self.state in (State.IDLE, State.FROZEN, State.STARTING)

    @property
    def ready(self) -> bool:
        if self.state is State.STARTING:
            return True
        return self._session.polling and (not self._extended or self._extensions.idle)

    @property
    def idle(self) -> bool:
        return self.state is State.IDLE

    async def run(self, invocation: Invocation) -> InvocationResult:
        """Serve one invocation. Raises EnvironmentLost if the environment ended before the function was started."""
        if not self.usable:
            raise EnvironmentLost
        try:
            return await self._run(invocation)
        except asyncio.CancelledError:
            self.stop()
            raise

    async def _run(self, invocation: Invocation) -> InvocationResult:
        init_ms: float | None = None
        restore_ms: float | None = None
        spent = 0.0
        if self.state is State.STARTING and self._launch.restores:
            restore_ms = await self._restore()
        elif self.state is State.STARTING:
            outcome = await self._initialise(self._launch.init_limit, "init")
            init_ms = self._init_ms
            if isinstance(outcome, Reply) and outcome.error_type == _AFTER_RESTORE:
                self.stop()
                raise SnapStartFailed(_HOOK_FAILED)
            if outcome is not None and self._launch.impossible is None:
                # Initialisation is repeated inside the invocation, within its time limit and as part of its duration.
                self._reset_reason = reason_of(outcome)
                await self._reset()
                outcome = await self._initialise(self._timeout, "invoke")
                init_ms, spent = None, (self._init_ms or 0.0) / 1000
            if outcome is not None:
                return self._failed_start(invocation, outcome)
        elif self.state is State.FROZEN:
            self._thaw()
        if not self._session.polling:
            self.stop()
            raise EnvironmentLost
        return await self._invoke(invocation, init_ms, spent, restore_ms)

    def _failed_start(self, invocation: Invocation, outcome: Outcome) -> InvocationResult:
        """The result of an invocation whose runtime did not come up."""
        self._begin(invocation)
        report = report_of(invocation, time.perf_counter())
        report.failure = failure = failure_of(outcome)
        report.cause = outcome.cause or outcome.body if isinstance(outcome, Reply) else None
        report.init_began, report.init_took = self._init_began, (self._init_ms or 0.0) / 1000
        report.duration = self._timeout * 1000 if failure.status == "timeout" else self._init_ms or 0.0
        self._reports.finish(report)
        if self._launch.impossible is None and self.alive:
            self._reset_reason = reason_of(failure)
            self._become(State.RESETTING)
        tail = self._output.writer.take_tail()
        return result_of(report, outcome, self.version.version, failed=True, tail=tail, provisioned=self.provisioned)

    def _begin(self, invocation: Invocation) -> None:
        self.invocations += 1
        self.last_used = time.time()
        if invocation.tail:
            self._output.writer.start_tail()
        self._log.start(invocation.request_id, invocation.trace_id, invocation.trace, invocation.tenant_id)

    async def _invoke(
        self, invocation: Invocation, init_ms: float | None, spent: float, restore_ms: float | None
    ) -> InvocationResult:
        """`spent`: seconds of the invocation's time that are over already."""
        self._become(State.BUSY)
        if not self._quota_set:
            # Initialisation has all processors; the function's share applies from its first invocation.
            self._quota_set = True
            self.sandbox.set_cpu_quota(cpu_quota(self._memory_mb))
        self._begin(invocation)
        report = report_of(invocation, time.perf_counter() - spent, init_ms, restore_ms)
        if init_ms is not None or spent:
            report.init_began, report.init_took = self._init_began, (self._init_ms or 0.0) / 1000
        limit = max(self._timeout - spent, 0.001)
        deadline = int((time.time() + limit) * 1000)
        if self._extended:
            self._extensions.invoke(invoke_event(invocation, deadline))
        outcome_known = self._verdict.expect(limit)
        head = invocation_head(invocation, deadline)
        self._session.invoke(invocation.request_id, head, invocation.payload, invocation.sink)
        outcome = await outcome_known
        report.replied = time.perf_counter()
        if self.state is not State.DEAD:
            self._output.drain(ended=not isinstance(outcome, Reply))
        note_outcome(report, outcome, invocation.sink)
        failed = report.status != "success"  # a failure of extensions may follow
        await self._conclude(report, wait=invocation.tail)
        tail = self._output.writer.take_tail() if invocation.tail else None
        return result_of(report, outcome, self.version.version, failed=failed, tail=tail, provisioned=self.provisioned)

    async def _conclude(self, report: Report, *, wait: bool) -> None:
        """Report what was, and become what comes after it: idle, or to be reset before the next use."""
        if report.failure is not None:
            self._reset_reason = reason_of(report.failure)
        elif self._session.polling:
            report.polled = report.replied
        if report.failure is not None or not self._extended or self.ready:
            self._reports.finish(report)
        else:
            self._reports.postpone(report)
        if self.alive:
            self._become(State.IDLE if report.failure is None else State.RESETTING)
        if wait and self._reports.unfinished:
            await self.when_polling()

    async def when_polling(self) -> bool:
        """Whether the environment can serve again: after a reset if one is due, else once its runtime asks for more.

        The runtime has the function's time limit for that; with extensions, what is left of it for the invocation. An
        extension that takes longer is reset like a function that does. False if the environment is lost.
        """
        if self.state is State.IDLE and not self.ready:
            if not await self._polls_within(self._verdict.left if self._extended else self._timeout):
                if not self._extended or not self.alive or self.state is not State.IDLE:
                    return False
                self._reset_reason = "TIMEOUT"
                self._become(State.RESETTING)
                self._reports.overdue()
            self._reports.finish_late()
        if self.state is State.RESETTING:
            try:
                await self._reset()
            except EnvironmentLost:
                return False
            return True
        return self.usable and self.ready

    async def _polls_within(self, seconds: float) -> bool:
        self._polled = self._loop.create_future()
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await self._polled
        except TimeoutError:
            return False
        finally:
            self._polled = None
        return True

    def _stop_waiting_for_poll(self) -> None:
        if self._polled is not None and not self._polled.done():
            self._polled.set_result(None)
