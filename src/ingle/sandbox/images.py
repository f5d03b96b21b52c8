"""File systems for `/tmp`: sparse ext4 images, one for each environment, copied from a template of their size.

A tmpfs would be charged to the function's memory and end in an out-of-memory kill where AWS answers ENOSPC. Images are
mounted by the environments themselves. Used by the supervisor only, in one thread.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

#: Copies kept ready, so that an environment costs a rename and not a copy.
READY = 64


class ImageStore:
    """Images below `directory`. `DEFAULT_MB` sized ones are copied ahead by `refill`, one at a call."""

    DEFAULT_MB = 512

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._templates: dict[int, Path] = {}
        self._ready: list[Path] = []
        self._made = 0
        directory.mkdir(mode=0o700, exist_ok=True)
        self.clear()

    def clear(self) -> None:
        """Remove all images. A mounted one lives on without its name."""
        self._templates.clear()
        self._ready.clear()
        for leftover in self._directory.iterdir():
            leftover.unlink()

    @staticmethod
    def available() -> bool:
        """Whether this machine can make and mount images: root, a loop driver and mkfs.ext4."""
        return os.geteuid() == 0 and Path("/dev/loop-control").exists() and find_mkfs() is not None

    def acquire(self, name: str, size_mb: int) -> str:
        """The file name of a fresh image for the environment `name`. Raises OSError if the disk is full."""
        target = self._directory / f"{name}.img"
        if size_mb == self.DEFAULT_MB and self._ready:
            self._ready.pop().rename(target)
        else:
            self._copy(self._template(size_mb), target)
        return target.name

    def release(self, file_name: str) -> None:
        (self._directory / file_name).unlink(missing_ok=True)

    def refill(self) -> bool:
        """Copy one image ahead; False if there are enough."""
        if len(self._ready) >= READY:
            return False
        self._made += 1
        path = self._directory / f"ready-{self._made}"
        self._copy(self._template(self.DEFAULT_MB), path)
        self._ready.append(path)
        return True

    def _template(self, size_mb: int) -> Path:
        if size_mb not in self._templates:
            path = self._directory / f"template-{size_mb}"
            with path.open("wb") as file:
                file.truncate(size_mb << 20)
            extended = "lazy_itable_init=1,nodiscard,root_owner=0:0"
            options = ["-q", "-F", "-O", "^has_journal,^resize_inode", "-E", extended]
            mkfs = find_mkfs()
            assert mkfs is not None
            command = [mkfs, *options, "-b", "4096", "-m", "0", str(path)]
            made = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True)
            if not _is_ext4(path):  # the status is unknown where SIGCHLD is ignored, as in the supervisor
                path.unlink()
                raise OSError(f"{mkfs} made no file system: {made.stderr.decode(errors='replace').strip()}")
            self._templates[size_mb] = path
        return self._templates[size_mb]

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        """Copy the data of a sparse file and leave its holes holes. Raises OSError, and leaves nothing then."""
        try:
            ImageStore._copy_data(source, target)
        except OSError:
            target.unlink(missing_ok=True)
            raise

    @staticmethod
    def _copy_data(source: Path, target: Path) -> None:
        with source.open("rb") as reader, target.open("wb") as writer:
            size = os.fstat(reader.fileno()).st_size
            writer.truncate(size)
            offset = 0
            while offset < size:
                try:
                    offset = os.lseek(reader.fileno(), offset, os.SEEK_DATA)
                except OSError:
                    break
                end = os.lseek(reader.fileno(), offset, os.SEEK_HOLE)
                os.lseek(writer.fileno(), offset, os.SEEK_SET)
                while offset < end:
                    offset += os.sendfile(writer.fileno(), reader.fileno(), offset, end - offset)


def _is_ext4(path: Path) -> bool:
    """Whether the superblock, which is written last, carries ext4's magic number."""
    with path.open("rb") as file:
        file.seek(1024 + 0x38)
        return file.read(2) == b"\x53\xef"


def find_mkfs() -> str | None:
    return shutil.which("mkfs.ext4", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
