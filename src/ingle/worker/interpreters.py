"""Interpreters of this machine, whatever language they are for, and asking many of them at once what they are.

Owns the values that a search gives and what all searches have in common; where a language's interpreters are looked
for is the business of its module in `worker.families`. Nothing here raises, and nothing waits longer than
ASK_SECONDS.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

#: Seconds that all interpreters together have to tell what they are.
ASK_SECONDS = 5.0

Rank = TypeVar("Rank", bound=tuple[object, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """One interpreter. `runtime` is its runtime identifier ("python3.12"), `version` its full version ("3.12.1").

    `prefix` is the directory that holds its standard library: what a sandbox has to contain.
    """

    runtime: str
    version: str
    executable: Path
    prefix: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An interpreter that was found and is not used, and why (one clause, for people)."""

    executable: Path
    reason: str


@dataclass(slots=True)
class Discovery:
    """What a search found. `interpreters`: the best for each runtime, oldest runtime first."""

    interpreters: list[Interpreter] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, other: Discovery) -> None:
        self.interpreters += other.interpreters
        self.rejected += other.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is executed to learn what an executable is, and how its standard output is understood."""

    arguments: tuple[str, ...]
    understand: Callable[[Path, bytes], Interpreter | Rejected]


def sort_out(
    candidates: Iterable[tuple[Path, Interpreter | None]], question: Question, configured: Sequence[Path]
) -> tuple[list[Interpreter], list[Rejected]]:
    """Candidates become interpreters, or are rejected with a reason.

    A candidate is an executable, with what it is where its place tells; others are asked, all at the same time. The
    same file is looked at once. `configured` places that do not exist deserve a word; the usual places are only looked
    into.
    """
    known: dict[Path, Interpreter] = {}
    unknown: dict[Path, Path] = {}
    rejected: list[Rejected] = []
    for executable, interpreter in candidates:
        file = real(executable)
        if file in known or file in unknown:
            continue
        if problem := _unusable(executable):
            rejected.append(Rejected(executable=executable, reason=problem))
        elif interpreter is None:
            unknown[file] = executable
        else:
            known[file] = interpreter
    for answer in _ask(list(unknown.values()), question):
        if isinstance(answer, Interpreter):
            known.setdefault(real(answer.executable), answer)
        else:
            rejected.append(answer)
    missing = [place for place in configured if not place.exists()]
    rejected += [Rejected(executable=place, reason="no such file or directory") for place in missing]
    return list(known.values()), rejected


def best(interpreters: Iterable[Interpreter], rank: Callable[[str], Rank]) -> list[Interpreter]:
    """The newest version for each runtime, oldest first; among equals the first found. `rank` orders versions."""
    chosen: dict[str, Interpreter] = {}
    for interpreter in interpreters:
        current = chosen.get(interpreter.runtime)
        if current is None or rank(interpreter.version) > rank(current.version):
            chosen[interpreter.runtime] = interpreter
    return sorted(chosen.values(), key=lambda interpreter: rank(interpreter.version))


def program_directories(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where programs are usually installed, PATH last."""
    opt = [directory for pattern in ("*/bin", "*/*/bin") for directory in sorted(Path("/opt").glob(pattern))]
    on_path = [Path(part) for part in environ.get("PATH", "").split(os.pathsep) if part.startswith("/")]
    return (*opt, Path("/usr/local/bin"), Path("/usr/bin"), *on_path)


def entries(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []


def is_binary(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(4) == b"\x7fELF"
    except OSError:
        return False


def real(file: Path) -> Path:
    return Path(os.path.realpath(file))


def _unusable(executable: Path) -> str | None:
    """Why a file cannot be an interpreter, as far as looking at it tells."""
    if not executable.exists():
        return "no such file" if not executable.is_symlink() else "a link that leads nowhere"
    if not os.access(executable, os.X_OK):
        return "not executable"
    return None if is_binary(executable) else "not a program of this machine"


def _ask(executables: list[Path], question: Question) -> list[Interpreter | Rejected]:
    running: list[tuple[Path, subprocess.Popen[bytes]]] = []
    answers: list[Interpreter | Rejected] = []
    for executable in executables:
        try:
            running.append((executable, _start(executable, question)))
        except OSError as problem:
            answers.append(Rejected(executable=executable, reason=f"cannot be run: {problem.strerror}"))
    deadline = time.monotonic() + ASK_SECONDS
    answers += [_answer(executable, process, deadline, question) for executable, process in running]
    return answers


def _start(executable: Path, question: Question) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [executable, *question.arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        start_new_session=True,
    )


def _answer(
    executable: Path, process: subprocess.Popen[bytes], deadline: float, question: Question
) -> Interpreter | Rejected:
    with process:
        try:
            output, _ = process.communicate(timeout=max(0.01, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            return Rejected(executable=executable, reason=f"no answer within {ASK_SECONDS:g} s")
    return question.understand(executable, output)
