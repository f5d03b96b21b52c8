"""Extensions in every order of their calls, and the refusals that AWS documents."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from ingle.runtime_api.extensions import (
    LIMIT,
    TRANSITIONS,
    Event,
    Extension,
    Extensions,
    FunctionFacts,
    State,
)
from ingle.runtime_api.session import Refused

FACTS = FunctionFacts(name="f", version="3", handler="app.handler", account="123456789012")
BOTH = b'{"events": ["INVOKE", "SHUTDOWN"]}'
INVOKE = b'{"events": ["INVOKE"]}'


class Owner:
    def __init__(self) -> None:
        self.changes = 0
        self.failed: list[tuple[str, str | None]] = []

    def extensions_changed(self) -> None:
        self.changes += 1

    def extension_failed(self, extension: Extension) -> None:
        self.failed.append((extension.name, extension.error_type))


class Poll:
    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.heads: list[bytes] = []

    def deliver(self, head: bytes, payload: bytes) -> None:
        self.heads.append(head)
        self.events.append(json.loads(payload))


class Registry:
    """Extensions with their owner, and what an extension does in a word."""

    def __init__(self, *external: str) -> None:
        self.owner = Owner()
        self.extensions = Extensions(self.owner, FACTS, external)

    def register(self, name: str, body: bytes = INVOKE, features: str | None = None) -> str:
        answer = self.extensions.register(name, body, features)
        return dict(answer.headers)["Lambda-Extension-Identifier"]

    def poll(self, identifier: str) -> Poll:
        poll = Poll()
        self.extensions.next(identifier, poll)
        return poll


def refusal(action: Any, *arguments: Any) -> tuple[int, str]:
    with pytest.raises(Refused) as raised:
        action(*arguments)
    assert raised.value.message
    return raised.value.status, raised.value.kind


def test_a_registration_is_answered_with_the_function() -> None:
    registry = Registry("agent")
    answer = registry.extensions.register("agent", BOTH, None)
    assert json.loads(answer.body) == {"functionName": "f", "functionVersion": "3", "handler": "app.handler"}
    uuid.UUID(dict(answer.headers)["Lambda-Extension-Identifier"])
    assert registry.owner.changes == 1


@pytest.mark.parametrize("features", ["accountId", "other, accountId"])
def test_the_account_is_told_to_those_that_ask(features: str) -> None:
    answer = Registry().extensions.register("inside", INVOKE, features)
    assert json.loads(answer.body)["accountId"] == "123456789012"


def test_external_extensions_are_awaited() -> None:
    registry = Registry("one", "two")
    assert not registry.extensions.launched
    one = registry.register("one", BOTH)
    assert not registry.extensions.launched
    registry.register("two", b"{}")
    assert registry.extensions.launched
    assert not registry.extensions.idle
    registry.poll(one)
    assert not registry.extensions.idle


def test_an_event_reaches_those_that_asked_for_it() -> None:
    registry = Registry("one", "two")
    one, two = registry.register("one", BOTH), registry.register("two", b'{"events": ["SHUTDOWN"]}')
    first, second = registry.poll(one), registry.poll(two)
    assert registry.extensions.idle
    registry.extensions.invoke({"eventType": "INVOKE", "requestId": "r"})
    assert first.events == [{"eventType": "INVOKE", "requestId": "r"}]
    assert b"Lambda-Extension-Event-Identifier: " in first.heads[0]
    assert second.events == []
    assert not registry.extensions.idle
    again = registry.poll(one)
    assert registry.extensions.idle
    registry.extensions.shut_down({"eventType": "SHUTDOWN"})
    assert again.events == second.events == [{"eventType": "SHUTDOWN"}]


def test_an_extension_that_was_busy_gets_the_end_once_it_asks() -> None:
    registry = Registry("one")
    one = registry.register("one", BOTH)
    registry.poll(one)
    registry.extensions.invoke({"eventType": "INVOKE"})
    registry.extensions.shut_down({"eventType": "SHUTDOWN"})
    assert registry.poll(one).events == [{"eventType": "SHUTDOWN"}]


def test_a_poll_whose_connection_broke_is_made_again() -> None:
    registry = Registry("one")
    one = registry.register("one")
    older = registry.poll(one)
    registry.extensions.lost(older)
    registry.extensions.invoke({"eventType": "INVOKE"})
    assert older.events == []
    newer = registry.poll(one)
    registry.extensions.invoke({"eventType": "INVOKE"})
    assert len(newer.events) == 1


@pytest.mark.parametrize("event", [Event.INIT_ERROR, Event.EXIT_ERROR])
def test_an_error_is_told_with_its_type(event: Event) -> None:
    registry = Registry("one")
    one = registry.register("one")
    registry.extensions.report_error(one, "Extension.Mine", event)
    assert registry.owner.failed == [("one", "Extension.Mine")]
    assert refusal(registry.extensions.next, one, Poll()) == (403, "Extension.InvalidExtensionState")


def test_the_end_of_a_program_is_told_once() -> None:
    registry = Registry("one")
    assert registry.extensions.ended("one") is registry.extensions.all["one"]
    assert registry.extensions.ended("one") is None
    assert registry.extensions.ended("unknown") is None


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        (None, INVOKE, "Extension.InvalidExtensionName"),
        ("", INVOKE, "Extension.InvalidExtensionName"),
        ("inside", b"{", "InvalidRequestFormat"),
        ("inside", b"[" * 100_000, "InvalidRequestFormat"),
        ("inside", b"[]", "InvalidRequestFormat"),
        ("inside", b'{"events": "INVOKE"}', "InvalidRequestFormat"),
        ("inside", b'{"events": [], "configurationKeys": ["a"]}', "InvalidRequestFormat"),
        ("inside", b'{"events": ["OTHER"]}', "Extension.InvalidEventType"),
        ("inside", BOTH, "Extension.InvalidEventType"),
    ],
)
def test_registrations_that_are_refused_leave_nothing(name: str | None, body: bytes, kind: str) -> None:
    registry = Registry()
    assert refusal(registry.extensions.register, name, body, None) == (403, kind)
    assert not registry.extensions


def test_a_name_is_registered_once() -> None:
    registry = Registry("one")
    registry.register("one")
    assert refusal(registry.extensions.register, "one", INVOKE, None) == (403, "Extension.InvalidExtensionState")


def test_there_are_at_most_ten() -> None:
    registry = Registry("one")
    for number in range(LIMIT - 1):
        registry.register(f"inside-{number}")
    assert refusal(registry.extensions.register, "more", INVOKE, None) == (403, "Extension.TooManyExtensions")
    registry.register("one", BOTH)


def test_the_limit_is_for_programs_too() -> None:
    names = [f"program-{number}" for number in range(LIMIT + 1)]
    registry = Registry(*names)
    for name in names[:LIMIT]:
        registry.register(name)
    assert refusal(registry.extensions.register, names[-1], INVOKE, None) == (403, "Extension.TooManyExtensions")


def test_internal_extensions_register_while_the_runtime_starts() -> None:
    registry = Registry()
    registry.extensions.close_registration()
    assert refusal(registry.extensions.register, "late", INVOKE, None) == (403, "Extension.RegistrationClosed")


@pytest.mark.parametrize(
    ("identifier", "kind"),
    [
        (None, "Extension.MissingExtensionIdentifier"),
        ("", "Extension.MissingExtensionIdentifier"),
        ("me", "Extension.InvalidExtensionIdentifier"),
        (str(uuid.UUID(int=1)), "Extension.UnknownExtensionIdentifier"),
    ],
)
def test_only_registered_extensions_get_events(identifier: str | None, kind: str) -> None:
    registry = Registry("one")
    assert refusal(registry.extensions.next, identifier, Poll()) == (403, kind)
    assert refusal(registry.extensions.report_error, identifier, "E.E", Event.EXIT_ERROR) == (403, kind)


def test_an_error_without_a_type_is_refused() -> None:
    registry = Registry("one")
    one = registry.register("one")
    assert refusal(registry.extensions.report_error, one, None, Event.INIT_ERROR) == (403, "Extension.MissingHeader")
    registry.poll(one)


@pytest.mark.parametrize(
    ("state", "event"), [(state, event) for state in State for event in Event if event not in TRANSITIONS[state]]
)
def test_every_unlisted_transition_is_refused(state: State, event: Event) -> None:
    extension = Extension(name="one", external=True, state=state)
    with pytest.raises(Refused, match=f"from {state} to {event} failed for extension one"):
        extension.advance(event)
    assert extension.state is state
