"""Control groups of both generations: limits on memory, processes and CPU, freezing, and what was used.

Every environment has a group of its own below one parent per data directory, so that a start-up sweep finds what a
crash left. The host's mounts and mount options are never changed. Version 1 controllers may be used beside a version 2
hierarchy, which then freezes. A machine where nothing is writable gets an empty set of hierarchies: no limits, which
`ingle doctor` says. Used by the supervisor only; files that the server acts on are handed to it as descriptors.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CPU_PERIOD_US = 20_000
_V1_CONTROLLERS = ("memory", "cpu", "pids")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """One mounted hierarchy: the directory in which Ingle makes its groups, and what it controls."""

    directory: Path
    version: int
    controllers: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """An open file of a group, for the server: what it is for, and what to write there."""

    purpose: str  # freeze | quota | used | peak | oom
    path: Path
    writable: bool


def discover() -> list[Hierarchy]:
    """The hierarchies this process may make groups in, version 1 first."""
    membership = _membership()
    found: list[Hierarchy] = []
    for mount_point, kind, options in _mounts():
        if kind == "cgroup":
            used = frozenset(options) & {*_V1_CONTROLLERS, "freezer"}
            if used and os.access(mount_point, os.W_OK):
                found.append(Hierarchy(directory=mount_point, version=1, controllers=used))
        elif kind == "cgroup2":
            directory = _writable_v2(mount_point, membership.get("", "/"))
            if directory is not None:
                names = frozenset((directory / "cgroup.controllers").read_text().split())
                found.append(Hierarchy(directory=directory, version=2, controllers=names & {*_V1_CONTROLLERS}))
    return sorted(found, key=lambda hierarchy: hierarchy.version)


def _writable_v2(mount_point: Path, own: str) -> Path | None:
    """The root of the version 2 hierarchy for root, an ordinary user's own delegated group otherwise."""
    if os.geteuid() == 0 and os.access(mount_point, os.W_OK):
        return mount_point
    delegated = mount_point / own.lstrip("/")
    usable = all(os.access(delegated / name, os.W_OK) for name in (".", "cgroup.procs", "cgroup.subtree_control"))
    return delegated if usable else None


def _mounts() -> Iterator[tuple[Path, str, list[str]]]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _source, options = after.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            yield Path(before.split(" ")[4]), kind, options.split(",")


def _membership() -> dict[str, str]:
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    return {names: path for _number, names, path in (line.split(":", 2) for line in lines)}


class CgroupTree:
    """All groups of one data directory, below `name` in every usable hierarchy."""

    def __init__(self, hierarchies: list[Hierarchy], name: str) -> None:
        self._name = name
        self._parts = self._choose(hierarchies)

    @staticmethod
    def _choose(hierarchies: list[Hierarchy]) -> list[tuple[Hierarchy, frozenset[str]]]:
        """Each hierarchy with the controllers that it shall enforce, none twice; version 2 freezes if there."""
        taken: set[str] = set()
        if any(hierarchy.version == 2 for hierarchy in hierarchies):
            taken.add("freezer")
        parts = []
        for hierarchy in hierarchies:
            use = hierarchy.controllers - taken
            taken |= use
            if use or hierarchy.version == 2:
                parts.append((hierarchy, frozenset(use)))
        return parts

    @property
    def controllers(self) -> set[str]:
        names = {name for _, use in self._parts for name in use}
        return names | ({"freezer"} if any(h.version == 2 for h, _ in self._parts) else set())

    def prepare(self) -> None:
        """Make the parent groups and remove what an earlier, crashed server left in them."""
        leftovers: list[Path] = []
        for hierarchy, use in list(self._parts):
            parent = hierarchy.directory / self._name
            try:
                parent.mkdir(exist_ok=True)
                if hierarchy.version == 2:
                    self._enable(hierarchy, use)
            except OSError:
                self._parts.remove((hierarchy, use))
                continue
            leftovers += [path for path in parent.iterdir() if path.is_dir()]
        # A process that one hierarchy freezes cannot end in any other: all are thawed first.
        for sweep in (_thaw, _kill, remove):
            for leftover in leftovers:
                with contextlib.suppress(OSError):
                    sweep(leftover)

    def _enable(self, hierarchy: Hierarchy, use: frozenset[str]) -> None:
        wanted = " ".join(f"+{name}" for name in sorted(use))
        if not wanted:
            return
        control = hierarchy.directory / "cgroup.subtree_control"
        try:
            control.write_text(wanted)
        except OSError:
            # A group with processes of its own cannot hand controllers down: they move to a leaf first.
            leaf = hierarchy.directory / f"{self._name}-server"
            leaf.mkdir(exist_ok=True)
            for pid in (hierarchy.directory / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):
                    (leaf / "cgroup.procs").write_text(pid)
            control.write_text(wanted)
        (hierarchy.directory / self._name / "cgroup.subtree_control").write_text(wanted)

    def create(self, name: str) -> Cgroup:
        """A new group. Raises OSError."""
        group = Cgroup([(hierarchy.directory / self._name / name, hierarchy.version, use)
                        for hierarchy, use in self._parts])  # fmt: skip
        try:
            for path in group.paths:
                path.mkdir()
            group.limit_processes()
        except OSError:
            group.remove()
            raise
        return group

    def remove(self) -> None:
        for hierarchy, _ in self._parts:
            remove(hierarchy.directory / self._name)


