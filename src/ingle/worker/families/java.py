"""Java runtimes: the virtual machine executes Ingle's own runtime, `runtimes/java`, compiled when it is installed."""

from __future__ import annotations

from pathlib import Path

from ingle.settings import Settings
from ingle.worker.families import java_interpreters, java_libraries
from ingle.worker.families.family import Family, Layout, Libraries, guest_directory
from ingle.worker.families.java_interpreters import number
from ingle.worker.interpreters import Discovery, Interpreter
from ingle.worker.opened import OpenedVersion

#: A virtual machine's heap has this part of a function's memory, as on AWS; the rest is for its own structures.
_HEAP_PERCENT = 85


class Java(Family):
    title = "Java"
    name = "java"
    #: Sources only: what is compiled from them is installed, and mounted by name.
    guest = guest_directory("runtimes/java")
    installs = True
    read_at_start = ("JAVA_", "JDK_JAVA_", "_JAVA_")

    def covers(self, runtime: str) -> bool:
        return number(runtime) is not None

    def interpreter_of(self, runtime: str) -> str:
        return java_interpreters.RUNTIMES[number(runtime) or 0]

    def search(self, settings: Settings) -> Discovery:
        return java_interpreters.search(settings.java_paths)

    def missing(self, runtime: str) -> str:
        major = number(runtime)
        return (
            f"There is no Java {major} on this machine for the runtime {runtime}. Install a JDK {major} (`ingle "
            f"runtimes` lists what was found), run `ingle runtimes install {self.interpreter_of(runtime)}`, restart "
            "Ingle and update the function."
        )

    def lacking(self, runtimes_dir: Path, runtime: str) -> str | None:
        if self.libraries(runtimes_dir, runtime) is not None:
            return None
        return (
            f"Ingle's Java runtime is not compiled for {runtime} yet. Run `ingle runtimes install {runtime}` and "
            "update the function."
        )

    def libraries(self, runtimes_dir: Path, runtime: str) -> Libraries | None:
        compiled = java_libraries.installed(runtimes_dir, runtime)
        if compiled is None:
            return None
        directory = java_libraries.directory(runtimes_dir, runtime)
        return Libraries(directory=directory, description=f"compiled by {compiled.compiler}")

    def is_current(self, runtimes_dir: Path, runtime: str) -> bool:
        return java_libraries.installed(runtimes_dir, runtime) is not None

    def install(self, runtimes_dir: Path, interpreter: Interpreter) -> str:
        homes = [found.prefix for found in java_interpreters.search().interpreters]
        compiled = java_libraries.install(runtimes_dir, interpreter, homes)
        return f"Ingle's runtime, compiled by {compiled.compiler}"

    def mounts(self, interpreter: Interpreter, libraries: Libraries | None) -> dict[str, str]:
        # Debian keeps an installation's settings in /etc, behind links.
        linked = [str(directory) for directory in java_interpreters.linked_directories(interpreter.prefix)]
        files = sorted(libraries.directory.iterdir()) if libraries else []
        return {
            "/var/lang": str(interpreter.prefix), **{directory: directory for directory in linked},
            **{f"/var/runtime/{file.name}": str(file) for file in files if not file.name.startswith(".")},
        }  # fmt: skip

    def start(self, opened: OpenedVersion, layout: Layout) -> list[str]:
        configuration = opened.configuration
        given = opened.variables.get("JAVA_TOOL_OPTIONS", "")
        major = number(configuration.runtime) or 0
        flags = [*defaults_for(major, configuration.memory, given), *always(major)]
        if layout.libraries is None and major >= 17:
            flags.append(f"@{layout.guest}/{java_libraries.OPTIONS}")
        jar = f"{layout.libraries or layout.guest}/{java_libraries.JAR}"
        # The class stands last, where wrapper scripts expect it: they put options of their own before it.
        return [layout.interpreter, *flags, "-cp", jar, java_libraries.MAIN]


def defaults_for(major: int, memory_mb: int, given: str) -> list[str]:
    """Options that a function may choose itself in JAVA_TOOL_OPTIONS, which options given here would override."""
    heap = f"-XX:MaxHeapSize={memory_mb * 1024 * _HEAP_PERCENT // 100}K"
    flags = [] if any(name in given for name in ("-Xmx", "MaxHeapSize", "MaxRAM")) else [heap]
    if "GC" not in given:
        flags.append("-XX:+UseSerialGC")
    if major >= 17 and "Tiered" not in given:
        # The first compiler alone: most functions are over before the second one pays.
        flags.append("-XX:TieredStopAtLevel=1")
    return flags


def always(major: int) -> list[str]:
    """Options of the runtime itself: no file in /tmp, IPv4, and the way to the log channel from Java 9 on."""
    flags = ["-XX:-UsePerfData", "-Djava.net.preferIPv4Stack=true"]
    return [*flags, "--add-opens=java.base/java.io=ALL-UNNAMED"] if major > 8 else flags
