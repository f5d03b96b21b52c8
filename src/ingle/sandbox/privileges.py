"""The server gives up what only the supervisor needs: capabilities, new privileges, and files outside its own.

Hostile requests reach the server, so root's power must not be in it. It keeps its user id, since the data directory and
the interpreter may be readable by that user alone, and becomes harmless otherwise: no capability, none to be gained,
and Landlock lets it write beneath the data directory only, read where programs and libraries are, and neither trace
nor signal processes outside its domain. What a kernel does not have is left out; `restrict` tells what was done.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from ingle.sandbox.inside import linux

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_ALL = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1 << 0, 1 << 1
_READ = _READ_FILE | _READ_DIR | _EXECUTE

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restricted:
    """What the server gave up. `landlock` is the kernel's interface version, 0 if it has none."""

    capabilities: bool
    landlock: int


def restrict(data_directory: Path, readable: list[Path]) -> Restricted:
    """Restrict this process and its threads and children for good. Call it while there is one thread only."""
    capabilities = os.geteuid() == 0
    if capabilities:
        linux.drop_capabilities()
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    return Restricted(capabilities=capabilities, landlock=_landlock(data_directory, readable))


def _landlock(data_directory: Path, readable: list[Path]) -> int:
    version = int(_libc.syscall(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint(1)))
    if version < 1:
        return 0
    handled = _ALL | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    handled |= _IOCTL_DEV if version >= 5 else 0
    scoped = _SCOPE_SIGNALS | _SCOPE_ABSTRACT_SOCKETS if version >= 6 else 0
    attributes = struct.pack("=QQQ", handled, 0, scoped)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = int(_libc.syscall(
        ctypes.c_long(_CREATE_RULESET), ctypes.c_char_p(attributes), ctypes.c_size_t(len(attributes)), ctypes.c_uint(0)
    ))  # fmt: skip
    if ruleset < 0:
        return 0
    try:
        _allow(ruleset, data_directory, handled & ~_EXECUTE)
        _allow(ruleset, Path("/dev/null"), handled & (_READ_FILE | _WRITE_FILE | _TRUNCATE))
        for path in {*readable, *_own_places()}:
            _allow(ruleset, path, handled & _READ)
        if _libc.syscall(ctypes.c_long(_RESTRICT_SELF), ctypes.c_int(ruleset), ctypes.c_uint(0)) != 0:
            return 0
    finally:
        os.close(ruleset)
    return version


def _own_places() -> list[Path]:
    """Where the interpreter, libraries and what they read at run time are."""
    names = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *sys.path, "/usr", "/lib", "/lib64",
             "/proc/self", "/proc/stat", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys/kernel/random/boot_id",
             "/dev/urandom", "/etc/localtime", "/etc/mime.types", "/sys/devices/system/cpu", "/etc/hosts",
             "/etc/resolv.conf", "/etc/nsswitch.conf"]  # fmt: skip
    return [Path(name) for name in names if name and os.path.exists(name)]


def _allow(ruleset: int, path: Path, access: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not path.is_dir():
            access &= _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
        rule = struct.pack("=Qi", access, descriptor)
        _libc.syscall(
            ctypes.c_long(_ADD_RULE), ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), ctypes.c_char_p(rule),
            ctypes.c_uint(0),
        )  # fmt: skip
    finally:
        os.close(descriptor)
