"""Ingle's Java runtime, compiled for the Java virtual machines of this machine; its source comes with Ingle.

Owns the layout below `runtimes_dir` (`java17/` has the JAR, the archive of its classes, options and a stamp) and how it
is made: with any `javac` here, for the oldest Java that this compiler knows. Called by the verbs that list and install
runtimes, and by the family to find the JAR. Nothing here runs while a function is invoked.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from ingle.worker.families.family import InstallError, guest_directory
from ingle.worker.families.installing import read_stamp, replacing, write_stamp
from ingle.worker.families.java_interpreters import rank
from ingle.worker.interpreters import Interpreter

JAR = "ingle-runtime.jar"
#: Further arguments for the virtual machine, as they were found to work: a file for its launcher.
OPTIONS = "ingle-runtime.options"
#: The classes of a run as the virtual machine had them in memory, which the next one maps instead of loading them.
ARCHIVE = "ingle-runtime.jsa"
MAIN = "ingle.runtime.Bootstrap"
_SOURCES = Path(guest_directory("runtimes/java"))
_SECONDS = 300
_SELF_TEST = ("-XX:+UseSerialGC", "-cp", JAR, MAIN, "--self-test")
_SELF_TEST_INSIDE = ("-XX:+UseSerialGC", "-cp", f"/var/runtime/{JAR}", MAIN, "--self-test")
#: An archive that does not fit after all is no error, and nothing that a function's log should tell.
_WITH_ARCHIVE = (f"-XX:SharedArchiveFile=/var/runtime/{ARCHIVE}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")
#: Compilers drop the oldest targets from time to time.
_RELEASES = ("8", "11", "17")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What is installed for a runtime. `sources`: the digest of what it was compiled from. `java`: the version of the
    virtual machine it was made ready for. `compiler`: the compiler's own words for its version."""

    sources: str
    java: str
    compiler: str


def directory(runtimes_dir: Path, runtime: str) -> Path:
    """Where the compiled runtime is, whether or not it is there."""
    return runtimes_dir / runtime


def installed(runtimes_dir: Path, runtime: str) -> Compiled | None:
    """What is installed for a runtime, None when nothing complete and current is. Reads one small file."""
    stamp = read_stamp(directory(runtimes_dir, runtime)) or {}
    try:
        compiled = Compiled(sources=stamp["sources"], java=stamp["java"], compiler=stamp["compiler"])
    except KeyError:
        return None
    return compiled if compiled.sources == sources_digest() else None


