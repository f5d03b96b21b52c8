from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from ingle.worker.families import python_interpreters
from ingle.worker.families.python_interpreters import Places, search
from ingle.worker.interpreters import Discovery

ELF = b"\x7fELF\x02\x01"


def program(path: Path, content: bytes = ELF) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def script(path: Path, text: str) -> Path:
    return program(path, b"#!/bin/sh\n" + text.encode())


def versions(discovery: Discovery) -> dict[str, str]:
    return {item.runtime: item.version for item in discovery.interpreters}


def test_installations_named_after_their_version_are_believed_and_the_newest_patch_wins(tmp_path):
    for version in ("3.12.1", "3.12.10", "3.9.18", "3.8.18", "2.7.18", "3.14.0rc1"):
        minor = version.split(".")[1]
        program(tmp_path / version / "bin" / f"python{version[0]}.{minor}")
    found = search(places=Places(versions=(tmp_path,)))
    assert versions(found) == {"python3.9": "3.9.18", "python3.12": "3.12.10", "python3.14": "3.14.0rc1"}
    assert found.interpreters[1].prefix == tmp_path / "3.12.10"


def test_the_layout_of_uv_is_known_and_other_architectures_and_builds_are_not_taken(tmp_path):
    import os

    machine = os.uname().machine
    program(tmp_path / f"cpython-3.12.3-linux-{machine}-gnu" / "bin" / "python3.12")
    program(tmp_path / f"cpython-3.13.3+freethreaded-linux-{machine}-gnu" / "bin" / "python3.13")
    program(tmp_path / "cpython-3.11.3-linux-riscv64-gnu" / "bin" / "python3.11")
    assert versions(search(places=Places(versions=(tmp_path,)))) == {"python3.12": "3.12.3"}


def test_virtual_environments_and_links_among_versions_are_passed_over(tmp_path):
    program(tmp_path / "3.12.1" / "bin" / "python3.12")
    (tmp_path / "3.12.1" / "pyvenv.cfg").touch()
    (tmp_path / "3.12.2").symlink_to(tmp_path / "3.12.1")
    assert versions(search(places=Places(versions=(tmp_path,)))) == {}


def test_a_broken_interpreter_is_left_out_with_a_reason(tmp_path):
    (tmp_path / "3.11.1" / "bin").mkdir(parents=True)
    program(tmp_path / "3.12.1" / "bin" / "python3.12", b"text").chmod(0o755)
    program(tmp_path / "3.13.1" / "bin" / "python3.13").chmod(0o644)
    program(tmp_path / "bin" / "python3.14")
    found = search((tmp_path / "nowhere",), places=Places(versions=(tmp_path,), programs=(tmp_path / "bin",)))
    assert found.interpreters == []
    reasons = {rejected.executable.name: rejected.reason for rejected in found.rejected}
    assert set(reasons) == {"python3.11", "python3.12", "python3.13", "python3.14", "nowhere"}
    assert reasons["python3.11"] == "no such file"
    assert reasons["python3.14"].startswith("cannot be run")


def test_shims_on_the_path_are_passed_over(tmp_path):
    script(tmp_path / "python3.12", "exit 1")
    found = search(places=Places(programs=(tmp_path,)))
    assert (found.interpreters, found.rejected) == ([], [])


@pytest.mark.skipif(bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="needs an interpreter with a GIL")
def test_a_real_interpreter_is_asked_what_it_is(tmp_path):
    name = f"python3.{sys.version_info.minor}"
    (tmp_path / name).symlink_to(sys.executable)
    (found,) = search(places=Places(programs=(tmp_path,))).interpreters
    assert found.runtime == name
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.prefix == Path(sys.base_prefix)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (b"", "does not start"),
        (b'["pypy", "", "3.10.1", "/x"]', "is pypy 3.10.1, not CPython 3"),
        (b'["cpython", "t", "3.13.1", "/x"]', "is a free-threaded build"),
        (b'["cpython", "", "3.8.1", "/x"]', "is version 3.8.1, older than 3.9"),
    ],
)
def test_answers_that_rule_an_interpreter_out(output, reason):
    assert python_interpreters._understand(Path("/x/python"), output).reason == reason


def test_the_running_interpreter_is_found():
    assert f"python3.{sys.version_info.minor}" in versions(search(places=Places(running=True)))
