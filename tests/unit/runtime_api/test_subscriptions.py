"""Requests to subscribe, good and bad, and who may make them when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingle.runtime_api.extensions import Extensions, FunctionFacts
from ingle.runtime_api.session import Refused
from ingle.runtime_api.subscriptions import Api, Buffering, Destination, parse
from ingle.runtime_api.telemetry import Telemetry

HTTP = {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8080/a?b=c"}
GOOD: dict[str, Any] = {"schemaVersion": "2022-12-13", "types": ["function", "platform"], "destination": HTTP}


def body(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_a_subscription_is_read() -> None:
    found = parse(Api.TELEMETRY, body(buffering={"maxItems": 1000, "maxBytes": 300_000, "timeoutMs": 25}))
    assert found.kinds == ("platform", "function")
    assert found.buffering == Buffering(items=1000, bytes=300_000, milliseconds=25)
    assert found.destination == Destination(port=8080, path="/a?b=c")
    assert found.structured


@pytest.mark.parametrize(("api", "milliseconds"), [(Api.TELEMETRY, 1000), (Api.LOGS, 10_000)])
def test_what_is_not_said_has_its_default(api: Api, milliseconds: int) -> None:
    found = parse(api, json.dumps({"types": ["platform"], "destination": {"protocol": "TCP", "port": 1701}}).encode())
    assert found.buffering == Buffering(milliseconds=milliseconds)
    assert found.destination == Destination(port=1701, path=None)
    assert not found.structured


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"types": []}, "types should not be empty"),
        ({"types": "platform"}, "types should not be empty"),
        ({"types": ["platform", "other"]}, "type other is not known"),
        ({"schemaVersion": "2020-08-15"}, "schemaVersion"),
        ({"destination": None}, "destination"),
        ({"destination": {"protocol": "UDP"}}, "protocol"),
        ({"destination": {**HTTP, "URI": "http://sandbox.localdomain/a"}}, "URI port is not provided"),
        ({"destination": {**HTTP, "URI": "http://sandbox.localdomain:99999/"}}, "URI port is not provided"),
        ({"destination": {**HTTP, "URI": "http://sandbox.localdomain:9001/"}}, "reserved"),
        ({"destination": {**HTTP, "URI": "http://example.com:80/"}}, "sandbox.localdomain"),
        ({"destination": {**HTTP, "URI": "https://sandbox.localdomain:80/"}}, "scheme"),
        ({"destination": {**HTTP, "URI": "http://sandbox.localdomain:80/a b"}}, "encoded"),
        ({"destination": {"protocol": "HTTP"}}, "URI"),
        ({"destination": {**HTTP, "URI": "http://[::1"}}, "URI"),
        ({"destination": {"protocol": "TCP"}}, "port"),
        ({"destination": {"protocol": "TCP", "port": True}}, "port"),
        ({"destination": {**HTTP, "method": "PUT"}}, "method"),
        ({"destination": {**HTTP, "encoding": "XML"}}, "encoding"),
        ({"buffering": {"maxItems": 999}}, "maxItems should be between 1000 and 10000"),
        ({"buffering": {"maxBytes": 1}}, "maxBytes should be between 262144 and 1048576"),
        ({"buffering": {"timeoutMs": 30_001}}, "timeoutMs should be between 25 and 30000"),
        ({"buffering": {"timeoutMs": "25"}}, "timeoutMs"),
        ({"buffering": []}, "buffering"),
    ],
)
def test_a_bad_request_is_refused_with_what_is_wrong(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(Refused, match=text) as raised:
        parse(Api.TELEMETRY, body(**changes))
    assert (raised.value.status, raised.value.kind) == (400, "ValidationError")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as raised:
        parse(Api.LOGS, raw)
    assert raised.value.status == 400


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(Refused, match="types should not be empty; URI port is not provided"):
        parse(Api.TELEMETRY, body(types=[], destination={**HTTP, "URI": "http://sandbox.localdomain/"}))


class Subscriber:
    """An extension of an environment that is being initialised, and its telemetry."""

    def __init__(self) -> None:
        self.spawned: list[Any] = []
        self.announced: list[tuple[str, str, str]] = []
        self.telemetry = Telemetry(None, self.spawned.append)  # type: ignore[arg-type]
        self.telemetry.announce = lambda api, name, state, kinds: self.announced.append((api, name, state))
        facts = FunctionFacts(name="f", version="1", handler="h", account="1")
        self.extensions = Extensions(self, facts)
        self.identifier = dict(self.extensions.register("x", b'{"events": []}', None).headers)[
            "Lambda-Extension-Identifier"
        ]

    def extensions_changed(self) -> None: ...
    def extension_failed(self, extension: Any) -> None: ...

    def subscribe(self, api: Api = Api.TELEMETRY, raw: bytes | None = None) -> bytes:
        request = raw or body()
        return self.telemetry.subscribe(api, self.extensions, self.identifier, request).body

    def close(self) -> None:
        for work in self.spawned:
            work.close()


async def test_one_subscription_each_is_kept() -> None:
    subscriber = Subscriber()
    assert subscriber.subscribe() == b'"OK"'
    assert subscriber.subscribe() == b'"OK"'
    assert subscriber.announced == [("Telemetry", "x", "Subscribed"), ("Telemetry", "x", "Already subscribed")]
    assert len(subscriber.spawned) == 1
    subscriber.close()


async def test_one_api_each_is_used() -> None:
    subscriber = Subscriber()
    subscriber.subscribe()
    with pytest.raises(Refused, match="through the Telemetry API already"):
        subscriber.subscribe(Api.LOGS, body(schemaVersion="2021-03-18"))
    subscriber.close()


@pytest.mark.parametrize("api", Api)
def test_nobody_subscribes_after_the_initialisation(api: Api) -> None:
    subscriber = Subscriber()
    subscriber.telemetry.close_subscriptions()
    with pytest.raises(Refused, match=f"{api} API subscription is closed already") as raised:
        subscriber.subscribe(api)
    assert (raised.value.status, raised.value.kind) == (403, f"{api}.SubscriptionClosed")
    assert not subscriber.telemetry.wanted


def test_only_extensions_subscribe() -> None:
    subscriber = Subscriber()
    subscriber.identifier = "0b1f8a8e-0000-4000-8000-000000000000"
    with pytest.raises(Refused, match="Unknown extension"):
        subscriber.subscribe()
