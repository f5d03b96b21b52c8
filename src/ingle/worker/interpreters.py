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
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

OLDEST_MINOR = 9
#: Seconds that all interpreters together have to tell what they are.
PROBE_SECONDS = 5.0

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
class Interpreter:
    """One interpreter. `runtime` is its runtime identifier ("python3.12"), `version` its full version ("3.12.1").

    `prefix` is the directory that holds its standard library (`sys.base_prefix`): what a sandbox has to contain.
    """

    runtime: str
    version: str
    executable: Path
    prefix: Path

    @property
    def minor(self) -> int:
        return int(self.runtime.removeprefix("python3."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An interpreter that was found and is not used, and why (one clause, for people)."""

    executable: Path
    reason: str


@dataclass(slots=True)
class Discovery:
    """What a search found. `interpreters`: the best for each runtime, by minor version."""

    interpreters: list[Interpreter] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


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
        opt = [directory for pattern in ("*/bin", "*/*/bin") for directory in sorted(Path("/opt").glob(pattern))]
        on_path = [Path(part) for part in environ.get("PATH", "").split(os.pathsep) if part.startswith("/")]
        return cls(
            versions=(*(root / "versions" for root in roots), home / ".local/share/uv/python"),
            programs=(*opt, Path("/usr/local/bin"), Path("/usr/bin"), *on_path),
            running=True,
        )


def discover(python_paths: Sequence[Path] = (), *, places: Places | None = None) -> list[Interpreter]:
    """The interpreter to use for each runtime, oldest first. `python_paths`: interpreters or directories of them."""
    return search(python_paths, places=places).interpreters


def search(python_paths: Sequence[Path] = (), *, places: Places | None = None) -> Discovery:
    """Like `discover`, and tells what was left out. Blocks for at most PROBE_SECONDS; never raises."""
    found = Discovery()
    known: dict[Path, Interpreter] = {}
    unknown: dict[Path, Path] = {}
    for executable, version in _candidates(python_paths, places or Places.of_this_machine()):
        real = _real(executable)
        if real in known or real in unknown:
            continue
        if problem := _unusable(executable):
            found.rejected.append(Rejected(executable=executable, reason=problem))
        elif version is None:
            unknown[real] = executable
        else:
            known[real] = _from_layout(executable, version)
    for answer in _ask(list(unknown.values())):
        if isinstance(answer, Interpreter):
            known.setdefault(_real(answer.executable), answer)
        else:
            found.rejected.append(answer)
    _explain_missing(python_paths, found)
    found.interpreters = _best(known.values())
    return found


def _explain_missing(python_paths: Sequence[Path], found: Discovery) -> None:
    """A configured place that does not exist deserves a word; the usual places are only looked into."""
    for place in python_paths:
        if not place.exists():
            found.rejected.append(Rejected(executable=place, reason="no such file or directory"))


def _best(interpreters: Iterable[Interpreter]) -> list[Interpreter]:
    """The newest of each minor version; among equals the first found."""
    best: dict[str, Interpreter] = {}
    for interpreter in interpreters:
        current = best.get(interpreter.runtime)
        if current is None or _rank(interpreter.version) > _rank(current.version):
            best[interpreter.runtime] = interpreter
    return sorted(best.values(), key=lambda interpreter: interpreter.minor)


def _rank(version: str) -> tuple[int, int, str, int]:
    """Orders versions: 3.14.0a1 < 3.14.0b1 < 3.14.0rc1 < 3.14.0 < 3.14.1."""
    match = _VERSION.match(version)
    if match is None:
        return (0, 0, "", 0)
    minor, patch, level, serial = match.groups()
    return (int(minor), int(patch), level or "z", int(serial or 0))


def _candidates(python_paths: Sequence[Path], places: Places) -> Iterator[tuple[Path, str | None]]:
    """Executables with their version where the layout tells it, configured ones first."""
    for place in python_paths:
        yield from _configured(place)
    if places.running:
        yield from _running()
    for directory in places.versions:
        yield from _versions_directory(directory)
    for directory in dict.fromkeys(places.programs):
        for executable in _executables(directory):
            yield executable, None


def _running() -> Iterator[tuple[Path, str | None]]:
    """The interpreter that runs Ingle: its version is known without asking."""
    executable = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
    version = ".".join(map(str, sys.version_info[:3]))
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    if executable.exists() and sys.version_info.releaselevel == "final" and not free_threaded:
        yield executable, version


def _configured(place: Path) -> Iterator[tuple[Path, str | None]]:
    if place.is_dir():
        yield from _versions_directory(place)
        for directory in (place, place / "bin"):
            for executable in _executables(directory):
                yield executable, None
    elif place.exists():
        yield place, None


def _versions_directory(directory: Path) -> Iterator[tuple[Path, str | None]]:
    """Installations side by side in directories whose names tell the version, as pyenv and uv lay them out."""
    for entry in _entries(directory):
        name = entry.name
        if (match := _UV_DIRECTORY.match(name)) and match[2].startswith(os.uname().machine):
            name = match[1]
        version = _VERSION.match(name)
        if version is None or entry.is_symlink() or (entry / "pyvenv.cfg").exists():
            continue
        executable = entry / "bin" / f"python3.{version[1]}"
        if int(version[1]) >= OLDEST_MINOR:
            yield executable, name


def _executables(directory: Path) -> Iterator[Path]:
    """Files named python3.N in a directory. Shims are scripts that lead to one of them: they are passed over."""
    for entry in _entries(directory):
        match = _EXECUTABLE.match(entry.name)
        if match and int(match[1]) >= OLDEST_MINOR and _is_binary(entry):
            yield entry


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []


def _is_binary(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(4) == b"\x7fELF"
    except OSError:
        return False


def _real(file: Path) -> Path:
    return Path(os.path.realpath(file))


def _unusable(executable: Path) -> str | None:
    """Why a file cannot be an interpreter, as far as looking at it tells."""
    if not executable.exists():
        return "no such file" if not executable.is_symlink() else "a link that leads nowhere"
    if not os.access(executable, os.X_OK):
        return "not executable"
    return None if _is_binary(executable) else "not a program of this machine"


def _from_layout(executable: Path, version: str) -> Interpreter:
    return Interpreter(runtime=executable.name, version=version, executable=executable, prefix=executable.parent.parent)


def _ask(executables: list[Path]) -> list[Interpreter | Rejected]:
    """Run interpreters, all at once, to have them say what they are."""
    running: list[tuple[Path, subprocess.Popen[bytes]]] = []
    answers: list[Interpreter | Rejected] = []
    for executable in executables:
        try:
            running.append((executable, _probe(executable)))
        except OSError as problem:
            answers.append(Rejected(executable=executable, reason=f"cannot be run: {problem.strerror}"))
    deadline = time.monotonic() + PROBE_SECONDS
    answers += [_answer(executable, process, deadline) for executable, process in running]
    return answers


def _probe(executable: Path) -> subprocess.Popen[bytes]:
    # -I: neither the environment nor the working directory has a say. -S: no site-packages, so no foreign code runs.
    return subprocess.Popen(
        [executable, "-I", "-S", "-c", _PROBE],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        start_new_session=True,
    )


def _answer(executable: Path, process: subprocess.Popen[bytes], deadline: float) -> Interpreter | Rejected:
    with process:
        try:
            output, _ = process.communicate(timeout=max(0.01, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            return Rejected(executable=executable, reason=f"no answer within {PROBE_SECONDS:g} s")
    return _understand(executable, output)


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