class Cgroup:
    """The group of one environment: one directory in each hierarchy."""

    PROCESSES = 1024

    def __init__(self, parts: list[tuple[Path, int, frozenset[str]]]) -> None:
        self._parts = parts

    @property
    def paths(self) -> list[Path]:
        return [path for path, _, _ in self._parts]

    @property
    def counts_memory(self) -> bool:
        return any("memory" in use for _, _, use in self._parts)

    def join_descriptors(self) -> list[int]:
        """Open files; a process that writes "0" to each is in the group. The caller closes them."""
        return [os.open(path / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC) for path in self.paths]

    def limit_processes(self) -> None:
        for path, _, use in self._parts:
            if "pids" in use:
                (path / "pids.max").write_text(str(self.PROCESSES))

    def limit_memory(self, megabytes: int) -> None:
        """Bound memory to `megabytes` (MiB), swap included."""
        size = str(megabytes << 20)
        for path, version, use in self._parts:
            if "memory" not in use:
                continue
            if version == 2:
                _write(path / "memory.max", size)
                with contextlib.suppress(OSError):  # a kernel without swap accounting
                    _write(path / "memory.swap.max", "0")
            else:
                _write(path / "memory.limit_in_bytes", size)
                with contextlib.suppress(OSError):
                    _write(path / "memory.memsw.limit_in_bytes", size)

    def handles(self) -> list[Handle]:
        names = {
            ("pids", 1): (), ("pids", 2): (),
            ("memory", 1): (
                ("used", "memory.usage_in_bytes", False), ("peak", "memory.max_usage_in_bytes", False),
                ("oom", "memory.oom_control", False),
            ),
            ("memory", 2): (
                ("used", "memory.current", False), ("peak", "memory.peak", False), ("oom", "memory.events", False)
            ),
            ("cpu", 1): (("quota", "cpu.cfs_quota_us", True),),
            ("cpu", 2): (("quota", "cpu.max", True),),
            ("freezer", 1): (("freeze", "freezer.state", True),),
        }  # fmt: skip
        found = [
            Handle(purpose=purpose, path=path / file, writable=writable)
            for path, version, use in self._parts
            for controller in sorted(use)
            for purpose, file, writable in names[controller, version]
            if (path / file).exists()
        ]
        for path, version, _ in self._parts:
            if version == 2:
                found.append(Handle(purpose="freeze", path=path / "cgroup.freeze", writable=True))
        return found

    def prepare_quota(self) -> None:
        for path, version, use in self._parts:
            if "cpu" in use and version == 1:
                _write(path / "cpu.cfs_period_us", str(CPU_PERIOD_US))

    def thaw(self) -> None:
        for path in self.paths:
            _thaw(path)

    def kill(self) -> None:
        """SIGKILL to every process in it. Frozen ones of version 1 end once they are thawed."""
        for path in self.paths:
            with contextlib.suppress(OSError):
                _kill(path)

    def processes(self) -> set[int]:
        """Ids of the processes in it."""
        found: set[int] = set()
        for path in self.paths:
            with contextlib.suppress(OSError):
                found |= {int(pid) for pid in (path / "cgroup.procs").read_text().split()}
        return found

    def remove(self, patience: float = 0.0) -> bool:
        """Whether the groups are gone; False while processes are still on their way out, after `patience` seconds."""
        return False not in [remove(path, patience) for path in self.paths]


def _thaw(path: Path) -> None:
    for name, value in (("cgroup.freeze", "0"), ("freezer.state", "THAWED")):
        with contextlib.suppress(OSError):
            _write(path / name, value)


def _kill(path: Path) -> None:
    if (path / "cgroup.kill").exists():
        _write(path / "cgroup.kill", "1")
        return
    for pid in (path / "cgroup.procs").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), 9)


def remove(path: Path, patience: float = 2.0) -> bool:
    """Remove one group, waiting up to `patience` seconds for its last processes to end."""
    until = time.monotonic() + patience
    while True:
        try:
            path.rmdir()
            return True
        except FileNotFoundError:
            return True
        except OSError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.01)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
