"""Directories are opened below a root or not at all, with the kernel's help and without."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingle.artifacts.beneath import OpenDirectory, open_by_component, open_by_kernel, open_directory


@pytest.fixture(params=[open_directory, open_by_kernel, open_by_component])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> OpenDirectory:
    if request.param is open_by_kernel:
        try:
            os.close(open_by_kernel(os.open(tmp_path, os.O_PATH), "."))
        except OSError as error:
            if error.errno in (errno.ENOSYS, errno.EPERM):
                pytest.skip("this kernel has no openat2")
            raise
    chosen: OpenDirectory = request.param
    return chosen


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "root" / "a" / "b").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "root" / "out").symlink_to("../outside")
    (tmp_path / "root" / "a" / "inner").symlink_to("b")
    (tmp_path / "root" / "file").write_text("")
    descriptor = os.open(tmp_path / "root", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_a_directory_below_is_opened(opener: OpenDirectory, root: int, tmp_path: Path):
    descriptor = opener(root, "a/b")
    assert os.path.samestat(os.fstat(descriptor), os.stat(tmp_path / "root" / "a" / "b"))
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


@pytest.mark.parametrize("path", ["..", "a/../..", "/etc", "out", "out/x", "a/inner", "file", "missing"])
def test_nothing_else_is_opened(opener: OpenDirectory, root: int, path: str):
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match=r".+"):
        opener(root, path)
    assert len(os.listdir("/proc/self/fd")) == before
