"""Python runtimes: forked from a zygote of the same version, with boto3."""

from __future__ import annotations

from pathlib import Path

from ingle.domain.runtimes import python_minor
from ingle.settings import Settings
from ingle.worker.families import python_interpreters, python_libraries
from ingle.worker.families.family import Family, Layout, Libraries, guest_directory
from ingle.worker.interpreters import Discovery, Interpreter
from ingle.worker.opened import OpenedVersion

_LIBRARIES = ".libraries"


class Python(Family):
    title = "Python"
    name = "python"
    guest = guest_directory("runtimes/python")
    forks = True
    installs = True
    read_at_start = ("PYTHON",)

    def covers(self, runtime: str) -> bool:
        minor = python_minor(runtime)
        return minor is not None and minor >= python_interpreters.OLDEST_MINOR

    def search(self, settings: Settings) -> Discovery:
        return python_interpreters.search(settings.python_paths)

    def libraries(self, runtimes_dir: Path, runtime: str) -> Libraries | None:
        installed = python_libraries.installed(runtimes_dir, runtime)
        if installed is None:
            return None
        directory = python_libraries.directory(runtimes_dir, runtime)
        return Libraries(directory=directory, description=f"boto3 {installed.boto3}")

    def is_current(self, runtimes_dir: Path, runtime: str) -> bool:
        return python_libraries.is_current(runtimes_dir, runtime)

    def install(self, runtimes_dir: Path, interpreter: Interpreter) -> str:
        return f"boto3 {python_libraries.install(runtimes_dir, interpreter).boto3}"

    def mounts(self, interpreter: Interpreter, libraries: Libraries | None) -> dict[str, str]:
        shared = {f"/var/runtime/{_LIBRARIES}": str(libraries.directory)} if libraries else {}
        return super().mounts(interpreter, libraries) | shared

    def links(self, libraries: Libraries | None) -> dict[str, str]:
        """Each package is beside the runtime's own files, as on AWS."""
        names = sorted(entry.name for entry in libraries.directory.iterdir()) if libraries else []
        return {f"/var/runtime/{name}": f"{_LIBRARIES}/{name}" for name in names if not name.startswith(".")}

    def defaults(self, runtime: str, layout: Layout) -> dict[str, str]:
        return {"LC_CTYPE": "C.UTF-8", "PYTHONPATH": layout.libraries or layout.guest, "PWD": layout.task, "SHLVL": "0"}

    def start(self, opened: OpenedVersion, layout: Layout) -> list[str]:
        return [layout.interpreter, "-S", f"{layout.guest}/bootstrap.py"]
