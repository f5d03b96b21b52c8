"""Laying trees over each other: the merged tree shares its files with them as hard links.

Everything blocks and nothing follows a symbolic link. Used by `packages` in a thread.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

#: The file system has no hard links, or a file has as many as it can have.
_NO_LINK = frozenset({errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV})


def merge_trees(sources: Sequence[Path], root: Path) -> None:
    """Makes `root`, an empty directory, the sum of `sources`: where two have the same path, the later one's counts.

    Directories are merged; anything else replaces what is there, whatever it is. Raises OSError: the caller removes
    what is there by then.
    """
    for source in sources:
        _lay(source, root)


def _lay(source: Path, root: Path) -> None:
    waiting = [("", os.fspath(source))]
    while waiting:
        below, directory = waiting.pop()
        with os.scandir(directory) as entries:
            for entry in entries:
                path = os.path.join(below, entry.name)
                place = root / path
                if entry.is_dir(follow_symlinks=False):
                    _make_directory(place)
                    waiting.append((path, entry.path))
                else:
                    _clear(place)
                    _share(entry.path, place)


def _make_directory(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        return
    _clear(place)
    place.mkdir()
    place.chmod(0o755)  # whatever the umask


def _clear(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _share(source: str, place: Path) -> None:
    try:
        os.link(source, place, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copy2(source, place, follow_symlinks=False)
