"""What this machine allows, and in plain words what is weaker because of what it does not.

Owns the judgement; `worker.kernel` does the asking and `cli` the showing. `examine` gathers plain data and changes
nothing that stays: attempts run in forked children, a trial cgroup is removed at once. Called by `ingle doctor`.
"""

from __future__ import annotations

import functools
import os
import platform
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from ingle.domain.runtimes import is_python
from ingle.network.nftables import load as load_library
from ingle.sandbox import launch
from ingle.sandbox.launch import Isolation
from ingle.sandbox.shares import Share, mapped
from ingle.settings import AccessPoint
from ingle.storage.disk import Space
from ingle.storage.errors import DataDirectoryError
from ingle.worker import kernel
from ingle.worker.families import family_of
from ingle.worker.forwarding import Forwarding
from ingle.worker.interpreters import Discovery
from ingle.worker.kernel import Namespace

#: Controllers that the limits of a function need.
CONTROLLERS = ("memory", "cpu", "pids")
_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


class Level(StrEnum):
    OK = "ok"
    #: Functions run, something protects less or is slower.
    WEAKER = "weaker"
    #: Functions do not run, or without any isolation.
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. `detail`: what is there. `consequence`: what follows, when it is not all there."""

    subject: str
    level: Level
    detail: str
    consequence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgroups:
    """`unified`: the place in a cgroup2 hierarchy where groups can be made, if any. `v1`: writable v1 controllers."""

    v1: tuple[str, ...] = ()
    v2: tuple[str, ...] = ()
    unified: Path | None = None
    freeze: bool = False
    kill: bool = False


def examine(
    discovery: Discovery, runtimes_dir: Path, data_dir: Path, look_at_forwarding: Callable[[], Forwarding] = Forwarding
) -> list[Finding]:
    """Everything looked at, in the order it is told. Takes a fraction of a second."""
    root = os.geteuid() == 0
    users = kernel.attempt(lambda: kernel.unshare(Namespace.USER))
    cgroups = find_cgroups()
    base = Namespace(0) if root else Namespace.USER
    return [
        _machine(),
        _user(root, users),
        _namespaces(root, base),
        _network(base),
        *_cgroup_findings(cgroups, root),
        _seccomp(),
        _landlock(),
        _tmp_images(root),
        _overlay(base),
        _nftables(base),
        *([_forwarding(look_at_forwarding)] if root else []),
        disk(data_dir),
        _runtimes(discovery, runtimes_dir),
        *_rejected(discovery),
    ]


def isolation() -> Isolation:
    """The mode that isolation=auto comes to here."""
    return launch.strongest()


def _machine() -> Finding:
    system = platform.uname()
    detail = f"{system.system} {system.release}, {system.machine}, {os.cpu_count()} CPUs"
    if system.system == "Linux":
        return Finding(subject="machine", level=Level.OK, detail=detail)
    return Finding(subject="machine", level=Level.MISSING, detail=detail, consequence="Ingle runs on Linux only.")


def _user(root: bool, user_namespaces: str | None) -> Finding:
    if root:
        return Finding(subject="user", level=Level.OK, detail="root (uid 0): each environment gets its own uid")
    detail = f"ordinary user (uid {os.geteuid()})"
    if user_namespaces is None:
        return Finding(
            subject="user",
            level=Level.WEAKER,
            detail=f"{detail}; user namespaces work",
            consequence="Functions run under this user's id: namespaces keep them apart, file permissions do not.",
        )
    return Finding(
        subject="user",
        level=Level.MISSING,
        detail=f"{detail}; user namespaces: {user_namespaces}",
        consequence="Functions run as plain processes of this user and can read what this user can read. "
        "Run Ingle as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
        "kernel.apparmor_restrict_unprivileged_userns=0).",
    )


def _namespaces(root: bool, base: Namespace) -> Finding:
    wanted = Namespace.MOUNT | Namespace.PID | Namespace.IPC | Namespace.UTS
    problem = kernel.attempt(lambda: kernel.unshare(base | wanted))
    if problem is None:
        return Finding(subject="namespaces", level=Level.OK, detail="mount, pid, ipc, uts" + ("" if root else ", user"))
    return Finding(
        subject="namespaces",
        level=Level.MISSING,
        detail=problem,
        consequence="Functions run as plain processes: they see the machine's files and processes.",
    )


def _network(base: Namespace) -> Finding:
    problem = kernel.attempt(lambda: kernel.unshare(base | Namespace.NETWORK))
    if problem is None:
        return Finding(subject="network namespaces", level=Level.OK, detail="one for each environment")
    return Finding(
        subject="network namespaces",
        level=Level.WEAKER,
        detail=problem,
        consequence="Functions share the machine's network and can reach whatever it reaches.",
    )


def find_cgroups(proc: Path = Path("/proc")) -> Cgroups:
    """Which controllers can be used here. Makes and removes an empty trial group where cgroup2 is mounted."""
    v1: list[str] = []
    unified: Path | None = None
    for mount_point, filesystem, options in _cgroup_mounts(proc):
        own = mount_point / _own_cgroup(proc, filesystem, options).lstrip("/")
        # Inside a container the path of /proc/self/cgroup may lie outside of what is mounted.
        place = own if own.is_dir() else mount_point
        if filesystem == "cgroup2":
            unified = place
        elif os.access(place, os.W_OK):
            v1 += [name for name in CONTROLLERS if name in options]
    if unified is None:
        return Cgroups(v1=tuple(dict.fromkeys(v1)))
    return _try_unified(unified, tuple(dict.fromkeys(v1)))


def _try_unified(place: Path, v1: tuple[str, ...]) -> Cgroups:
    trial = place / f"ingle-doctor-{os.getpid()}"
    try:
        controllers = (place / "cgroup.controllers").read_text().split()
        trial.mkdir()
    except OSError:
        return Cgroups(v1=v1)
    try:
        return Cgroups(
            v1=v1,
            v2=tuple(name for name in CONTROLLERS if name in controllers),
            unified=place,
            freeze=(trial / "cgroup.freeze").exists(),
            kill=(trial / "cgroup.kill").exists(),
        )
    finally:
        trial.rmdir()


def _cgroup_mounts(proc: Path) -> Iterator[tuple[Path, str, tuple[str, ...]]]:
    """Mount point, filesystem and options of every cgroup mount. Format: proc(5), mountinfo."""
    try:
        lines = (proc / "self/mountinfo").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        left, _, right = line.partition(" - ")
        filesystem, _, options = right.split(" ", 2)
        if filesystem in ("cgroup", "cgroup2"):
            yield Path(left.split()[4].replace("\\040", " ")), filesystem, tuple(options.split(","))


def _own_cgroup(proc: Path, filesystem: str, options: tuple[str, ...]) -> str:
    """This process's path in one hierarchy. Format: cgroups(7), /proc/[pid]/cgroup."""
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:
        return "/"
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if filesystem == "cgroup2" and controllers == "":
            return path
        if filesystem == "cgroup" and controllers and set(controllers.split(",")) & set(options):
            return path
    return "/"


