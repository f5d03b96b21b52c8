"""What the environments of a runtime are made from: an interpreter, one that forks, libraries, files, a root.

Reads what was found on the machine; starts nothing. `worker.preparation` asks for a version, `worker.stock` starts the
zygotes that are described here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ingle.domain.runtimes import is_python
from ingle.sandbox.client import ZygoteSpec
from ingle.worker.client import CannotPlace
from ingle.worker.families import PYTHON, family_of
from ingle.worker.families.family import Family, Layout, Libraries, guest_directory, path_below
from ingle.worker.interpreters import Interpreter
from ingle.worker.launch_plan import LIBRARY_PATH, OPT, PATH, Flavour

#: What a zygote itself runs: files for the interpreter that forks, whatever the runtime.
_FORKER_FILES = (guest_directory("sandbox/inside"), guest_directory("runtimes/python"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What environments of one runtime are made from: the interpreter at /var/lang, and the one that forks them.

    `family` is that of the runtime, `lang` that of the interpreter: an OS-only runtime has the one that forks it there.
    """

    family: Family
    lang: Family
    interpreter: Interpreter
    forker: Interpreter

    @property
    def bare(self) -> str:
        """The zygote that has the standard library only."""
        return f"{self.interpreter.runtime}-{Flavour.BARE}"

    @property
    def warm(self) -> str:
        """The zygote that has imported the SDK."""
        return f"{self.interpreter.runtime}-{Flavour.WARM}"


class Bases:
    """`runtimes_dir`: what is installed for runtimes. `namespaces`: whether environments have roots of their own."""

    def __init__(self, interpreters: Iterable[Interpreter], runtimes_dir: Path, *, namespaces: bool) -> None:
        self._interpreters = {interpreter.runtime: interpreter for interpreter in interpreters}
        self._runtimes_dir = runtimes_dir
        self._namespaces = namespaces

    def of(self, runtime: str) -> Base:
        """Raises CannotPlace where the machine has not what it takes."""
        family = family_of(runtime)
        if family is None:
            raise CannotPlace(f"Ingle does not run the runtime {runtime} yet.")
        forker = self._forker()
        if family.name == "provided":
            return Base(family=family, lang=PYTHON, interpreter=forker, forker=forker)
        name, runtimes_dir = family.interpreter_of(runtime), self._runtimes_dir
        interpreter = self._interpreters.get(name) or family.fetched(runtimes_dir, name)
        if interpreter is None:
            raise CannotPlace(family.missing(runtime))
        if lacking := family.lacking(runtimes_dir, name):
            raise CannotPlace(lacking)
        forks = interpreter if family.forks else forker
        return Base(family=family, lang=family, interpreter=interpreter, forker=forks)

    def _forker(self) -> Interpreter:
        """A Python to fork environments from that execute something else: the one that runs Ingle if possible."""
        own = f"python3.{sys.version_info[1]}"
        usable = [item for item in self._interpreters.values() if is_python(item.runtime)]
        if not usable:
            raise CannotPlace("There is no Python interpreter on this machine to start environments from.")
        return next((item for item in usable if item.runtime == own), usable[0])

    def libraries(self, base: Base) -> Libraries | None:
        """What is installed for its interpreter."""
        return base.lang.libraries(self._runtimes_dir, base.interpreter.runtime)

    def layout(self, base: Base, directory: Path, layers: Path | None) -> Layout:
        """Where a runtime's processes find its parts: at AWS's paths, or at the host's where there is no namespace."""
        if self._namespaces:
            return Layout(interpreter=base.lang.inside(base.interpreter))
        libraries = self.libraries(base)
        return Layout(
            interpreter=str(base.interpreter.executable), guest=base.family.guest, task=str(directory),
            layers=str(layers or OPT), libraries=str(libraries.directory) if libraries else None,
        )  # fmt: skip

    def zygote_spec(self, name: str, base: Base) -> ZygoteSpec:
        """The zygote called `name`, one of the names of `base`."""
        libraries = self.libraries(base)
        mounts = base.lang.mounts(base.interpreter, libraries)
        files: dict[str, tuple[str, ...]] = {"/var/runtime": _FORKER_FILES}
        lang, scripts = "/var/lang", "/var/runtime"
        if base.forker is not base.interpreter:
            lang, scripts = "/run/forker", "/run/forker-files"
            mounts |= {lang: str(base.forker.prefix)}
            files = {"/var/runtime": (base.lang.guest,), scripts: _FORKER_FILES}
        variables = {"LD_LIBRARY_PATH": f"{lang}/lib:{LIBRARY_PATH}", "LANG": "en_US.UTF-8", "LC_CTYPE": "C.UTF-8",
                     "PATH": PATH, "TZ": ":UTC"}  # fmt: skip
        program = path_below(lang, base.forker)
        if not self._namespaces:
            shared = [str(libraries.directory)] if libraries and base.lang.forks else []
            variables["PYTHONPATH"] = os.pathsep.join([*_FORKER_FILES, *shared])
            program, scripts = str(base.forker.executable), _FORKER_FILES[0]
        return ZygoteSpec(
            name=name, command=(program, "-S", f"{scripts}/zygote.py"), variables=variables, mounts=mounts, files=files,
            links=base.lang.links(libraries), preload=name == base.warm,
        )  # fmt: skip
