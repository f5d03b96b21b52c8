"""KMS keys, aliases and grants in memory: what encrypting and decrypting read.

`supporting.kms` writes it in the step that commits. Single-threaded: call it from the event loop only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ingle.catalog.names import SortedNames
from ingle.domain.kms import Grant, KmsAlias, KmsKey

Place = tuple[str, str]


class KeyCatalog:
    """A key's id says which it is; account and region are its own."""

    def __init__(self) -> None:
        self._keys: dict[str, KmsKey] = {}
        self._ids: defaultdict[Place, SortedNames] = defaultdict(SortedNames)
        self._aliases: dict[tuple[str, str, str], KmsAlias] = {}
        self._names: defaultdict[Place, SortedNames] = defaultdict(SortedNames)
        self._grants: defaultdict[str, dict[str, Grant]] = defaultdict(dict)

    def get(self, key_id: str) -> KmsKey | None:
        return self._keys.get(key_id)

    def __iter__(self) -> Iterator[KmsKey]:
        return iter(self._keys.values())

    def keys(self, account: str, region: str, after: str | None = None) -> Iterator[KmsKey]:
        """By id, those behind `after` only. Not while keys change."""
        return (self._keys[key_id] for key_id in self._ids.get((account, region), SortedNames()).after(after))

    def alias(self, account: str, region: str, name: str) -> KmsAlias | None:
        return self._aliases.get((account, region, name))

    def aliases(self, account: str, region: str, after: str | None = None) -> Iterator[KmsAlias]:
        """By name, those behind `after` only. Not while aliases change."""
        names = self._names.get((account, region), SortedNames())
        return (self._aliases[account, region, name] for name in names.after(after))

    def grants(self, key_id: str) -> dict[str, Grant]:
        """By id, in the order in which they were made."""
        return self._grants.get(key_id, {})

    def put(self, key: KmsKey) -> None:
        self._keys[key.id] = key
        self._ids[key.account, key.region].add(key.id)

    def remove(self, key_id: str) -> None:
        """The key, and what names it."""
        key = self._keys.pop(key_id, None)
        self._grants.pop(key_id, None)
        if key is not None:
            self._ids[key.account, key.region].discard(key_id)
            for alias in [alias for alias in self._aliases.values() if alias.key_id == key_id]:
                self.remove_alias(alias)

    def put_alias(self, alias: KmsAlias) -> None:
        self._aliases[alias.account, alias.region, alias.name] = alias
        self._names[alias.account, alias.region].add(alias.name)

    def remove_alias(self, alias: KmsAlias) -> None:
        self._aliases.pop((alias.account, alias.region, alias.name), None)
        self._names[alias.account, alias.region].discard(alias.name)

    def put_grant(self, grant: Grant) -> None:
        self._grants[grant.key_id][grant.id] = grant

    def remove_grant(self, grant: Grant) -> None:
        self._grants[grant.key_id].pop(grant.id, None)
