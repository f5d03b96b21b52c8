"""When a function's runtime changes under it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

AUTO, MANUAL = "Auto", "Manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeManagement:
    """`runtime_version_arn` is set exactly if `update_on` is `Manual`."""

    update_on: str = AUTO  # Auto | FunctionUpdate | Manual
    runtime_version_arn: str | None = None
