"""What differs between runtimes of different languages: one `Family` for each, and the values they share.

A family says where its interpreters are found, what is installed with them, which program is executed and with which
variables. It starts nothing: `worker.host` does, by asking the family of a runtime. `worker.families` has the table.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import ingle
from ingle.settings import Settings
from ingle.worker.interpreters import Discovery, Interpreter
from ingle.worker.opened import OpenedVersion

#: Variables that every program reads when it is executed, by how their names begin.
READ_BY_ALL = ("LD_", "GLIBC_TUNABLES", "MALLOC_", "LANG", "LC_")


class InstallError(Exception):
    """What a runtime needs could not be installed. One line of text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the parts of a runtime are, as its own processes see them."""

    interpreter: str = ""
    guest: str = "/var/runtime"
    task: str = "/var/task"
    layers: str = "/opt"
    #: The directory of `Libraries`, where it is not at its place below `guest`.
    libraries: str | None = None

    def here(self, path: str) -> str:
        """A path as AWS has it, where that is in this layout."""
        for usual, actual in (("/var/task", self.task), ("/opt", self.layers), ("/var/runtime", self.guest)):
            if path == usual or path.startswith(f"{usual}/"):
                return actual + path.removeprefix(usual)
        return path

    def here_each(self, paths: str) -> str:
        """The same for a list of paths with colons between them."""
        return ":".join(self.here(path) for path in paths.split(":"))


#: Where environments have namespaces.
IN_SANDBOX = Layout()


@dataclass(frozen=True, slots=True, kw_only=True)
class Libraries:
    """What is installed for one runtime beside its interpreter: where it is, and what ("boto3 1.44.5")."""

    directory: Path
    description: str


def guest_directory(name: str) -> str:
    """The host's directory of guest files, by their path in this package."""
    return str(Path(ingle.__file__).parent / name)


def path_below(lang: str, interpreter: Interpreter) -> str:
    """An interpreter's path once its prefix is at `lang`."""
    try:
        return f"{lang}/{interpreter.executable.relative_to(interpreter.prefix)}"
    except ValueError:
        return f"{lang}/bin/{interpreter.executable.name}"


class Family(ABC):
    """The runtimes of one language. Stateless."""

    #: As people call the language.
    title: str
    #: As identifiers of its runtimes begin.
    name: str
    #: The host's directory whose files are at /var/runtime.
    guest: str = ""
    #: Whether environments may be forked from a running interpreter. Others execute one.
    forks = False
    #: Whether the runtime writes framed records to the descriptor in _LAMBDA_TELEMETRY_LOG_FD.
    frames_log = True
    #: Whether its runtime can be executed before the function is known: it then waits for its variables, and its
    #: command depends on nothing but runtime and memory size. See `sandbox.inside.ahead`.
    starts_ahead = False
    #: Whether its runtimes come with libraries, which `ingle runtimes install` brings.
    installs = False
    #: Variables that its interpreter reads when it is executed, by how their names begin.
    read_at_start: tuple[str, ...] = ()

    # --- identifiers ------------------------------------------------------------------------------------------------

    @abstractmethod
    def covers(self, runtime: str) -> bool:
        """Whether Ingle runs functions of this runtime, given an interpreter."""

    def interpreter_of(self, runtime: str) -> str:
        """The runtime under which an interpreter for `runtime` is known: itself but for names of the same version."""
        return runtime

    def label(self, runtime: str) -> str:
        """The runtime as the INIT_START line names it ("python:3.12")."""
        return f"{self.name}:{runtime.removeprefix(self.name).removesuffix('.x')}"

    # --- what is on the machine -------------------------------------------------------------------------------------

    def search(self, settings: Settings) -> Discovery:
        """The interpreters here. Blocks for a bounded time; never raises."""
        return Discovery()

    def fetched(self, runtimes_dir: Path, runtime: str) -> Interpreter | None:
        """The interpreter that `install` has brought, if any. Reads a file at the most."""
        return None

    def missing(self, runtime: str) -> str:
        """Why functions of `runtime` cannot run without an interpreter, and what to do; sentences for people."""
        return (
            f"There is no {self.title} interpreter on this machine for the runtime {runtime}. Install one "
            "(`ingle runtimes` lists what was found) and update the function."
        )

    def lacking(self, runtimes_dir: Path, runtime: str) -> str | None:
        """Why functions of a runtime cannot run although there is an interpreter, and what to do; None if they can."""
        return None

    def libraries(self, runtimes_dir: Path, runtime: str) -> Libraries | None:
        """What is installed for `runtime`, None when nothing complete is. Reads a small file at the most."""
        return None

    def is_current(self, runtimes_dir: Path, runtime: str) -> bool:
        """Whether `install` would have nothing to do for a runtime that has an interpreter."""
        return True

    def fetch(self, runtimes_dir: Path, runtime: str) -> Interpreter:
        """Bring an interpreter where there is none. Blocks. Raises InstallError."""
        raise InstallError(f"no {self.title} interpreter for {runtime} was found")

    def install(self, runtimes_dir: Path, interpreter: Interpreter) -> str:
        """Install what comes with an interpreter, replacing what is there in one step; what it is, in words.

        Blocks for seconds. Raises InstallError.
        """
        raise InstallError(f"nothing is installed for {interpreter.runtime}")

    # --- inside ----------------------------------------------------------------------------------------------------

    def mounts(self, interpreter: Interpreter, libraries: Libraries | None) -> dict[str, str]:
        """Paths inside, and the host's files or directories that are there."""
        return {"/var/lang": str(interpreter.prefix)}

    def links(self, libraries: Libraries | None) -> dict[str, str]:
        """Symbolic links inside, and where they lead."""
        return {}

    def inside(self, interpreter: Interpreter) -> str:
        """The interpreter's path inside."""
        return path_below("/var/lang", interpreter)

    # --- starting ---------------------------------------------------------------------------------------------------

    def defaults(self, runtime: str, layout: Layout) -> dict[str, str]:
        """Variables that this family adds, which a function may override."""
        return {}

    @abstractmethod
    def start(self, opened: OpenedVersion, layout: Layout) -> list[str]:
        """The program to execute for a version, with its arguments."""

    def programs(self, opened: OpenedVersion, layout: Layout) -> list[list[str]]:
        """Programs to execute, the first that exists. A wrapper gets the runtime as its arguments."""
        wrapper = opened.variables.get("AWS_LAMBDA_EXEC_WRAPPER")
        start = self.start(opened, layout)
        return [[wrapper, *start]] if wrapper else [start]
