"""Node.js runtimes: the interpreter executes Ingle's own runtime, `runtimes/nodejs`, started ahead where possible."""

from __future__ import annotations

from pathlib import Path

from ingle.settings import Settings
from ingle.worker.families import nodejs_interpreters, nodejs_libraries
from ingle.worker.families.family import Family, Layout, Libraries, guest_directory
from ingle.worker.families.nodejs_interpreters import OLDEST_MAJOR, major
from ingle.worker.interpreters import Discovery, Interpreter
from ingle.worker.opened import OpenedVersion

#: Where a Node.js interpreter is inside, whatever it is called on the machine.
_INSIDE = "/var/lang/bin/node"


class NodeJs(Family):
    title = "Node.js"
    name = "nodejs"
    guest = guest_directory("runtimes/nodejs")
    installs = True
    starts_ahead = True
    #: Of Node.js itself and of the libraries that are part of its program.
    read_at_start = ("NODE_", "UV_", "SSL_", "OPENSSL_", "ICU_", "V8_")

    def covers(self, runtime: str) -> bool:
        number = major(runtime)
        return number is not None and number >= OLDEST_MAJOR

    def search(self, settings: Settings) -> Discovery:
        found = nodejs_interpreters.search(settings.node_paths)
        here = {interpreter.runtime for interpreter in found.interpreters}
        for number in nodejs_libraries.BUILDS:
            brought = self.fetched(settings.runtimes_dir, f"nodejs{number}.x")
            if brought is not None and brought.runtime not in here:
                found.interpreters.append(brought)
        found.interpreters.sort(key=lambda interpreter: major(interpreter.runtime) or 0)
        return found

    def missing(self, runtime: str) -> str:
        return (
            f"There is no Node.js {major(runtime)} on this machine for the runtime {runtime}. Run "
            f"`ingle runtimes install {runtime}`, or install one and restart Ingle, then update the function."
        )

    def fetched(self, runtimes_dir: Path, runtime: str) -> Interpreter | None:
        return nodejs_libraries.fetched(runtimes_dir, runtime)

    def fetch(self, runtimes_dir: Path, runtime: str) -> Interpreter:
        return nodejs_libraries.fetch(runtimes_dir, runtime)

    def libraries(self, runtimes_dir: Path, runtime: str) -> Libraries | None:
        version = nodejs_libraries.installed_sdk(runtimes_dir, runtime)
        if version is None:
            return None
        directory = nodejs_libraries.sdk_directory(runtimes_dir, runtime)
        return Libraries(directory=directory, description=f"AWS SDK {version}")

    def is_current(self, runtimes_dir: Path, runtime: str) -> bool:
        return nodejs_libraries.is_current(runtimes_dir, runtime)

    def install(self, runtimes_dir: Path, interpreter: Interpreter) -> str:
        return f"AWS SDK {nodejs_libraries.install_sdk(runtimes_dir, interpreter)}"

    def mounts(self, interpreter: Interpreter, libraries: Libraries | None) -> dict[str, str]:
        """The program alone: its prefix may be a directory of much else."""
        shared = {"/var/runtime/node_modules": str(libraries.directory)} if libraries else {}
        return {_INSIDE: str(interpreter.executable), **shared}

    def links(self, libraries: Libraries | None) -> dict[str, str]:
        """Where ES modules of /var/task look for packages by themselves."""
        return {"/var/node_modules": "runtime/node_modules"} if libraries else {}

    def inside(self, interpreter: Interpreter) -> str:
        return _INSIDE

    def defaults(self, runtime: str, layout: Layout) -> dict[str, str]:
        layers = [f"{layout.layers}/nodejs/{name}node_modules" for name in (f"node{major(runtime)}/", "")]
        libraries = layout.libraries or f"{layout.guest}/node_modules"
        return {
            "NODE_PATH": ":".join([*layers, libraries, layout.guest, layout.task]), "PWD": layout.task, "SHLVL": "0",
        }  # fmt: skip

    def start(self, opened: OpenedVersion, layout: Layout) -> list[str]:
        configuration = opened.configuration
        given = opened.variables.get("NODE_OPTIONS", "")
        flags = [*heap_flags(configuration.memory), *feature_flags(configuration.runtime, given)]
        return [layout.interpreter, *flags, f"{layout.guest}/index.mjs"]


def heap_flags(memory_mb: int) -> list[str]:
    """The heap is to stay within the function's memory: a tenth for new objects, the rest for old ones."""
    new_space = memory_mb // 10
    return [f"--max-semi-space-size={max(1, new_space // 2)}", f"--max-old-space-size={memory_mb - new_space}"]


def feature_flags(runtime: str, node_options: str) -> list[str]:
    """What Lambda switches off in a version that has it on by default, unless the function's NODE_OPTIONS want it."""
    off = {20: ("require-module",), 22: ("require-module", "detect-module")}.get(major(runtime) or 0, ())
    return [f"--no-experimental-{name}" for name in off if f"--experimental-{name}" not in node_options]
