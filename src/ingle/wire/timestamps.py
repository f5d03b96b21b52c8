"""Timestamps in the three formats that AWS protocols use. Values are aware datetimes in UTC.

Serialising accepts epoch seconds (int or float) as well. Parsing raises ValueError; callers say which member it was.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

UNIX = "unixTimestamp"
ISO8601 = "iso8601"
RFC822 = "rfc822"


def from_epoch(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{seconds} is outside the range of dates") from error


def _as_datetime(value: datetime | float) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return from_epoch(value)


def to_epoch(value: datetime | float) -> int | float:
    """Epoch seconds with milliseconds; an int when the value has none."""
    seconds = round(_as_datetime(value).timestamp() if isinstance(value, datetime) else value, 3)
    return int(seconds) if seconds == int(seconds) else seconds


def parse_text(text: str, style: str) -> datetime:
    """Read a timestamp from a header, a query or a string. Numbers are taken as epoch seconds in every style."""
    try:
        return from_epoch(float(text))
    except ValueError:
        if style == UNIX:
            raise
    parsed = parsedate_to_datetime(text) if style == RFC822 else datetime.fromisoformat(text)
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def format_text(value: datetime | float, style: str) -> str:
    if style == UNIX:
        return str(to_epoch(value))
    moment = _as_datetime(value).astimezone(UTC)
    if style == RFC822:
        return format_datetime(moment, usegmt=True)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")
