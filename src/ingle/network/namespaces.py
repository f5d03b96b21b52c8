"""Network namespaces that no process lives in: made, entered and held by a descriptor.

The kernel takes a namespace with its devices, addresses and rules down when the last descriptor is closed, so nothing
of them outlives the process that holds it. Single-threaded: entering moves the calling thread.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_OWN = "/proc/self/ns/net"

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def current() -> int:
    """A descriptor of the namespace that this process is in."""
    return os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)


def enter(namespace: int) -> None:
    """Be in `namespace` from now on."""
    _check(_libc.setns(ctypes.c_int(namespace), ctypes.c_int(_CLONE_NEWNET)), "setns")


@contextlib.contextmanager
def inside(namespace: int) -> Iterator[None]:
    """Be in `namespace` for a while. A process that cannot come back ends."""
    own = current()
    try:
        enter(namespace)
        try:
            yield
        finally:
            try:
                enter(own)
            except OSError as error:
                raise SystemExit(f"lost in another network: {error}") from error
    finally:
        os.close(own)


def create() -> int:
    """A new, empty namespace."""
    own = current()
    try:
        _check(_libc.unshare(ctypes.c_int(_CLONE_NEWNET)), "unshare")
        try:
            return current()
        finally:
            enter(own)
    finally:
        os.close(own)


def set_parameter(name: str, value: int | str) -> None:
    """A kernel parameter below `net` of the namespace that this process is in, such as "ipv4/conf/all/rp_filter"."""
    Path("/proc/sys/net", name).write_text(str(value))


def parameter(name: str) -> str:
    return Path("/proc/sys/net", name).read_text().strip()
