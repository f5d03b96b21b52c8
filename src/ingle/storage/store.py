"""What the control plane and KMS ask of their stores, in their own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ingle.domain.code_signing import CodeSigningConfig, CodeSigningKey
from ingle.domain.function import Function, FunctionKey
from ingle.domain.identity import Record
from ingle.domain.kms import Grant, KmsAlias, KmsKey
from ingle.domain.layer import Layer
from ingle.domain.test_event import TestEvent
from ingle.domain.vpc import Resource


class FunctionStore(Protocol):
    """Functions by key, durable.

    Calls return after the durable commit and never block the event loop. Calls of one caller take effect in order. A
    cancelled call may still take effect. Every call may raise StorageFull or StorageUnavailable, and changes nothing
    when it does. After close, every call raises StorageUnavailable.
    """

    async def load_all(self) -> list[Function]:
        """All functions, ordered by account, region and name."""
        ...

    async def insert(self, function: Function) -> None:
        """Raises RecordExists if the key is taken."""
        ...

    async def save(self, function: Function, before: Function | None = None) -> None:
        """Replaces the whole record. Raises RecordNotFound: a save never brings a deleted function back.

        `before`, where it is given, is what the store holds now: only what differs from it is written.
        """
        ...

    async def delete(self, key: FunctionKey) -> None:
        """Idempotent."""
        ...


class LayerStore(Protocol):
    """Layers by key, durable. Promises what `FunctionStore` does."""

    async def load_layers(self) -> list[Layer]:
        """All layers, ordered by account, region and name; also those that have no version left."""
        ...

    async def save_layer(self, layer: Layer, number: int) -> None:
        """Stores the version `number` as `layer` has it, or removes it if the layer has it no more.

        `layer` may be new, and else differs from what is stored in this version only.
        """
        ...


class CodeSigningStore(Protocol):
    """Code signing configurations by key, durable. Promises what `FunctionStore` does."""

    async def load_code_signing_configs(self) -> list[CodeSigningConfig]:
        """All of them, ordered by account, region and id."""
        ...

    async def save_code_signing_config(self, config: CodeSigningConfig) -> None:
        """Stores a new one, or replaces one."""
        ...

    async def delete_code_signing_config(self, key: CodeSigningKey) -> None:
        """Idempotent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKeys:
    """Everything of KMS. Grants are in the order in which they were made."""

    keys: tuple[KmsKey, ...]
    aliases: tuple[KmsAlias, ...]
    grants: tuple[Grant, ...]


class KeyStore(Protocol):
    """KMS keys with their aliases and grants, durable. Promises what `FunctionStore` does."""

    async def load_keys(self) -> StoredKeys: ...

    async def save_keys(self, keys: Sequence[KmsKey], alias: KmsAlias | None = None) -> None:
        """Stores new keys or replaces them, and an alias if one is given: all of it or nothing."""
        ...

    async def delete_key(self, key_id: str) -> None:
        """With its aliases and grants. Nothing of its material is left in the files of the database. Idempotent."""
        ...

    async def save_alias(self, alias: KmsAlias) -> None: ...

    async def delete_alias(self, alias: KmsAlias) -> None:
        """Idempotent."""
        ...

    async def save_grant(self, grant: Grant) -> None: ...

    async def delete_grant(self, grant: Grant) -> None:
        """Idempotent."""
        ...


class IdentityStore(Protocol):
    """Users, groups, roles, access keys and managed policies, durable. Promises what `FunctionStore` does."""

    async def load_identities(self) -> list[Record]:
        """All of them, ordered by account, kind and name."""
        ...

    async def change_identities(self, put: Sequence[Record] = (), removed: Sequence[Record] = ()) -> None:
        """Stores new ones or replaces those of the same kind and name, and removes others, all or nothing."""
        ...


class NetworkStore(Protocol):
    """VPCs and everything in them, durable. Promises what `FunctionStore` does."""

    async def load_networks(self) -> list[Resource]:
        """All of them, ordered by account and region, and then as they were made."""
        ...

    async def change_networks(self, put: Sequence[Resource] = (), removed: Sequence[Resource] = ()) -> None:
        """Stores new ones or replaces those of the same id, and removes others, all or nothing."""
        ...


class TestEventStore(Protocol):
    """Test events of functions, durable. Promises what `FunctionStore` does, which drops them with their function."""

    async def list_test_events(self, key: FunctionKey) -> list[TestEvent]:
        """All of a function, ordered by name, without what is sealed."""
        ...

    async def load_test_event(self, key: FunctionKey, name: str) -> TestEvent | None: ...

    async def save_test_event(self, key: FunctionKey, event: TestEvent) -> None:
        """Stores a new one, or replaces one. Raises RecordNotFound if there is no such function."""
        ...

    async def delete_test_event(self, key: FunctionKey, name: str) -> bool:
        """Whether there was one."""
        ...
