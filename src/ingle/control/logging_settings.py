"""LoggingConfig: its defaults, and how an update merges into what a function has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingle.domain.errors import InvalidParameterValue
from ingle.domain.function import LoggingConfig

TEXT, JSON = "Text", "JSON"
_DEFAULT_LEVEL = "INFO"


def default_group(function_name: str) -> str:
    return f"/aws/lambda/{function_name}"


def merge(current: LoggingConfig, given: Mapping[str, Any]) -> LoggingConfig:
    """`current` with the members of a LoggingConfig that are given. Levels exist with JSON only, INFO by default.

    Raises InvalidParameterValue for a level with the Text format.
    """
    log_format = given.get("LogFormat", current.format)
    group = given.get("LogGroup", current.group)
    if log_format == JSON:
        return LoggingConfig(
            format=JSON,
            group=group,
            application_level=given.get("ApplicationLogLevel") or current.application_level or _DEFAULT_LEVEL,
            system_level=given.get("SystemLogLevel") or current.system_level or _DEFAULT_LEVEL,
        )
    if "ApplicationLogLevel" in given or "SystemLogLevel" in given:
        raise InvalidParameterValue(
            'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change '
            'the LogFormat to "JSON" and try again.'
        )
    return LoggingConfig(format=TEXT, group=group)
