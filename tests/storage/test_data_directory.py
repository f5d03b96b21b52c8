"""Who may open a data directory, and what it says to those who may not."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ingle.storage.data_directory import DataDirectory, Formats
from ingle.storage.errors import DataDirectoryError

HOLDER = """
import sys
from pathlib import Path
from ingle.storage.data_directory import DataDirectory
with DataDirectory.open(Path(sys.argv[1])):
    print("open", flush=True)
    sys.stdin.read()
"""


def one_line(error: pytest.ExceptionInfo[DataDirectoryError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def test_a_fresh_directory_is_private_and_complete(tmp_path: Path):
    with DataDirectory.open(tmp_path / "a" / "data") as data:
        assert stat.S_IMODE(data.path.stat().st_mode) == 0o700
        assert (data.path / "FORMAT").read_text() == "1\n"
        assert data.packages.is_dir()
        assert data.blobs.is_dir()
        assert data.logs.is_dir()
        assert data.database_url == f"sqlite:///{data.path}/ingle.db"
    DataDirectory.open(tmp_path / "a" / "data").close()


def test_a_second_server_is_refused_until_the_first_is_killed(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
):
    holder = start(HOLDER, tmp_path / "data")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    with pytest.raises(DataDirectoryError) as error:
        DataDirectory.open(tmp_path / "data")
    assert one_line(error).endswith(f"is in use by another Ingle server (process {holder.pid}).")
    holder.kill()
    holder.wait()
    DataDirectory.open(tmp_path / "data").close()


def test_one_process_cannot_open_it_twice(tmp_path: Path):
    with DataDirectory.open(tmp_path / "data"), pytest.raises(DataDirectoryError, match="in use"):
        DataDirectory.open(tmp_path / "data")


@pytest.mark.parametrize("below", [False, True])
def test_a_file_in_its_place_is_refused(tmp_path: Path, below: bool):
    (tmp_path / "data").write_text("")
    with pytest.raises(DataDirectoryError) as error:
        DataDirectory.open(tmp_path / "data" / "deep" if below else tmp_path / "data")
    assert "is not a directory" in one_line(error)


def test_an_unwritable_directory_is_refused(read_only_disk: Path):
    for path in (read_only_disk, read_only_disk / "data"):
        with pytest.raises(DataDirectoryError) as error:
            DataDirectory.open(path)
        assert "is not writable" in one_line(error)


def test_a_directory_of_other_things_is_refused_and_untouched(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(DataDirectoryError, match="is not empty"):
        DataDirectory.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_first_start_that_was_interrupted_is_finished(tmp_path: Path):
    DataDirectory.open(tmp_path / "data").close()
    (tmp_path / "data" / "FORMAT").unlink()
    DataDirectory.open(tmp_path / "data").close()
    assert (tmp_path / "data" / "FORMAT").exists()


@pytest.mark.parametrize("content", ["2\n", "1000000"])
def test_a_newer_format_is_refused(tmp_path: Path, content: str):
    DataDirectory.open(tmp_path / "data").close()
    (tmp_path / "data" / "FORMAT").write_text(content)
    with pytest.raises(DataDirectoryError) as error:
        DataDirectory.open(tmp_path / "data")
    assert "this release of Ingle knows up to 1" in one_line(error)


@pytest.mark.parametrize("content", ["", "one", "-1"])
def test_a_format_that_is_no_number_is_refused(tmp_path: Path, content: str):
    DataDirectory.open(tmp_path / "data").close()
    (tmp_path / "data" / "FORMAT").write_text(content)
    with pytest.raises(DataDirectoryError, match="holds no number"):
        DataDirectory.open(tmp_path / "data")


def test_an_older_format_is_copied_and_then_migrated_step_by_step(tmp_path: Path):
    with DataDirectory.open(tmp_path / "data") as data:
        (data.logs / "old").write_text("as it was")
    formats = Formats(
        current=3,
        migrations={
            1: lambda path: (path / "logs" / "old").rename(path / "logs" / "new") and None,
            2: lambda path: (path / "logs" / "new").write_text("migrated") and None,
        },
    )
    with DataDirectory.open(tmp_path / "data", formats=formats) as data:
        assert (data.path / "FORMAT").read_text() == "3\n"
        assert (data.logs / "new").read_text() == "migrated"
    copy = tmp_path / "data" / "backups" / "format-1.1"
    assert (copy / "logs" / "old").read_text() == "as it was"
    DataDirectory.open(copy).close()


def test_a_migration_that_fails_can_be_run_again(tmp_path: Path):
    DataDirectory.open(tmp_path / "data").close()

    def fail(path: Path) -> None:
        raise OSError(5, "Input/output error")

    with pytest.raises(DataDirectoryError, match="Input/output error"):
        DataDirectory.open(tmp_path / "data", formats=Formats(current=2, migrations={1: fail}))
    with DataDirectory.open(tmp_path / "data", formats=Formats(current=2, migrations={1: lambda path: None})):
        assert {path.name for path in (tmp_path / "data" / "backups").iterdir()} == {"format-1.1", "format-1.2"}


def test_a_format_without_a_way_forward_is_refused_before_anything_changes(tmp_path: Path):
    DataDirectory.open(tmp_path / "data").close()
    with pytest.raises(DataDirectoryError, match="too old"):
        DataDirectory.open(tmp_path / "data", formats=Formats(current=3, migrations={2: lambda path: None}))
    assert list((tmp_path / "data" / "backups").iterdir()) == []
