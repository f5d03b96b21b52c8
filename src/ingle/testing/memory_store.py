"""Every store of the control plane without a disk, for tests. The storage tests run over it as over the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ingle.domain.code_signing import CodeSigningConfig, CodeSigningKey
from ingle.domain.function import Function, FunctionKey
from ingle.domain.identity import Record
from ingle.domain.layer import Layer, LayerKey
from ingle.domain.test_event import TestEvent
from ingle.domain.vpc import Resource
from ingle.storage.errors import RecordExists, RecordNotFound


class MemoryStore:
    """Keeps everything in dicts. Nothing survives it."""

    def __init__(self) -> None:
        self._functions: dict[FunctionKey, Function] = {}
        self._layers: dict[LayerKey, Layer] = {}
        self._code_signing: dict[CodeSigningKey, CodeSigningConfig] = {}
        self._identities: dict[tuple[str, str, str], Record] = {}
        self._networks: dict[tuple[str, str, str, str], Resource] = {}
        self._test_events: dict[tuple[FunctionKey, str], TestEvent] = {}

    async def load_all(self) -> list[Function]:
        found = self._functions.values()
        return sorted(found, key=lambda function: (function.key.account, function.key.region, function.key.name))

    async def insert(self, function: Function) -> None:
        if function.key in self._functions:
            raise RecordExists(f"Function {function.key.name} exists.")
        self._functions[function.key] = function

    async def save(self, function: Function, before: Function | None = None) -> None:
        if function.key not in self._functions:
            raise RecordNotFound(f"Function {function.key.name} does not exist.")
        self._functions[function.key] = function

    async def delete(self, key: FunctionKey) -> None:
        self._functions.pop(key, None)
        for place in [place for place in self._test_events if place[0] == key]:
            del self._test_events[place]

    async def load_layers(self) -> list[Layer]:
        found = self._layers.values()
        return sorted(found, key=lambda layer: (layer.key.account, layer.key.region, layer.key.name))

    async def save_layer(self, layer: Layer, number: int) -> None:
        self._layers[layer.key] = layer

    async def load_code_signing_configs(self) -> list[CodeSigningConfig]:
        found = self._code_signing.values()
        return sorted(found, key=lambda config: (config.key.account, config.key.region, config.key.id))

    async def save_code_signing_config(self, config: CodeSigningConfig) -> None:
        self._code_signing[config.key] = config

    async def delete_code_signing_config(self, key: CodeSigningKey) -> None:
        self._code_signing.pop(key, None)

    async def load_identities(self) -> list[Record]:
        return [self._identities[place] for place in sorted(self._identities)]

    async def change_identities(self, put: Sequence[Record] = (), removed: Sequence[Record] = ()) -> None:
        for record in removed:
            self._identities.pop((record.account, record.kind, record.name.lower()), None)
        for record in put:
            self._identities[record.account, record.kind, record.name.lower()] = record

    async def load_networks(self) -> list[Resource]:
        return sorted(self._networks.values(), key=lambda record: (record.account, record.region))

    async def change_networks(self, put: Sequence[Resource] = (), removed: Sequence[Resource] = ()) -> None:
        for record in removed:
            self._networks.pop((record.account, record.region, record.kind, record.id), None)
        for record in put:
            self._networks[record.account, record.region, record.kind, record.id] = record

    async def list_test_events(self, key: FunctionKey) -> list[TestEvent]:
        found = sorted((name, event) for (its, name), event in self._test_events.items() if its == key)
        return [replace(event, sealed=b"") for _, event in found]

    async def load_test_event(self, key: FunctionKey, name: str) -> TestEvent | None:
        return self._test_events.get((key, name))

    async def save_test_event(self, key: FunctionKey, event: TestEvent) -> None:
        if key not in self._functions:
            raise RecordNotFound(f"Function {key.name} does not exist.")
        self._test_events[key, event.name] = event

    async def delete_test_event(self, key: FunctionKey, name: str) -> bool:
        return self._test_events.pop((key, name), None) is not None
