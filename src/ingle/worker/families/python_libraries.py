"""The libraries that a runtime comes with, as on AWS: boto3, and from Python 3.12 on the package for SnapStart hooks.

There is one directory for each Python version. This module owns the layout below `runtimes_dir` (`python3.12/` is put
on that runtime's module path), its stamp, and how it is installed with Ingle's own pip. Called through
`families.python`. Nothing here runs while a function is invoked.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from ingle.worker.families.family import InstallError
from ingle.worker.families.installing import read_stamp, replacing, write_stamp
from ingle.worker.families.python_interpreters import minor
from ingle.worker.interpreters import Interpreter

#: pip takes the newest that a Python version still supports, and nothing newer than what Ingle is tested with.
REQUIREMENT = "boto3<=1.44.5"
#: With this functions register hooks around a snapshot. Runtimes that SnapStart knows have it.
_SNAPSHOT_REQUIREMENT = "snapshot-restore-py==1.0.0"
_FIRST_WITH_SNAPSHOTS = 12
_PIP_SECONDS = 600
_COMPILE_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Libraries:
    """What is installed for a runtime: `boto3` is its version, `python` the interpreter it was compiled with."""

    requirement: str
    python: str
    boto3: str


def directory(runtimes_dir: Path, runtime: str) -> Path:
    """Where the libraries of a runtime are, whether or not they are installed."""
    return runtimes_dir / runtime


def installed(runtimes_dir: Path, runtime: str) -> Libraries | None:
    """What is installed for a runtime, None when nothing complete is. Reads one small file."""
    stamp = read_stamp(directory(runtimes_dir, runtime)) or {}
    try:
        return Libraries(requirement=stamp["requirement"], python=stamp["python"], boto3=stamp["boto3"])
    except KeyError:
        return None


def is_current(runtimes_dir: Path, runtime: str) -> bool:
    """Whether `install` would have nothing to do. Compiled files serve every patch version of a minor one."""
    libraries = installed(runtimes_dir, runtime)
    return libraries is not None and libraries.requirement == " ".join(_requirements(minor(runtime)))


def install(runtimes_dir: Path, interpreter: Interpreter) -> Libraries:
    """Install the libraries of a runtime, replacing what is there in one step.

    Blocks for seconds (network, byte-compilation). A process that is killed meanwhile leaves the old libraries in
    place. Raises InstallError.
    """
    with replacing(runtimes_dir, interpreter.runtime) as target:
        _pip(target, interpreter)
        _prune(target)
        _compile(target, interpreter)
        requirement = " ".join(_requirements(minor(interpreter.runtime)))
        libraries = Libraries(requirement=requirement, python=interpreter.version, boto3=_version_of_boto3(target))
        write_stamp(target, asdict(libraries))
    return libraries


def _pip(target: Path, interpreter: Interpreter) -> None:
    number = minor(interpreter.runtime)
    run_pip("install", "--no-compile", "--implementation", "cp", "--python-version", f"3.{number}",
            "--target", str(target), *_requirements(number))  # fmt: skip


def run_pip(verb: str, *arguments: str) -> None:
    """pip with wheels only, quietly. Blocks. Raises InstallError."""
    fixed = ("--quiet", "--no-input", "--disable-pip-version-check", "--only-binary=:all:")
    command = [*pip_command(), verb, *fixed, *arguments]
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise InstallError(f"pip did not finish within {_PIP_SECONDS} s") from None
    if result.returncode != 0:
        raise InstallError(pip_reason(result.stderr))


def _requirements(number: int) -> list[str]:
    """What to install for Python 3.`number`.

    pip decides conditional requirements by the interpreter it runs under and not by the one it installs for. boto3 1.42
    is the last that runs on Python 3.9, with an urllib3 below 1.27.
    """
    if number < 10:
        return ["boto3<1.43", "urllib3<1.27"]
    return [REQUIREMENT, _SNAPSHOT_REQUIREMENT] if number >= _FIRST_WITH_SNAPSHOTS else [REQUIREMENT]


def pip_reason(output: str) -> str:
    """The first line of pip's output that says what is wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    connection = ("connection", "Temporary failure", "Name or service not known", "unreachable", "timed out")
    if any(word in line for line in lines for word in connection):
        return "no package index can be reached; is this machine offline?"
    return (errors or lines or ["pip failed without saying why"])[0]


def pip_command() -> list[str]:
    """pip of the environment Ingle runs in or, where that has none, the one that Python carries for ensurepip."""
    from importlib.util import find_spec

    if find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if find_spec("ensurepip"):
        import ensurepip

        bundled = sorted(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
        if bundled:
            return [sys.executable, str(bundled[-1] / "pip")]
    raise InstallError("this Python has no pip; install it (Debian, Ubuntu: apt-get install python3-venv)")


def _prune(target: Path) -> None:
    """Drop what functions never import: command-line programs and the packages' own tests."""
    for unwanted in (target / "bin", *target.glob("*/tests"), *target.glob("*/test")):
        shutil.rmtree(unwanted, ignore_errors=True)


def _compile(target: Path, interpreter: Interpreter) -> None:
    """Byte-compile with the runtime's own interpreter, so that functions start fast.

    A module that does not compile is imported from its source, or fails there as it would on AWS: not an error here.
    """
    command = [str(interpreter.executable), "-I", "-m", "compileall", "-q", "-j", "0", str(target)]
    try:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_COMPILE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InstallError(f"byte-compilation did not finish within {_COMPILE_SECONDS} s") from None


def _version_of_boto3(target: Path) -> str:
    found = sorted(target.glob("boto3-*.dist-info"))
    if not found:
        raise InstallError("pip finished, but boto3 is not there")
    return found[-1].name.removeprefix("boto3-").removesuffix(".dist-info")
