"""The in-memory view of functions that the data plane reads: no SQL, no file, no waiting. Layers are in `layers`,
concurrency is in `concurrency`, KMS keys are in `keys`, private networks in `networks`.

`control` writes it in the step that commits, before the API answers. `frontend`, `invoke` and `placement` read it.
Readiness travels back the same way: `control` asks for a version to be prepared, `placement` says how that went, and
neither imports the other.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ingle.catalog.code_signing import CodeSigningCatalog
from ingle.catalog.concurrency import ACCOUNT_CONCURRENCY, ConcurrencyCatalog
from ingle.catalog.keys import KeyCatalog
from ingle.catalog.layers import LayerCatalog
from ingle.catalog.names import SortedNames
from ingle.catalog.networks import Networks
from ingle.domain.function import Function, FunctionKey, Version

Listener = Callable[[FunctionKey, Function | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """How preparing a version went. `reason_code` is a StateReasonCode of the model; both None on success."""

    reason_code: str | None = None
    reason: str | None = None

    @property
    def ok(self) -> bool:
        return self.reason_code is None


@dataclass(frozen=True, slots=True)
class PreparationRequest:
    version: Version
    outcome: asyncio.Future[Prepared]


class Catalog:
    """Current functions by key. Single-threaded: call it from the event loop only."""

    def __init__(self, account_concurrency: int = ACCOUNT_CONCURRENCY) -> None:
        self._functions: dict[FunctionKey, Function] = {}
        self._names: defaultdict[tuple[str, str], SortedNames] = defaultdict(SortedNames)
        self._listeners: list[Listener] = []
        self.layers = LayerCatalog()
        self.concurrency = ConcurrencyCatalog(account_concurrency)
        self.code_signing = CodeSigningCatalog()
        self.keys = KeyCatalog()
        self.networks = Networks()
        self.preparations: asyncio.Queue[PreparationRequest] = asyncio.Queue()
        #: Told of a version that an invocation found Inactive; must not block.
        self.on_wake: Callable[[Version], None] = lambda version: None

    def get(self, key: FunctionKey) -> Function | None:
        return self._functions.get(key)

    def functions(self, account: str, region: str, *, after: str | None = None) -> Iterator[Function]:
        """The functions of one account and region by name, those behind `after` only. Not while functions change."""
        names = self._names.get((account, region), SortedNames())
        return (self._functions[FunctionKey(account=account, region=region, name=name)] for name in names.after(after))

    def count(self, account: str, region: str) -> int:
        """How many functions an account has in a region."""
        return len(self._names.get((account, region), ()))

    def __iter__(self) -> Iterator[Function]:
        return iter(self._functions.values())

    def put(self, function: Function) -> None:
        key = function.key
        self.concurrency.changed(key, self._functions.get(key), function)
        self._functions[key] = function
        self._names[key.account, key.region].add(key.name)
        self._tell(function.key, function)

    def remove(self, key: FunctionKey) -> None:
        if (before := self._functions.pop(key, None)) is not None:
            self.concurrency.changed(key, before, None)
            self._names[key.account, key.region].discard(key.name)
            self._tell(key, None)

    def subscribe(self, listener: Listener) -> None:
        """`listener(key, function or None)` is called after every change, in order, and must not block."""
        self._listeners.append(listener)

    def follow(self, listener: Listener) -> None:
        """As `subscribe`, and call `listener` now for every function there is."""
        for key, function in self._functions.items():
            listener(key, function)
        self.subscribe(listener)

    async def prepare(self, version: Version) -> Prepared:
        """Have everything made ready that running `version` needs, and return once it is (or cannot be)."""
        outcome: asyncio.Future[Prepared] = asyncio.get_running_loop().create_future()
        await self.preparations.put(PreparationRequest(version, outcome))
        return await outcome

    def _tell(self, key: FunctionKey, function: Function | None) -> None:
        for listener in self._listeners:
            listener(key, function)
