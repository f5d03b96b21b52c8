"""Finds the Ruby interpreters of this machine that functions can run on.

Owns where to look and which one to prefer: configured places, rbenv, asdf, mise, RVM, ruby-install, /opt, /usr/local,
/usr, PATH; CRuby of a version that AWS has, the newest patch of each. Each is asked what it is, all at once.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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

OLDEST = (3, 2)

_EXECUTABLE = re.compile(r"ruby(\d\.\d{1,2})?\Z")
_RUNTIME = re.compile(r"ruby(\d)\.(\d{1,2})", re.ASCII)
# Without RubyGems, which would look into the user's directories.
_PROBE = ("--disable=gems", "-rrbconfig", "-e", 'print [RUBY_ENGINE, RUBY_VERSION, RbConfig::CONFIG["prefix"]].inspect')


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where interpreters are looked for, besides what is configured.

    `versions`: directories of installations. `programs`: directories of executables.
    """

    versions: tuple[Path, ...] = ()
    programs: tuple[Path, ...] = ()

    @classmethod
    def of_this_machine(cls, environ: Mapping[str, str] | None = None) -> Places:
        environ = os.environ if environ is None else environ
        home = Path("~").expanduser()
        rbenv = Path(environ.get("RBENV_ROOT") or home / ".rbenv")
        return cls(
            versions=(rbenv / "versions", home / ".asdf/installs/ruby", home / ".local/share/mise/installs/ruby",
                      home / ".rvm/rubies", Path("/usr/local/rvm/rubies"), home / ".rubies", Path("/opt/rubies")),
            programs=program_directories(environ),
        )  # fmt: skip


def version_of(runtime: str) -> tuple[int, int] | None:
    """(3, 3) for `ruby3.3`; None for what is no Ruby runtime that Ingle knows."""
    match = _RUNTIME.fullmatch(runtime)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    return version if version >= OLDEST else None


def search(
    ruby_paths: Sequence[Path] = (), stand_ins: Sequence[tuple[str, Path]] = (), *, places: Places | None = None
) -> Discovery:
    """The interpreter to use for each runtime, and what was left out.

    `ruby_paths`: interpreters, or directories of them or of installations. `stand_ins`: interpreters of another version
    that a runtime is to use all the same. Blocks for at most ASK_SECONDS; never raises.
    """
    given = [*ruby_paths, *(path for _, path in stand_ins)]
    question = Question(arguments=_PROBE, understand=_understand)
    found, rejected = sort_out(_candidates(given, places or Places.of_this_machine()), question, given)
    usable = [item for item in found if version_of(item.runtime)]
    by_file = {os.path.realpath(item.executable): item for item in found}
    standing_in = {
        runtime: replace(by_file[os.path.realpath(path)], runtime=runtime)
        for runtime, path in stand_ins
        if os.path.realpath(path) in by_file
    }
    used = {os.path.realpath(item.executable) for item in standing_in.values()}
    rejected += [
        Rejected(executable=item.executable, reason=f"is version {item.version}, older than {OLDEST[0]}.{OLDEST[1]}")
        for item in found
        if not version_of(item.runtime) and os.path.realpath(item.executable) not in used
    ]
    chosen = {item.runtime: item for item in best(usable, _rank)} | standing_in
    return Discovery(sorted(chosen.values(), key=lambda item: version_of(item.runtime) or (0, 0)), rejected)


def _rank(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _candidates(ruby_paths: Sequence[Path], places: Places) -> Iterator[tuple[Path, None]]:
    for place in ruby_paths:
        if place.is_dir():
            for directory in (place, place / "bin", *(entry / "bin" for entry in entries(place))):
                yield from _executables(directory)
        elif place.exists():
            yield place, None
    for directory in places.versions:
        for entry in entries(directory):
            if not entry.is_symlink():
                yield from _executables(entry / "bin")
    for directory in dict.fromkeys(places.programs):
        yield from _executables(directory)


def _executables(directory: Path) -> Iterator[tuple[Path, None]]:
    """Files named ruby or ruby3.N in a directory. Shims are scripts that lead to one of them: they are passed over."""
    for entry in entries(directory):
        if _EXECUTABLE.match(entry.name) and is_binary(entry):
            yield entry, None


def _understand(executable: Path, output: bytes) -> Interpreter | Rejected:
    try:
        engine, version, prefix = json.loads(output)
        major, minor, *_ = version.split(".")
    except (ValueError, AttributeError):
        return Rejected(executable=executable, reason="does not start")
    if engine != "ruby":
        return Rejected(executable=executable, reason=f"is {engine} {version}, not CRuby")
    file = Path(os.path.realpath(executable))
    own = file if file.is_relative_to(prefix) else executable
    return Interpreter(runtime=f"ruby{major}.{minor}", version=version, executable=own, prefix=Path(prefix))
