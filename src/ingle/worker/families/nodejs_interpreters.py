"""Finds the Node.js interpreters of this machine that functions can run on.

Owns where to look: configured places, the version managers nvm, n, asdf, mise and Volta, /opt, /usr/local, /usr and
PATH. A release from 18 on whose major version is a runtime's counts; of each major version the newest. Layouts that
tell the version, by their name or by the headers they come with, are believed; others are asked.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingle.domain.runtimes import RUNTIMES
from ingle.worker.interpreters import (
    Discovery,
    Interpreter,
    Question,
    Rejected,
    best,
    entries,
    is_binary,
    program_directories,
    real,
    sort_out,
)

OLDEST_MAJOR = 18
_RUNTIME = re.compile(r"nodejs(\d+)\.x", re.ASCII)
_VERSION = re.compile(r"v?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\Z", re.ASCII)
_HEADER = re.compile(r"#define NODE_(MAJOR|MINOR|PATCH)_VERSION (\d+)|#define NODE_VERSION_IS_RELEASE (\d)")
_NAMES = ("node", "nodejs")
_PROBE = "console.log(JSON.stringify([process.release.name, process.version, process.execPath]))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where interpreters are looked for, besides what is configured.

    `versions`: directories whose entries are installations named after their version. `programs`: directories of
    executables.
    """

    versions: tuple[Path, ...] = ()
    programs: tuple[Path, ...] = ()

    @classmethod
    def of_this_machine(cls, environ: Mapping[str, str] | None = None) -> Places:
        environ = os.environ if environ is None else environ
        home = Path("~").expanduser()
        nvm = [Path(environ["NVM_DIR"])] if environ.get("NVM_DIR") else []
        return cls(
            versions=(
                *(root / "versions/node" for root in dict.fromkeys([*nvm, home / ".nvm"])),
                Path("/usr/local/n/versions/node"),
                home / ".asdf/installs/nodejs",
                home / ".local/share/mise/installs/node",
                home / ".volta/tools/image/node",
            ),
            programs=program_directories(environ),
        )


def major(runtime: str) -> int | None:
    """22 for `nodejs22.x`; None for what is not a Node.js runtime of that form."""
    match = _RUNTIME.fullmatch(runtime)
    return None if match is None else int(match[1])


def search(node_paths: Sequence[Path] = (), *, places: Places | None = None) -> Discovery:
    """The interpreter to use for each runtime, and what was left out. `node_paths`: interpreters or directories of
    them. Blocks for at most `interpreters.ASK_SECONDS`; never raises."""
    candidates = _candidates(node_paths, places or Places.of_this_machine())
    question = Question(arguments=("-e", _PROBE), understand=_understand)
    found, rejected = sort_out(candidates, question, node_paths)
    return Discovery(best(found, _rank), rejected)


def at(executable: Path, version: str) -> Interpreter | Rejected:
    """What an executable of Node.js `version` is to functions."""
    match = _VERSION.match(version)
    if match is None:
        return Rejected(executable=executable, reason=f"is version {version}, not a release")
    runtime = f"nodejs{match[1]}.x"
    if int(match[1]) < OLDEST_MAJOR:
        return Rejected(executable=executable, reason=f"is version {version}, older than {OLDEST_MAJOR}")
    if runtime not in RUNTIMES:
        return Rejected(executable=executable, reason=f"is version {version}, for which there is no runtime")
    return Interpreter(
        runtime=runtime, version=version.removeprefix("v"), executable=executable, prefix=executable.parent.parent
    )


def _rank(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _candidates(node_paths: Sequence[Path], places: Places) -> Iterator[tuple[Path, Interpreter | None]]:
    """Executables, with what they are where the layout tells it, configured ones first."""
    for place in node_paths:
        if place.is_dir():
            yield from _versions_directory(place)
            for directory in (place, place / "bin"):
                yield from _executables(directory)
        elif place.exists():
            yield place, None
    for directory in places.versions:
        yield from _versions_directory(directory)
    for directory in dict.fromkeys(places.programs):
        yield from _executables(directory)


def _versions_directory(directory: Path) -> Iterator[tuple[Path, Interpreter | None]]:
    """Installations side by side in directories whose names tell the version; links among them lead to another."""
    for entry in entries(directory):
        if _VERSION.match(entry.name) and not entry.is_symlink():
            executable = entry / "bin/node"
            known = at(executable, entry.name)
            if isinstance(known, Interpreter):
                yield executable, known


def _executables(directory: Path) -> Iterator[tuple[Path, Interpreter | None]]:
    """Programs by Node's names. Shims are scripts that lead to one of them: they are passed over."""
    for name in _NAMES:
        executable = directory / name
        if is_binary(executable):
            file = real(executable)
            version = _version_of_headers(file.parent.parent / "include/node/node_version.h")
            known = at(file, version) if version else None
            yield executable, known if isinstance(known, Interpreter) else None


def _version_of_headers(header: Path) -> str | None:
    """The version that the headers of an installation are for; None where there are none, or of no release."""
    try:
        lines = _HEADER.findall(header.read_text("ascii", "replace"))
    except OSError:
        return None
    numbers = {name: value for name, value, _ in lines if name}
    if not all(part in numbers for part in ("MAJOR", "MINOR", "PATCH")) or "1" not in {flag for _, _, flag in lines}:
        return None
    return f"{numbers['MAJOR']}.{numbers['MINOR']}.{numbers['PATCH']}"


def _understand(executable: Path, output: bytes) -> Interpreter | Rejected:
    try:
        name, version, path = json.loads(output)
    except ValueError:
        return Rejected(executable=executable, reason="does not start")
    if name != "node":
        return Rejected(executable=executable, reason=f"is {name}, not Node.js")
    return at(Path(path), version)
