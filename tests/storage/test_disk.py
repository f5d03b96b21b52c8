"""When a disk counts as full, and when not any more."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from ingle.storage.disk import Disk, Space

MB = 1 << 20


class Looks:
    """A disk of 1 GB as a test wants it to be."""

    def __init__(self, free: int = 500 * MB) -> None:
        self.free: int | None = free

    def __call__(self, path: Path) -> Space:
        if self.free is None:
            raise OSError(errno.EIO, "Input/output error")
        return Space(free=self.free, total=1000 * MB)


@pytest.mark.parametrize(("total", "reserve"), [(50 * MB, 4 * MB), (1000 * MB, 20 * MB), (10_000_000 * MB, 256 * MB)])
def test_the_reserve_is_a_part_of_the_disk_within_bounds(total, reserve):
    assert Space(free=0, total=total).reserve == reserve


def test_a_file_system_without_files_left_is_full():
    assert Space(free=500 * MB, total=1000 * MB, files=3).is_full()
    assert not Space(free=500 * MB, total=1000 * MB, files=3000).is_full()


async def test_a_full_disk_recovers_by_itself_and_does_not_flicker(tmp_path, caplog):
    looks = Looks()
    disk = Disk(tmp_path, looks)
    seen = []
    for free in (500, 19, 22, 24, 26, 21, 19):
        looks.free = free * MB
        await disk.look()
        seen.append(disk.full)
    assert seen == [False, True, True, True, False, False, True]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING", "ERROR"]


async def test_a_look_that_fails_changes_nothing(tmp_path):
    looks = Looks(free=MB)
    disk = Disk(tmp_path, looks)
    looks.free = None
    await disk.look()
    assert disk.full


def test_a_real_disk_is_measured(tmp_path):
    space = Space.of(tmp_path)
    assert 0 < space.free <= space.total
