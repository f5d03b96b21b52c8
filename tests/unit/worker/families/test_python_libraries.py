from __future__ import annotations

from pathlib import Path

import pytest

from ingle.worker.families import python_libraries as libraries
from ingle.worker.families.family import InstallError
from ingle.worker.families.installing import STAMP
from ingle.worker.interpreters import Interpreter

PYTHON = Interpreter(runtime="python3.12", version="3.12.1", executable=Path("/bin/true"), prefix=Path("/"))


@pytest.fixture
def pip(monkeypatch):
    """Stands in for pip: lays out what it would, and counts."""
    runs: list[Path] = []

    def install(target: Path, interpreter: Interpreter) -> None:
        runs.append(target)
        for directory in ("boto3", "boto3-1.44.5.dist-info", "bin", "boto3/tests", "urllib3/test"):
            (target / directory).mkdir(parents=True)

    monkeypatch.setattr(libraries, "_pip", install)
    return runs


def test_libraries_are_installed_in_one_step_without_what_functions_never_import(tmp_path, pip):
    assert libraries.installed(tmp_path, "python3.12") is None
    assert libraries.install(tmp_path, PYTHON).boto3 == "1.44.5"
    assert [path.name for path in tmp_path.iterdir()] == ["python3.12"]
    target = libraries.directory(tmp_path, "python3.12")
    assert sorted(path.name for path in target.iterdir()) == [
        ".ingle.json", "boto3", "boto3-1.44.5.dist-info", "urllib3",
    ]  # fmt: skip
    assert list((target / "boto3").iterdir()) == []
    assert target.stat().st_mode & 0o777 == 0o755
    assert libraries.is_current(tmp_path, "python3.12")


def test_a_new_requirement_replaces_what_is_there(tmp_path, pip, monkeypatch):
    libraries.install(tmp_path, PYTHON)
    monkeypatch.setattr(libraries, "REQUIREMENT", "boto3<=2")
    assert not libraries.is_current(tmp_path, "python3.12")
    libraries.install(tmp_path, PYTHON)
    assert libraries.is_current(tmp_path, "python3.12")
    assert [path.name for path in tmp_path.iterdir()] == ["python3.12"]


@pytest.mark.parametrize(("minor", "expected"), [(9, False), (11, False), (12, True), (13, True)])
def test_runtimes_that_snapstart_knows_have_the_package_for_its_hooks(minor, expected):
    names = [requirement.partition("=")[0] for requirement in libraries._requirements(minor)]
    assert ("snapshot-restore-py" in names) is expected


def test_a_failed_installation_leaves_what_was_there(tmp_path, pip, monkeypatch):
    libraries.install(tmp_path, PYTHON)

    def fail(target: Path, interpreter: Interpreter) -> None:
        raise InstallError("no")

    monkeypatch.setattr(libraries, "_pip", fail)
    with pytest.raises(InstallError):
        libraries.install(tmp_path, PYTHON)
    assert libraries.is_current(tmp_path, "python3.12")
    assert [path.name for path in tmp_path.iterdir()] == ["python3.12"]


def test_a_directory_without_a_good_stamp_counts_as_nothing(tmp_path):
    target = tmp_path / "python3.12"
    target.mkdir()
    for content in ("", "[]", "{}", '{"requirement": 1}'):
        (target / STAMP).write_text(content)
        assert libraries.installed(tmp_path, "python3.12") is None


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("WARNING: x\nERROR: No matching distribution found for boto3\n", "No matching distribution found for boto3"),
        ("WARNING: Retrying after connection broken\nERROR: No matching\n", "no package index can be reached"),
        ("", "pip failed without saying why"),
    ],
)
def test_the_reason_of_a_failure_is_one_line(output, reason):
    assert libraries.pip_reason(output).startswith(reason)
