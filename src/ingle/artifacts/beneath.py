"""Opening directories below a directory descriptor such that nothing can lead out of it, not even a symbolic link.

openat2(2) makes the kernel promise it (Linux 5.6); without it, every component is opened by itself with O_NOFOLLOW.
Used by `unzip`.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable

_SYS_OPENAT2 = 437  # the same number on every architecture
_RESOLVE_NO_XDEV = 0x01
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_RESOLVE = _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_XDEV
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
#: Not in this kernel, or forbidden by a seccomp filter around the server.
_ABSENT = frozenset({errno.ENOSYS, errno.EPERM})

OpenDirectory = Callable[[int, str], int]


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_directory(root: int, path: str) -> int:
    """A descriptor of the directory `path` below `root`; the caller closes it. Raises OSError, also on a symlink."""
    try:
        return open_by_kernel(root, path)
    except OSError as error:
        if error.errno not in _ABSENT:
            raise
    return open_by_component(root, path)


def open_by_kernel(root: int, path: str) -> int:
    """With openat2. Raises OSError with ENOSYS or EPERM where there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    how = _OpenHow(_DIRECTORY, 0, _RESOLVE)
    arguments = (ctypes.c_long(_SYS_OPENAT2), ctypes.c_int(root), os.fsencode(path), ctypes.byref(how))
    while True:
        descriptor = libc.syscall(*arguments, ctypes.c_size_t(ctypes.sizeof(how)))
        if descriptor >= 0:
            return int(descriptor)
        number = ctypes.get_errno()
        if number not in (errno.EINTR, errno.EAGAIN):
            raise OSError(number, os.strerror(number), path)


def open_by_component(root: int, path: str) -> int:
    """One component at a time. Raises OSError; ELOOP or ENOTDIR on a symlink, EXDEV on a way out."""
    if path.startswith("/") or ".." in path.split("/"):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)
    descriptor = os.dup(root)
    for part in path.split("/"):
        parent = descriptor
        try:
            descriptor = os.open(part, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        finally:
            os.close(parent)
    return descriptor
