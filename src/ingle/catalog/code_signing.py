"""The in-memory view of code signing configurations, which the control plane reads.

`control.code_signing_records` writes it in the step that commits.
"""

from __future__ import annotations

from ingle.domain.code_signing import CodeSigningConfig


class CodeSigningCatalog:
    """Current configurations by ARN."""

    def __init__(self) -> None:
        self._configs: dict[str, CodeSigningConfig] = {}

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

    def remove(self, arn: str) -> None:
        self._configs.pop(arn, None)