def _cgroup_findings(cgroups: Cgroups, root: bool) -> Iterator[Finding]:
    usable = [name for name in CONTROLLERS if name in cgroups.v1 or name in cgroups.v2]
    lacking = [name for name in CONTROLLERS if name not in usable]
    versions = [f"v1 ({', '.join(cgroups.v1)})"] if cgroups.v1 else []
    if cgroups.unified:
        versions.append(f"v2 ({', '.join(cgroups.v2) or 'no controllers'})")
    yield Finding(
        subject="cgroups",
        level=Level.WEAKER if lacking else Level.OK,
        detail=" and ".join(versions) or "none that this user may use",
        consequence=_limits_lost(lacking, root),
    )
    have = [name for name, there in (("cgroup.freeze", cgroups.freeze), ("cgroup.kill", cgroups.kill)) if there]
    yield Finding(
        subject="freeze and kill",
        level=Level.OK if len(have) == 2 else Level.WEAKER,
        detail=", ".join(have) or "neither cgroup.freeze nor cgroup.kill",
        consequence=""
        if len(have) == 2
        else "Environments are stopped through signals to each of their processes: "
        "slower, and code that runs between invocations is paused less strictly.",
    )


def _limits_lost(lacking: list[str], root: bool) -> str:
    if not lacking:
        return ""
    words = {
        "memory": "a function's memory is limited for each process (rlimit) rather than for the whole environment",
        "cpu": "a function's CPU share is not limited",
        "pids": "the number of processes is limited by rlimit only",
    }
    advice = "" if root else " Delegate the controllers to this user (systemd: Delegate=yes) or run Ingle as root."
    text = "; ".join(words[name] for name in lacking)
    return text[0].upper() + text[1:] + "." + advice


