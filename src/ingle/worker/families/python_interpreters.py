"""Finds the Python interpreters of this machine that functions can run on.

Owns where to look and which one to prefer: pyenv, uv, /opt, /usr/local, /usr, PATH and configured places; CPython 3.9
or later with a GIL, the newest patch of each minor version. Does not start zygotes and installs nothing. Called by
`app` within the start-up budget, and by the verbs that list runtimes: layouts that name their version are believed
without running anything, the others are asked all at once.
"""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingle.worker.interpreters import (
    Discovery,
    Interpreter,
    Question,
    Rejected,
    best,
    entries,
    is_binary,
    program_directories,
    sort_out,
)

OLDEST_MINOR = 9

_EXECUTABLE = re.compile(r"python3\.(\d{1,2})\Z")
_VERSION = re.compile(r"3\.(\d{1,2})\.(\d{1,3})(?:(a|b|rc)(\d{1,3}))?\Z")
_UV_DIRECTORY = re.compile(r"cpython-(3\.[0-9a-z.]+)-linux-(x86_64(?:_v\d)?|aarch64)-")
_PROBE = (
    "import json,sys;"
    "v=sys.version_info;"
    "level={'alpha':'a','beta':'b','candidate':'rc'}.get(v.releaselevel);"
    "print(json.dumps([sys.implementation.name,getattr(sys,'abiflags',''),"
    "'%d.%d.%d'%v[:3]+(level+str(v.serial) if level else ''),sys.base_prefix]))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where interpreters are looked for, besides what is configured.

    `versions`: directories whose entries are installations named after their version. `programs`: directories of
    executables. `running`: whether the interpreter that runs Ingle counts.
    """

    versions: tuple[Path, ...] = ()
    programs: tuple[Path, ...] = ()
    running: bool = False

    @classmethod
    def of_this_machine(cls, environ: Mapping[str, str] | None = None) -> Places:
        environ = os.environ if environ is None else environ
        home = Path("~").expanduser()
        roots = [home / ".pyenv", *([Path(environ["PYENV_ROOT"])] if environ.get("PYENV_ROOT") else [])]
        return cls(
            versions=(*(root / "versions" for root in roots), home / ".local/share/uv/python"),
            programs=program_directories(environ),
            running=True,
        )


def minor(runtime: str) -> int:
    """12 for `python3.12`."""
    return int(runtime.removeprefix("python3."))


def search(python_paths: Sequence[Path] = (), *, places: Places | None = None) -> Discovery:
    """The interpreter to use for each runtime, and what was left out. `python_paths`: interpreters or directories of
    them. Blocks for at most ASK_SECONDS; never raises."""
    candidates = _candidates(python_paths, places or Places.of_this_machine())
    # -I: neither the environment nor the working directory has a say. -S: no site-packages, so no foreign code runs.
    question = Question(arguments=("-I", "-S", "-c", _PROBE), understand=_understand)
    found, rejected = sort_out(candidates, question, python_paths)
    return Discovery(best(found, _rank), rejected)


def _rank(version: str) -> tuple[int, int, str, int]:
    """Orders versions: 3.14.0a1 < 3.14.0b1 < 3.14.0rc1 < 3.14.0 < 3.14.1."""
    match = _VERSION.match(version)
    if match is None:
        return (0, 0, "", 0)
    number, patch, level, serial = match.groups()
    return (int(number), int(patch), level or "z", int(serial or 0))


def _candidates(python_paths: Sequence[Path], places: Places) -> Iterator[tuple[Path, Interpreter | None]]:
    """Executables, with what they are where the layout tells it, configured ones first."""
    for place in python_paths:
        yield from _configured(place)
    if places.running:
        yield from _running()
    for directory in places.versions:
        yield from _versions_directory(directory)
    for directory in dict.fromkeys(places.programs):
        for executable in _executables(directory):
            yield executable, None


def _running() -> Iterator[tuple[Path, Interpreter]]:
    """The interpreter that runs Ingle: its version is known without asking."""
    executable = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
    version = ".".join(map(str, sys.version_info[:3]))
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    if executable.exists() and sys.version_info.releaselevel == "final" and not free_threaded:
        yield executable, _from_layout(executable, version)


def _configured(place: Path) -> Iterator[tuple[Path, Interpreter | None]]:
    if place.is_dir():
        yield from _versions_directory(place)
        for directory in (place, place / "bin"):
            for executable in _executables(directory):
                yield executable, None
    elif place.exists():
        yield place, None


def _versions_directory(directory: Path) -> Iterator[tuple[Path, Interpreter]]:
    """Installations side by side in directories whose names tell the version, as pyenv and uv lay them out."""
    for entry in entries(directory):
        name = entry.name
        if (match := _UV_DIRECTORY.match(name)) and match[2].startswith(os.uname().machine):
            name = match[1]
        version = _VERSION.match(name)
        if version is None or entry.is_symlink() or (entry / "pyvenv.cfg").exists():
            continue
        executable = entry / "bin" / f"python3.{version[1]}"
        if int(version[1]) >= OLDEST_MINOR:
            yield executable, _from_layout(executable, name)


def _executables(directory: Path) -> Iterator[Path]:
    """Files named python3.N in a directory. Shims are scripts that lead to one of them: they are passed over."""
    for entry in entries(directory):
        match = _EXECUTABLE.match(entry.name)
        if match and int(match[1]) >= OLDEST_MINOR and is_binary(entry):
            yield entry


def _from_layout(executable: Path, version: str) -> Interpreter:
    return Interpreter(runtime=executable.name, version=version, executable=executable, prefix=executable.parent.parent)


def _understand(executable: Path, output: bytes) -> Interpreter | Rejected:
    try:
        implementation, abiflags, version, prefix = json.loads(output)
    except ValueError:
        return Rejected(executable=executable, reason="does not start")
    match = _VERSION.match(version)
    if implementation != "cpython" or match is None:
        return Rejected(executable=executable, reason=f"is {implementation} {version}, not CPython 3")
    if "t" in abiflags:
        return Rejected(executable=executable, reason="is a free-threaded build")
    if int(match[1]) < OLDEST_MINOR:
        return Rejected(executable=executable, reason=f"is version {version}, older than 3.{OLDEST_MINOR}")
    runtime = f"python3.{match[1]}"
    own = Path(prefix, "bin", runtime)
    return Interpreter(
        runtime=runtime, version=version, executable=own if own.exists() else executable, prefix=Path(prefix)
    )
