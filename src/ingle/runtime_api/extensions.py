"""The Extensions API: which extensions an execution environment has, and what each of them is doing.

    STARTED --register--> REGISTERED --next--> READY --event--> RUNNING --next--> READY
    any of these --init error | exit error--> FAILED        any --its process ends--> EXITED

An external extension is a program that was started from `/opt/extensions`; an internal one registers itself from
within the runtime's process. Knows no sockets and no processes: the environment is told through `Owner`. One registry
lasts from a start of the runtime to its end. Source: AWS's Extensions API reference.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from ingle.runtime_api.session import Answer, Poll, Refused

LIMIT = 10
INVOKE, SHUTDOWN = "INVOKE", "SHUTDOWN"
_EVENTS = (INVOKE, SHUTDOWN)


class State(StrEnum):
    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"
    RUNNING = "Running"
    FAILED = "Failed"
    EXITED = "Exited"


class Event(StrEnum):
    REGISTER = "Registered"
    NEXT = "Ready"
    DELIVER = "Running"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"
    ENDED = "Exited"


_ENDS = {Event.INIT_ERROR: State.FAILED, Event.EXIT_ERROR: State.FAILED, Event.ENDED: State.EXITED}
TRANSITIONS: dict[State, dict[Event, State]] = {
    State.STARTED: {Event.REGISTER: State.REGISTERED, Event.ENDED: State.EXITED},
    State.REGISTERED: {Event.NEXT: State.READY, **_ENDS},
    # An extension whose connection broke polls again; the older poll is forgotten.
    State.READY: {
        Event.NEXT: State.READY, Event.DELIVER: State.RUNNING, Event.EXIT_ERROR: State.FAILED, Event.ENDED: State.EXITED
    },
    State.RUNNING: {Event.NEXT: State.READY, Event.EXIT_ERROR: State.FAILED, Event.ENDED: State.EXITED},
    State.FAILED: {Event.ENDED: State.EXITED},
    State.EXITED: {},
}  # fmt: skip


@dataclass(slots=True, kw_only=True, eq=False)
class Extension:
    """`events` are those it asked for. `error_type` is what it reported, or what was found out about its end."""

    name: str
    external: bool
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: State = State.STARTED
    events: tuple[str, ...] = ()
    error_type: str | None = None
    poll: Poll | None = None

    def advance(self, event: Event) -> None:
        target = TRANSITIONS[self.state].get(event)
        if target is None:
            change = f"State transition from {self.state} to {event} failed for extension {self.name}."
            raise Refused(403, "Extension.InvalidExtensionState", f"{change} Error: State transition is not allowed")
        self.state = target

    @property
    def runs(self) -> bool:
        return self.state in (State.REGISTERED, State.READY, State.RUNNING)


class Owner(Protocol):
    """The environment. Calls come from the event loop and must not block or raise."""

    def extensions_changed(self) -> None:
        """An extension registered or asked for its next event."""
        ...

    def extension_failed(self, extension: Extension) -> None:
        """It reported an error; `error_type` says which."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionFacts:
    """What a registration is answered with."""

    name: str
    version: str
    handler: str
    account: str


