"""Names in a data directory, and its format's number."""

from __future__ import annotations

from pathlib import Path

from ingle.storage.errors import DataDirectoryError

FORMAT = "FORMAT"
LOCK = "lock"
DATABASE = "ingle.db"
METRICS = "metrics.db"
EVENTS = "events.db"
BLOBS = "blobs"
PACKAGES = "packages"
LOGS = "logs"
BACKUPS = "backups"
SIGNING = "signing"
#: The file of the master key, where the settings name no other place. In no copy.
MASTER_KEY = "master.key"
AUDIT = "audit"
ACCESS_KEY = "access.key"
#: Of a companion that runs beside the server; gone with it. In no copy.
COMPANION = "companion"
BINDINGS = "subnets.json"


def read_format(path: Path) -> int | None:
    """The format of the data directory at `path`; None without one. Raises DataDirectoryError on nonsense."""
    try:
        text = (path / FORMAT).read_bytes()[:32].strip()
    except FileNotFoundError:
        return None
    if not text.isdigit():
        raise DataDirectoryError(f"The data directory {path} has a {FORMAT} file that holds no number.")
    return int(text)
