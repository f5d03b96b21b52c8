"""What the layers of a function bring that matters before it starts: Python modules and extensions.

A zygote that has imported one of the modules must not be forked for the function, see `worker.host`.
"""

from __future__ import annotations

import os
from pathlib import Path

from ingle.artifacts.modules import top_level_modules


def layer_modules(layers: Path, runtime: str) -> frozenset[str]:
    """Names importable from the extracted `layers` with `runtime` (`python3.12`). Blocks."""
    places = (layers / "python", layers / "python" / "lib" / runtime / "site-packages")
    return frozenset().union(*(top_level_modules(_names(place)) for place in places))


def extension_names(layers: Path) -> tuple[str, ...]:
    """The programs in `extensions/` of the extracted `layers`, all of which are started with an environment. Blocks."""
    return tuple(sorted(name for name in _names(layers / "extensions") if not name.endswith("/")))


def _names(place: Path) -> list[str]:
    """What is in a directory, directories with a slash; nothing where there is none."""
    try:
        with os.scandir(place) as entries:
            return [f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []
