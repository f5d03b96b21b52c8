"""Replacing what is installed for a runtime in one step, and the stamp that says what it is.

Used by the modules of families that install something below `runtimes_dir`.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ingle.worker.families.family import InstallError

STAMP = ".ingle.json"


def read_stamp(directory: Path) -> dict[str, Any] | None:
    """What `write_stamp` wrote; None where nothing complete is installed."""
    try:
        content = json.loads((directory / STAMP).read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_stamp(directory: Path, content: Mapping[str, Any]) -> None:
    (directory / STAMP).write_text(json.dumps(content) + "\n", "utf-8")


@contextlib.contextmanager
def replacing(runtimes_dir: Path, *parts: str) -> Iterator[Path]:
    """A directory to fill, which takes the place of `runtimes_dir/*parts` when the block ends without an error.

    What else is put beside it goes at the end. A process that is killed meanwhile leaves what was there in place.
    Raises InstallError.
    """
    destination = runtimes_dir.joinpath(*parts)
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{'-'.join(parts)}-", dir=runtimes_dir))
    except OSError as problem:
        raise InstallError(f"{runtimes_dir}: {problem.strerror}") from None
    try:
        new = building / "new"
        new.mkdir()
        yield new
        # Functions run as other users, who have to be able to read this.
        new.chmod(0o755)
        if destination.parent != runtimes_dir:
            destination.parent.chmod(0o755)
        if destination.exists():
            destination.rename(building / "old")
        new.rename(destination)
    except OSError as problem:
        raise InstallError(f"{problem.filename or runtimes_dir}: {problem.strerror}") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)
