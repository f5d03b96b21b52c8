"""Small questions to the Linux kernel about what it allows, each answered by trying in a process of its own.

Owns the attempts; knows nothing about what follows from them (`worker.doctor` does). Every attempt happens in a
forked child, so the asking process is never changed. The asking process must be single-threaded: the verbs are.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import struct
import tempfile
from collections.abc import Callable
from enum import IntFlag
from pathlib import Path

from ingle.sandbox.inside import linux

_ATTEMPT_SECONDS = 5.0
_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_VERSION = 1
_PR_GET_SECCOMP = 21
_NETLINK_NETFILTER = 12
#: NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN
_NFT_GETGEN = 10 << 8 | 16


class Namespace(IntFlag):
    """Flags of unshare(2)."""

    MOUNT = linux.CLONE_NEWNS
    UTS = linux.CLONE_NEWUTS
    IPC = linux.CLONE_NEWIPC
    USER = linux.CLONE_NEWUSER
    PID = linux.CLONE_NEWPID
    NETWORK = linux.CLONE_NEWNET


_libc = ctypes.CDLL(None, use_errno=True)


def attempt(action: Callable[[], None]) -> str | None:
    """Run `action` in a forked child. None when it returned, else in a few words why it did not."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _run_in_child(action, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        ready, _, _ = select.select([answer], [], [], _ATTEMPT_SECONDS)
        text = answer.read().decode("utf-8", "replace") if ready else "no answer from the kernel"
        if not ready:
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if status and not text:
        return "the attempt was killed"
    return text or None


def _run_in_child(action: Callable[[], None], writer: int) -> None:
    """Never returns: reports through the pipe and leaves without running anything of the parent's."""
    try:
        action()
    except OSError as problem:
        os.write(writer, (problem.strerror or str(problem)).encode())
    finally:
        os._exit(0)


def unshare(namespaces: Namespace) -> None:
    """Move this process into new namespaces; as an ordinary user pass USER too. Raises OSError."""
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(int(namespaces))
    if Namespace.USER in namespaces:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def try_overlay(namespaces: Namespace) -> None:
    """Mount an overlay over a tmpfs, in a mount namespace of its own. Raises OSError."""
    unshare(namespaces | Namespace.MOUNT)
    linux.mount("none", "/", "", linux.MS_REC | linux.MS_PRIVATE)  # nothing of this reaches the host
    top = tempfile.gettempdir()
    linux.mount("tmpfs", top, "tmpfs", 0)
    for name in ("lower", "upper", "work", "merged"):
        Path(top, name).mkdir()
    options = f"lowerdir={top}/lower,upperdir={top}/upper,workdir={top}/work"
    linux.mount("overlay", f"{top}/merged", "overlay", 0, options)


def try_nftables(namespaces: Namespace) -> None:
    """Ask nftables for its generation, inside a network namespace of our own. Raises OSError."""
    unshare(namespaces | Namespace.NETWORK)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as channel:
        channel.settimeout(1.0)
        message = struct.pack("=IHHII4x", 20, _NFT_GETGEN, 1, 1, 0)  # NLM_F_REQUEST, then an empty nfgenmsg
        channel.send(message)
        answer = channel.recv(4096)
    kind = struct.unpack_from("=IHH", answer)[1]
    if kind == 2:  # NLMSG_ERROR
        code = -struct.unpack_from("=i", answer, 16)[0]
        raise OSError(code, os.strerror(code))


def landlock_version() -> int:
    """The ABI version of Landlock, 0 when the kernel has none or it is switched off."""
    arguments = (None, ctypes.c_size_t(0), ctypes.c_uint(_LANDLOCK_VERSION))
    return max(0, int(_libc.syscall(ctypes.c_long(_LANDLOCK_CREATE_RULESET), *arguments)))


def has_seccomp_filters() -> bool:
    """Whether system calls can be filtered."""
    try:
        return "errno" in Path("/proc/sys/kernel/seccomp/actions_avail").read_text().split()
    except OSError:
        return bool(_libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) == 0)