def _seccomp() -> Finding:
    if kernel.has_seccomp_filters():
        return Finding(subject="seccomp", level=Level.OK, detail="system calls can be filtered")
    return Finding(
        subject="seccomp",
        level=Level.WEAKER,
        detail="this kernel has no filters",
        consequence="Functions may use every system call: a flaw in the kernel is easier to reach.",
    )


def _landlock() -> Finding:
    version = kernel.landlock_version()
    if version:
        return Finding(subject="Landlock", level=Level.OK, detail=f"ABI {version}")
    return Finding(
        subject="Landlock",
        level=Level.WEAKER,
        detail="not in this kernel, or switched off",
        consequence="The server gives up its capabilities only: taken over, it could use every file of its user.",
    )


def _tmp_images(root: bool) -> Finding:
    lacking = []
    if not root:
        lacking.append("loop devices need root")
    elif not os.access("/dev/loop-control", os.W_OK):
        lacking.append("no /dev/loop-control")
    if program("mkfs.ext4") is None:
        lacking.append("no mkfs.ext4 (Debian, Ubuntu: apt-get install e2fsprogs)")
    if not lacking:
        return Finding(subject="/tmp images", level=Level.OK, detail="loop devices and mkfs.ext4")
    return Finding(
        subject="/tmp images",
        level=Level.WEAKER,
        detail="; ".join(lacking),
        consequence="A function's /tmp is held in memory: what it writes there counts towards its memory.",
    )


def _overlay(base: Namespace) -> Finding:
    problem = kernel.attempt(lambda: kernel.try_overlay(base))
    if problem is None:
        return Finding(subject="overlayfs", level=Level.OK, detail="works")
    return Finding(
        subject="overlayfs", level=Level.WEAKER, detail=problem, consequence="Layers will be copied, not stacked."
    )


def _load_nftables() -> None:
    load_library()


def _nftables(base: Namespace) -> Finding:
    consequence = "Functions have no outbound network, and security groups of private networks could not be enforced."
    problem = kernel.attempt(lambda: kernel.try_nftables(base)) or kernel.attempt(_load_nftables)
    if problem is not None:
        return Finding(subject="nftables", level=Level.WEAKER, detail=problem, consequence=consequence)
    if base:
        detail = "the kernel and the library answer; an ordinary user cannot reach the machine's network with them"
        return Finding(subject="nftables", level=Level.WEAKER, detail=detail, consequence=consequence)
    return Finding(subject="nftables", level=Level.OK, detail="the kernel and the library answer")


def file_systems(points: Iterable[AccessPoint], try_mount: Callable[[AccessPoint], None]) -> Iterator[Finding]:
    """The directories that stand in for file systems. `try_mount` raises OSError where functions could not have one."""
    for point in points:
        problem = kernel.attempt(functools.partial(try_mount, point))
        subject, detail = "file system", f"{point.directory} for {point.arn.rpartition('/')[2]}"
        if problem is None:
            yield Finding(subject=subject, level=Level.OK, detail=f"{detail} can be mounted")
        else:
            consequence = "Invocations of functions that have it fail with EFSMountFailureException."
            yield Finding(subject=subject, level=Level.WEAKER, detail=f"{detail}: {problem}", consequence=consequence)


def try_mount(point: AccessPoint) -> None:
    """Raises OSError."""
    place = os.stat(point.directory)
    uid, gid = place.st_uid if point.uid is None else point.uid, place.st_gid if point.gid is None else point.gid
    mapped(Share(directory=point.directory, root=point.root, uid=uid, gid=gid), launch.USERS[0])


