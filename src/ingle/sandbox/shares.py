"""Directories of the host that environments share: mounted in a sandbox before anything of a function's runs there.

The server names shares and never directories: which there are was said when the supervisor was started. A share is
seen through an id-mapped mount, in which the environment's user is the share's owner and everybody else is nobody, so
that files belong to the share's user and group on the disk, whichever environment wrote them.

The work is a child's of the supervisor, which may wait for a file system that does not answer. Used by
`sandbox.supervisor` only.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from ingle.sandbox.inside import linux

#: What a child reports when all is well; everything else is a reason.
DONE = b"mounted"
_LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`root` is a directory below `directory`, which is all that an environment sees; "/" is `directory` itself.

    `uid` and `gid` own what is written.
    """

    directory: str
    root: str
    uid: int
    gid: int


def mount(shares: Sequence[tuple[Share, str]], init: int, user: int) -> int:
    """Begin to mount each share at its place, a directory below /mnt, where the process of the pidfd `init` is.

    `user` is the id that the environment's processes have on the host. Returns the end of a pipe on which the outcome
    comes, see `DONE`; the caller's to close. Raises OSError.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    try:
        pid = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        raise
    if pid == 0:
        _work(shares, init, user, writer)
    os.close(writer)
    return reader


def _work(shares: Sequence[tuple[Share, str]], init: int, user: int, report: int) -> NoReturn:
    try:
        # If it has to wait, it shall hold nothing of the supervisor's.
        kept = sorted({init, report, 2})
        last = -1
        for descriptor in [*kept, 1 << 20]:
            os.closerange(last + 1, descriptor)
            last = descriptor
        found = [(mapped(share, user), place) for share, place in shares]
        linux.setns(init, linux.CLONE_NEWNS)
        _attach(found)
        os.write(report, DONE)
    except OSError as error:
        os.write(report, (str(error) or "no reason given").encode()[:_LONGEST_REASON])
    finally:
        os._exit(0)


def mapped(share: Share, user: int) -> int:
    """A mount of the share that is at no place yet: a descriptor. Takes a single-threaded process. Raises OSError."""
    outer = os.open(share.directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    # What a function put below the directory must not lead out of it.
    inner = linux.open_beneath(outer, share.root.strip("/") or ".")
    tree: int = linux.clone_tree(inner)
    linux.restrict_and_map(tree, linux.MS_NOSUID | linux.MS_NODEV, _namespace(share, user))
    return tree


def _namespace(share: Share, user: int) -> int:
    """A user namespace in which the share's owner is `user` outside, and nobody else is anybody."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            linux.unshare(linux.CLONE_NEWUSER)
            theirs.send(b"1")
            ours.close()
            theirs.recv(1)
        finally:
            os._exit(0)
    theirs.close()
    if not ours.recv(1):
        raise OSError("a user namespace cannot be made")
    for name, inside in (("uid_map", share.uid), ("gid_map", share.gid)):
        with open(f"/proc/{pid}/{name}", "w") as file:
            file.write(f"{inside} {user} 1")
    namespace = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    ours.close()
    return namespace


def _attach(found: Sequence[tuple[int, str]]) -> None:
    linux.mount("tmpfs", "/mnt", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=64k,mode=755")
    for tree, place in found:
        os.mkdir(place, 0o755)
        linux.attach(tree, place)
    linux.mount("", "/mnt", "", linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV)


def shares_of(given: Mapping[str, Mapping[str, object]]) -> dict[str, Share]:
    """The inverse of `dataclasses.asdict`, by name."""
    return {name: Share(**fields) for name, fields in given.items()}  # type: ignore[arg-type]
