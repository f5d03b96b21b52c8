"""Starting the supervisor, and finding out how far this machine lets it go.

Called once, before the event loop exists and before the server gives up its privileges.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import ingle
from ingle.sandbox.inside import linux
from ingle.sandbox.shares import Share

#: First of the user ids that environments run under, and how many there are. Above the ranges that distributions,
#: subordinate-id files and service managers hand out.
USERS = (1_900_000_000, 2048)
API_HOST = "169.254.100.1"
_NAMESPACES = linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS | linux.CLONE_NEWNET


class Isolation(StrEnum):
    """How environments are kept apart, strongest first."""

    ROOT = "root"  # namespaces, own users, cgroups, images
    USER = "user"  # namespaces of an ordinary user; one user for all environments
    PROCESS = "process"  # plain processes, the last resort


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorProcess:
    """A running supervisor: its process id as this process sees it, and our end of its channel."""

    pid: int
    channel: socket.socket
    isolation: Isolation
    #: Our end of the channel of the process that makes networks; None where there are none.
    network: socket.socket | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkProcess:
    """The process that makes networks, which runs in this network namespace; see `sandbox.links`."""

    command: tuple[str, ...]
    settings: str
    resolver: str | None


def strongest() -> Isolation:
    """The strongest isolation that works here; each is tried, in a child process."""
    if os.geteuid() == 0 and _works(_NAMESPACES, maps=False):
        return Isolation.ROOT
    if os.geteuid() != 0 and _works(_NAMESPACES | linux.CLONE_NEWUSER, maps=True):
        return Isolation.USER
    return Isolation.PROCESS


def _works(flags: int, *, maps: bool) -> bool:
    """Whether a child can have these namespaces and mount the two file systems that every environment needs."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1] == 0
    status = 1
    try:
        _unshare(flags, maps=maps)
        if os.fork() == 0:
            linux.mount("", "/", "", linux.MS_REC | linux.MS_PRIVATE)
            linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
            linux.mount("tmpfs", "/tmp", "tmpfs", 0)
            os._exit(0)
        status = 0 if os.wait()[1] == 0 else 1
    except OSError:
        pass
    finally:
        os._exit(status)


def _unshare(flags: int, *, maps: bool) -> None:
    uid, gid = os.geteuid(), os.getegid()
    if maps:
        linux.unshare(linux.CLONE_NEWUSER)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
            Path("/proc/self", name).write_text(text)
    linux.unshare(flags & ~linux.CLONE_NEWUSER)


def cgroup_name(data_directory: Path) -> str:
    """The name of the parent group: the same at every start on the same data directory."""
    return "ingle-" + hashlib.sha256(str(data_directory.resolve()).encode()).hexdigest()[:12]


def network_identity(data_directory: Path) -> str:
    """Eight hexadecimal digits for names of devices and tables, likewise."""
    return cgroup_name(data_directory).removeprefix("ingle-")[:8]


def launch(
    data_directory: Path, isolation: Isolation, network: NetworkProcess | None = None,
    shares: Mapping[str, Share] | None = None,
) -> SupervisorProcess:  # fmt: skip
    """Start a supervisor, and with it the process that makes networks: that takes root.

    Raises OSError where the machine refuses what `isolation` needs.
    """
    if isolation is Isolation.USER and os.geteuid() == 0:
        # In a user namespace of root's, functions would be the machine's root to /proc/sys and to files.
        raise OSError("it is for ordinary users, and this is root; use root")
    ours, theirs = _channel()
    options = {
        "data_directory": str(data_directory),
        "cgroup_name": cgroup_name(data_directory),
        "namespaces": isolation is not Isolation.PROCESS,
        "privileged": isolation is Isolation.ROOT,
        "users": USERS,
        "api_host": API_HOST,
        "network": None,
        "shares": {name: asdict(share) for name, share in (shares or {}).items()},
    }
    channel: socket.socket | None = None
    held: list[int] = []
    if network is not None and isolation is Isolation.ROOT:
        channel, server = _channel()
        held = [os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC), server.detach()]
        options["network"] = {**asdict(network), "host": held[0], "server": held[1]}
    # The supervisor outlives the process that unshares for it; whoever adopts orphans here must be this process.
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        _start(theirs, json.dumps(options), isolation, writer, held)
    os.close(writer)
    theirs.close()
    for descriptor in held:
        os.close(descriptor)
    with os.fdopen(reader) as pipe:
        answer = pipe.read()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    if not answer.isdigit():
        raise OSError(f"the sandbox supervisor cannot start: {answer or 'no reason given'}")
    return SupervisorProcess(pid=int(answer), channel=ours, isolation=isolation, network=channel)


def _channel() -> tuple[socket.socket, socket.socket]:
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    return ends


def _start(channel: socket.socket, options: str, isolation: Isolation, report: int, held: list[int]) -> None:
    """In the forked child: make the namespaces, then the supervisor in them; ends this process."""
    try:
        if isolation is not Isolation.PROCESS:
            # It needs no network, and goes back to its own after it was in that of a clone.
            flags = linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWNET
            _unshare(flags, maps=isolation is Isolation.USER)
        pid = os.fork()
        if pid:
            os.write(report, str(pid).encode())
            os._exit(0)
        os.close(report)
        os.setsid()
        if isolation is not Isolation.PROCESS:
            linux.mount("", "/", "", linux.MS_REC | linux.MS_PRIVATE)
            linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
        for descriptor in (channel.fileno(), *held):
            os.set_inheritable(descriptor, True)
        variables = {"PYTHONPATH": str(Path(ingle.__file__).parent.parent), "PATH": os.environ.get("PATH", os.defpath)}
        command = [sys.executable, "-S", "-P", "-m", "ingle.sandbox.supervisor", str(channel.fileno()), options]
        os.execve(sys.executable, command, variables)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.write(report, str(error).encode())
    finally:
        os._exit(1)
