"""Lines that a function wrote as JSON objects, and the application log level that decides about them.

Pure. For functions whose log format is JSON; what is no JSON object is never filtered. The runtimes filter what goes
through their own logging; this is for what programs print themselves. Source: AWS's page on log-level filtering.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from ingle.domain.clock import iso_time

#: The levels of a LoggingConfig, and how much each weighs.
LEVELS: Mapping[str, int] = {"TRACE": 0, "DEBUG": 1, "INFO": 2, "WARN": 3, "ERROR": 4, "FATAL": 5}
_DEFAULT = "INFO"
_RFC3339 = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
    r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


class Telemetry(Protocol):
    """What output needs of `runtime_api.telemetry.Telemetry`."""

    @property
    def wanted(self) -> bool: ...
    def publish(self, kind: str, event_type: str, record: Mapping[str, Any] | str) -> None: ...


def filtered(line: bytes, threshold: str) -> bytes | None:
    """The line as it goes into the log; None if its level is below `threshold`.

    An object without a valid level or timestamp counts as INFO and is given both.
    """
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    if not isinstance(document, dict):
        return line
    level = LEVELS.get(str(document.get("level")).upper())
    dated = _RFC3339.fullmatch(str(document.get("timestamp"))) is not None
    if level is not None and dated:
        return line if level >= LEVELS[threshold] else None
    if LEVELS[_DEFAULT] < LEVELS[threshold]:
        return None
    if not dated:
        document["timestamp"] = iso_time(int(time.time() * 1000))
    document["level"] = _DEFAULT
    try:
        return orjson.dumps(document) + b"\n"
    except TypeError:
        return line  # nested too deeply to be written again
