"""The verbs about this machine: doctor, runtimes and backup."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from ingle.cli.output import Failure, note, say, styled, table
from ingle.settings import Settings
from ingle.worker import families
from ingle.worker.families.family import Family, InstallError
from ingle.worker.interpreters import Interpreter

_COLOURS = {"ok": "green", "weaker": "yellow", "missing": "red"}
_ISOLATION = {
    "root": "Each function runs in a sandbox of its own, made as root.",
    "user": "Each function runs in a sandbox of its own, as far as an ordinary user can make one.",
    "process": "Functions run as plain processes: run only code that you trust.",
}


def doctor(settings: Settings, *, as_json: bool) -> int:
    """Tell what was found. The exit status: 1 when something is missing that functions need."""
    from ingle.worker import doctor as examination
    from ingle.worker.examiner import findings_of

    findings = findings_of(settings)
    isolation = examination.isolation()
    if as_json:
        import json

        say(json.dumps({"isolation": isolation, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        width = max(len(finding.subject) for finding in findings)
        for finding in findings:
            level = styled(f"{finding.level.value:<8}", _COLOURS[finding.level.value])
            say(f"{level}{finding.subject:<{width}}  {finding.detail}")
            if finding.consequence:
                say(" " * (width + 10) + finding.consequence)
        say()
        say(_ISOLATION[isolation])
        if settings.function_api == "open":
            say("Functions may call Ingle's API like any program on this machine (--function-api open).")
    return int(any(finding.level is examination.Level.MISSING for finding in findings))


def list_runtimes(settings: Settings) -> None:
    """One line for each runtime; what was found and is not used goes to standard error."""
    discovery = families.search(settings)
    rows = []
    for interpreter in discovery.interpreters:
        family = _family(interpreter.runtime)
        present = family.libraries(settings.runtimes_dir, interpreter.runtime)
        lacking = f"none: ingle runtimes install {interpreter.runtime}" if family.installs else "-"
        libraries = present.description if present else lacking
        rows.append((interpreter.runtime, interpreter.version, str(interpreter.executable), libraries))
    if rows:
        table(("RUNTIME", "VERSION", "INTERPRETER", "LIBRARIES"), rows)
    for rejected in discovery.rejected:
        note(f"not used: {rejected.executable} {rejected.reason}")
    if not rows:
        raise Failure("no Python 3.9 or later found; install one, or name one with --python-paths")


def install_runtimes(names: list[str], settings: Settings) -> int:
    """Install what is missing: for the named runtimes an interpreter too, where Ingle can fetch it.

    The exit status: 1 when any could not be installed; the others are, all the same.
    """
    found = {item.runtime: item for item in families.search(settings).interpreters}
    missing = [name for name in dict.fromkeys(names or found) if _lacks(name, found, settings)]
    if sys.stdout.isatty() and missing:
        say(f"Installing what {', '.join(missing)} comes with ...")
    # Two at once: one waits for the network while the other compiles.
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda name: _install(settings.runtimes_dir, name, found.get(name)), missing))
    return int(not all(outcomes))


def _family(runtime: str) -> Family:
    """Raises Failure."""
    family = families.family_of(runtime)
    if family is None:
        raise Failure(f"Ingle does not run the runtime {runtime}", 2)
    return family


def _lacks(runtime: str, found: dict[str, Interpreter], settings: Settings) -> bool:
    family = _family(runtime)
    return family.installs and (runtime not in found or not family.is_current(settings.runtimes_dir, runtime))


def _install(runtimes_dir: Path, runtime: str, interpreter: Interpreter | None) -> bool:
    family = _family(runtime)
    try:
        if interpreter is None:
            interpreter = family.fetch(runtimes_dir, runtime)
            say(f"{runtime}: {family.title} {interpreter.version}")
        say(f"{runtime}: {family.install(runtimes_dir, interpreter)}")
    except InstallError as problem:
        note(f"ingle: {runtime}: {problem}")
        return False
    return True


def backup(destination: Path, settings: Settings) -> None:
    """Copy the data directory."""
    from ingle.storage.backup import backup as write
    from ingle.storage.errors import StorageError
    from ingle.storage.layout import DATABASE
    from ingle.storage.sqlite_copy import has_keys

    try:
        write(settings.data_dir, destination)
    except StorageError as problem:
        raise Failure(str(problem)) from None
    except OSError as problem:
        raise Failure(f"{problem.filename or destination}: {problem.strerror}") from None
    say(f"{settings.data_dir} copied to {destination}")
    if has_keys(settings.data_dir / DATABASE):
        note(f"The master key ({_master_key(settings)}) is not in the copy, which is of no use without it: keep both.")


def _master_key(settings: Settings) -> str:
    from ingle.encryption.master import MasterKeyError
    from ingle.master_key.finding import source_of

    try:
        return source_of(settings).describe()
    except MasterKeyError:
        return settings.master_key
