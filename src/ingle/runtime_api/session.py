"""The runtime's side of an execution environment, as its calls to the Runtime API show it.

    STARTED --next--> READY --invoke--> RUNNING --response | error--> RESPONDED --next--> READY
    RUNNING --a streamed response begins--> RESPONDING --it ends--> RESPONDED
    STARTED --init error--> INIT_FAILED                    any --the process ends--> CLOSED
    STARTED --restore next--> RESTORING --next--> READY    RESTORING --restore error--> INIT_FAILED

Anything else is refused with 403 InvalidStateTransition. Knows no sockets and no HTTP (`runtime_api.http` does) and
nothing of placement: the environment that owns a session is told through `Owner`. Source: AWS's Runtime API reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ingle.domain.invocation import ResponseSink


class State(StrEnum):
    STARTED = "Started"
    RESTORING = "Restoring"
    READY = "Ready"
    RUNNING = "Running"
    RESPONDING = "InvocationResponding"
    RESPONDED = "InvocationResponse"
    INIT_FAILED = "InitError"
    CLOSED = "Closed"


class Event(StrEnum):
    NEXT = "Next"
    INVOKE = "Invoke"
    RESPONSE = "Response"
    ERROR = "Error"
    BEGIN = "Begin"
    END = "End"
    INIT_ERROR = "InitError"
    RESTORE = "Restore"
    RESTORE_ERROR = "RestoreError"


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.STARTED: {
        Event.NEXT: State.READY, Event.INIT_ERROR: State.INIT_FAILED, Event.RESTORE: State.RESTORING
    },
    State.RESTORING: {Event.NEXT: State.READY, Event.RESTORE_ERROR: State.INIT_FAILED},
    # A runtime whose connection broke polls again; the older poll is forgotten.
    State.READY: {Event.NEXT: State.READY, Event.INVOKE: State.RUNNING},
    State.RUNNING: {
        Event.RESPONSE: State.RESPONDED, Event.ERROR: State.RESPONDED, Event.BEGIN: State.RESPONDING
    },
    # Its end comes on the same connection; a second response or an error beside it is refused.
    State.RESPONDING: {Event.END: State.RESPONDED},
    State.RESPONDED: {Event.NEXT: State.READY},
    State.INIT_FAILED: {},
    # The runtime was killed; what of its bytes is still on its way changes nothing.
    State.CLOSED: {},
}  # fmt: skip
#: What a state is called once the event was refused, in the words of AWS's message.
_TARGETS = {
    Event.NEXT: "Ready",
    Event.INVOKE: "Running",
    Event.RESPONSE: "InvocationResponse",
    Event.ERROR: "InvocationErrorResponse",
    Event.BEGIN: "InvocationResponse",
    Event.END: "InvocationResponse",
    Event.INIT_ERROR: "InitError",
    Event.RESTORE: "RestoreReady",
    Event.RESTORE_ERROR: "RestoreError",
}


class Refused(Exception):
    """The call is answered with `status` and an error document; the environment goes on."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call is answered with."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a runtime sent for an invocation, or for its failed initialisation.

    `cause` is the JSON document for traces that came with an error, if it is one and not too large; `began` when the
    reply began to arrive, by `time.perf_counter`. `streamed`: how many bytes went into the invocation's sink; the body
    is the error that came behind them then, or empty. None: the body is everything.
    """

    body: bytes
    failed: bool
    error_type: str | None = None
    cause: str | None = None
    began: float = field(default=0.0, compare=False)
    streamed: int | None = None


class Owner(Protocol):
    """The environment that a session belongs to. Calls come from the event loop and must not block or raise."""

    def runtime_ready(self) -> None: ...
    def runtime_replied(self, reply: Reply) -> None: ...
    def runtime_broke_off(self, reply: Reply) -> None:
        """A streamed response ended in the middle, perhaps since its process did: `reply` if nothing else is known."""
        ...

    def runtime_failed_to_initialise(self, reply: Reply) -> None: ...
    def runtime_restorable(self) -> None: ...


class Poll(Protocol):
    """A waiting call of `next`."""

    def deliver(self, head: bytes, payload: bytes) -> None: ...


class RuntimeSession:
    """One runtime process from its start to its end; a restarted runtime gets a new session."""

    def __init__(self, owner: Owner, *, restorable: bool = False) -> None:
        """`restorable`: whether the runtime of a SnapStart function runs here, which asks to be restored."""
        self.state = State.STARTED
        self._owner = owner
        self._restorable = restorable
        self._poll: Poll | None = None
        self._request_id: str | None = None
        self._sink: ResponseSink | None = None

    def _advance(self, event: Event) -> None:
        target = TRANSITIONS[self.state].get(event)
        if target is None:
            change = f"from {self.state} to {_TARGETS[event]}"
            reason = f"State transition {change} failed for runtime. Error: State transition is not allowed"
            raise Refused(403, "InvalidStateTransition", reason)
        self.state = target

    def next(self, poll: Poll) -> None:
        self._advance(Event.NEXT)
        self._poll = poll
        self._owner.runtime_ready()

    def close(self) -> None:
        """The runtime of this session is gone."""
        self.state = State.CLOSED
        self._poll = None
        self._request_id = None
        self._sink = None

    def lost(self, poll: Poll) -> None:
        """The connection of `poll` closed before there was an event for it."""
        if self._poll is poll:
            self._poll = None

    @property
    def polling(self) -> bool:
        return self._poll is not None

    def invoke(self, request_id: str, head: bytes, payload: bytes, sink: ResponseSink | None = None) -> None:
        """Answer the waiting poll. The caller has seen `polling`. `sink` is for a response that is streamed."""
        self._advance(Event.INVOKE)
        poll, self._poll = self._poll, None
        assert poll is not None
        self._request_id = request_id
        self._sink = sink
        poll.deliver(head, payload)

    def check(self, request_id: str) -> None:
        """Refuse a reply to anything but the running invocation."""
        if request_id != self._request_id:
            raise Refused(400, "InvalidRequestID", "Invalid request ID")

    def reply(self, request_id: str, reply: Reply) -> None:
        self.check(request_id)
        self._advance(Event.ERROR if reply.failed else Event.RESPONSE)
        self._owner.runtime_replied(reply)

    def begin(self, request_id: str) -> ResponseSink | None:
        """A streamed response to the running invocation begins: where it goes. `end` or `break_off` follow.

        None if it is to be gathered: nobody wants it streamed, or it will be refused when it is complete.
        """
        sink = self._sink
        if sink is None or request_id != self._request_id or self.state is not State.RUNNING:
            return None
        self._advance(Event.BEGIN)
        self._sink = None
        return sink

    def end(self, reply: Reply) -> None:
        """The streamed response is complete, with an error behind it if the reply says so."""
        self._advance(Event.END)
        self._owner.runtime_replied(reply)

    def break_off(self, reply: Reply) -> None:
        """The connection of the streamed response closed, or sends what cannot be understood."""
        self._advance(Event.END)
        self._owner.runtime_broke_off(reply)

    def init_error(self, reply: Reply) -> None:
        self._advance(Event.INIT_ERROR)
        self._owner.runtime_failed_to_initialise(reply)

    def restore(self) -> None:
        """The runtime is initialised and may be restored: at once, since this process is not a copy of another one."""
        if not self._restorable:
            raise Refused(404, "NotFound", "this function has no SnapStart")
        self._advance(Event.RESTORE)
        self._owner.runtime_restorable()

    def restore_error(self, reply: Reply) -> None:
        self._advance(Event.RESTORE_ERROR)
        self._owner.runtime_failed_to_initialise(reply)
