"""The server's own log: structured lines to standard error.

Owns the configuration of structlog and one safeguard: members whose names speak of secrets are blanked, whoever
logs them. `app` calls `configure` once; every component keeps a `Logger` of its own. structlog is imported with the
first line that is really written: importing it takes longer than a tenth of the time a server has to be ready in.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
#: A member is blanked when its name contains one of these.
SECRET_WORDS = ("secret", "password", "token", "authorization", "credential", "variables", "payload", "plaintext")
BLANK = "(not logged)"


class _Configuration:
    """What `configure` chose. Until then: warnings and errors, as JSON."""

    threshold = LEVELS["warning"]
    console = False
    colours = False
    applied = False


def configure(level: str = "info", form: str = "auto", *, colours: bool | None = None) -> None:
    """Write lines of `level` and above. `form`: auto (console on a terminal), console or json (one object a line).

    `colours`: None means on a terminal.
    """
    terminal = sys.stderr.isatty()
    _Configuration.threshold = LEVELS[level]
    _Configuration.console = form == "console" or (form == "auto" and terminal)
    _Configuration.colours = terminal if colours is None else colours
    _Configuration.applied = False
    root = logging.getLogger()
    root.handlers[:] = [_Bridge()]
    root.setLevel(max(_Configuration.threshold, logging.WARNING))


class _Bridge(logging.Handler):
    """Lines of the standard `logging` module: of storage, which stands below this module, and of libraries."""

    def emit(self, record: logging.LogRecord) -> None:
        level = next((name for name in ("error", "warning") if record.levelno >= LEVELS[name]), "info")
        members = {"exc_info": record.exc_info} if record.exc_info else {}
        Logger(record.name)._write(level, record.getMessage(), members)


class Logger:
    """Writes lines that carry `component`. Cheap when the level is not wanted; never raises for a bad member."""

    __slots__ = ("_component",)

    def __init__(self, component: str) -> None:
        self._component = component

    def debug(self, event: str, **members: Any) -> None:
        self._write("debug", event, members)

    def info(self, event: str, **members: Any) -> None:
        self._write("info", event, members)

    def warning(self, event: str, **members: Any) -> None:
        self._write("warning", event, members)

    def error(self, event: str, **members: Any) -> None:
        """`exc_info=True` or an exception adds its traceback."""
        self._write("error", event, members)

    def _write(self, level: str, event: str, members: dict[str, Any]) -> None:
        if LEVELS[level] < _Configuration.threshold:
            return
        import structlog

        if not _Configuration.applied:
            _apply()
        structlog.get_logger(component=self._component).log(LEVELS[level], event, **members)


def blank_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of members that may hold secrets."""
    for name in event:
        if any(word in name.lower() for word in SECRET_WORDS):
            event[name] = BLANK
    return event


def _apply() -> None:
    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            blank_secrets,
            *(_console_renderers() if _Configuration.console else _json_renderers()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_Configuration.threshold),
        # Looked up for each line: tests put a stream of their own in its place.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    _Configuration.applied = True


def _json_renderers() -> list[Any]:
    import structlog

    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]


def _console_renderers() -> list[Any]:
    import structlog

    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=_Configuration.colours, exception_formatter=plain, pad_event_to=0)]
