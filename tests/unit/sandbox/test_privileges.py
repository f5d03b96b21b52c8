"""A process that was restricted tries to use what it gave up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ingle
from ingle.worker.kernel import landlock_version

TRY = """
import errno, json, os, sys
from pathlib import Path
from ingle.sandbox.privileges import restrict

def attempt(action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

data, other = Path(sys.argv[1]), Path(sys.argv[2])
restricted = restrict(data, [])
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "landlock": restricted.landlock,
    "status": {name: status[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs")},
    "write inside": attempt((data / "new").write_text, "x"),
    "rename inside": attempt(os.rename, data / "new", data / "newer"),
    "read outside": attempt((other / "secret").read_text),
    "write outside": attempt((other / "new").write_text, "x"),
    "list outside": attempt(os.listdir, other),
    "execute inside": attempt(os.execv, data / "program", ["program"]),
    "read shadow": attempt(Path("/etc/shadow").read_text),
    "chroot": attempt(os.chroot, data),
}))
"""


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("restricted")
    data, other = directory / "data", directory / "other"
    data.mkdir()
    other.mkdir()
    (other / "secret").write_text("secret")
    program = data / "program"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    environment = {"PYTHONPATH": str(Path(ingle.__file__).parent.parent)}
    command = [sys.executable, "-c", TRY, str(data), str(other)]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def test_no_capability_is_left(tried: dict[str, Any]) -> None:
    status = tried["status"]
    assert (int(status["CapEff"], 16), int(status["CapPrm"], 16), status["NoNewPrivs"]) == (0, 0, "1")
    assert tried["chroot"] == "EPERM"


def test_the_data_directory_stays_usable(tried: dict[str, Any]) -> None:
    assert (tried["write inside"], tried["rename inside"]) == ("done", "done")


@pytest.mark.skipif(landlock_version() == 0, reason="this kernel has no Landlock")
def test_files_elsewhere_are_out_of_reach(tried: dict[str, Any]) -> None:
    assert tried["landlock"] >= 1
    attempts = ("read outside", "write outside", "list outside", "execute inside", "read shadow")
    assert {name: tried[name] for name in attempts} == dict.fromkeys(attempts, "EACCES")
