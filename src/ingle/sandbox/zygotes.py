"""Starting zygotes: a child of the supervisor enters the root file system and executes the interpreter there.

Used by `sandbox.supervisor` only; the messages are described there.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ingle.sandbox.inside import linux
from ingle.sandbox.root import RootPlan, enter

#: The user id that an environment sees of itself where there is one user for all of them.
USER_INSIDE = 993


@dataclass(slots=True, kw_only=True, eq=False)
class Zygote:
    name: str
    channel: socket.socket
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZygotePlace:
    """What all zygotes of a supervisor have in common. Paths are the host's, see `sandbox.root`."""

    namespaces: bool
    privileged: bool
    scratch: Path
    packages: Path
    images: Path | None
    users: tuple[int, int]
    resolver: str | None


def start(request: dict[str, Any], place: ZygotePlace) -> Zygote:
    """Fork a zygote; it tells through its channel when it is ready, or why it never will be. Raises OSError."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        pid = os.fork()
    except OSError:
        ours.close()
        theirs.close()
        raise
    if pid == 0:
        _become(request, place, theirs)
    theirs.close()
    return Zygote(name=request["zygote"], channel=ours, pid=pid)


def _become(request: dict[str, Any], place: ZygotePlace, channel: socket.socket) -> NoReturn:
    try:
        os.umask(0o022)
        # What the supervisor ignores would be ignored by functions and by what they start.
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.set_inheritable(channel.fileno(), True)
        if place.namespaces:
            linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS)
            enter(_plan(request["root"], place))
        else:
            linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        options = json.dumps({"preload": request["preload"], "namespaces": place.namespaces})
        command = [*request["command"], str(channel.fileno()), options]
        os.execve(command[0], command, request["variables"])
    except BaseException as error:  # nothing above this frame can handle it
        linux.send_message(channel, json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode())
    finally:
        os._exit(1)


def _plan(root: dict[str, Any], place: ZygotePlace) -> RootPlan:
    return RootPlan(
        scratch=place.scratch,
        mounts={inside: Path(path) for inside, path in root["mounts"].items()},
        files={inside: tuple(Path(path) for path in paths) for inside, paths in root["files"].items()},
        links=root["links"],
        packages=place.packages,
        images=place.images,
        # One user for all environments has the same id in each of them.
        users=place.users if place.privileged or not place.namespaces else (USER_INSIDE, 1),
        privileged=place.privileged,
        resolver=place.resolver,
    )
