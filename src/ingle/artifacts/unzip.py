"""Writing the entries of a checked archive below a directory, and nowhere else.

Parents are opened beneath the root and without following links; names are created exclusively; links are made, never
followed. Everything blocks. Used by `packages` in a thread.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ingle.artifacts.archive import Entry, EntryKind, chunks, link_target
from ingle.artifacts.beneath import OpenDirectory, open_directory

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def extract_entries(
    archive: zipfile.ZipFile, found: Sequence[Entry], root: Path, *, open_parent: OpenDirectory = open_directory
) -> None:
    """Writes all entries below `root`, an empty directory.

    Files get their permission bits (never setuid, setgid or sticky) and modification time, directories 0755; all
    belong to this process. Raises CorruptPackage, and OSError: the caller removes what is there by then.
    """
    with _Tree(root, open_parent) as tree:
        for entry in found:
            if entry.kind is EntryKind.DIRECTORY:
                tree.directory(entry.path)
            elif entry.kind is EntryKind.SYMLINK:
                tree.symlink(entry, link_target(archive, entry))
            else:
                tree.file(entry, archive)


class _Tree:
    """Keeps the descriptor of the last parent: the entries of one directory mostly follow each other."""

    def __init__(self, root: Path, open_parent: OpenDirectory) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._open_parent = open_parent
        self._made = {""}
        self._parent = ""
        self._parent_descriptor = self._root

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        os.close(self._root)

    def directory(self, path: str) -> None:
        """With its parents. Idempotent."""
        if path in self._made:
            return
        parent, _, name = path.rpartition("/")
        self.directory(parent)
        descriptor = self._enter(parent)
        os.mkdir(name, 0o755, dir_fd=descriptor)
        os.chmod(name, 0o755, dir_fd=descriptor)  # whatever the umask; a fresh directory, so no link to follow
        self._made.add(path)

    def file(self, entry: Entry, archive: zipfile.ZipFile) -> None:
        descriptor, name = self._place(entry)
        file = os.open(name, _NEW_FILE, 0o600, dir_fd=descriptor)
        try:
            for data in chunks(archive, entry):
                _write_all(file, data)
            os.fchmod(file, entry.mode)
            os.utime(file, (entry.mtime, entry.mtime))
        finally:
            os.close(file)

    def symlink(self, entry: Entry, target: str) -> None:
        descriptor, name = self._place(entry)
        os.symlink(target, name, dir_fd=descriptor)

    def _place(self, entry: Entry) -> tuple[int, str]:
        parent, _, name = entry.path.rpartition("/")
        self.directory(parent)
        return self._enter(parent), name

    def _enter(self, path: str) -> int:
        if path != self._parent:
            self._leave()
            self._parent_descriptor = self._open_parent(self._root, path) if path else self._root
            self._parent = path
        return self._parent_descriptor

    def _leave(self) -> None:
        if self._parent_descriptor != self._root:
            os.close(self._parent_descriptor)
        self._parent, self._parent_descriptor = "", self._root


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
