"""One execution environment: a sandbox, the runtime in it, and the invocations it serves one after another.

    starting --> initializing --> idle <--> busy
                      ^            |  ^
                      |            v  |
                   resetting     frozen         any but dead --> stopping --> dead

`worker.host` makes environments and `placement` decides what they run; this module owns their lifecycle, the time
limits and the START, END and REPORT lines. Everything here happens on the event loop. A function's failure is a result;
`EnvironmentLost` means that the environment itself ended and another may take the invocation.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ingle.domain.function import Version
from ingle.domain.invocation import Invocation, InvocationResult
from ingle.runtime_api.http import RuntimeConnection
from ingle.runtime_api.session import Reply, RuntimeSession
from ingle.sandbox.client import Sandbox, SandboxError
from ingle.worker.client import EnvironmentLost
from ingle.worker.launch_plan import CannotStart, cpu_quota
from ingle.worker.output import Output

#: Seconds that initialisation may take before it is repeated inside the invocation, as on AWS.
INIT_LIMIT = 10.0
#: A dying process may have sent its reply just before; what is in flight is read first. Seconds.
_LAST_WORDS = 0.01
#: How long killing and parking may take before the environment is given up, in seconds.
_RESET_LIMIT = 5.0
#: Connections to the Runtime API at one time. A runtime needs one.
_CONNECTIONS = 64
_PLATFORM_TYPE = re.compile(r"(Runtime|Function|Sandbox|Extension)\.[A-Z][a-zA-Z]+")
MB = 1 << 20
#: Seconds for which a reading of the memory peak serves: reading it costs more than the rest of a report.
_PEAK_AGE = 0.02


class _Refusal(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class State(StrEnum):
    STARTING = "starting"
    INITIALIZING = "initializing"
    IDLE = "idle"
    BUSY = "busy"
    FROZEN = "frozen"
    RESETTING = "resetting"
    STOPPING = "stopping"
    DEAD = "dead"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.STARTING: frozenset({State.INITIALIZING, State.STOPPING, State.DEAD}),
    State.INITIALIZING: frozenset({State.IDLE, State.RESETTING, State.STOPPING, State.DEAD}),
    State.IDLE: frozenset({State.BUSY, State.FROZEN, State.RESETTING, State.STOPPING, State.DEAD}),
    State.BUSY: frozenset({State.IDLE, State.RESETTING, State.STOPPING, State.DEAD}),
    State.FROZEN: frozenset({State.IDLE, State.STOPPING, State.DEAD}),
    State.RESETTING: frozenset({State.STARTING, State.STOPPING, State.DEAD}),
    State.STOPPING: frozenset({State.DEAD}),
    State.DEAD: frozenset(),
}


class Supervision(Protocol):
    """What an environment asks of the supervisor."""

    async def restart(self, sandbox: Sandbox, generation: int) -> None: ...
    def signal(self, sandbox: Sandbox, name: str) -> None: ...
    def destroy(self, sandbox: Sandbox) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why the runtime gave no reply. `status` is REPORT's word for it."""

    kind: str
    message: str
    status: str = "error"

    def body(self, request_id: str) -> bytes:
        return json.dumps(
            {"errorType": self.kind, "errorMessage": f"RequestId: {request_id} Error: {self.message}"}
        ).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start the runtime in this sandbox: `start(first)` sends the settings, `first` at the first time."""

    start: Callable[[bool], None]
    runtime_version: str
    impossible: CannotStart | None = None


class Environment:
    """An environment for one serial of one version. `run` serves one invocation at a time."""

    def __init__(
        self,
        version: Version,
        sandbox: Sandbox,
        supervision: Supervision,
        output: Output,
        log_stream: str,
        launch: Launch,
    ) -> None:
        self.version = version
        self.sandbox = sandbox
        self.log_stream = log_stream
        self.state = State.STARTING
        self.idle_since = 0.0
        self._supervision = supervision
        self._output = output
        self._launch = launch
        self._loop = asyncio.get_running_loop()
        self._generation = 0
        self._session = RuntimeSession(self)
        self._waiting: asyncio.Future[Reply | Failure] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._connections = 0
        self._polled: asyncio.Future[None] | None = None
        self._peak = 0
        self._peak_read = 0.0
        self._quota_set = False
        self._init_ms: float | None = None
        self._server: asyncio.Server | None = None
        self._gone = asyncio.Event()
        configuration = version.configuration
        self._timeout = float(configuration.timeout)
        self._start_line = f"START RequestId: %s Version: {version.version}\n"
        self._memory_mb = configuration.memory
        sandbox.on_exit = self._runtime_exited
        sandbox.on_gone = self._sandbox_gone

    # --- lifecycle --------------------------------------------------------------------------------------------------

    def _become(self, state: State) -> None:
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"an environment cannot go from {self.state} to {state}")
        self.state = state

    async def open(self) -> None:
        """Serve the Runtime API inside the environment."""
        self._server = await self._loop.create_server(self._connect, sock=self.sandbox.runtime_api, backlog=128)

    def _connect(self) -> asyncio.Protocol:
        """Serve one more connection from inside, up to a number that no runtime needs."""
        if self._connections >= _CONNECTIONS:
            return _Refusal()
        self._connections += 1
        return RuntimeConnection(self._session, self._disconnected)

    def _disconnected(self) -> None:
        self._connections -= 1

    @property
    def alive(self) -> bool:
        return self.state not in (State.STOPPING, State.DEAD)

    def stop(self) -> None:
        """Kill the environment. An invocation that it serves ends as a crash."""
        if self.alive:
            self._become(State.STOPPING)
            self._supervision.destroy(self.sandbox)
            self._stop_waiting_for_poll()

    async def gone(self) -> None:
        """Return once nothing of the environment is left."""
        await self._gone.wait()

    def freeze(self) -> None:
        """Stop every process until the next invocation; only from idle."""
        self._become(State.FROZEN)
        if not self.sandbox.freeze():
            self._supervision.signal(self.sandbox, "SIGSTOP")

    def _thaw(self) -> None:
        if self.sandbox.can_freeze:
            self.sandbox.thaw()
        else:
            self._supervision.signal(self.sandbox, "SIGCONT")
        self._become(State.IDLE)

    def _sandbox_gone(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._timer is not None:
            self._timer.cancel()
        self._output.close()
        if self.state is not State.DEAD:
            self._become(State.DEAD)
        self._settle(self._killed_with_the_sandbox())
        self._stop_waiting_for_poll()
        self._gone.set()

    def _killed_with_the_sandbox(self) -> Failure:
        if self.sandbox.ran_out_of_memory():
            return Failure(kind="Runtime.OutOfMemory", message="Runtime exited with error: signal: killed")
        return Failure(kind="Runtime.ExitError", message="Runtime exited with error: signal: killed")

    # --- told by the runtime ----------------------------------------------------------------------------------------

    def runtime_ready(self) -> None:
        if self.state is State.INITIALIZING:
            self._settle(Reply(body=b"", failed=False))
        elif self._polled is not None and not self._polled.done():
            self._polled.set_result(None)

    def runtime_replied(self, reply: Reply) -> None:
        self._settle(reply)

    def runtime_failed_to_initialise(self, reply: Reply) -> None:
        self._settle(reply)

    def _runtime_exited(self, status: int, generation: int) -> None:
        if generation == self._generation and self.alive:
            self._loop.call_later(_LAST_WORDS, self._give_up_on_runtime, status, generation)

    def _give_up_on_runtime(self, status: int, generation: int) -> None:
        if generation != self._generation or not self.alive:
            return
        self._settle(describe_exit(status, self.sandbox.ran_out_of_memory()))
        self._stop_waiting_for_poll()
        if self.state in (State.IDLE, State.FROZEN):
            self.stop()

    def _settle(self, outcome: Reply | Failure) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(outcome)

    async def _outcome(self, limit: float) -> Reply | Failure:
        """The next outcome, which is that of a time-out after `limit` seconds."""
        waiting: asyncio.Future[Reply | Failure] = self._loop.create_future()
        self._waiting = waiting
        self._deadline = self._loop.time() + limit
        if self._timer is None or self._timer.when() > self._deadline:
            self._arm()
        try:
            return await waiting
        finally:
            self._waiting = None

    def _arm(self) -> None:
        """One timer serves many invocations: it finds out when it fires whether a deadline has passed."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._check_deadline)

    def _check_deadline(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        if self._loop.time() >= self._deadline:
            self._settle_timed_out()
        else:
            self._arm()

    # --- initialisation ---------------------------------------------------------------------------------------------

    async def _initialise(self, limit: float, phase: str) -> Failure | Reply | None:
        """Start the runtime and wait until it polls; what went wrong, or None. Raises EnvironmentLost."""
        if self._launch.impossible is not None:
            return Failure(kind=self._launch.impossible.kind, message=self._launch.impossible.message)
        self._output.writer.write_text(f"INIT_START {self._launch.runtime_version}\n")
        started = time.perf_counter()
        self._become(State.INITIALIZING)
        self._session.close()
        self._session = RuntimeSession(self)
        self._launch.start(self._generation == 0)
        outcome = await self._outcome(limit)
        self._init_ms = (time.perf_counter() - started) * 1000
        if not self.alive:
            raise EnvironmentLost
        if isinstance(outcome, Reply) and not outcome.failed:
            self._become(State.IDLE)
            return None
        self._output.drain()
        self._output.writer.write_text(self._init_report(outcome, phase))
        return outcome

    def _init_report(self, outcome: Reply | Failure, phase: str) -> str:
        line = f"INIT_REPORT Init Duration: {self._init_ms:.2f} ms\tPhase: {phase}\tStatus: "
        if isinstance(outcome, Failure) and outcome.status == "timeout":
            return line + "timeout\n"
        kind = outcome.kind if isinstance(outcome, Failure) else outcome.error_type
        return f"{line}error\tError Type: {classify(kind)}\n"

    async def _reset(self) -> None:
        """Kill the runtime and what it started; the sandbox and its /tmp stay. Raises EnvironmentLost."""
        if self.state is not State.RESETTING:
            self._become(State.RESETTING)
        self._generation += 1
        try:
            async with asyncio.timeout(_RESET_LIMIT):
                await self._supervision.restart(self.sandbox, self._generation)
        except (SandboxError, TimeoutError) as error:
            self.stop()
            raise EnvironmentLost from error
        if not self.alive:
            raise EnvironmentLost
        self._output.drain()
        if self._quota_set:
            self._quota_set = False
            self.sandbox.lift_cpu_quota()
        self._become(State.STARTING)

    # --- invocations ------------------------------------------------------------------------------------------------

    @property
    def usable(self) -> bool:
        """Whether `run` may be called: the runtime is waiting, or can be started."""
        return self.state in (State.IDLE, State.FROZEN, State.STARTING)

    @property
    def ready(self) -> bool:
        return self.state is State.STARTING or self._session.polling

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
        spent = 0.0
        if self.state is State.STARTING:
            outcome = await self._initialise(INIT_LIMIT, "init")
            init_ms = self._init_ms
            if outcome is not None and self._launch.impossible is None:
                # Initialisation is repeated inside the invocation, within its time limit and as part of its duration.
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
        return await self._invoke(invocation, init_ms, spent)

    def _failed_start(self, invocation: Invocation, outcome: Reply | Failure) -> InvocationResult:
        """The result of an invocation whose runtime did not come up."""
        if isinstance(outcome, Reply):
            failure = Failure(kind=outcome.error_type or "", message="")
            body = outcome.body
        else:
            failure = outcome
            body = outcome.body(invocation.request_id)
        self._begin(invocation)
        duration = self._timeout * 1000 if failure.status == "timeout" else self._init_ms or 0.0
        self._report(invocation.request_id, duration, None, failure)
        if self._launch.impossible is None and self.alive:
            self._become(State.RESETTING)
        return self._result(body, error=True, tail=self._output.writer.take_tail(), ran_ms=duration)

    def _begin(self, invocation: Invocation) -> None:
        if invocation.tail:
            self._output.writer.start_tail()
        self._output.writer.write_text(self._start_line % invocation.request_id)

    def _settle_timed_out(self) -> None:
        text = f"Task timed out after {self._timeout:.2f} seconds"
        self._settle(Failure(kind="Sandbox.Timedout", message=text, status="timeout"))

    async def _invoke(self, invocation: Invocation, init_ms: float | None, spent: float) -> InvocationResult:
        """`spent`: seconds of the invocation's time that are over already."""
        self._become(State.BUSY)
        if not self._quota_set:
            # Initialisation has all processors; the function's share applies from its first invocation.
            self._quota_set = True
            self.sandbox.set_cpu_quota(cpu_quota(self._memory_mb))
        request_id = invocation.request_id
        self._begin(invocation)
        started = time.perf_counter()
        limit = max(self._timeout - spent, 0.001)
        self._session.invoke(request_id, self._head(invocation, limit), invocation.payload)
        outcome = await self._outcome(limit)
        elapsed = (time.perf_counter() - started + spent) * 1000
        if self.state is not State.DEAD:
            self._output.drain()
        failure = None if isinstance(outcome, Reply) else outcome
        if failure is not None and failure.status == "timeout":
            elapsed = self._timeout * 1000
        self._report(request_id, elapsed, init_ms, failure)
        tail = self._output.writer.take_tail() if invocation.tail else None
        if self.alive:
            # After a failure the environment is reset before it is used again, see `when_polling`.
            self._become(State.IDLE if failure is None else State.RESETTING)
        if isinstance(outcome, Reply):
            return self._result(outcome.body, error=outcome.failed, tail=tail, ran_ms=elapsed, init_ms=init_ms)
        return self._result(outcome.body(request_id), error=True, tail=tail, ran_ms=elapsed, init_ms=init_ms)

    async def when_polling(self) -> bool:
        """Whether the environment can serve again: after a reset if one is due, else once its runtime asks for more.

        False if the runtime did not ask within the function's time limit.
        """
        if self.state is State.RESETTING:
            try:
                await self._reset()
            except EnvironmentLost:
                return False
            return True
        if self.state is State.IDLE and not self._session.polling:
            self._polled = self._loop.create_future()
            try:
                async with asyncio.timeout(self._timeout):
                    await self._polled
            except TimeoutError:
                return False
            finally:
                self._polled = None
        return self.usable and self.ready

    def _stop_waiting_for_poll(self) -> None:
        if self._polled is not None and not self._polled.done():
            self._polled.set_result(None)

    def _head(self, invocation: Invocation, limit: float) -> bytes:
        deadline = int((time.time() + limit) * 1000)
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {invocation.request_id}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: {invocation.invoked_arn}\r\n"
            f"Content-Length: {len(invocation.payload)}\r\n"
        )
        if invocation.trace_id:
            head += f"Lambda-Runtime-Trace-Id: {invocation.trace_id}\r\n"
        if invocation.client_context:
            head += f"Lambda-Runtime-Client-Context: {invocation.client_context}\r\n"
        return (head + "\r\n").encode()

    def _result(
        self, body: bytes, *, error: bool, tail: bytes | None, ran_ms: float, init_ms: float | None = None
    ) -> InvocationResult:
        return InvocationResult(
            payload=body, error="Unhandled" if error else None, executed_version=self.version.version, log_tail=tail,
            duration_ms=ran_ms, init_ms=init_ms,
        )  # fmt: skip

    def _report(self, request_id: str, elapsed: float, init_ms: float | None, failure: Failure | None) -> None:
        """END and REPORT. `elapsed` and `init_ms` are milliseconds."""
        used = self._memory_mb if failure is not None and failure.kind == "Runtime.OutOfMemory" else self._peak_mb()
        billed = math.ceil(elapsed + (init_ms or 0.0))
        line = (
            f"REPORT RequestId: {request_id}\tDuration: {elapsed:.2f} ms\tBilled Duration: {billed} ms\t"
            f"Memory Size: {self._memory_mb} MB\tMax Memory Used: {min(used, self._memory_mb)} MB\t"
        )
        if init_ms is not None:
            line += f"Init Duration: {init_ms:.2f} ms\t"
        if failure is not None:
            line += (
                "Status: timeout"
                if failure.status == "timeout"
                else f"Status: error\tError Type: {classify(failure.kind)}"
            )
        self._output.writer.write_text(f"END RequestId: {request_id}\n", line + "\n")

    def _peak_mb(self) -> int:
        """Memory used at the most, in MB. Read anew when the last reading is older than `_PEAK_AGE`."""
        now = self._loop.time()
        if now - self._peak_read > _PEAK_AGE and self.state is not State.DEAD:
            self._peak_read = now
            self._peak = (self.sandbox.memory_peak() or 0) // MB
        return self._peak


def classify(kind: str | None) -> str:
    """An error type as platform records name it: what a runtime made up itself is unknown to them."""
    if kind is not None and _PLATFORM_TYPE.fullmatch(kind):
        return kind
    return "Function.Unknown" if kind is not None and kind.startswith("Function.") else "Runtime.Unknown"


def describe_exit(status: int, out_of_memory: bool) -> Failure:
    """A runtime's wait status in the words that AWS uses."""
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