@cache
def sources_digest() -> str:
    """The digest of the runtime's source files. They do not change while Ingle runs."""
    digest = hashlib.sha256()
    for file in sorted(_SOURCES.rglob("*.java")):
        digest.update(str(file.relative_to(_SOURCES)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def install(runtimes_dir: Path, interpreter: Interpreter, homes: Iterable[Path]) -> Compiled:
    """Compile the runtime for `interpreter`, replacing what is there in one step.

    `homes`: Java installations to find a compiler in, after the interpreter's own. Blocks for seconds. A process that
    is killed meanwhile leaves the old files in place. Raises InstallError.
    """
    compiler = _compiler([interpreter.prefix, *homes])
    with replacing(runtimes_dir, interpreter.runtime) as target:
        classes = target.parent / "classes"
        _compile(compiler, classes)
        _pack(classes, target / JAR)
        _try(interpreter, target)
        compiled = Compiled(sources=sources_digest(), java=interpreter.version, compiler=_version(compiler))
        write_stamp(target, asdict(compiled))
        for file in target.iterdir():
            file.chmod(0o644)
    return compiled


def _compiler(homes: Iterable[Path]) -> Path:
    for home in homes:
        for compiler in (home / "bin/javac", home.parent / "bin/javac"):
            if os.access(compiler, os.X_OK):
                return compiler
    on_path = shutil.which("javac")
    if on_path is None:
        raise InstallError(
            "a Java compiler (javac) is needed to make Ingle's Java runtime, and there is only a JRE here; install a "
            "JDK (Debian, Ubuntu: apt-get install default-jdk-headless)"
        )
    return Path(on_path)


def _compile(compiler: Path, classes: Path) -> None:
    """Compile for the oldest version that the compiler knows, so that one JAR would do for all."""
    classes.mkdir()
    sources = [str(file) for file in sorted(_SOURCES.rglob("*.java"))]
    problems = ""
    for target in (["--release", release] for release in _RELEASES):
        result = _run([str(compiler), *target, "-Xlint:-options", "-nowarn", "-d", str(classes), *sources])
        if result.returncode == 0:
            return
        problems = result.stderr or result.stdout
        if "--release" in problems and "invalid flag" in problems:  # the compiler of Java 8
            result = _run([str(compiler), "-nowarn", "-d", str(classes), *sources])
            if result.returncode == 0:
                return
            problems = result.stderr
        if "release version" not in problems:
            break
    raise InstallError(f"{compiler}: {next(iter(problems.strip().splitlines()), 'failed without saying why')}")


def _pack(classes: Path, jar: Path) -> None:
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr(zipfile.ZipInfo("META-INF/MANIFEST.MF"), f"Manifest-Version: 1.0\nMain-Class: {MAIN}\n")
        for file in sorted(classes.rglob("*.class")):
            archive.write(file, file.relative_to(classes))


def _try(interpreter: Interpreter, target: Path) -> None:
    """Run the runtime's self-test, which shows that it starts, and keep its classes where the machine can."""
    (target / OPTIONS).write_text("")
    result = _run([str(interpreter.executable), *_SELF_TEST], cwd=target)
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines()
        raise InstallError(f"{interpreter.executable}: {next(iter(lines), 'does not run')}")
    if takes_options(interpreter.version) and _keep_classes(interpreter, target):
        (target / OPTIONS).write_text("".join(f"{flag}\n" for flag in _WITH_ARCHIVE))


def _keep_classes(interpreter: Interpreter, target: Path) -> bool:
    """Whether there is an archive that works.

    An archive is good for the path of the JAR that it was made with, so that it is made at the paths that sandboxes
    have, in a mount namespace. Without it functions start some milliseconds later: nothing to fail for.
    """
    program = f"/var/lang/{interpreter.executable.relative_to(interpreter.prefix)}"
    dump = [program, f"-XX:ArchiveClassesAtExit=/var/runtime/{ARCHIVE}", *_SELF_TEST_INSIDE]
    check = [program, "-Xshare:on", *_WITH_ARCHIVE, *_SELF_TEST_INSIDE]
    try:
        made = _run(_at_its_paths(interpreter.prefix, target, dump))
        return made.returncode == 0 and _run(_at_its_paths(interpreter.prefix, target, check)).returncode == 0
    except (InstallError, OSError):
        return False


def _at_its_paths(prefix: Path, target: Path, command: list[str]) -> list[str]:
    """`command` where `prefix` is at /var/lang and `target` at /var/runtime, for this command alone."""
    script = (
        'mount -t tmpfs ingle /mnt && mkdir /mnt/lang /mnt/runtime && mount --bind "$1" /mnt/lang && '
        'mount --bind "$2" /mnt/runtime && mount --rbind /mnt /var && cd / && shift 2 && exec "$@"'
    )
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", *user, "sh", "-c", script, "sh", str(prefix), str(target), *command]


def takes_options(version: str) -> bool:
    """Whether a virtual machine can write an archive, and reads the file of options."""
    return rank(version)[:1] >= (13,)


def _version(compiler: Path) -> str:
    result = _run([str(compiler), "-version"])
    return next(iter((result.stdout or result.stderr).strip().splitlines()), "javac")


def _run(command: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Raises InstallError."""
    # The messages that are understood are English; neither the user's JVM options nor class path have a say.
    kept: Mapping[str, str] = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS, check=False,
            env={**kept, "LC_ALL": "C"}, cwd=cwd,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise InstallError(f"{command[0]} did not finish within {_SECONDS} s") from None
