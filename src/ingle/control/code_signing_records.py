"""The code signing configurations of this server, and which functions are bound to them.

Durable store first, then memory. `exclusive` is held to change a configuration and to bind a function to it, so that
none goes while a function is being bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from ingle.catalog import Catalog
from ingle.control.ports import CodeSigningStore
from ingle.domain.caller import Caller
from ingle.domain.code_signing import CodeSigningBinding, CodeSigningConfig
from ingle.domain.errors import CodeSigningConfigNotFound
from ingle.domain.function import LATEST, Function


class CodeSigningRecords:
    def __init__(self, store: CodeSigningStore, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog
        self.configs = catalog.code_signing
        self._lock = asyncio.Lock()

    def exclusive(self) -> asyncio.Lock:
        """Taken before the lock of a function, never inside it."""
        return self._lock

    async def save(self, config: CodeSigningConfig) -> None:
        await self._store.save_code_signing_config(config)
        self.configs.put(config)

    async def delete(self, config: CodeSigningConfig) -> None:
        await self._store.delete_code_signing_config(config.key)
        self.configs.remove(config.key.arn)

    def bindable(self, caller: Caller, arn: str) -> CodeSigningConfig:
        """The configuration that a function is to be bound to. Raises CodeSigningConfigNotFound."""
        config = self.configs.get(arn)
        if config is None or config.key.account != caller.account or config.key.region != caller.region:
            raise CodeSigningConfigNotFound(
                "The code signing configuration cannot be found. Check that the provided configuration is not "
                f"deleted: {arn}."
            )
        return config

    def of(self, function: Function) -> CodeSigningConfig | None:
        """The configuration that a function is bound to: it exists as long as functions are."""
        arn = binding_of(function)
        return None if arn is None else self.configs.get(arn)

    def bound(self, config: CodeSigningConfig, *, after: str | None = None) -> Iterator[Function]:
        """The functions that are bound to a configuration, by name, those behind `after` only."""
        functions = self._catalog.functions(config.key.account, config.key.region, after=after)
        return (function for function in functions if binding_of(function) == config.key.arn)


def binding_of(function: Function) -> str | None:
    """The ARN of the configuration that a function is bound to."""
    binding = function.attachments.get(CodeSigningBinding, LATEST)
    return None if binding is None else binding.arn