def companions(urls: Mapping[str, str], connect: Callable[[str], None]) -> Iterator[Finding]:
    """The AWS services elsewhere, by what they are called. `connect` raises OSError where nobody takes a connection."""
    for name, url in urls.items():
        try:
            connect(url)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            consequence = "Requests for it are answered with ServiceUnavailable, and results that go there wait."
            yield Finding(subject=name, level=Level.WEAKER, detail=f"{url}: {reason}", consequence=consequence)
        else:
            yield Finding(subject=name, level=Level.OK, detail=f"{url} takes connections")


def connect(url: str) -> None:
    """Raises OSError. Waits two seconds at most."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    socket.create_connection((parts.hostname or "", port), timeout=2).close()


def _forwarding(look: Callable[[], Forwarding]) -> Finding:
    try:
        found = look()
    except (OSError, DataDirectoryError) as error:
        return Finding(
            subject="forwarding", level=Level.WEAKER, detail=f"other rule sets cannot be looked at: {error}",
            consequence="Another firewall may drop what functions send.",
        )  # fmt: skip
    if not found.commands:
        detail = f"let through by {'; '.join(found.refusals)}" if found.refusals else "no other rule set refuses it"
        return Finding(subject="forwarding", level=Level.OK, detail=f"{detail} as far as can be seen")
    return Finding(
        subject="forwarding",
        level=Level.WEAKER,
        detail=f"refused by {'; '.join(found.refusals)}",
        consequence="Functions are cut off by it: `ingle network allow-forwarding` prints what lets them through.",
    )


def disk(data_dir: Path, look: Callable[[Path], Space] = Space.of) -> Finding:
    """The disk of the data directory, or of where that will be made."""
    place = next((path for path in (data_dir, *data_dir.parents) if path.exists()), Path("/"))
    try:
        space = look(place)
    except OSError as error:
        return Finding(
            subject="disk", level=Level.MISSING, detail=f"{place}: {error.strerror}",
            consequence="There is no place for functions and their logs.",
        )  # fmt: skip
    detail = f"{space.free >> 20} MB of {space.total >> 20} MB free at {place}"
    if not space.is_full():
        return Finding(subject="disk", level=Level.OK, detail=detail)
    return Finding(
        subject="disk",
        level=Level.WEAKER,
        detail=detail,
        consequence=f"Less than {space.reserve >> 20} MB: functions run, but new ones and changes are refused, and "
        "logs may be lost. Free some space; the server notices by itself.",
    )


def _runtimes(discovery: Discovery, runtimes_dir: Path) -> Finding:
    if not any(is_python(interpreter.runtime) for interpreter in discovery.interpreters):
        return Finding(
            subject="runtimes",
            level=Level.MISSING,
            detail="no Python 3.9 or later found",
            consequence="No function can run: environments are forked from Python. Install an interpreter, or name one "
            "with --python-paths.",
        )
    without = [item.runtime for item in discovery.interpreters if not _has_libraries(item.runtime, runtimes_dir)]
    return Finding(
        subject="runtimes",
        level=Level.WEAKER if without else Level.OK,
        detail=", ".join(f"{i.runtime} ({i.version})" for i in discovery.interpreters),
        consequence=f"No AWS SDK for {', '.join(without)}: run `ingle runtimes install`." if without else "",
    )


def _has_libraries(runtime: str, runtimes_dir: Path) -> bool:
    family = family_of(runtime)
    return family is None or not family.installs or family.libraries(runtimes_dir, runtime) is not None


def _rejected(discovery: Discovery) -> Iterator[Finding]:
    for rejected in discovery.rejected:
        yield Finding(
            subject="interpreter", level=Level.WEAKER, detail=f"{rejected.executable} {rejected.reason}",
            consequence="It is not used.",
        )  # fmt: skip


def program(name: str, which: Callable[..., str | None] = shutil.which) -> str | None:
    """Path of a system program. An ordinary user's PATH often lacks the directories for administrators."""
    return which(name) or which(name, path=_SYSTEM_PATH)
