"""The root file system that a zygote and all environments forked from it see.

Built by a child of the supervisor in a mount namespace of its own, just before it becomes the zygote: a small tmpfs
with read-only binds of the host's programs and libraries, the interpreter at `/var/lang`, and nothing else of the host.
Everything is at its final path before the interpreter starts, the empty `/var/task/lib` and `/opt/lib` included: the
dynamic linker remembers directories that were missing.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from ingle.sandbox.inside import linux

#: Where packages, images and what a zygote runs are, for processes that are not yet running function code: mounted over
#: an empty directory.
HIDDEN = "/run"
_DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9)}
_TOP_LEVEL = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ETC_FILES = ("ld.so.cache", "localtime", "mime.types", "protocols", "services", "ethertypes")
_ETC_DIRECTORIES = ("alternatives", "ssl/certs", "pki", "ca-certificates")


@dataclass(frozen=True, slots=True, kw_only=True)
class RootPlan:
    """What differs between roots. Paths are the host's; `users` is (first uid, count) of environments' users."""

    scratch: Path  # an empty directory to mount on
    mounts: dict[str, Path]  # path inside: a directory or file of the host; what functions must not see is in HIDDEN
    files: dict[str, tuple[Path, ...]]  # path inside: directories whose files are copied there
    links: dict[str, str]  # path inside: where a symbolic link there leads
    packages: Path
    images: Path | None
    users: tuple[int, int]
    privileged: bool
    #: The name server that programs ask; None where there is none.
    resolver: str | None = None


def enter(plan: RootPlan) -> None:
    """Make the root and move this process into it. The process must own its mount namespace. Raises OSError."""
    linux.mount("", "/", "", linux.MS_REC | linux.MS_PRIVATE)
    root = plan.scratch
    linux.mount("tmpfs", str(root), "tmpfs", linux.MS_NOSUID, "size=64m,mode=755")
    for name in ("usr", "proc", "tmp", "mnt", "run", "home", "root", "dev", "etc", "var/task/lib", "var/lang",
                 "var/runtime/lib", "var/tmp", "opt/lib", "sys/devices/system/cpu"):  # fmt: skip
        (root / name).mkdir(parents=True, mode=0o755)
    _bind_system(root)
    _fill_etc(root / "etc", plan.users, plan.resolver)
    _make_devices(root / "dev", plan.privileged)
    _hide(root / HIDDEN[1:], plan)
    for inside, source in plan.mounts.items():
        _mount(source, root / inside[1:])
    for inside, directories in plan.files.items():
        _copy_files(directories, root / inside[1:])
    for inside, target in plan.links.items():
        (root / inside[1:]).symlink_to(target)
    linux.mount("proc", str(root / "proc"), "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    linux.pivot_root(str(root))
    linux.mount("", "/", "", linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID)


def _bind_system(root: Path) -> None:
    linux.bind("/usr", str(root / "usr"))
    for name in _TOP_LEVEL:
        source = Path("/") / name
        if source.is_symlink():
            (root / name).symlink_to(os.readlink(source))
        elif source.is_dir():
            (root / name).mkdir(mode=0o755)
            linux.bind(str(source), str(root / name))
    processors = Path("/sys/devices/system/cpu")
    if processors.is_dir():
        linux.bind(str(processors), str(root / "sys/devices/system/cpu"))


def _fill_etc(etc: Path, users: tuple[int, int], resolver: str | None) -> None:
    first, count = users
    names = [f"sbx_user{uid}:x:{uid}:{uid}::/:/sbin/nologin" for uid in range(first, first + count)]
    passwd = ["root:x:0:0:root:/root:/sbin/nologin", *names, "nobody:x:65534:65534:nobody:/:/sbin/nologin"]
    groups = ["root:x:0:", *(f"sbx_user{uid}:x:{uid}:" for uid in range(first, first + count)), "nogroup:x:65534:"]
    (etc / "passwd").write_text("\n".join(passwd) + "\n")
    (etc / "group").write_text("\n".join(groups) + "\n")
    (etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n127.0.0.1 sandbox.localdomain sandbox\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    (etc / "resolv.conf").write_text("" if resolver is None else f"nameserver {resolver}\n")
    (etc / "hostname").write_text("ingle\n")
    for name in _ETC_FILES:
        source = Path("/etc") / name
        if source.is_file():
            shutil.copyfile(source, etc / name)
    for name in _ETC_DIRECTORIES:
        source = Path("/etc") / name
        if source.is_dir():
            (etc / name).mkdir(parents=True)
            linux.bind(str(source), str(etc / name))


def _make_devices(dev: Path, privileged: bool) -> None:
    for name, (major, minor) in _DEVICES.items():
        if privileged:
            os.mknod(dev / name, stat.S_IFCHR | 0o666, os.makedev(major, minor))
            os.chmod(dev / name, 0o666)
        else:
            (dev / name).touch()
            linux.mount(f"/dev/{name}", str(dev / name), "", linux.MS_BIND)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
                         ("stderr", "/proc/self/fd/2")):  # fmt: skip
        (dev / name).symlink_to(target)


def _mount(source: Path, place: Path) -> None:
    if source.is_dir():
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    linux.bind(str(source), str(place))


def _copy_files(directories: tuple[Path, ...], destination: Path) -> None:
    """The guest files of directories, which may have `__init__.py` to be packages on the host."""
    destination.mkdir(exist_ok=True)
    for file in (file for directory in directories for file in directory.iterdir()):
        if file.is_file() and file.name != "__init__.py":
            shutil.copy(file, destination / file.name)


def _hide(hidden: Path, plan: RootPlan) -> None:
    linux.mount("tmpfs", str(hidden), "tmpfs", linux.MS_NOSUID, "size=1m,mode=700")
    (hidden / "packages").mkdir()
    linux.bind(str(plan.packages), str(hidden / "packages"))
    if plan.images is not None:
        (hidden / "images").mkdir()
        (hidden / "dev").mkdir()
        linux.bind(str(plan.images), str(hidden / "images"), linux.MS_NOSUID | linux.MS_NODEV)
        os.mknod(hidden / "dev" / "loop-control", stat.S_IFCHR | 0o600, os.makedev(10, 237))
