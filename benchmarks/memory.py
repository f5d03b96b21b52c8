"""How much memory the processes below a server use, from /proc."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Names that environments' processes have in common with the zygote they were forked from.
_ZYGOTE = "/var/runtime/zygote.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Megabytes (PSS) of a server's environments, zygotes included: shared pages count once in the sum."""

    environments: float


def _field(pid: int, file: str, name: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":")), 0.0)


def _parent(pid: int) -> int:
    return int(_field(pid, "status", "PPid") * 1024)


def pss_mb(pid: int) -> float:
    return _field(pid, "smaps_rollup", "Pss")


def rss_mb(pid: int) -> float:
    return _field(pid, "status", "VmRSS")


def descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent = _parent(int(entry.name))
            parents.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found += children
        queue += children
    return found


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def tree(server: int) -> Tree:
    guests = [pid for pid in descendants(server) if _ZYGOTE in _command(pid)]
    return Tree(environments=sum(pss_mb(pid) for pid in guests))


def zygotes(server: int) -> list[tuple[str, float]]:
    """(interpreter and kind, RSS in MB) of the zygotes themselves: children of the supervisor."""
    found = []
    supervisors = [pid for pid in descendants(server) if _parent(pid) == server]
    for pid in descendants(server):
        command = _command(pid)
        if _ZYGOTE in command and _parent(pid) in supervisors:
            kind = "warm" if '"preload": true' in " ".join(command) else "bare"
            found.append((f"{Path(command[0]).name} {kind}", rss_mb(pid)))
    return sorted(set(found))