class Extensions:
    """All extensions of one start of a runtime. `external` are the names of the programs that are being started."""

    def __init__(self, owner: Owner, facts: FunctionFacts, external: Iterable[str] = ()) -> None:
        self._owner = owner
        self._facts = facts
        self._open = True
        self.all = {name: Extension(name=name, external=True) for name in external}

    def __bool__(self) -> bool:
        return bool(self.all)

    # --- what the environment asks and tells ------------------------------------------------------------------------

    @property
    def launched(self) -> bool:
        """Whether every program that was started has registered."""
        return all(extension.state is not State.STARTED for extension in self.all.values())

    @property
    def idle(self) -> bool:
        """Whether every extension waits for its next event."""
        return all(extension.state is State.READY for extension in self.all.values())

    @property
    def external(self) -> bool:
        return any(extension.external for extension in self.all.values())

    @property
    def running(self) -> list[Extension]:
        """Those that have registered and not failed."""
        return [extension for extension in self.all.values() if extension.runs]

    def close_registration(self) -> None:
        self._open = False

    def invoke(self, event: Mapping[str, Any]) -> None:
        self._deliver(INVOKE, event)

    def shut_down(self, event: Mapping[str, Any]) -> None:
        """To those that wait; one that is still busy gets it once it asks."""
        self._shutdown = event
        self._deliver(SHUTDOWN, event)

    _shutdown: Mapping[str, Any] | None = None

    def ended(self, name: str) -> Extension | None:
        """The program `name` has ended."""
        extension = self.all.get(name)
        if extension is None or extension.state is State.EXITED:
            return None
        extension.advance(Event.ENDED)
        extension.poll = None
        return extension

    def lost(self, poll: Poll) -> None:
        """The connection of `poll` closed before there was an event for it."""
        for extension in self.all.values():
            if extension.poll is poll:
                extension.poll = None

    def find(self, identifier: str | None) -> Extension:
        """Raises Refused."""
        if not identifier:
            raise Refused(403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
        try:
            uuid.UUID(identifier)
        except ValueError:
            text = f"Invalid Lambda-Extension-Identifier: {identifier}"
            raise Refused(403, "Extension.InvalidExtensionIdentifier", text) from None
        for extension in self.all.values():
            if extension.identifier == identifier.lower():
                return extension
        raise Refused(403, "Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")

    # --- calls ------------------------------------------------------------------------------------------------------

    def register(self, name: str | None, body: bytes, features: str | None) -> Answer:
        """Raises Refused, and then nothing is registered."""
        if not name:
            raise Refused(403, "Extension.InvalidExtensionName", "Empty extension name")
        extension = self.all.get(name)
        events = _requested_events(body, external=extension is not None and extension.external)
        if extension is None:
            if not self._open:
                raise Refused(403, "Extension.RegistrationClosed", "Extension registration closed already")
            extension = Extension(name=name, external=False)
            others = len(self.all)
        elif extension.state is not State.STARTED:
            raise Refused(403, "Extension.InvalidExtensionState", "Extension with this name already registered")
        else:
            others = sum(item.state is not State.STARTED for item in self.all.values())
        if others >= LIMIT:
            raise Refused(403, "Extension.TooManyExtensions", f"Extension limit ({LIMIT}) reached")
        extension.advance(Event.REGISTER)
        extension.events = events
        self.all[name] = extension
        facts = self._facts
        document = {"functionName": facts.name, "functionVersion": facts.version, "handler": facts.handler}
        if features is not None and "accountId" in [feature.strip() for feature in features.split(",")]:
            document["accountId"] = facts.account
        self._owner.extensions_changed()
        return Answer(
            body=json.dumps(document).encode(), headers=(("Lambda-Extension-Identifier", extension.identifier),)
        )

    def next(self, identifier: str | None, poll: Poll) -> None:
        extension = self.find(identifier)
        extension.advance(Event.NEXT)
        extension.poll = poll
        if self._shutdown is not None:
            self._deliver(SHUTDOWN, self._shutdown)
        else:
            self._owner.extensions_changed()

    def report_error(self, identifier: str | None, error_type: str | None, event: Event) -> None:
        """`event` is INIT_ERROR or EXIT_ERROR. Raises Refused."""
        extension = self.find(identifier)
        if not error_type:
            raise Refused(403, "Extension.MissingHeader", "Missing Lambda-Extension-Function-Error-Type header")
        extension.advance(event)
        extension.error_type = error_type
        self._owner.extension_failed(extension)

    def _deliver(self, kind: str, event: Mapping[str, Any]) -> None:
        body = json.dumps(event).encode()
        for extension in self.all.values():
            # One whose connection is gone for the moment stays ready: it has not seen the event.
            if kind in extension.events and extension.state is State.READY and extension.poll is not None:
                extension.advance(Event.DELIVER)
                poll, extension.poll = extension.poll, None
                head = (
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    f"Lambda-Extension-Event-Identifier: {uuid.uuid4()}\r\nContent-Length: {len(body)}\r\n\r\n"
                )
                poll.deliver(head.encode(), body)


def _requested_events(body: bytes, *, external: bool) -> tuple[str, ...]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(403, "InvalidRequestFormat", str(error)) from None
    if not isinstance(document, dict) or not isinstance(document.get("events", []), list):
        raise Refused(403, "InvalidRequestFormat", "the body is an object with a list of events")
    if document.get("configurationKeys"):
        text = "configurationKeys are deprecated; use environment variables instead"
        raise Refused(403, "InvalidRequestFormat", text)
    events = document.get("events", [])
    for event in events:
        if event not in _EVENTS:
            raise Refused(403, "Extension.InvalidEventType", f"{event}: unknown event type")
        if event == SHUTDOWN and not external:
            raise Refused(403, "Extension.InvalidEventType", "SHUTDOWN: not supported for internal extensions")
    return tuple(event for event in _EVENTS if event in events)
