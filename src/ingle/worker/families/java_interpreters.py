"""Finds the Java virtual machines of this machine that functions can run on.

Owns where to look and which one to prefer: configured places, JAVA_HOME, /usr/lib/jvm, SDKMAN, /opt, PATH; the newest
of each version that AWS has. Nothing is executed: the `release` file of an installation tells what it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingle.worker.interpreters import Discovery, Interpreter, Rejected, best, entries, is_binary, real

#: Versions of Java that AWS has a runtime of, by the runtime's name.
RUNTIMES = {8: "java8.al2", 11: "java11", 17: "java17", 21: "java21", 25: "java25"}

_RELEASE_LINE = re.compile(r'([A-Z_]+)="?([^"]*)"?\s*\Z')
_NUMBERS = re.compile(r"\d+")
_NAMES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where installations are looked for, besides what is configured.

    `homes`: installations. `directories`: directories of installations. `programs`: directories with a `java` that may
    be a link into one.
    """

    homes: tuple[Path, ...] = ()
    directories: tuple[Path, ...] = ()
    programs: tuple[Path, ...] = ()

    @classmethod
    def of_this_machine(cls, environ: Mapping[str, str] | None = None) -> Places:
        environ = os.environ if environ is None else environ
        home = Path("~").expanduser()
        sdkman = Path(environ.get("SDKMAN_DIR") or home / ".sdkman")
        return cls(
            homes=tuple(Path(environ[name]) for name in ("JAVA_HOME", "JDK_HOME") if environ.get(name)),
            directories=(Path("/usr/lib/jvm"), Path("/usr/java"), sdkman / "candidates/java", Path("/opt")),
            programs=tuple(Path(part) for part in environ.get("PATH", "").split(os.pathsep) if part.startswith("/")),
        )


def number(runtime: str) -> int | None:
    """17 for `java17` and `java17.al2023`; None for what is no Java runtime that Ingle knows."""
    match = re.fullmatch(r"java(\d+)(?:\.al2(?:023)?)?", runtime, re.ASCII)
    return int(match[1]) if match and int(match[1]) in RUNTIMES and runtime != "java8" else None


def search(java_paths: Sequence[Path] = (), *, places: Places | None = None) -> Discovery:
    """The installation to use for each runtime, and what was left out. `java_paths`: installations, `java` programs in
    them, or directories of installations. Never raises."""
    found = Discovery()
    known: list[Interpreter] = []
    for executable in _executables(java_paths, places or Places.of_this_machine()):
        answer = examine(executable)
        if isinstance(answer, Rejected):
            found.rejected.append(answer)
        elif number(answer.runtime) is not None:
            known.append(answer)
        else:
            reason = f"is Java {answer.version}, of which AWS has no runtime"
            found.rejected.append(Rejected(executable=executable, reason=reason))
    missing = [place for place in java_paths if not place.exists()]
    found.rejected += [Rejected(executable=place, reason="no such file or directory") for place in missing]
    found.interpreters = best(known, rank)
    return found


def rank(version: str) -> tuple[int, ...]:
    """Orders versions: 1.8.0_402 < 11.0.2 < 11.0.10 < 17."""
    numbers = tuple(int(part) for part in _NUMBERS.findall(version))
    return numbers[1:] if numbers[:1] == (1,) else numbers


def examine(executable: Path) -> Interpreter | Rejected:
    """What a `java` program is, by the `release` file of its installation."""
    file = real(executable)
    for home in (file.parent.parent, file.parent.parent.parent):  # Java 8 has programs in `jre/bin` as well
        told = _release(home / "release")
        if "JAVA_VERSION" in told:
            return _understand(executable, home, told)
    return Rejected(executable=executable, reason="has no `release` file that tells its version")


def _understand(executable: Path, home: Path, told: Mapping[str, str]) -> Interpreter | Rejected:
    architecture = told.get("OS_ARCH", "")
    if architecture and _NAMES.get(architecture, architecture) != os.uname().machine:
        return Rejected(executable=executable, reason=f"is made for {architecture}")
    version = told["JAVA_VERSION"]
    feature = (*rank(version), 0)[0]
    program = home / "bin/java" if (home / "bin/java").exists() else real(executable)
    runtime = RUNTIMES.get(feature, f"java{feature}")
    return Interpreter(runtime=runtime, version=version, executable=program, prefix=home)


def _release(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return {}
    return {match[1]: match[2] for line in lines if (match := _RELEASE_LINE.match(line))}


def _executables(java_paths: Sequence[Path], places: Places) -> Iterator[Path]:
    """Programs that are there, each file once, configured ones first."""
    seen: set[Path] = set()
    for candidate in _candidates(java_paths, places):
        if is_binary(candidate) and os.access(candidate, os.X_OK) and real(candidate) not in seen:
            seen.add(real(candidate))
            yield candidate


def _candidates(java_paths: Sequence[Path], places: Places) -> Iterator[Path]:
    for place in java_paths:
        yield from (place, place / "java", place / "bin/java")
        yield from (entry / "bin/java" for entry in entries(place))
    for home in places.homes:
        yield home / "bin/java"
    for directory in places.directories:
        yield from (entry / "bin/java" for entry in entries(directory))
    for directory in dict.fromkeys(places.programs):
        yield directory / "java"


def linked_directories(home: Path) -> list[Path]:
    """Directories of /etc that links of an installation lead into: Debian keeps its settings there, for instance."""
    found: dict[Path, None] = {}
    for directory, _, names in os.walk(home):
        if Path(directory).name == "legal":
            continue
        for name in names:
            target = os.path.realpath(os.path.join(directory, name))
            parts = Path(target).parts
            if len(parts) > 3 and parts[1] == "etc":
                found[Path(*parts[:3])] = None
    return list(found)
