"""The calls of a runtime in every order, as the table of transitions has them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ingle.domain.invocation import Flow
from ingle.runtime_api.session import TRANSITIONS, Event, Refused, Reply, RuntimeSession, State


class Sink:
    size = 0

    def begin(self, content_type: str | None, source: Flow) -> None: ...
    def write(self, data: bytes) -> None: ...


SINK = Sink()
REPLY = Reply(body=b"1", failed=False)
FAULT = Reply(body=b"{}", failed=True, error_type="E")


class Owner:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def runtime_ready(self) -> None:
        self.told.append("ready")

    def runtime_replied(self, reply: Reply) -> None:
        self.told.append(reply)

    def runtime_broke_off(self, reply: Reply) -> None:
        self.told.append(("broke off", reply))

    def runtime_restorable(self) -> None:
        self.told.append("restorable")

    def runtime_failed_to_initialise(self, reply: Reply) -> None:
        self.told.append(("init", reply))


class Poll:
    def __init__(self) -> None:
        self.delivered: list[bytes] = []

    def deliver(self, head: bytes, payload: bytes) -> None:
        self.delivered.append(head + payload)


PATHS: dict[State, tuple[Event, ...]] = {
    State.STARTED: (),
    State.RESTORING: (Event.RESTORE,),
    State.READY: (Event.NEXT,),
    State.RUNNING: (Event.NEXT, Event.INVOKE),
    State.RESPONDING: (Event.NEXT, Event.INVOKE, Event.BEGIN),
    State.RESPONDED: (Event.NEXT, Event.INVOKE, Event.RESPONSE),
    State.INIT_FAILED: (Event.INIT_ERROR,),
    State.CLOSED: (),
}
#: Where a stream cannot begin, the response is gathered, and refused when it is complete.
UNLISTED = [
    (state, event) for state in State for event in Event if event not in TRANSITIONS[state] and event is not Event.BEGIN
]


def begin(session: RuntimeSession) -> None:
    assert session.begin("id") is SINK


def perform(session: RuntimeSession, event: Event) -> None:
    calls: dict[Event, Callable[[], None]] = {
        Event.NEXT: lambda: session.next(Poll()),
        Event.INVOKE: lambda: session.invoke("id", b"head ", b"payload", SINK),
        Event.BEGIN: lambda: begin(session),
        Event.END: lambda: session.end(REPLY),
        Event.RESPONSE: lambda: session.reply("id", REPLY),
        Event.ERROR: lambda: session.reply("id", FAULT),
        Event.INIT_ERROR: lambda: session.init_error(FAULT),
        Event.RESTORE: session.restore,
        Event.RESTORE_ERROR: lambda: session.restore_error(FAULT),
    }
    calls[event]()


def session_in(state: State) -> tuple[RuntimeSession, Owner]:
    owner = Owner()
    session = RuntimeSession(owner, restorable=True)
    if state is State.CLOSED:
        session.close()
    for event in PATHS[state]:
        perform(session, event)
    assert session.state is state
    owner.told.clear()
    return session, owner


@pytest.mark.parametrize("state", State)
def test_every_listed_transition_is_taken(state: State) -> None:
    for event, target in TRANSITIONS[state].items():
        session, _ = session_in(state)
        perform(session, event)
        assert session.state is target


@pytest.mark.parametrize(("state", "event"), UNLISTED)
def test_every_unlisted_transition_is_refused(state: State, event: Event) -> None:
    session, owner = session_in(state)
    with pytest.raises(Refused) as raised:
        perform(session, event)
    assert session.state is state
    assert owner.told == []
    allowed = {(403, "InvalidStateTransition")}
    if event in (Event.RESPONSE, Event.ERROR) and state in (
        State.STARTED,
        State.RESTORING,
        State.READY,
        State.INIT_FAILED,
        State.CLOSED,
    ):
        allowed = {(400, "InvalidRequestID")}
    assert (raised.value.status, raised.value.kind) in allowed


def test_the_refusal_names_both_states() -> None:
    session, _ = session_in(State.RUNNING)
    with pytest.raises(Refused) as raised:
        session.init_error(FAULT)
    assert raised.value.message == (
        "State transition from Running to InitError failed for runtime. Error: State transition is not allowed"
    )


def test_the_owner_is_told_of_each_call() -> None:
    session, owner = session_in(State.STARTED)
    perform(session, Event.NEXT)
    perform(session, Event.INVOKE)
    perform(session, Event.ERROR)
    assert owner.told == ["ready", FAULT]
    session, owner = session_in(State.STARTED)
    perform(session, Event.INIT_ERROR)
    assert owner.told == [("init", FAULT)]
    session, owner = session_in(State.STARTED)
    perform(session, Event.RESTORE)
    perform(session, Event.RESTORE_ERROR)
    assert owner.told == ["restorable", ("init", FAULT)]


def test_only_functions_with_snap_start_can_be_restored() -> None:
    session = RuntimeSession(Owner())
    with pytest.raises(Refused) as raised:
        session.restore()
    assert raised.value.status == 404
    assert session.state is State.STARTED


def test_the_newest_poll_gets_the_invocation() -> None:
    session, _ = session_in(State.STARTED)
    older, newer = Poll(), Poll()
    session.next(older)
    session.next(newer)
    session.lost(older)
    assert session.polling
    session.invoke("id", b"head ", b"payload")
    assert (older.delivered, newer.delivered) == ([], [b"head payload"])
    assert not session.polling


def test_a_lost_poll_is_no_poll() -> None:
    session, _ = session_in(State.STARTED)
    poll = Poll()
    session.next(poll)
    session.lost(poll)
    assert not session.polling
    session.next(Poll())
    assert session.polling


def test_a_reply_to_another_invocation_is_refused() -> None:
    session, owner = session_in(State.RUNNING)
    with pytest.raises(Refused, match="Invalid request ID"):
        session.reply("other", REPLY)
    assert session.state is State.RUNNING
    assert owner.told == []
    session.reply("id", REPLY)
    assert owner.told == [REPLY]


@pytest.mark.parametrize("state", State)
def test_a_session_can_be_closed_at_any_time(state: State) -> None:
    session, owner = session_in(state)
    session.close()
    assert (session.state, session.polling) == (State.CLOSED, False)
    with pytest.raises(Refused):
        session.next(Poll())
    with pytest.raises(Refused):
        session.reply("id", REPLY)
    assert owner.told == []


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_a_stream_begins_only_while_the_function_runs(state: State) -> None:
    session, owner = session_in(state)
    assert session.begin("id") is None
    assert (session.state, owner.told) == (state, [])


def test_a_stream_is_gathered_where_nobody_wants_it_streamed() -> None:
    session, _ = session_in(State.READY)
    session.invoke("id", b"head ", b"payload")
    assert session.begin("id") is None
    session.reply("id", REPLY)
    session, _ = session_in(State.RUNNING)
    assert session.begin("other") is None
    assert session.state is State.RUNNING


def test_the_owner_is_told_how_a_stream_ended() -> None:
    session, owner = session_in(State.RESPONDING)
    session.end(FAULT)
    assert owner.told == [FAULT]
    session, owner = session_in(State.RESPONDING)
    session.break_off(FAULT)
    assert owner.told == [("broke off", FAULT)]
    with pytest.raises(Refused):
        session.end(REPLY)
    session.next(Poll())
    assert session.state is State.READY
