"""The in-memory view of code signing configurations, which the control plane reads.

`control.code_signing_records` writes it in the step that commits.
"""

from __future__ import annotations

from collections.abc import Callable

from ingle.domain.code_signing import CodeSigningConfig, CodeSigningKey

Listener = Callable[[CodeSigningKey, CodeSigningConfig | None], None]


class CodeSigningCatalog:
    """Current configurations by ARN."""

    def __init__(self) -> None:
        self._configs: dict[str, CodeSigningConfig] = {}
        self._listeners: list[Listener] = []

    def get(self, arn: str) -> CodeSigningConfig | None:
        return self._configs.get(arn)

    def configs(self, account: str, region: str, *, after: str | None = None) -> list[CodeSigningConfig]:
        """Those of one account and region by id, those behind `after` only."""
        found = [
            config
            for config in self._configs.values()
            if (config.key.account, config.key.region) == (account, region) and (after is None or config.key.id > after)
        ]
        return sorted(found, key=lambda config: config.key.id)

    def put(self, config: CodeSigningConfig) -> None:
        self._configs[config.key.arn] = config
        self._tell(config.key, config)

    def remove(self, arn: str) -> None:
        config = self._configs.pop(arn, None)
        if config is not None:
            self._tell(config.key, None)

    def follow(self, listener: Listener) -> None:
        """Call `listener(key, configuration or None)` now for every one there is, and after every change, in order.

        It must not block.
        """
        for config in self._configs.values():
            listener(config.key, config)
        self._listeners.append(listener)

    def _tell(self, key: CodeSigningKey, config: CodeSigningConfig | None) -> None:
        for listener in self._listeners:
            listener(key, config)
