"""Figures of this machine, as far as the server may still read them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes: the machine's, what of it can be had without swapping, and what the server has, without functions."""

    total: int
    available: int
    server: int


def memory(proc: Path = Path("/proc")) -> Memory:
    """Raises OSError, and ValueError for files that are not what they should be."""
    lines = (line.partition(":") for line in (proc / "meminfo").read_text().splitlines())
    counts = {name: int(rest.split()[0]) * 1024 for name, _, rest in lines if name in ("MemTotal", "MemAvailable")}
    resident = int((proc / "self/statm").read_text().split()[1])
    return Memory(total=counts.get("MemTotal", 0), available=counts.get("MemAvailable", 0), server=resident * _PAGE)


def processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0))
