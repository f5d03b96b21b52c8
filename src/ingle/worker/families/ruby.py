"""Ruby runtimes: the interpreter executes Ingle's own runtime, `runtimes/ruby`, started ahead where possible."""

from __future__ import annotations

import platform
from pathlib import Path

from ingle.settings import Settings
from ingle.worker.families import ruby_interpreters
from ingle.worker.families.family import Family, Layout, guest_directory, path_below
from ingle.worker.interpreters import Discovery, Interpreter
from ingle.worker.opened import OpenedVersion

_LANG = "/var/lang"
#: Programs of the system are at their own paths inside, too.
_SYSTEM = Path("/usr")


class Ruby(Family):
    title = "Ruby"
    name = "ruby"
    guest = guest_directory("runtimes/ruby")
    starts_ahead = True
    read_at_start = ("RUBY", "GEM_", "BUNDLE_")

    def covers(self, runtime: str) -> bool:
        return ruby_interpreters.version_of(runtime) is not None

    def search(self, settings: Settings) -> Discovery:
        stand_ins = [(runtime, path) for runtime, path in settings.stand_ins if self.covers(runtime)]
        return ruby_interpreters.search(settings.ruby_paths, stand_ins)

    def missing(self, runtime: str) -> str:
        version = runtime.removeprefix("ruby")
        return (
            f"There is no Ruby {version} on this machine for the runtime {runtime}. Install it (`ingle runtimes` lists "
            "what was found), restart Ingle and update the function."
        )

    def inside(self, interpreter: Interpreter) -> str:
        if interpreter.prefix == _SYSTEM:
            return str(interpreter.executable)
        return path_below(_LANG, interpreter)

    def defaults(self, runtime: str, layout: Layout) -> dict[str, str]:
        abi = _abi(runtime)
        gems = [f"{layout.task}/vendor/bundle/ruby/{abi}", f"/opt/ruby/gems/{abi}", layout.guest,
                f"{layout.guest}/ruby/{abi}"]  # fmt: skip
        library = [layout.task, f"{layout.guest}/lib", "/opt/ruby/lib", *standard_library(runtime, layout)]
        return {
            "GEM_HOME": layout.guest, "GEM_PATH": ":".join(gems), "RUBYLIB": ":".join(library), "PWD": layout.task,
            "SHLVL": "0",
        }  # fmt: skip

    def start(self, opened: OpenedVersion, layout: Layout) -> list[str]:
        places = [part for path in standard_library(opened.configuration.runtime, layout) for part in ("-I", path)]
        return [layout.interpreter, *places, f"{layout.guest}/bootstrap.rb"]


def standard_library(runtime: str, layout: Layout) -> list[str]:
    """Where the standard library is inside, for an interpreter that was moved: it looks where it was built for."""
    if not layout.interpreter.startswith(f"{_LANG}/"):
        return []
    directory = f"{_LANG}/lib/ruby/{_abi(runtime)}"
    return [directory, f"{directory}/{platform.machine()}-linux"]


def _abi(runtime: str) -> str:
    """The version as directories of gems have it: "3.3.0" for ruby3.3."""
    return f"{runtime.removeprefix('ruby')}.0"
